//! Calls that miss their deadline. Each takes as long as thousands of others, so that a policy with a loop without an end would be
//! explored without an end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use steadfast_core::decision::PolicyFailureKind;

use crate::look::Look;

/// After so many the exploration ends.
pub const MOST_LATE: usize = 10;

/// Looks that were judged, and at which the call missed its deadline. All threads of an exploration share it.
#[derive(Debug, Default)]
pub(crate) struct Late {
    looks: AtomicUsize,
    /// What the first of them says.
    first: OnceLock<String>,
}

impl Late {
    /// Counts a look, if it is one of them.
    pub(crate) fn note(&self, look: &Look) {
        if let Some(failure) = &look.failure
            && is_late(look)
        {
            self.looks.fetch_add(1, Ordering::Relaxed);
            self.first.get_or_init(|| failure.message.to_string());
        }
    }

    /// Whether there were so many that nothing more is tried.
    pub(crate) fn is_enough(&self) -> bool {
        self.looks.load(Ordering::Relaxed) >= MOST_LATE
    }

    /// What the first of them says, if nothing more is tried.
    pub(crate) fn reason(&self) -> Option<String> {
        self.first.get().filter(|_| self.is_enough()).cloned()
    }
}

/// Whether the call missed its deadline.
pub(crate) fn is_late(look: &Look) -> bool {
    let failure = look.failure.as_ref();
    failure.is_some_and(|failure| failure.kind == PolicyFailureKind::Deadline)
}
