//! What can go wrong inside a call.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};
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
            Self::Sqlite(error) => failed(format!("{doing} in the store {}", path.display()), error),
            Self::UsedUp => failed(
                format!("{doing} in the store {}", path.display()),
                "a number by which it counts rows is at its end, which nobody reached by counting. The engine mends that with its \
                 next validation and as it starts; `steadfast store check` names it",
            ),
            Self::Row(what) => opening::damaged(path, &what),
        }
    }
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
