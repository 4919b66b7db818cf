//! Reading a store beside the engine that writes it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use steadfast_core::journal::{JournalError, Recordings, Sequence};
use steadfast_core::recording::Recorded;
use steadfast_core::time::Timestamp;

use super::{Shared, opening, snapshots};

/// A store opened to read the snapshots in it. It can be read while an engine runs on it.
#[derive(Debug)]
pub struct SqliteReader(Arc<Shared>);

impl SqliteReader {
    /// Opens the store in that file. Blocks while it does. Refuses what [`SqliteStore::open`](super::SqliteStore::open)
    /// refuses, and a store from before this build, which only an engine brings up to date.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self(Arc::new(Shared {
            connection: Mutex::new(opening::open_to_read(path)?),
            path: path.to_owned(),
            _lock: None,
        })))
    }
}

#[async_trait]
impl Recordings for SqliteReader {
    async fn recorded(
        &self,
        after: Sequence,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Sequence, Recorded)>, JournalError> {
        Shared::blocking(&self.0, "cannot read the snapshots", move |connection| {
            snapshots::read(connection, after, since, limit)
        })
        .await
    }
}
