//! A store whose connection to one engine can be cut, as a kill of its process cuts it, and that may refuse or wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use steadfast_core::id::{FlinkJobId, JobKey};
use steadfast_core::journal::{
    Commit, EntriesOf, Entry, History, HistoryPage, Journal, JournalError, Keep, Loaded, Page, Pruned, RecordingPage,
    Recordings, Sequence, SinkCursors, Store,
};
use steadfast_core::time::Timestamp;
use steadfast_crash_points::{CrashPoint, Transaction};
use steadfast_world::clock::WorldClock;
use tokio::time::sleep;

use super::Committed;
use super::mishaps::{AtCommit, Dice, Life};

/// What is noted of commits.
#[derive(Clone, Debug)]
pub(super) struct Commits {
    clock: WorldClock,
    noted: Arc<Mutex<BTreeMap<Sequence, Committed>>>,
}

impl Commits {
    pub(super) fn new(clock: WorldClock) -> Self {
        Self {
            clock,
            noted: Arc::default(),
        }
    }

    /// What was noted so far.
    pub(super) fn noted(&self) -> BTreeMap<Sequence, Committed> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, entries: &[Entry], jobs: &BTreeMap<JobKey, Option<FlinkJobId>>) {
        let at = self.clock.story_now();
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(entries.iter().map(|entry| {
            let job = jobs.get(&entry.key).copied().flatten();
            (entry.sequence, Committed { at, job })
        }));
    }
}

/// One engine's connection to the store. Once its life is over, nothing that this engine still does is durable.
pub(super) struct KillableStore {
    store: Arc<dyn Store>,
    commits: Commits,
    dice: Dice,
    life: Arc<Life>,
}

impl KillableStore {
    pub(super) fn new(store: Arc<dyn Store>, commits: Commits, dice: Dice, life: Arc<Life>) -> Self {
        Self {
            store,
            commits,
            dice,
            life,
        }
    }

    fn killed() -> JournalError {
        JournalError::Unusable("the engine was killed".into())
    }

    /// The process is at that point, and lives on; or it was killed, and nothing comes of what it is about to do.
    fn reach(&self, point: CrashPoint) -> Result<(), JournalError> {
        self.dice.reach(point, "store", &self.life);
        self.still_lives()
    }

    /// The points of a kind of transaction, before and behind it.
    async fn between<T>(
        &self,
        points: Transaction,
        work: impl Future<Output = Result<T, JournalError>> + Send,
    ) -> Result<T, JournalError> {
        self.reach(points.begun)?;
        let done = work.await?;
        self.reach(points.durable)?;
        Ok(done)
    }

    fn still_lives(&self) -> Result<(), JournalError> {
        if self.life.is_over() {
            Err(Self::killed())
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Journal for KillableStore {
    async fn commit(&self, at: Timestamp, commit: Commit) -> Result<Vec<Entry>, JournalError> {
        self.still_lives()?;
        match self.dice.commit() {
            AtCommit::Goes => {}
            AtCommit::Waits(span) => sleep(span).await,
            AtCommit::Refused => {
                return Err(JournalError::Failed {
                    context: "the store was made to refuse".into(),
                    source: "the disk is full".into(),
                });
            }
        }
        let records = commit.changes.iter().map(|change| &change.record);
        let jobs = records
            .map(|record| (record.key.clone(), record.incarnation.flink_job_id))
            .collect();
        self.between(Transaction::COMMIT, async {
            let entries = self.store.commit(at, commit).await?;
            self.commits.note(&entries, &jobs);
            Ok(entries)
        })
        .await
    }

    async fn load(&self, now: Timestamp) -> Result<Loaded, JournalError> {
        self.store.load(now).await
    }

    async fn page(&self, of: EntriesOf, after: Sequence, limit: u32) -> Result<Page, JournalError> {
        self.store.page(of, after, limit).await
    }

    async fn history(&self, of: &History, from: Option<Sequence>, limit: u32) -> Result<HistoryPage, JournalError> {
        self.store.history(of, from, limit).await
    }

    async fn newest(&self) -> Result<Sequence, JournalError> {
        self.store.newest().await
    }

    async fn check(&self) -> Result<(), JournalError> {
        self.store.check().await
    }

    async fn prune(&self, keep: &Keep) -> Result<Pruned, JournalError> {
        self.still_lives()?;
        self.between(Transaction::PRUNE, self.store.prune(keep)).await
    }
}

#[async_trait]
impl SinkCursors for KillableStore {
    async fn sink_cursor(&self, sink: &str) -> Result<Option<Sequence>, JournalError> {
        self.store.sink_cursor(sink).await
    }

    async fn advance_sink(&self, sink: &str, to: Sequence) -> Result<(), JournalError> {
        self.still_lives()?;
        self.between(Transaction::CURSOR, self.store.advance_sink(sink, to))
            .await
    }

    fn store_id(&self) -> &str {
        self.store.store_id()
    }
}

#[async_trait]
impl Recordings for KillableStore {
    async fn recorded(&self, after: Sequence, since: Timestamp, limit: u32) -> Result<RecordingPage, JournalError> {
        self.store.recorded(after, since, limit).await
    }
}
