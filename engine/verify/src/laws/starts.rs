//! What was not looked at is not spoken of.

use steadfast_core::evidence::Observed;
use steadfast_core::facts::Readiness;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;

use super::{Break, Law, Shows};
use crate::look::Look;

/// A start that nobody saw is not made up: what is met for the first time may have run for weeks.
pub(super) struct StartsAreSeen;

/// The Deployment was not there, by a complete answer.
const WAS_ABSENT: u64 = 1;

impl Law for StartsAreSeen {
    fn name(&self) -> &str {
        "starts-are-seen"
    }

    fn says(&self) -> &str {
        "UNKNOWN becomes STARTING only if Flink answers and lists no job, Kubernetes says that the JobManager is not ready, or \
         the Deployment was seen to appear"
    }

    fn judge(&self, look: &Look, tracker: &mut u64) -> Result<(), Break> {
        let snapshot = &look.snapshot;
        let deployment = snapshot.deployment.as_ref().map(|evidence| &evidence.latest);
        if deployment == Some(&Observed::Absent) {
            *tracker = WAS_ABSENT;
        }
        let (before, after) = (look.before.state, look.record().state);
        if before != JobState::Unknown || after != JobState::Starting {
            return Ok(());
        }
        let is_listed_empty = snapshot.flink.as_ref().is_some_and(|e| e.latest == Observed::Absent);
        let is_seen = is_listed_empty
            || is_not_ready(snapshot)
            || *tracker == WAS_ABSENT
            || snapshot.record.incarnation.attempt > 1;
        if is_seen {
            return Ok(());
        }
        Err(Break::new(
            "a Deployment that is ready was met for the first time, and is said to start",
            Shows::State(after),
        ))
    }
}

/// Whether Kubernetes says so of the Deployment or of one of its pods.
fn is_not_ready(snapshot: &Snapshot) -> bool {
    let deployment = snapshot.deployment.as_ref().and_then(|e| e.latest.present());
    let pods = snapshot.pods.as_ref().and_then(|e| e.latest.present());
    deployment.is_some_and(|deployment| deployment.ready < deployment.replicas)
        || pods.is_some_and(|pods| pods.iter().any(|pod| pod.ready == Readiness::NotReady))
}
