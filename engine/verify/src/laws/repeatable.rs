//! The same input gives the same output.

use super::{Break, Future, Law, Shows};
use crate::look::{Look, Watcher};
use crate::step::Step;

/// A decision depends on its snapshot and on nothing else.
pub(super) struct SameInputSameOutput;

/// Every state that is gone on from is judged again when it is made again. Beside that, each that lies no deeper than this is
/// judged again at once, ...
const EACH_TO: u32 = 3;
/// ... and of those that lie deeper one in so many.
const ONE_IN: u64 = 64;

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

    fn probe(&self, look: &Look, future: Future, watcher: &mut Watcher) -> Result<(), Break> {
        let is_chosen = future.depth <= EACH_TO || future.fingerprint.is_multiple_of(ONE_IN);
        if look.step == Step::PolicyFails || !is_chosen {
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
