//! How much the decisions about each job, or the calls that concern it, have written into the journal of late.
//!
//! In memory alone: it is about the journal's growth, not about the job, and begins anew with the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use steadfast_core::id::JobKey;
use steadfast_core::planner::{Allowance, Spent};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;

#[derive(Debug)]
pub(super) struct RateLimits {
    timing: Timing,
    /// Jobs whose spending is not made up for yet.
    spent: BTreeMap<JobKey, Spent>,
    /// So many are looked through for those that are made up for.
    swept_from: usize,
}

/// Fewer are not worth looking through.
const SWEPT_FROM: usize = 1024;

impl RateLimits {
    pub(super) fn new(timing: Timing) -> Self {
        Self {
            timing,
            spent: BTreeMap::new(),
            swept_from: SWEPT_FROM,
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

    /// Notes entries that a call of the API makes; they are counted apart from those of decisions, so that no caller holds up
    /// what is seen of a job. Fails with how long it takes until there is room for one.
    pub(super) fn charge(&mut self, key: &JobKey, entries: usize, now: Timestamp) -> Result<(), Duration> {
        if entries == 0 {
            return Ok(());
        }
        if let Some(until) = self.exhausted_until(key, now) {
            return Err(until.since(now));
        }
        // Of jobs that are forgotten as well: calls that forget them are counted too.
        if self.spent.len() >= self.swept_from {
            self.spent.retain(|_, spent| !spent.is_made_up(now));
            self.swept_from = SWEPT_FROM.max(2 * self.spent.len());
        }
        self.note(key, entries, now);
        Ok(())
    }

    /// The job is no longer there.
    pub(super) fn forget(&mut self, key: &JobKey) {
        self.spent.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::id::TargetId;
    use steadfast_core::planner::AT_ONCE;
    use steadfast_core::testing::at;

    use super::*;

    fn key(name: &str) -> JobKey {
        JobKey::application(TargetId::standalone(name))
    }

    #[test]
    fn calls_about_one_job_have_room_for_so_many_entries_and_no_other_job_pays_for_them() {
        let timing = Timing::default();
        let mut limits = RateLimits::new(timing);
        for _ in 0..AT_ONCE {
            limits.charge(&key("a"), 1, at(0)).unwrap();
        }
        let wait = limits.charge(&key("a"), 1, at(0)).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= timing.poll, "{wait:?}");
        assert_eq!(limits.charge(&key("a"), 0, at(0)), Ok(()), "it makes no entry");
        assert_eq!(limits.charge(&key("b"), 1, at(0)), Ok(()));
        assert_eq!(limits.charge(&key("a"), 1, at(0).after(wait)), Ok(()));
    }

    #[test]
    fn what_is_made_up_for_is_not_kept() {
        let mut limits = RateLimits::new(Timing::default());
        for number in 0..10 * SWEPT_FROM {
            let now = at(i64::try_from(number).unwrap() * 60);
            limits.charge(&key(&number.to_string()), 1, now).unwrap();
            assert!(limits.spent.len() <= SWEPT_FROM);
        }
    }
}
