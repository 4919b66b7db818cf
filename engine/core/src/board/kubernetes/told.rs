//! When something was told of an object, and of which version it is: which of two answers shows the older state.
//!
//! A list and an answer about one object overtake each other. While both were under way, neither when they were asked for nor
//! when they came says which was read first: a list may be served later than a question that was asked after it. Their resource
//! versions say it, where they can be compared.

use crate::evidence::Evidence;
use crate::kube_update::ResourceVersion;
use crate::time::Timestamp;

/// By what something was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Teller {
    /// An event. A watch tells what happens in its order, and goes on from a list.
    Watch,
    /// A list of a scope.
    List,
    /// An answer about what was asked for by name.
    Name,
}

/// The times of an answer or of a watch event, and what it shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) by: Teller,
    /// When it was asked for; of an event, when it came.
    pub(super) asked_at: Timestamp,
    /// When it came.
    pub(super) at: Timestamp,
    /// `None`: none that can be compared.
    pub(super) version: Option<ResourceVersion>,
}

impl Told {
    /// Whether it shows what was so before what is known; `None`: nothing says it.
    pub(super) fn is_before(self, known: Self) -> Option<bool> {
        match (self.by, known.by) {
            (Teller::Watch, Teller::Watch | Teller::List) => Some(false),
            // Asked for after the other came, whatever the versions: those of a store that was restored from a backup are lower.
            (Teller::List | Teller::Name, _) if self.asked_at > known.at => Some(false),
            (Teller::Watch, Teller::Name) | (Teller::List | Teller::Name, _) => {
                let versions = self.version.zip(known.version);
                versions.map(|(this, known)| this < known)
            }
        }
    }

    /// The times and the version of what is told in the place of what was told before.
    pub(super) fn in_place_of(self, before: Self) -> Self {
        // What is of a later version was read after whatever shows an earlier one, whenever it was asked for.
        let is_read_after = self.version.is_some() && before.version.is_some();
        Self {
            asked_at: if is_read_after {
                self.asked_at.max(before.asked_at)
            } else {
                self.asked_at
            },
            ..self
        }
    }

    /// The times and the version of what was told before, and is told again.
    pub(super) fn told_again(self, again: Self) -> Self {
        let is_newest = again.version.is_some() && again.is_before(self) != Some(true);
        let newest = if is_newest { again } else { self };
        Self {
            asked_at: self.asked_at.max(again.asked_at),
            at: self.at.max(again.at),
            ..newest
        }
    }

    /// The times and the version of what stands against an answer that shows what was so before: it came to be after that was
    /// read.
    pub(super) fn stood_against(self, answer: Self) -> Self {
        match answer.by {
            Teller::Watch => self,
            Teller::List | Teller::Name => Self {
                asked_at: self.asked_at.max(answer.asked_at),
                ..self
            },
        }
    }

    /// The evidence of a list, as fresh as what was told since of that which it is about.
    pub(super) fn freshen<T>(self, evidence: Evidence<T>) -> Evidence<T> {
        if !evidence.latest.is_known() {
            return evidence;
        }
        Evidence {
            asked_at: evidence.asked_at.max(self.asked_at),
            observed_at: evidence.observed_at.max(self.at),
            known_at: evidence.known_at.max(Some(self.at)),
            ..evidence
        }
    }
}
