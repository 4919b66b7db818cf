//! Records of jobs that ended long ago go, if that is configured.
//!
//! Only what would not come back: a job that its Flink still lists, or whose Deployment is there, would be found again at once,
//! without its history. So what cannot be looked at stays.

use std::sync::Arc;
use std::time::Duration;

use steadfast_core::evidence::Observed;
use steadfast_core::journal::Change;
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::turn::Turn;

impl Reactor {
    /// Forgets jobs that ended so long ago and are seen to be gone, at most `limit`: the first of them.
    pub fn retire(&self, ended_for: Duration, limit: usize, now: Timestamp) -> Turn {
        let due = self.records.values().filter(|record| {
            record.state.is_terminal() && now.since(record.since) >= ended_for && self.is_gone(record)
        });
        let changes = due.take(limit).map(|record| Change::forget(Arc::clone(record)));
        Turn {
            changes: self.deduped(changes.collect()),
            ..Turn::default()
        }
    }

    /// Whether it is known that nothing would take the job up again.
    fn is_gone(&self, record: &JobRecord) -> bool {
        let key = &record.key;
        if record.origin == Origin::Configured && key.session_job.is_none() {
            return false;
        }
        let Some(target) = self.targets.get(&key.target) else {
            return true;
        };
        if self.seen_alive(record).is_some() {
            return false;
        }
        let object = target.object.as_ref();
        let is_looked_for = object.is_some_and(|object| self.is_known(&key.target.cluster, object));
        if key.session_job.is_none() {
            return is_looked_for;
        }
        // A session's job is gone with its session, or when the session answers without it.
        let answers = self
            .board
            .overview(&key.target)
            .is_some_and(|overview| matches!(overview.latest, Observed::Present(_)));
        let session = object.filter(|_| is_looked_for);
        answers || session.is_some_and(|object| self.discovered_mode(&key.target.cluster, object).is_none())
    }
}
