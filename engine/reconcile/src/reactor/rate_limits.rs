//! How much the decisions about each job have written into the journal of late.
//!
//! In memory alone: it is about the journal's growth, not about the job, and begins anew with the engine.

use std::collections::BTreeMap;

use steadfast_core::id::JobKey;
use steadfast_core::planner::{Allowance, Spent};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;

#[derive(Debug)]
pub(super) struct RateLimits {
    timing: Timing,
    /// Jobs whose spending is not made up for yet.
    spent: BTreeMap<JobKey, Spent>,
}

impl RateLimits {
    pub(super) fn new(timing: Timing) -> Self {
        Self {
            timing,
            spent: BTreeMap::new(),
        }
    }

    /// What a job's next decision may write.
    pub(super) fn allowance(&self, key: &JobKey, now: Timestamp) -> Allowance {
        let spent = self.spent.get(key);
        spent.map_or(Allowance::WHOLE, |spent| spent.allowance(now, &self.timing))
    }

    /// Until when a job must not be judged; `None`: it may be now.
    pub(super) fn exhausted_until(&self, key: &JobKey, now: Timestamp) -> Option<Timestamp> {
        self.spent.get(key)?.exhausted_until(now, &self.timing)
    }

    /// A decision about a job has written so many entries.
    pub(super) fn note(&mut self, key: &JobKey, entries: usize, now: Timestamp) {
        let before = self.spent.get(key).copied();
        if entries > 0 {
            let spent = Spent::more(before, entries, now, &self.timing);
            self.spent.insert(key.clone(), spent);
        } else if before.is_some_and(|spent| spent.is_made_up(now)) {
            self.spent.remove(key);
        }
    }

    /// The job is no longer there.
    pub(super) fn forget(&mut self, key: &JobKey) {
        self.spent.remove(key);
    }
}
