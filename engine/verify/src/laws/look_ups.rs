//! What was answered is not asked for again at each look.

use steadfast_core::decision::LookupSource;

use super::{Break, Law, Shows};
use crate::lines::{Along, Course};
use crate::look::Look;
use crate::step::Step;

/// Evidence on request is costly: that is why it is on request.
pub(super) struct LookUpsArePaced;

/// At so many looks in a row, a poll apart and each of them answered.
const IN_A_ROW: usize = 24;

impl Law for LookUpsArePaced {
    fn name(&self) -> &str {
        "look-ups-are-paced"
    }

    fn says(&self) -> &str {
        "while nothing changes, what is answered each time, lists of Kubernetes too, is not asked for at each of 24 looks in a row"
    }

    fn judge(&self, _: &Look, _: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn along(&self, line: &Along<'_>) -> Result<(), Break> {
        // Lists are made whenever time passes; what else is asked for is answered along a line of its own.
        let answers_lists_alone = match line.course {
            Course::Still => true,
            Course::Answered => false,
            Course::Healed | Course::Circles => return Ok(()),
        };
        // Only where time has passed: between the answer and the next look nothing can have been asked.
        let waits: Vec<&Look> = line
            .looks
            .iter()
            .filter(|look| matches!(look.step, Step::Wait(span) if span <= look.snapshot.timing.poll))
            .collect();
        let lately = waits.len().checked_sub(IN_A_ROW).and_then(|first| waits.get(first..));
        let Some(lately) = lately else {
            return Ok(());
        };
        let is_open = |look: &Look, source: LookupSource| match source {
            LookupSource::Kubernetes => look.wants_lists && is_known(look),
            LookupSource::LastWords
            | LookupSource::Archive
            | LookupSource::HaData
            | LookupSource::Exceptions
            | LookupSource::Checkpoints
            | LookupSource::Events
            | LookupSource::TaskManagers => !answers_lists_alone && look.after.asked.open().any(|open| open == source),
        };
        let is_wanted = |source: LookupSource| lately.iter().all(|look| is_open(look, source));
        match LookupSource::ALL.iter().copied().find(|source| is_wanted(*source)) {
            Some(source) => Err(Break::new(
                format!(
                    "{} was asked for at each of {IN_A_ROW} looks, and answered each time",
                    source.as_str()
                ),
                Shows::Nothing("a record does not show what was asked for"),
            )),
            None => Ok(()),
        }
    }
}

/// Whether Kubernetes answers.
fn is_known(look: &Look) -> bool {
    let deployment = look.snapshot.deployment.as_ref();
    deployment.is_some_and(|evidence| evidence.latest.is_known())
}
