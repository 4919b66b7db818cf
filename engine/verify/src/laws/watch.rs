//! A watch never ends by itself.

use steadfast_core::evidence::Observed;
use steadfast_core::state::{Attention, JobState};

use super::{Break, Law, Shows};
use crate::look::Look;

/// A watch may sleep only where the cluster-wide watch would show the job's return.
pub(super) struct WatchNeverEnds;

impl Law for WatchNeverEnds {
    fn name(&self) -> &str {
        "watch-never-ends"
    }

    fn says(&self) -> &str {
        "a watch sleeps only on an end or a suspension whose Deployment a complete answer lacks: then its return would be seen"
    }

    fn judge(&self, look: &Look, _tracker: &mut u64) -> Result<(), Break> {
        let record = look.record();
        if record.attention == Attention::Active {
            return Ok(());
        }
        let has_stopped = record.state.is_terminal() || record.state == JobState::Suspended;
        let deployment = look.snapshot.deployment.as_ref();
        let is_gone = deployment.is_some_and(|evidence| evidence.latest == Observed::Absent);
        if has_stopped && (is_gone || look.before.attention == Attention::Sleeping) {
            return Ok(());
        }
        Err(Break::new(
            format!(
                "the watch sleeps on {} although {}",
                record.state,
                if has_stopped {
                    "no complete answer lacks the Deployment: a job that runs there again would not be seen"
                } else {
                    "the job has not ended"
                }
            ),
            Shows::NotRecovered,
        ))
    }
}
