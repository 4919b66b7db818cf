//! The store of a single process: one SQLite file in WAL mode, durable at every commit.

mod backup;
mod counters;
mod export;
mod failure;
mod files;
mod frames;
mod guard;
mod history;
mod identity;
mod inspect;
mod layout;
mod lock;
mod mark;
mod opening;
mod pairing;
mod prune;
mod quarantine;
mod reader;
mod records;
mod repair;
mod rows;
mod schema;
mod snapshots;
mod told;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;
use steadfast_core::error_chain::error_chain;
use steadfast_core::id::JobKey;
use steadfast_core::journal::{
    Commit, EntriesOf, Entry, History, HistoryPage, Journal, JournalError, Keep, Loaded, LoadedPart, Page, Pruned,
    RecordingPage, Recordings, Sequence, SinkCursors,
};
use steadfast_core::time::Timestamp;
use steadfast_crash_points::Transaction as Points;
use tokio::time::Instant;

use crate::bounds;
use crate::refusal::{check_revisions, failed, refused};
use crate::retention::STEP;
use crate::written::{Snapshots, Written};
use failure::SqliteFailure;
use guard::Guard;
use history::Times;
use mark::Write;
use prune::Search;
use told::Told;

pub use backup::{back_up, back_up_into};
pub use export::export;
pub use inspect::{Inspection, Problem, inspect};
pub use opening::recognize;
pub use reader::SqliteReader;
pub use repair::{Discard, Repaired, repair};

/// Where snapshots are read back before they are written: where faults are looked for.
const SNAPSHOTS: Snapshots = if cfg!(debug_assertions) {
    Snapshots::ReadBack
} else {
    Snapshots::AsTheyAre
};

/// An open SQLite store. One process holds it at a time; calls run on tokio's blocking threads, one after another.
///
/// A call whose future is dropped still runs to its end: whether it was committed shows in the store alone.
#[derive(Debug)]
pub struct SqliteStore {
    shared: Arc<Shared>,
    id: String,
    /// The last try to write, shared by those who asked before it began.
    tried: tokio::sync::Mutex<Option<Tried>>,
}

#[derive(Debug)]
struct Tried {
    began: Instant,
    verdict: Result<(), String>,
}

#[derive(Debug)]
struct Shared {
    open: Mutex<Open>,
    path: PathBuf,
}

/// What is open, dropped in this order: SQLite must be done before the lock goes.
#[derive(Debug)]
struct Open {
    connection: Connection,
    /// A reader has none.
    guard: Option<Guard>,
    /// Sinks at work in this process.
    sinks: BTreeSet<String>,
    told: Told,
    search: Search,
    times: Times,
}

impl SqliteStore {
    /// Opens the store in that file, and creates it if there is none. Blocks while it does.
    ///
    /// Refuses, and leaves as it is, a file that another engine holds, that is not a Steadfast store, that is
    /// damaged, that was written by a newer version, or that cannot be written. A write-ahead log that is not of this file is set
    /// aside.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let opened = opening::open(path)?;
        let open = Open {
            connection: opened.connection,
            guard: Some(opened.guard),
            sinks: BTreeSet::new(),
            told: Told::default(),
            search: Search::default(),
            times: Times::default(),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                open: Mutex::new(open),
                path: path.to_owned(),
            }),
            id: opened.id,
            tried: tokio::sync::Mutex::default(),
        })
    }

    /// Opens a store that holds recordings and nothing else, and creates it if there is none. Refuses, and leaves as it is, one
    /// that has jobs on record, or had: recordings of a play would pass for what an engine was shown.
    pub fn open_for_recordings(path: &Path) -> Result<Self, JournalError> {
        opening::must_have_no_record(path)?;
        Self::open(path)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Open) -> Result<T, SqliteFailure> + Send + 'static,
    ) -> Result<T, JournalError> {
        Shared::blocking(&self.shared, doing, work).await
    }
}

impl Shared {
    /// Runs `work` on a blocking thread, if the file is still the one that was opened. `doing` begins the message of an error.
    async fn blocking<T: Send + 'static>(
        shared: &Arc<Self>,
        doing: &'static str,
        work: impl FnOnce(&mut Open) -> Result<T, SqliteFailure> + Send + 'static,
    ) -> Result<T, JournalError> {
        let shared = Arc::clone(shared);
        let task = tokio::task::spawn_blocking(move || {
            let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
            let Open { connection, guard, .. } = &mut *open;
            if let Some(guard) = guard {
                guard.check(connection)?;
            }
            let worked = work(&mut open);
            worked.map_err(|failure| failure.told_apart(&open.connection).explain(doing, &shared.path))
        });
        task.await.unwrap_or_else(|error| Err(failed(doing, error)))
    }
}

/// Writes a commit in one transaction.
fn commit(connection: &mut Connection, at: Timestamp, written: Written) -> Result<Vec<Entry>, SqliteFailure> {
    let write = Write::begin(connection, Points::COMMIT)?;
    let stored = |key: &JobKey| rows::stored_revision(&write, key);
    let refusals = check_revisions(&written.commit.changes, stored)?;
    if !refusals.is_empty() {
        return Err(refused(written.commit, refusals).into());
    }
    let mut entries = Vec::new();
    for (change, documents) in written.commit.changes.into_iter().zip(&written.changes) {
        rows::write_change(&write, at, change, documents, &mut entries)?;
    }
    for (recorded, packed) in written.commit.recorded.iter().zip(&written.snapshots) {
        snapshots::write(&write, recorded, packed)?;
    }
    write.commit()?;
    Ok(entries)
}

