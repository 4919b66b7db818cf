//! The same input gives the same output.

use std::time::Duration;

use super::{Break, Law, Shows};
use crate::look::{BEGINNING, Look, Watcher};
use crate::step::Step;

/// A decision depends on its snapshot and on nothing else.
pub(super) struct SameInputSameOutput;

/// Every state that is gone on from is judged again when it is made again. Beside that, what was seen within this time is judged
/// again at once, and of what was seen later one of so many.
const AT_ONCE: Duration = Duration::from_secs(15);
const SAMPLED: i64 = 16;

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
        let now = look.snapshot.now;
        let is_sampled = now.since(BEGINNING) <= AT_ONCE || now.as_millis() / 1000 % SAMPLED == 0;
        if look.step == Step::PolicyFails || !is_sampled {
            return Ok(());
        }
        if watcher.decide_again(&look.snapshot) != look.outcome {
            return Err(otherwise("the same instance"));
        }
        if watcher.decide_afresh(&look.snapshot) != look.outcome {
            return Err(otherwise("a fresh instance"));
        }
        Ok(())
    }

    fn came_out_otherwise(&self) -> Option<Break> {
        Some(otherwise("an instance that had judged others since"))
    }
}

fn otherwise(by: &str) -> Break {
    Break::new(
        format!("the same snapshot, judged again by {by}, gave another decision"),
        Shows::Nothing("a record does not show that it might have been decided otherwise"),
    )
}
