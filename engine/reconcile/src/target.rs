//! A Flink cluster under watch: when it is asked, and how it has answered.

use std::time::Duration;

use steadfast_core::board::Place;
use steadfast_core::id::FlinkJobId;
use steadfast_core::record::Origin;
use steadfast_core::state::{Attention, Mode};
use steadfast_core::time::Timestamp;
use steadfast_sources::route::FlinkRoute;

/// The volatile state of one target. What must survive a restart is in the records.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) mode: Mode,
    pub(crate) origin: Origin,
    pub(crate) place: Option<Place>,
    pub(crate) route: FlinkRoute,
    pub(crate) pinned: Option<FlinkJobId>,
    pub(crate) poll: Poll,
    /// How many polls in a row gave no answer.
    pub(crate) failures: u32,
    /// Nothing is asked before this moment (`Retry-After`).
    pub(crate) not_before: Option<Timestamp>,
    /// The pace its jobs' policies want, the shortest of them.
    pub(crate) pace: Duration,
    pub(crate) attention: Attention,
    /// Whether no source has a fresh answer; counted in its fleet.
    pub(crate) light: Light,
}

/// Whether a poll is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Poll {
    /// None has begun yet.
    Never,
    /// One is under way since then.
    UnderWay(Timestamp),
    /// The last one began then.
    Began(Timestamp),
}

/// Whether a target can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Light {
    /// Some source has a fresh answer.
    Seen,
    /// None has.
    Dark,
}

impl Target {
    /// Whether its Flink is failing, nobody is asking it now, and it is still expected to answer at the poll's pace.
    pub(crate) fn waits_for_recovery(&self, poll: Duration) -> bool {
        let waits = match self.poll {
            Poll::UnderWay(_) => false,
            Poll::Never | Poll::Began(_) => true,
        };
        waits && self.failures > 0 && self.attention == Attention::Active && self.pace <= poll
    }
}