#[async_trait]
impl Journal for SqliteStore {
    async fn commit(&self, at: Timestamp, changes: Commit) -> Result<Vec<Entry>, JournalError> {
        self.blocking("cannot commit", move |open| {
            let written = Written::of(changes, SNAPSHOTS)?;
            commit(&mut open.connection, at, written)
        })
        .await
    }

    async fn load(&self, now: Timestamp) -> Result<Loaded, JournalError> {
        self.blocking("cannot load the records", move |open| {
            records::load(&mut open.connection, now)
        })
        .await
    }

    async fn load_part(&self, after: Option<&str>, limit: u32, now: Timestamp) -> Result<LoadedPart, JournalError> {
        let after = after.map(str::to_owned);
        self.blocking("cannot load the records", move |open| {
            records::load_part(&mut open.connection, after.as_deref(), limit, now)
        })
        .await
    }

    async fn page(&self, of: EntriesOf, after: Sequence, limit: u32) -> Result<Page, JournalError> {
        self.blocking("cannot read the journal", move |open| {
            let page = rows::read_page(&open.connection, &of, after, limit)?;
            open.told.tell(&page.rows);
            Ok(page)
        })
        .await
    }

    async fn history(&self, of: &History, from: Option<Sequence>, limit: u32) -> Result<HistoryPage, JournalError> {
        let of = of.clone();
        self.blocking("cannot read the journal", move |open| {
            let page = history::read(&open.connection, &mut open.times, &of, from, limit)?;
            open.told.tell(&page.rows);
            Ok(page)
        })
        .await
    }

    async fn newest(&self) -> Result<Sequence, JournalError> {
        self.blocking("cannot read the journal", |open| rows::newest(&open.connection))
            .await
    }

    async fn check(&self) -> Result<(), JournalError> {
        let asked = Instant::now();
        let mut tried = self.tried.lock().await;
        // However many ask at a time, one try that began after they did answers all of them: while the file is locked from
        // outside, each try waits, and the engine's own commits would wait behind all of them.
        if let Some(Tried { began, verdict }) = &*tried
            && *began >= asked
        {
            return verdict.clone().map_err(JournalError::Unusable);
        }
        let began = Instant::now();
        // A real commit: a full disk or a file system turned read-only shows nowhere else.
        let result = self
            .blocking("cannot write", |open| {
                let write = Write::begin(&mut open.connection, Points::CHECK)?;
                let sql = "UPDATE store SET checks = CASE WHEN checks BETWEEN 0 AND ?1 THEN checks + 1 ELSE 1 END";
                write.execute(sql, [bounds::MOST])?;
                write.commit()
            })
            .await;
        let verdict = match &result {
            Ok(()) => Ok(()),
            Err(error) => Err(error_chain(error)),
        };
        *tried = Some(Tried { began, verdict });
        result
    }

    async fn prune(&self, keep: &Keep) -> Result<Pruned, JournalError> {
        let keep = *keep;
        self.blocking("cannot drop what is no longer kept", move |open| {
            let Open {
                connection,
                sinks,
                search,
                ..
            } = open;
            let before = *search;
            let write = Write::begin(connection, Points::PRUNE)?;
            let snapshots = snapshots::prune(&write, &keep)?;
            let step = prune::step(&write, keep.entries, sinks, search)?;
            // Nothing was dropped most of the time, and that needs no sync to the disk.
            if snapshots > 0 || step.dropped > 0 {
                write.commit().inspect_err(|_| *search = before)?;
            }
            Ok(Pruned {
                snapshots: snapshots as u64,
                entries: step.dropped as u64,
                more: snapshots == STEP || step.more,
            })
        })
        .await
    }
}

#[async_trait]
impl Recordings for SqliteStore {
    async fn recorded(&self, after: Sequence, since: Timestamp, limit: u32) -> Result<RecordingPage, JournalError> {
        self.blocking("cannot read the snapshots", move |open| {
            snapshots::read(&open.connection, after, since, limit)
        })
        .await
    }
}

#[async_trait]
impl SinkCursors for SqliteStore {
    async fn sink_cursor(&self, sink: &str) -> Result<Option<Sequence>, JournalError> {
        let sink = sink.to_owned();
        self.blocking("cannot read a sink's cursor", move |open| {
            let cursor = rows::read_cursor(&open.connection, &sink)?;
            open.sinks.insert(sink);
            Ok(cursor)
        })
        .await
    }

    async fn advance_sink(&self, sink: &str, to: Sequence) -> Result<(), JournalError> {
        let sink = sink.to_owned();
        self.blocking("cannot advance a sink's cursor", move |open| {
            let write = Write::begin(&mut open.connection, Points::CURSOR)?;
            rows::write_cursor(&write, &sink, to)?;
            write.commit()?;
            open.sinks.insert(sink);
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
