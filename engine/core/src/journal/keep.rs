//! How long a store keeps what it was told.

use crate::recording::Retention;
use crate::time::Timestamp;

/// What is to be kept, as of now. Everything else may go, in small steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Snapshots decided at this moment or later are kept.
    pub snapshots_since: Timestamp,
    /// The most bytes of snapshots, as stored; the oldest go first.
    pub snapshot_bytes: u64,
    /// The journal's entries.
    pub entries: KeepEntries,
}

impl Keep {
    /// Snapshots as a retention says, and of the journal what `entries` says.
    pub fn at(now: Timestamp, snapshots: Retention, entries: KeepEntries) -> Self {
        Self {
            snapshots_since: now.before(snapshots.max_age),
            snapshot_bytes: snapshots.max_bytes,
            entries,
        }
    }
}

/// Which entries of the journal are kept.
///
/// Whatever this says, three kinds stay: what a sink that is at work has not delivered yet, the newest transition of each job on
/// record, so that its history ends where the record is, and where a record began anew, the entry that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepEntries {
    /// All of them.
    All,
    /// Those decided at this moment or later.
    Since(Timestamp),
    /// So many, the newest.
    Newest(u64),
}

/// What one step of pruning did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many snapshots went.
    pub snapshots: u64,
    /// How many entries of the journal went.
    pub entries: u64,
    /// Whether there is more to do: another step follows.
    pub more: bool,
}
