//! A policy answers, and where it does not the record stays.

use super::{Break, Law, Shows};
use crate::look::Look;
use crate::step::Step;

/// The policy decides on whatever it is shown.
pub(super) struct AnswersEverything;

impl Law for AnswersEverything {
    fn name(&self) -> &str {
        "answers-everything"
    }

    fn says(&self) -> &str {
        "every call returns a decision that keeps the contract: no error, no trap, nothing the planner refuses or trims"
    }

    fn judge(&self, look: &Look, _tracker: &mut u64) -> Result<(), Break> {
        if let Some(complaint) = &look.trimmed {
            return Err(Break::new(complaint, Shows::Failure));
        }
        match &look.failure {
            Some(failure) if look.step != Step::PolicyFails => Err(Break::new(
                format!("the policy fails ({}): {}", failure.kind.as_str(), failure.message),
                Shows::Failure,
            )),
            Some(_) | None => Ok(()),
        }
    }
}

/// A call that fails changes nothing that the policy decides, but nobody vouches for it any more.
pub(super) struct FailureCostsNothing;

impl Law for FailureCostsNothing {
    fn name(&self) -> &str {
        "failure-costs-nothing"
    }

    fn says(&self) -> &str {
        "after a call that fails, state, reason and memory are what they were, the confidence is stale, and the watch is active"
    }

    fn judge(&self, look: &Look, _tracker: &mut u64) -> Result<(), Break> {
        let (before, after) = (&look.before, look.record());
        let stays = before.state == after.state
            && after.confidence == steadfast_core::state::Confidence::Stale
            && before.reason == after.reason
            && before.memory == after.memory;
        let is_watched = after.attention == steadfast_core::state::Attention::Active;
        if look.failure.is_none() || (stays && is_watched) {
            return Ok(());
        }
        Err(Break::new(
            format!(
                "a call failed, and {} {} became {} {}",
                before.confidence, before.state, after.confidence, after.state
            ),
            Shows::Nothing("a story cannot make a policy fail"),
        ))
    }
}
