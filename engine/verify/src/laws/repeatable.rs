//! The same input gives the same output.

use super::{Break, Law, Shows};
use crate::look::{Look, Watcher};
use crate::step::Step;

/// A decision depends on its snapshot and on nothing else.
pub(super) struct SameInputSameOutput;

/// A fresh instance is dear: beyond the first looks, one state of so many is judged by one.
const AFRESH: i64 = 16;

impl Law for SameInputSameOutput {
    fn name(&self) -> &str {
        "same-input-same-output"
    }

    fn says(&self) -> &str {
        "a snapshot judged again, by the instance that has judged others since or by a fresh one, gives the same decision"
    }

    fn judge(&self, _look: &Look, _tracker: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn probe(&self, look: &Look, watcher: &mut Watcher) -> Result<(), Break> {
        if look.step == Step::PolicyFails {
            return Ok(());
        }
        let differs = |by: &str| {
            Err(Break::new(
                format!("the same snapshot, judged again by {by}, gave another decision"),
                Shows::Nothing("a record does not show that it might have been decided otherwise"),
            ))
        };
        if watcher.decide_again(&look.snapshot) != look.outcome {
            return differs("the same instance");
        }
        let is_chosen = look.snapshot.now.as_millis() / 1000 % AFRESH == 0;
        if is_chosen && watcher.decide_afresh(&look.snapshot) != look.outcome {
            return differs("a fresh instance");
        }
        Ok(())
    }
}
