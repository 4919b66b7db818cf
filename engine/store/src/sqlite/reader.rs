//! Reading a store beside the engine that writes it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use steadfast_core::journal::{JournalError, RecordingPage, Recordings, Sequence};
use steadfast_core::time::Timestamp;

use super::history::Times;
use super::prune::Search;
use super::told::Told;
use super::{Open, Shared, opening, snapshots};

/// A store opened to read the snapshots in it. It can be read while an engine runs on it.
#[derive(Debug)]
pub struct SqliteReader(Arc<Shared>);

impl SqliteReader {
    /// Opens the store in that file. Blocks while it does. Refuses what [`SqliteStore::open`](super::SqliteStore::open)
    /// refuses, and a store from before snapshots were kept, which only an engine brings up to date.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let (connection, found) = opening::open_to_read(path)?;
        opening::must_have_snapshots(path, found)?;
        Ok(Self(Arc::new(Shared {
            open: Mutex::new(Open {
                connection,
                guard: None,
                sinks: BTreeSet::new(),
                told: Told::default(),
                search: Search::default(),
                times: Times::default(),
            }),
            path: path.to_owned(),
        })))
    }
}

#[async_trait]
impl Recordings for SqliteReader {
    async fn recorded(&self, after: Sequence, since: Timestamp, limit: u32) -> Result<RecordingPage, JournalError> {
        Shared::blocking(&self.0, "cannot read the snapshots", move |open| {
            snapshots::read(&open.connection, after, since, limit)
        })
        .await
    }
}
