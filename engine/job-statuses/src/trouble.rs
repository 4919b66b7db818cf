//! What follows from an answer that is no success.

use std::fmt;

use steadfast_sources::kubernetes::Refused;

use crate::resource::{GROUP, PLURAL};

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    List,
    Apply,
    ApplyStatus,
    Delete,
}

/// As RBAC names it. Who may not create is told so by an apply as well.
impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => write!(f, "list {PLURAL}.{GROUP}"),
            Self::Apply => write!(f, "patch {PLURAL}.{GROUP}"),
            Self::ApplyStatus => write!(f, "patch {PLURAL}/status.{GROUP}"),
            Self::Delete => write!(f, "delete {PLURAL}.{GROUP}"),
        }
    }
}

/// Whom it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The cluster has no such kind.
    NotInstalled,
    /// The resource is not there.
    Gone,
    /// All of the namespace: we have no right there, or it is gone, or going.
    Namespace,
    /// This resource alone: what it says is not taken.
    Resource,
    /// The whole cluster: it was not reached, is at its limits, or does not know us.
    Cluster,
}

impl Trouble {
    pub(crate) fn of(verb: Verb, refused: &Refused) -> Self {
        match (refused.status, verb) {
            (Some(404), Verb::List) => Self::NotInstalled,
            (Some(404), Verb::Apply) if refused.about == "namespaces" => Self::Namespace,
            (Some(404), Verb::Apply) => Self::NotInstalled,
            (Some(404), Verb::ApplyStatus | Verb::Delete) => Self::Gone,
            (Some(403), Verb::Apply | Verb::ApplyStatus | Verb::Delete) => Self::Namespace,
            (Some(400 | 405..=428 | 430..=499), Verb::Apply | Verb::ApplyStatus | Verb::Delete) => Self::Resource,
            (Some(_) | None, _) => Self::Cluster,
        }
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::evidence::{Fault, FaultKind};

    use super::*;

    fn refused(status: u16, about: &str) -> Refused {
        Refused {
            status: Some(status).filter(|status| *status > 0),
            about: about.to_owned(),
            reason: String::new(),
            fault: Fault::new(FaultKind::Status, ""),
        }
    }

    #[test]
    fn an_answer_holds_up_no_more_than_it_is_about() {
        for (verb, status, about, trouble) in [
            (Verb::List, 404, "", Trouble::NotInstalled),
            (Verb::List, 403, PLURAL, Trouble::Cluster),
            (Verb::Apply, 404, "", Trouble::NotInstalled),
            (Verb::Apply, 404, "namespaces", Trouble::Namespace),
            (Verb::Apply, 403, PLURAL, Trouble::Namespace),
            (Verb::Apply, 422, PLURAL, Trouble::Resource),
            (Verb::Apply, 409, PLURAL, Trouble::Resource),
            (Verb::ApplyStatus, 404, PLURAL, Trouble::Gone),
            (Verb::Delete, 404, PLURAL, Trouble::Gone),
            (Verb::ApplyStatus, 401, "", Trouble::Cluster),
            (Verb::ApplyStatus, 429, "", Trouble::Cluster),
            (Verb::ApplyStatus, 500, "", Trouble::Cluster),
            (Verb::ApplyStatus, 0, "", Trouble::Cluster),
        ] {
            assert_eq!(Trouble::of(verb, &refused(status, about)), trouble, "{verb} {status}");
        }
    }
}
