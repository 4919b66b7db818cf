//! Whose turn it is to put a question, where each costs somebody else something.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::access::throttle::Throttle;

/// How many are counted at a time.
const COUNTED: usize = 4_096;

/// How often questions may be put.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// So many at once by each, ...
    pub(super) at_once: u32,
    /// ... and a further one with each such interval.
    pub(super) each: Duration,
    /// So many of each are under way.
    pub(super) of_one: usize,
    /// So many of each are under way or wait. What comes then is refused at once.
    pub(super) waiting: usize,
    /// So many of all are under way.
    pub(super) of_all: usize,
}

/// The turns of everybody under a rule. Those of one come in the order in which they are asked for, and no queue holds up another's.
#[derive(Debug)]
pub(super) struct Turns<K> {
    rule: Rule,
    spent: Throttle<K>,
    under_way: Semaphore,
    queues: Mutex<HashMap<K, Weak<Semaphore>>>,
}

/// That it is somebody's turn, for as long as it is kept. It was counted before anything was asked, so that no question escapes
/// the count by being put beside others, or by never being answered.
#[derive(Debug)]
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
}

impl<K: Eq + Hash + Clone> Turns<K> {
    pub(super) fn new(rule: Rule) -> Self {
        Self {
            rule,
            spent: Throttle::new(rule.at_once, rule.each, COUNTED),
            under_way: Semaphore::new(rule.of_all),
            queues: Mutex::default(),
        }
    }

    /// Waits for somebody's turn. Fails with the time until it is worth trying again if it does not come by then.
    pub(super) async fn take(&self, who: &K, by: Instant) -> Result<Turn, Duration> {
        let queue = self.queue(who);
        // One is the table's caller's, the others are of those who are under way or wait.
        if Arc::strong_count(&queue) > self.rule.waiting {
            return Err(self.rule.each);
        }
        let place = timeout_at(by, queue.acquire_owned()).await;
        // The semaphore is never closed.
        let Ok(Ok(place)) = place else {
            return Err(self.rule.each);
        };
        while let Err(wait) = self.spent.take(who.clone()) {
            let there_is_one = Instant::now() + wait;
            if there_is_one > by {
                return Err(wait);
            }
            sleep_until(there_is_one).await;
        }
        Ok(Turn { _place: place })
    }

    /// Puts a question when there is room for one; `None` if none was by then.
    pub(super) async fn put<T>(&self, question: impl Future<Output = T>, by: Instant) -> Option<T> {
        let asked = timeout_at(by, async {
            // The semaphore is never closed.
            let _room = self.under_way.acquire().await;
            question.await
        });
        asked.await.ok()
    }

    /// What was asked turned out to be somebody's right.
    pub(super) fn give_back(&self, who: &K) {
        self.spent.give_back(who);
    }

    fn queue(&self, who: &K) -> Arc<Semaphore> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(who).and_then(Weak::upgrade) {
            return queue;
        }
        // What is left is of connections that are open, so it has their bound.
        if queues.len() >= COUNTED {
            queues.retain(|_, queue| queue.strong_count() > 0);
        }
        let queue = Arc::new(Semaphore::new(self.rule.of_one));
        queues.insert(who.clone(), Arc::downgrade(&queue));
        queue
    }
}
