//! The points between two steps at which a process that dies must leave nothing half done, each with a name.
//!
//! Code that comes to one says so ([`CrashPoint::reach`]), which is nothing: no instruction is left of it. With the feature `armed`
//! a process dies by SIGKILL at the point that `STEADFAST_CRASH_AT` names, so that a test can kill the real program exactly there.
//! No build that is shipped has the feature. Plays in virtual time need none of this: they end a life at the ports, where the same
//! names count.
//!
//! Rejected: *the crate `fail`*, whose points are known to a whole process by their texts: plays in parallel would hit each other's, a
//! misspelt name is a point that is never reached, and it brings a second `rand`; and *a parameter through all layers*, which the
//! shipped program would carry along.

#[cfg(feature = "armed")]
mod armed;

use strum::{Display, EnumIter, EnumString};

/// A point at which a process may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumIter, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum CrashPoint {
    /// A new store is whole, under a name that is not yet its own.
    StoreMade,
    /// It has its own name, and nothing says yet that its folder knows it for good.
    StoreNamed,
    /// A step of the schema is written, and not committed.
    MigrationWritten,
    /// And committed.
    MigrationDurable,
    /// A log that is not of the file has another name, and its index still the old one.
    LogSetAside,
    /// The store is open and has its mark; the engine has nothing of it yet.
    StoreTaken,

    /// A commit has the write lock.
    CommitBegun,
    /// A job's record is written, and what the journal says of it is not.
    CommitRecordWritten,
    /// All of the commit is written, its mark too.
    CommitMarked,
    /// The commit is durable, and nobody has heard of it.
    CommitDurable,
    /// The API shows it; nobody who waits for events has been woken.
    CommitShown,

    /// The probe that the store can be written has the write lock.
    CheckBegun,
    /// It is written.
    CheckMarked,
    /// It is durable, and not answered.
    CheckDurable,

    /// What is no longer kept is being looked for.
    PruneBegun,
    /// Entries are deleted, and the store does not say yet up to where.
    PruneDropped,
    /// All of the step is written.
    PruneMarked,
    /// The step is durable.
    PruneDurable,

    /// A sink's cursor is about to be written.
    CursorBegun,
    /// It is written.
    CursorMarked,
    /// It is durable, and the sink does not know.
    CursorDurable,

    /// A row that does not read is about to be set aside.
    SettleBegun,
    /// It is copied, and still where it was.
    SettleCopied,
    /// All that was to be settled is written.
    SettleMarked,
    /// It is durable.
    SettleDurable,

    /// `store repair` has made its copy.
    RepairCopied,
    /// It has the write lock.
    RepairBegun,
    /// All that it mends is written.
    RepairMarked,
    /// It is durable.
    RepairDurable,

    /// `store backup` has its copy, whole and on the disk, under a name that is not yet its own.
    BackupWritten,
    /// The copy has its name.
    BackupNamed,

    /// A policy is about to decide.
    PolicyCalled,
    /// It has decided, and nothing has come of it.
    PolicyAnswered,

    /// A sink is about to send an event.
    SinkOffered,
    /// The receiver has taken it, and the sink has noted nothing.
    SinkTaken,

    /// A reload has read the configuration and its modules.
    ReloadRead,
    /// They are compiled and were tried, and the loop has not been asked.
    ReloadTried,
    /// The loop was asked, and has handed no job over.
    ReloadSeated,
    /// They decide, and are not yet what the next start falls back to.
    ReloadReplaced,
    /// They are.
    ReloadKept,
}

/// The points of one kind of transaction.
#[derive(Clone, Copy, Debug)]
pub struct Transaction {
    /// It has the write lock.
    pub begun: CrashPoint,
    /// All of it is written, with its mark.
    pub marked: CrashPoint,
    /// It is durable.
    pub durable: CrashPoint,
}

impl Transaction {
    /// Changes of records with their entries.
    pub const COMMIT: Self = Self {
        begun: CrashPoint::CommitBegun,
        marked: CrashPoint::CommitMarked,
        durable: CrashPoint::CommitDurable,
    };
    /// The probe that the store can be written.
    pub const CHECK: Self = Self {
        begun: CrashPoint::CheckBegun,
        marked: CrashPoint::CheckMarked,
        durable: CrashPoint::CheckDurable,
    };
    /// A step of retention.
    pub const PRUNE: Self = Self {
        begun: CrashPoint::PruneBegun,
        marked: CrashPoint::PruneMarked,
        durable: CrashPoint::PruneDurable,
    };
    /// How far a sink has come.
    pub const CURSOR: Self = Self {
        begun: CrashPoint::CursorBegun,
        marked: CrashPoint::CursorMarked,
        durable: CrashPoint::CursorDurable,
    };
    /// Rows that do not read, as the records are loaded.
    pub const SETTLE: Self = Self {
        begun: CrashPoint::SettleBegun,
        marked: CrashPoint::SettleMarked,
        durable: CrashPoint::SettleDurable,
    };
    /// `store repair`.
    pub const REPAIR: Self = Self {
        begun: CrashPoint::RepairBegun,
        marked: CrashPoint::RepairMarked,
        durable: CrashPoint::RepairDurable,
    };
}

impl CrashPoint {
    /// The process is at this point.
    #[inline]
    pub fn reach(self) {
        #[cfg(feature = "armed")]
        armed::reach(self);
    }
}
