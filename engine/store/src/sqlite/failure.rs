//! What can go wrong inside a call.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};
use rustix::process::{Resource, getrlimit};
use steadfast_core::journal::JournalError;

use super::{counters, opening};
use crate::refusal::failed;

#[derive(Debug)]
pub(super) enum SqliteFailure {
    /// Already in words for people.
    Reported(JournalError),
    /// From SQLite.
    Sqlite(rusqlite::Error),
    /// A number cannot grow any more. SQLite says that the disk is full.
    UsedUp,
    /// Something that every store has is not there, or is not what it must be.
    Row(String),
}

impl From<rusqlite::Error> for SqliteFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<JournalError> for SqliteFailure {
    fn from(error: JournalError) -> Self {
        Self::Reported(error)
    }
}

impl SqliteFailure {
    /// Tells a disk that is full from a number that cannot grow: SQLite calls both the same.
    pub(super) fn told_apart(self, connection: &Connection) -> Self {
        match self {
            Self::Sqlite(error)
                if error.sqlite_error_code() == Some(ErrorCode::DiskFull) && counters::is_used_up(connection) =>
            {
                Self::UsedUp
            }
            Self::Reported(_) | Self::Sqlite(_) | Self::UsedUp | Self::Row(_) => self,
        }
    }

    /// Damage makes the store unusable; all else (a full disk, a lock) may pass.
    pub(super) fn explain(self, doing: &str, path: &Path) -> JournalError {
        match self {
            Self::Reported(error) => error,
            Self::Sqlite(error) if is_damage(&error) => opening::damaged(path, &error.to_string()),
            Self::Sqlite(error) if is_busy(&error) => failed(
                format!(
                    "{doing} in the store {}: another process has locked it, such as an sqlite3 shell with an open transaction",
                    path.display()
                ),
                error,
            ),
            Self::Sqlite(error) => match at_its_limit(&error, path) {
                Some(limit) => failed(
                    format!(
                        "{doing} in the store {}: no file may grow beyond {limit} bytes here (RLIMIT_FSIZE); raise `ulimit -f` or \
                         LimitFSIZE=",
                        path.display()
                    ),
                    error,
                ),
                None => failed(format!("{doing} in the store {}", path.display()), error),
            },
            Self::UsedUp => failed(
                format!("{doing} in the store {}", path.display()),
                "a number by which it counts rows is at its end, which nobody reached by counting. The engine mends that with its \
                 next validation and as it starts; `steadfast store check` names it",
            ),
            Self::Row(what) => opening::damaged(path, &what),
        }
    }
}

/// The most that a file of this process may hold, if that is why the store could not be written. SQLite calls it a disk that fails.
fn at_its_limit(error: &rusqlite::Error, path: &Path) -> Option<u64> {
    /// No write takes more at a time: a page of the largest kind, with its header.
    const WRITE: u64 = 66 << 10;
    let is_write = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull)
    );
    let limit = getrlimit(Resource::Fsize).current.filter(|_| is_write)?;
    let size = |suffix: &str| {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        std::fs::metadata(file).map_or(0, |file| file.len())
    };
    ["", "-wal", "-journal"]
        .into_iter()
        .any(|suffix| size(suffix).saturating_add(WRITE) > limit)
        .then_some(limit)
}

pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
