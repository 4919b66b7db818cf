//! How a job ended is somebody's word.

use steadfast_core::state::{Intent, JobState};

use super::support;
use super::{Break, Law, Shows};
use crate::look::Look;

/// FINISHED, FAILED and CANCELED are named by a source, not guessed.
pub(super) struct EndsAreTold;

const FINISHED: u64 = 1;
const FAILED: u64 = 2;
const CANCELED: u64 = 4;

fn bit(state: JobState) -> u64 {
    match state {
        JobState::Finished => FINISHED,
        JobState::Failed => FAILED,
        JobState::Canceled | JobState::Cancelling => CANCELED,
        JobState::Created
        | JobState::Initializing
        | JobState::Running
        | JobState::Failing
        | JobState::Restarting
        | JobState::Suspended
        | JobState::Reconciling
        | JobState::Unknown
        | JobState::Starting
        | JobState::Savepointing
        | JobState::Lost
        | JobState::Terminated => 0,
    }
}

impl Law for EndsAreTold {
    fn name(&self) -> &str {
        "ends-are-told"
    }

    fn says(&self) -> &str {
        "FINISHED, FAILED or CANCELED only if Flink, a log or an archive said so of this job in this attempt (FAILED also if \
         it never ran and Kubernetes says why; CANCELED also if it was being cancelled)"
    }

    fn judge(&self, look: &Look, tracker: &mut u64) -> Result<(), Break> {
        let snapshot = &look.snapshot;
        if snapshot.record.incarnation.attempt != look.before.incarnation.attempt {
            *tracker = 0;
        }
        *tracker |= support::flink(snapshot).map_or(0, bit);
        for end in support::reported_ends(snapshot) {
            *tracker |= bit(end.state);
        }
        if support::start_is_in_trouble(snapshot) {
            *tracker |= FAILED;
        }
        if snapshot
            .record
            .intent
            .as_ref()
            .is_some_and(|posted| posted.intent == Intent::Cancel)
        {
            *tracker |= CANCELED;
        }
        let (before, after) = (look.before.state, look.record().state);
        let ended = after != before && after.is_terminal() && bit(after) != 0;
        if ended && *tracker & bit(after) == 0 {
            return Err(Break::new(
                format!("{before} became {after}, and nobody ever said {after} of this job"),
                Shows::State(after),
            ));
        }
        Ok(())
    }
}
