//! Attempts never run backwards.

use super::{Break, Law, Shows};
use crate::look::Look;

/// No record goes back to an attempt before.
pub(super) struct AttemptsGoForward;

impl Law for AttemptsGoForward {
    fn name(&self) -> &str {
        "attempts-go-forward"
    }

    fn says(&self) -> &str {
        "a record never goes back to an earlier attempt"
    }

    fn judge(&self, look: &Look, _tracker: &mut u64) -> Result<(), Break> {
        let (before, after) = (look.before.incarnation.attempt, look.record().incarnation.attempt);
        if before <= after {
            return Ok(());
        }
        Err(Break::new(
            format!("attempt {before} became attempt {after}"),
            Shows::Nothing("every story is held to this unasked"),
        ))
    }
}
