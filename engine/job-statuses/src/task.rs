//! What there is to do for a resource, and the request that does it.

use steadfast_core::id::{JobKey, Namespace};

use crate::cluster::Place;
use crate::desired::{Said, Transitions};

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// To write a job's resource.
    Show(JobKey),
    /// To delete one whose record is gone.
    Remove(Place),
}

/// One request.
#[derive(Debug)]
pub(crate) enum Request {
    /// Labels and spec.
    Head { task: Task, place: Place, object: Vec<u8> },
    /// The status.
    Status {
        task: Task,
        place: Place,
        object: Vec<u8>,
        written: Written,
    },
    /// A deletion.
    Delete { task: Task, place: Place },
}

/// What a status says that is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) status: Said,
    pub(crate) transitions: Transitions,
}

impl Task {
    /// The namespace of its resource.
    pub(crate) fn namespace(&self) -> &Namespace {
        match self {
            Self::Show(key) => &key.target.namespace,
            Self::Remove(place) => &place.namespace,
        }
    }
}

impl Request {
    pub(crate) fn task(&self) -> &Task {
        match self {
            Self::Head { task, .. } | Self::Status { task, .. } | Self::Delete { task, .. } => task,
        }
    }
}
