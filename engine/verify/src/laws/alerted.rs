//! An end that nobody intended is alerted, and what is over is not.

use steadfast_core::record::{AlertScope, Condition};
use steadfast_core::state::{Confidence, JobState};
use steadfast_core::time::Timestamp;

use super::{Beside, Break, ENDS_ARE_ALERTED, Law, Shows, in_stories, is_unintended_end};
use crate::lines::{Along, Course};
use crate::look::Look;

/// Somebody is told.
pub(super) struct EndsAreAlerted;

/// How many hours an alert may wait: whoever alerts within business hours only does so after a long weekend.
const AT_THE_LATEST: i64 = 72;

impl Law for EndsAreAlerted {
    fn name(&self) -> &str {
        ENDS_ARE_ALERTED
    }

    fn says(&self) -> &str {
        "a job that is FAILED, LOST or TERMINATED for three days, and that nobody intended to cancel, has an alert that stands"
    }

    fn judge(&self, _: &Look, _: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn along(&self, line: &Along<'_>) -> Result<(), Break> {
        let (true, Course::Still, Some(last)) = (line.is_end, line.course, line.looks.last()) else {
            return Ok(());
        };
        let record = last.record();
        let stood = hours(record.since, last.snapshot.now) >= AT_THE_LATEST;
        let is_alerted = record.alerts.iter().any(|alert| alert.scope == AlertScope::Job);
        if last.failure.is_some() || !stood || is_alerted || !is_unintended_end(record) {
            return Ok(());
        }
        Err(Break::new(
            format!(
                "{} has stood for more than {AT_THE_LATEST} hours, and no alert stands",
                record.state
            ),
            Shows::Beside(Beside::Alert(vec!["job:*".to_owned()])),
        ))
    }
}

fn hours(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_millis() - from.as_millis()) / 3_600_000
}

/// What is well is not alerted. What is alerted of a job of which nothing was ever wrong, its deadline say, is no trouble that clears.
pub(super) struct AlertsClear;

impl Law for AlertsClear {
    fn name(&self) -> &str {
        "alerts-clear"
    }

    fn says(&self) -> &str {
        "a day after everything answers again and Flink lists the job RUNNING, no alert and no condition stands but those of a job \
         of which nothing was ever wrong"
    }

    fn judge(&self, _: &Look, _: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn along(&self, line: &Along<'_>) -> Result<(), Break> {
        let (true, Course::Healed, Some(last)) = (line.is_end, line.course, line.looks.last()) else {
            return Ok(());
        };
        let record = last.record();
        let runs = record.state == JobState::Running && record.confidence == Confidence::Confirmed;
        if last.failure.is_some() || !runs {
            return Ok(());
        }
        if let Some(alert) = record.alerts.iter().find(|alert| !line.calm.has_alert(alert)) {
            return Err(Break::new(
                format!("the job has run well for a day, and the alert {} stands", alert.name),
                Shows::Beside(Beside::NoAlert(vec![in_stories(alert)])),
            ));
        }
        let is_trouble = |condition: &&Condition| !line.calm.has_condition(condition.kind);
        match record.conditions.iter().find(is_trouble) {
            Some(condition) => Err(Break::new(
                format!(
                    "the job has run well for a day, and the condition {} stands",
                    condition.kind.as_str()
                ),
                Shows::Beside(Beside::NoCondition(vec![condition.kind])),
            )),
            None => Ok(()),
        }
    }
}
