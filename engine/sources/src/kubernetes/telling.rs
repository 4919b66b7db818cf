//! How what is learned of a scope leaves for the board.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use steadfast_core::news::{KubeNews, Object, Scope, What};
use steadfast_core::time::{Clock, Timestamp};
use tokio::sync::mpsc;

/// Tells news of one scope, and counts what does not decode.
pub(super) struct Telling {
    pub(super) scope: Scope,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) news: mpsc::Sender<KubeNews>,
    pub(super) undecodable: Arc<AtomicU64>,
}

impl Telling {
    /// Tells of a request that began at `asked_at`.
    pub(super) async fn tell(&self, asked_at: Timestamp, what: What) {
        self.send(self.compose(asked_at, what)).await;
    }

    /// News of something that is known from now on.
    pub(super) fn compose(&self, asked_at: Timestamp, what: What) -> KubeNews {
        self.count_undecodable(match &what {
            What::Listed(objects, _) => objects,
            What::Changed(object) => std::slice::from_ref(object),
            What::Deleted(_) | What::Failed(_) => &[],
        });
        KubeNews {
            scope: self.scope.clone(),
            asked_at,
            at: self.clock.now(),
            what,
        }
    }

    /// Sends news, waiting for room.
    pub(super) async fn send(&self, news: KubeNews) {
        // The receiver is gone only when the engine has ended, and this task ends with it.
        drop(self.news.send(news).await);
    }

    /// Waits until there is room for one piece of news.
    pub(super) async fn room(&self) -> Option<mpsc::Permit<'_, KubeNews>> {
        self.news.reserve().await.ok()
    }

    fn count_undecodable(&self, objects: &[Object]) {
        let count = objects
            .iter()
            .filter(|object| matches!(object, Object::Undecodable { .. }))
            .count();
        self.undecodable
            .fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
