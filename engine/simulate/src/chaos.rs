//! What goes wrong in and around an engine while a story is played, beside what the story says of the world.

use std::collections::BTreeMap;
use std::fmt;

use steadfast_crash_points::CrashPoint;
use steadfast_world::story::Moment;

/// What goes wrong, drawn from a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chaos {
    /// One seed is one run.
    pub seed: u64,
    /// From this moment on something may go wrong.
    pub from: Moment,
    /// And from this one on nothing does.
    pub until: Moment,
    /// What of all that may.
    pub what: What,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Everything, by chance.
    Anything,
    /// The process is killed as it comes to this point for the first time; if it is in a reload, policies are replaced until then.
    KilledAt(CrashPoint),
}

/// The points that a play has: its ports, and the steps of a reload.
pub const POINTS: [CrashPoint; 13] = [
    CrashPoint::CommitBegun,
    CrashPoint::CommitDurable,
    CrashPoint::PruneBegun,
    CrashPoint::PruneDurable,
    CrashPoint::CursorBegun,
    CrashPoint::CursorDurable,
    CrashPoint::PolicyCalled,
    CrashPoint::PolicyAnswered,
    CrashPoint::SinkOffered,
    CrashPoint::SinkTaken,
    CrashPoint::ReloadTried,
    CrashPoint::ReloadSeated,
    CrashPoint::ReloadReplaced,
];

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mishap {
    /// The store takes nothing for a while, as on a disk that is full.
    StoreRefuses,
    /// A commit waits, as for a lock that another holds.
    StoreWaits,
    /// The process is killed at that point.
    Killed(CrashPoint),
    /// A policy traps for a while.
    PolicyTraps,
    /// A policy runs past its deadline for a while.
    PolicyIsLate,
    /// A sink's receiver answers 503 for a while.
    ReceiverRefuses,
    /// It says nothing to an event.
    ReceiverHangs,
    /// It takes an event, and its answer is lost.
    ReceiverIsCutOff,
    /// The configuration is read again, and policies are replaced.
    Reload,
    /// Somebody sets the clock of the engine's host.
    ClockSet,
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed(point) => return write!(f, "killed at {point}"),
            Self::StoreRefuses => "the store refuses",
            Self::StoreWaits => "a commit waits",
            Self::PolicyTraps => "a policy traps",
            Self::PolicyIsLate => "a policy is late",
            Self::ReceiverRefuses => "a receiver refuses",
            Self::ReceiverHangs => "a receiver hangs",
            Self::ReceiverIsCutOff => "a receiver is cut off",
            Self::Reload => "policies are replaced",
            Self::ClockSet => "the clock is set",
        })
    }
}

/// How often each thing went wrong.
pub type Mishaps = BTreeMap<Mishap, u32>;
