//! A store whose connection to one engine can be cut, as a kill of its process cuts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use steadfast_core::journal::{Commit, EntriesOf, Entry, Journal, JournalError, Sequence};
use steadfast_core::record::JobRecord;
use steadfast_core::time::Timestamp;

/// One engine's connection to the store. Once cut, nothing that this engine still does is durable.
pub(super) struct KillableStore {
    store: Arc<dyn Journal>,
    cut: AtomicBool,
}

impl KillableStore {
    pub(super) fn new(store: Arc<dyn Journal>) -> Self {
        Self {
            store,
            cut: AtomicBool::new(false),
        }
    }

    /// Cuts it for good.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Journal for KillableStore {
    async fn commit(&self, at: Timestamp, commit: Commit) -> Result<Vec<Entry>, JournalError> {
        if self.cut.load(Ordering::SeqCst) {
            return Err(JournalError::Unusable("the engine was killed".into()));
        }
        self.store.commit(at, commit).await
    }

    async fn load(&self) -> Result<Vec<JobRecord>, JournalError> {
        self.store.load().await
    }

    async fn entries(&self, of: EntriesOf, after: Sequence, limit: u32) -> Result<Vec<Entry>, JournalError> {
        self.store.entries(of, after, limit).await
    }

    async fn newest(&self) -> Result<Sequence, JournalError> {
        self.store.newest().await
    }

    async fn check(&self) -> Result<(), JournalError> {
        self.store.check().await
    }

    async fn prune(&self, since: Timestamp, max_bytes: u64) -> Result<u64, JournalError> {
        self.store.prune(since, max_bytes).await
    }
}
