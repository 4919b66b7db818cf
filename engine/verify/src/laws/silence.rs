//! While no source answers nothing becomes of a job.

use steadfast_core::record::{AlertScope, StandingAlert};

use super::support;
use super::{Beside, Break, Law, Shows, in_stories};
use crate::look::Look;
use crate::step::Step;

/// Silence says nothing: neither a state nor the end of an alarm.
pub(super) struct SilenceChangesNothing;

impl Law for SilenceChangesNothing {
    fn name(&self) -> &str {
        "silence-changes-nothing"
    }

    fn says(&self) -> &str {
        "at a look at which no source answers the state stays what it was, and no alert about the job is resolved"
    }

    fn judge(&self, look: &Look, _: &mut u64) -> Result<(), Break> {
        let is_told = matches!(look.step, Step::Ends(_) | Step::Intent(_) | Step::PolicyFails);
        if is_told || look.failure.is_some() || !support::is_silent(&look.snapshot) {
            return Ok(());
        }
        // An intent may have run out by now; and what the engine has tracked is another run.
        let (before, after) = (&look.before, look.record());
        let is_as_before = look.snapshot.record.incarnation.is_same_run(&before.incarnation)
            && look.snapshot.record.intent == before.intent;
        if is_as_before && before.state != after.state {
            return Err(Break::new(
                format!("{} became {}, and no source answers", before.state, after.state),
                Shows::StateAgain(after.state),
            ));
        }
        let stays = |alert: &&StandingAlert| after.alerts.iter().any(|other| other.name == alert.name);
        let is_of_job = |alert: &&StandingAlert| alert.scope == AlertScope::Job;
        match before.alerts.iter().filter(is_of_job).find(|alert| !stays(alert)) {
            Some(alert) if is_as_before => Err(Break::new(
                format!("the alert {} is resolved, and no source answers", alert.name),
                Shows::Beside(Beside::Alert(vec![in_stories(alert)])),
            )),
            Some(_) | None => Ok(()),
        }
    }
}
