//! What the loop does for the store beside its turns: memory and store are compared, and what is no longer kept is dropped.

use std::time::Duration;

use steadfast_core::error_chain::error_chain;
use steadfast_core::id::JobKey;
use steadfast_core::journal::Keep;
use steadfast_core::recording::Retention;
use tokio::time::Instant;

use super::Driver;

/// How many ended jobs are forgotten in one commit.
const RETIRED: usize = 64;
/// How many records are compared with memory in one step.
const PART: u32 = 250;
/// Between two steps of dropping: the loop has turned meanwhile, and nobody waits for a step.
const PAUSE: Duration = Duration::from_secs(1);

/// How far the validation cycle has gone.
pub(super) struct Validation {
    /// When its next step is due.
    pub(super) due: Instant,
    /// When it began.
    began: Instant,
    /// Behind which job the next part begins; `None`: it begins anew.
    after: Option<String>,
}

impl Validation {
    pub(super) fn due_at(due: Instant) -> Self {
        Self {
            due,
            began: due,
            after: None,
        }
    }
}

impl Driver {
    /// The validation cycle's part in memory, one step of it: memory is compared with a part of the store, drift is repaired and
    /// counted, and the confirmations since the last cycle are written down.
    pub(super) async fn validate(&mut self, validation: &mut Validation) {
        let now = self.clock.now();
        if validation.after.is_none() {
            self.reactor.begin_comparison();
            validation.began = Instant::now();
        }
        let after = validation.after.take();
        let part = match self.journal.load_part(after.as_deref(), PART, now).await {
            Ok(part) => part,
            Err(error) => {
                self.readers
                    .store_failed("the store could not be compared with memory", &error);
                validation.due = Instant::now() + self.timing.validate;
                return;
            }
        };
        validation.after.clone_from(&part.next);
        validation.due = match part.next {
            // In half of the time at most, whatever the size of the fleet.
            Some(_) => Instant::now() + self.pause_between_parts(),
            None => validation.began + self.timing.validate,
        };
        self.readers.loaded(&part.loaded);
        let jobs: Vec<JobKey> = part.loaded.records.iter().map(|record| record.key.clone()).collect();
        let repair = self.reactor.repair(part, now);
        for show in repair.shown {
            self.readers.show(show, self.reactor.policies(), now);
        }
        self.commit_or_retry(repair.turn).await;
        let upkeep = self.reactor.upkeep(&jobs);
        self.commit_or_retry(upkeep).await;
    }

    fn pause_between_parts(&self) -> Duration {
        let parts = self.reactor.records().len().div_ceil(PART as usize).max(1);
        self.timing.validate / 2 / u32::try_from(parts).unwrap_or(u32::MAX)
    }

    /// One small step towards what is kept. Says when the next one is due.
    pub(super) async fn tidy(&mut self) -> Instant {
        let retired = self.retire().await;
        let pruned = self.prune().await;
        let pause = if retired || pruned { PAUSE } else { self.timing.validate };
        Instant::now() + pause
    }

    /// Forgets jobs that ended long ago. Says whether there may be more.
    async fn retire(&mut self) -> bool {
        let Some(ended_for) = self.keeping.ended_jobs else {
            return false;
        };
        let turn = self.reactor.retire(ended_for, RETIRED, self.clock.surely());
        let count = turn.changes.len();
        if count == 0 {
            return false;
        }
        match self.commit(turn).await {
            Ok(_) => tracing::info!(
                count,
                "jobs that ended long ago were forgotten ([retention] ended_jobs)"
            ),
            Err(error) => tracing::debug!(
                "jobs that ended long ago could not be forgotten: {}",
                error_chain(&error)
            ),
        }
        count == RETIRED
    }

    /// Drops snapshots and entries that are too old or too many. Without recording no snapshots are kept at all. Says whether
    /// there is more to drop.
    async fn prune(&mut self) -> bool {
        let snapshots = self.keep.unwrap_or(Retention {
            max_age: Duration::ZERO,
            max_bytes: 0,
        });
        let now = self.clock.surely();
        let keep = Keep::at(now, snapshots, self.keeping.journal.at(now));
        match self.journal.prune(&keep).await {
            Ok(pruned) => pruned.more,
            Err(error) => {
                self.readers
                    .store_failed("what is no longer kept could not be dropped", &error);
                false
            }
        }
    }
}
