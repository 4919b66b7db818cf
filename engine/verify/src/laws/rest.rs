//! The same evidence, found again and again, comes to one conclusion.

use steadfast_core::state::JobState;

use super::{Break, Law, Shows};
use crate::look::Look;
use crate::step::Step;

/// While only time passes, no state comes back that was left.
pub(super) struct ComesToRest;

/// How many states one piece of constant evidence may lead through.
const MOST: u32 = 4;

impl Law for ComesToRest {
    fn name(&self) -> &str {
        "comes-to-rest"
    }

    fn says(&self) -> &str {
        "while the same evidence is found again and only time passes, the state changes at most three times, never back"
    }

    fn judge(&self, look: &Look, tracker: &mut u64) -> Result<(), Break> {
        let (before, after) = (look.before.state, look.record().state);
        if !matches!(look.step, Step::Wait(_)) {
            *tracker = bit(after);
            return Ok(());
        }
        if before == after {
            return Ok(());
        }
        if *tracker & bit(after) != 0 {
            return Err(Break::new(
                format!("{before} became {after} again, and nothing had changed"),
                Shows::GoesBack,
            ));
        }
        *tracker |= bit(after);
        if tracker.count_ones() > MOST {
            return Err(Break::new(
                format!("{before} became {after}, the {MOST}th change while nothing had changed"),
                Shows::GoesBack,
            ));
        }
        Ok(())
    }
}

fn bit(state: JobState) -> u64 {
    JobState::ALL
        .iter()
        .position(|other| *other == state)
        .map_or(0, |object| 1 << object)
}
