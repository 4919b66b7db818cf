//! What goes wrong in and around an engine while a story is played, beside what the story says of the world.

use std::collections::BTreeMap;
use std::fmt;

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
}

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mishap {
    /// The store takes nothing for a while, as on a disk that is full.
    StoreRefuses,
    /// A commit waits, as for a lock that another holds.
    StoreWaits,
    /// The process is killed as it is about to commit.
    KilledBeforeCommit,
    /// The process is killed when the commit is durable, and nobody has heard of it yet.
    KilledAfterCommit,
    /// The process is killed while a policy decides.
    KilledDeciding,
    /// The process is killed while policies are replaced.
    KilledReloading,
    /// A policy traps for a while.
    PolicyTraps,
    /// A policy runs past its deadline for a while.
    PolicyIsLate,
    /// The configuration is read again, and policies are replaced.
    Reload,
    /// Somebody sets the clock of the engine's host.
    ClockSet,
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StoreRefuses => "the store refuses",
            Self::StoreWaits => "a commit waits",
            Self::KilledBeforeCommit => "killed before a commit",
            Self::KilledAfterCommit => "killed after a commit",
            Self::KilledDeciding => "killed in a decision",
            Self::KilledReloading => "killed in a reload",
            Self::PolicyTraps => "a policy traps",
            Self::PolicyIsLate => "a policy is late",
            Self::Reload => "policies are replaced",
            Self::ClockSet => "the clock is set",
        })
    }
}

/// How often each thing went wrong.
pub type Mishaps = BTreeMap<Mishap, u32>;
