//! A store of which some entries do not read.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use steadfast_core::journal::{
    Commit, EntriesOf, Entry, History, HistoryPage, Journal, JournalError, Keep, Loaded, Page, Pruned, RecordingPage,
    Recordings, Row, Sequence, SinkCursors, Unreadable,
};
use steadfast_core::time::Timestamp;
use steadfast_store::MemoryStore;

pub(crate) struct DamagedStore {
    pub(crate) store: Arc<MemoryStore>,
    /// The entries that do not read.
    pub(crate) damaged: BTreeSet<Sequence>,
}

impl DamagedStore {
    fn damage(&self, rows: &mut [Row]) {
        for row in rows {
            if let Row::Entry(entry) = &*row
                && self.damaged.contains(&entry.sequence)
            {
                *row = Row::Unreadable(Unreadable {
                    sequence: entry.sequence,
                    job: entry.key.to_string(),
                    why: "its event does not read".to_owned(),
                });
            }
        }
    }
}

#[async_trait]
impl Journal for DamagedStore {
    async fn commit(&self, at: Timestamp, commit: Commit) -> Result<Vec<Entry>, JournalError> {
        self.store.commit(at, commit).await
    }

    async fn load(&self, now: Timestamp) -> Result<Loaded, JournalError> {
        self.store.load(now).await
    }

    async fn page(&self, of: EntriesOf, after: Sequence, limit: u32) -> Result<Page, JournalError> {
        let mut page = self.store.page(of, after, limit).await?;
        self.damage(&mut page.rows);
        Ok(page)
    }

    async fn history(&self, of: &History, from: Option<Sequence>, limit: u32) -> Result<HistoryPage, JournalError> {
        let mut page = self.store.history(of, from, limit).await?;
        self.damage(&mut page.rows);
        Ok(page)
    }

    async fn newest(&self) -> Result<Sequence, JournalError> {
        self.store.newest().await
    }

    async fn check(&self) -> Result<(), JournalError> {
        self.store.check().await
    }

    async fn prune(&self, keep: &Keep) -> Result<Pruned, JournalError> {
        self.store.prune(keep).await
    }
}

#[async_trait]
impl Recordings for DamagedStore {
    async fn recorded(&self, after: Sequence, since: Timestamp, limit: u32) -> Result<RecordingPage, JournalError> {
        self.store.recorded(after, since, limit).await
    }
}

#[async_trait]
impl SinkCursors for DamagedStore {
    async fn sink_cursor(&self, sink: &str) -> Result<Option<Sequence>, JournalError> {
        self.store.sink_cursor(sink).await
    }

    async fn advance_sink(&self, sink: &str, to: Sequence) -> Result<(), JournalError> {
        self.store.advance_sink(sink, to).await
    }

    fn store_id(&self) -> &str {
        self.store.store_id()
    }
}
