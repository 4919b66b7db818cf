//! A memory comes to rest.

use super::{Break, Law, Shows};
use crate::lines::{Along, Course, grows};
use crate::look::Look;

/// What is remembered of a job is bounded, whatever goes on for how long.
pub(super) struct MemoryIsBounded;

impl Law for MemoryIsBounded {
    fn name(&self) -> &str {
        "memory-is-bounded"
    }

    fn says(&self) -> &str {
        "when the same things happen again and again, or nothing but time passes, the memory does not grow on and on"
    }

    fn judge(&self, _: &Look, _: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn along(&self, line: &Along<'_>) -> Result<(), Break> {
        let (true, Course::Circles, Some(last)) = (line.is_end, line.course, line.looks.last()) else {
            return Ok(());
        };
        let rounds = line.sizes.len();
        let (first, now) = (line.sizes.first(), line.sizes.last());
        let size = format!(
            "{} bytes after the first round, {} after {rounds}",
            first.unwrap_or(&0),
            now.unwrap_or(&0)
        );
        let why = match &last.failure {
            Some(failure) if grows(line.sizes) || rounds > 1 && first < now => {
                format!(
                    "the memory grows with each round ({size}), until the policy fails: {}",
                    failure.message
                )
            }
            Some(_) => return Ok(()),
            None if grows(line.sizes) => format!("the memory grows with each round: {size}"),
            None => return Ok(()),
        };
        Err(Break::new(why, Shows::Failure))
    }
}
