//! How long the store keeps what is over.

use std::time::Duration;

use steadfast_core::journal::KeepEntries;
use steadfast_core::time::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the store keeps what is over: `[retention]` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Entries of the journal.
    pub journal: KeepJournal,
    /// Records of jobs that have ended and are gone; `None`: until somebody forgets them.
    pub ended_jobs: Option<Duration>,
}

/// Which entries of the journal are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepJournal {
    /// All of them.
    Forever,
    /// Those that are no older.
    For(Duration),
    /// So many, the newest.
    Newest(u64),
}

impl Default for Keeping {
    /// A quarter of a year of history: longer than any consumer is away that means to come back. Jobs stay: that one leaves the
    /// record is for whoever runs the engine to say.
    fn default() -> Self {
        Self {
            journal: KeepJournal::For(DAY * 90),
            ended_jobs: None,
        }
    }
}

impl Keeping {
    /// Nothing goes: for plays, which end.
    pub const FOREVER: Self = Self {
        journal: KeepJournal::Forever,
        ended_jobs: None,
    };
}

impl KeepJournal {
    /// As of now.
    pub(crate) fn at(self, now: Timestamp) -> KeepEntries {
        match self {
            Self::Forever => KeepEntries::All,
            Self::For(age) => KeepEntries::Since(now.before(age)),
            Self::Newest(count) => KeepEntries::Newest(count),
        }
    }
}
