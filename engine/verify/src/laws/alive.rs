//! A job that Flink lists alive is not ended.

use super::support;
use super::{Break, Law, Shows};
use crate::look::Look;

/// Flink's newest word that the job lives outweighs whatever was recorded before.
pub(super) struct AliveIsNotEnded;

impl Law for AliveIsNotEnded {
    fn name(&self) -> &str {
        "alive-is-not-ended"
    }

    fn says(&self) -> &str {
        "while Flink's newest answer says that the job lives, its record is not terminal, whatever happened before"
    }

    fn judge(&self, look: &Look, _: &mut u64) -> Result<(), Break> {
        let after = look.record().state;
        match support::flink(&look.snapshot) {
            Some(word) if !word.is_terminal() && after.is_terminal() && look.failure.is_none() => Err(Break::new(
                format!("Flink says {word}, and the record says {after}"),
                Shows::State(after),
            )),
            Some(_) | None => Ok(()),
        }
    }
}
