//! Questions under way: each is put once, however many wait for its answer.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};

/// By what they are about. A question ends with the last one who waits for it.
#[derive(Debug)]
pub(super) struct UnderWay<K, T: Clone>(Mutex<HashMap<K, Question<T>>>);

#[derive(Debug)]
struct Question<T: Clone> {
    /// Which one it is: another about the same may have begun when it ends.
    own: Arc<()>,
    answer: WeakShared<BoxFuture<'static, T>>,
}

/// Takes a question out of the table when it ends, however it does.
struct End<K: Eq + Hash, T: Clone> {
    table: Arc<UnderWay<K, T>>,
    about: K,
    own: Arc<()>,
}

impl<K, T: Clone> Default for UnderWay<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K, T> UnderWay<K, T>
where
    K: Eq + Hash + Clone + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The answer to the question about it that is under way, or else to this one.
    pub(super) fn join(
        self: &Arc<Self>,
        about: K,
        question: impl Future<Output = T> + Send + 'static,
    ) -> Shared<BoxFuture<'static, T>> {
        let own = Arc::new(());
        let end = End {
            table: Arc::clone(self),
            about: about.clone(),
            own: Arc::clone(&own),
        };
        let begun = async move {
            let _end = end;
            question.await
        };
        let begun = begun.boxed().shared();
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let joined = table.get(&about).and_then(|question| question.answer.upgrade());
        if joined.is_none()
            && let Some(answer) = begun.downgrade()
        {
            table.insert(about, Question { own, answer });
        }
        // Before `begun` is dropped, whose end looks at the table.
        drop(table);
        joined.unwrap_or(begun)
    }
}

impl<K: Eq + Hash, T: Clone> Drop for End<K, T> {
    fn drop(&mut self) {
        let mut table = self.table.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table
            .get(&self.about)
            .is_some_and(|question| Arc::ptr_eq(&question.own, &self.own))
        {
            table.remove(&self.about);
        }
    }
}
