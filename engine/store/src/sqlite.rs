//! The store of a single process: one SQLite file in WAL mode, durable at every commit.

mod opening;
mod reader;
mod rows;
mod schema;
mod snapshots;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use steadfast_core::journal::{Commit, EntriesOf, Entry, Journal, JournalError, Recordings, Sequence, SinkCursors};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;
use steadfast_core::time::Timestamp;

use crate::refusal::failed;

/// An open SQLite store. One process holds it at a time; calls run on tokio's blocking threads, one after another.
///
/// A call whose future is dropped still runs to its end: whether it was committed shows in the store alone.
#[derive(Debug)]
pub struct SqliteStore {
    shared: Arc<Shared>,
    id: String,
}

#[derive(Debug)]
struct Shared {
    connection: Mutex<Connection>,
    path: PathBuf,
    /// Held as long as the connection: a second engine on the same file is refused. A reader has none.
    _lock: Option<File>,
}

pub use reader::SqliteReader;

impl SqliteStore {
    /// Opens the store in that file, and creates it if there is none. Blocks while it does.
    ///
    /// Refuses, and leaves as it is, a file that another engine holds, that is not a Steadfast store, that is
    /// damaged, that was written by a newer version, or that cannot be written.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let opened = opening::open(path)?;
        Ok(Self {
            shared: Arc::new(Shared {
                connection: Mutex::new(opened.connection),
                path: path.to_owned(),
                _lock: Some(opened.lock),
            }),
            id: opened.id,
        })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, SqliteFailure> + Send + 'static,
    ) -> Result<T, JournalError> {
        Shared::blocking(&self.shared, doing, work).await
    }
}

impl Shared {
    /// Runs `work` on a blocking thread. `doing` begins the message of an error.
    async fn blocking<T: Send + 'static>(
        shared: &Arc<Self>,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, SqliteFailure> + Send + 'static,
    ) -> Result<T, JournalError> {
        let shared = Arc::clone(shared);
        let task = tokio::task::spawn_blocking(move || {
            let mut connection = shared.connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection).map_err(|failure| failure.explain(doing, &shared.path))
        });
        task.await.unwrap_or_else(|error| Err(failed(doing, error)))
    }
}

/// What can go wrong inside a call.
#[derive(Debug)]
enum SqliteFailure {
    /// Already in words for people.
    Reported(JournalError),
    /// From SQLite.
    Sqlite(rusqlite::Error),
    /// A row that does not read back.
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
    /// Damage makes the store unusable; all else (a full disk, a lock) may pass.
    fn explain(self, doing: &str, path: &Path) -> JournalError {
        match self {
            Self::Reported(error) => error,
            Self::Sqlite(error) if is_damage(&error) => opening::damaged(path, &error.to_string()),
            Self::Sqlite(error) => failed(format!("{doing} in the store {}", path.display()), error),
            Self::Row(what) => opening::damaged(path, &what),
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn write(connection: &mut Connection) -> Result<Transaction<'_>, SqliteFailure> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

#[async_trait]
impl Journal for SqliteStore {
    async fn commit(&self, at: Timestamp, commit: Commit) -> Result<Vec<Entry>, JournalError> {
        self.blocking("cannot commit", move |connection| {
            let transaction = write(connection)?;
            let mut entries = Vec::new();
            for change in commit.changes {
                rows::write_change(&transaction, at, change, &mut entries)?;
            }
            for recorded in &commit.recorded {
                snapshots::write(&transaction, recorded)?;
            }
            transaction.commit()?;
            Ok(entries)
        })
        .await
    }

    async fn load(&self) -> Result<Vec<JobRecord>, JournalError> {
        self.blocking("cannot load the records", |connection| rows::read_records(connection))
            .await
    }

    async fn entries(&self, of: EntriesOf, after: Sequence, limit: u32) -> Result<Vec<Entry>, JournalError> {
        self.blocking("cannot read the journal", move |connection| {
            rows::read_entries(connection, &of, after, limit)
        })
        .await
    }

    async fn newest(&self) -> Result<Sequence, JournalError> {
        self.blocking("cannot read the journal", |connection| rows::newest(connection))
            .await
    }

    async fn check(&self) -> Result<(), JournalError> {
        // A real commit: a full disk or a file system turned read-only shows nowhere else.
        self.blocking("cannot write", |connection| {
            let transaction = write(connection)?;
            transaction.execute("UPDATE store SET checks = checks + 1", [])?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    async fn prune(&self, since: Timestamp, max_bytes: u64) -> Result<u64, JournalError> {
        self.blocking("cannot drop old snapshots", move |connection| {
            let transaction = write(connection)?;
            let gone = snapshots::prune(&transaction, since, max_bytes)?;
            transaction.commit()?;
            Ok(gone)
        })
        .await
    }
}

#[async_trait]
impl Recordings for SqliteStore {
    async fn recorded(
        &self,
        after: Sequence,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Sequence, Recorded)>, JournalError> {
        self.blocking("cannot read the snapshots", move |connection| {
            snapshots::read(connection, after, since, limit)
        })
        .await
    }
}

#[async_trait]
impl SinkCursors for SqliteStore {
    async fn sink_cursor(&self, sink: &str) -> Result<Option<Sequence>, JournalError> {
        let sink = sink.to_owned();
        self.blocking("cannot read a sink's cursor", move |connection| {
            rows::read_cursor(connection, &sink)
        })
        .await
    }

    async fn advance_sink(&self, sink: &str, to: Sequence) -> Result<(), JournalError> {
        let sink = sink.to_owned();
        self.blocking("cannot advance a sink's cursor", move |connection| {
            let transaction = write(connection)?;
            rows::write_cursor(&transaction, &sink, to)?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    fn store_id(&self) -> &str {
        &self.id
    }
}

#[cfg(test)]
mod tests;
