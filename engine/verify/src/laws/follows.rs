//! What Flink goes on to say is what the record says; and nothing is lost that was not seen.

use steadfast_core::state::JobState;

use super::support;
use super::{Break, Law, Shows};
use crate::lines::{Along, Course};
use crate::look::Look;

/// Flink's word on a job that runs.
pub(super) struct FollowsFlink;

/// After so many looks there is no transition left to explain another state.
const IN_A_ROW: usize = 4;

impl Law for FollowsFlink {
    fn name(&self) -> &str {
        "follows-flink"
    }

    fn says(&self) -> &str {
        "a job that Flink lists RUNNING at four looks in a row, while only time passes, is RUNNING or SAVEPOINTING"
    }

    fn judge(&self, _: &Look, _: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn along(&self, line: &Along<'_>) -> Result<(), Break> {
        let lately = line
            .looks
            .len()
            .checked_sub(IN_A_ROW)
            .and_then(|first| line.looks.get(first..));
        let (Course::Still, Some(lately)) = (line.course, lately) else {
            return Ok(());
        };
        let runs = |look: &Look| support::flink(&look.snapshot) == Some(JobState::Running) && look.failure.is_none();
        let Some(state) = lately.last().map(|look| look.record().state) else {
            return Ok(());
        };
        if matches!(state, JobState::Running | JobState::Savepointing) || !lately.iter().all(runs) {
            return Ok(());
        }
        Err(Break::new(
            format!("Flink says RUNNING again and again, and the record says {state}"),
            Shows::StateAgain(state),
        ))
    }
}

/// What never ran, as far as anybody knows, cannot be lost.
pub(super) struct LostWasSeen;

impl Law for LostWasSeen {
    fn name(&self) -> &str {
        "lost-was-seen"
    }

    fn says(&self) -> &str {
        "a job becomes LOST only in an attempt in which Flink has listed it: a start that is not over is no loss"
    }

    fn judge(&self, look: &Look, _: &mut u64) -> Result<(), Break> {
        let (before, after) = (look.before.state, look.record().state);
        let was_seen = look.snapshot.record.incarnation.started_at.is_some();
        if after != JobState::Lost || before == after || was_seen {
            return Ok(());
        }
        Err(Break::new(
            format!("{before} became LOST, and Flink has listed no job in this attempt"),
            Shows::StateAgain(after),
        ))
    }
}
