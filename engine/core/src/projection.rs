//! What memory shows of the store: records as committed, and beside them how the watch stands.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use crate::id::JobKey;
use crate::record::JobRecord;
use crate::time::Timestamp;

/// The part of a watch that is not worth a commit: it is gone with the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchStatus {
    /// When Flink is asked next, or was last asked while its answer is awaited; `None` while the watch sleeps.
    pub next_poll_at: Option<Timestamp>,
    /// When the job is judged again, whatever comes in; `None` only until it was judged first.
    pub next_review_at: Option<Timestamp>,
    /// How many polls of Flink in a row gave no usable answer.
    pub failures: u32,
    /// When the state was last confirmed, if later than in the record.
    pub confirmed_at: Option<Timestamp>,
}

/// A record with its watch, as the API shows it.
#[derive(Clone, Debug)]
pub struct JobView {
    /// The committed record.
    pub record: Arc<JobRecord>,
    /// How its watch stands.
    pub watch: WatchStatus,
}

/// All records, ordered by key. Only the reconcile loop writes, and only what was committed.
///
/// It holds a lock, alone in core with [`ShadowBoard`](crate::shadow::ShadowBoard): the loop writes while the API reads.
/// Nothing that decides reads it, so no decision depends on who holds the lock.
#[derive(Debug, Default)]
pub struct Projection {
    jobs: RwLock<BTreeMap<JobKey, JobView>>,
}

impl Projection {
    /// Shows a committed record.
    pub fn show(&self, view: JobView) {
        let mut jobs = self.jobs.write().unwrap_or_else(PoisonError::into_inner);
        jobs.insert(view.record.key.clone(), view);
    }

    /// Shows how the watch of a job stands; without a record it does nothing.
    pub fn show_watch(&self, key: &JobKey, watch: WatchStatus) {
        let mut jobs = self.jobs.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = jobs.get_mut(key) {
            view.watch = watch;
        }
    }

    /// Stops showing a job whose removal was committed.
    pub fn remove(&self, key: &JobKey) {
        self.jobs.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// A job's view; `None` if it has no record.
    pub fn get(&self, key: &JobKey) -> Option<JobView> {
        self.jobs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    /// Up to `limit` jobs behind `after` that pass, in the order of their keys.
    pub fn page(&self, after: Option<&JobKey>, limit: usize, mut pass: impl FnMut(&JobView) -> bool) -> Vec<JobView> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
        jobs.range::<JobKey, _>((from, Bound::Unbounded))
            .map(|(_, view)| view)
            .filter(|v| pass(v))
            .take(limit)
            .cloned()
            .collect()
    }

    /// How many jobs are shown.
    pub fn len(&self) -> usize {
        self.jobs.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether none is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
