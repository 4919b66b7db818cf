//! How one module did in one kind of comparison.

use std::fmt;

/// How many there were, and which came out otherwise.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    all: usize,
    pub(crate) differences: Vec<String>,
}

impl Verdict {
    /// Counts one more; `outcome` is the difference, if there is one.
    pub(crate) fn count(&mut self, outcome: Option<String>) {
        self.all += 1;
        self.differences.extend(outcome);
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.all - self.differences.len(), self.all)
    }
}
