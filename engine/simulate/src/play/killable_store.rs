//! A store whose connection to one engine can be cut, as a kill of its process cuts it, and that may refuse or wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use steadfast_core::id::{FlinkJobId, JobKey};
use steadfast_core::journal::{
    Commit, EntriesOf, Entry, History, HistoryPage, Journal, JournalError, Keep, Loaded, Page, Pruned, RecordingPage,
    Recordings, Sequence, SinkCursors, Store,
};
use steadfast_core::recording::Recorded;
use steadfast_core::shown::Looks;
use steadfast_core::time::Timestamp;
use steadfast_crash_points::{CrashPoint, Transaction};
use steadfast_world::clock::WorldClock;
use steadfast_world::story::Moment;
use tokio::time::sleep;

use super::Committed;
use super::mishaps::{AtCommit, Dice, Life};

/// What is noted of commits.
#[derive(Clone, Debug)]
pub(super) struct Commits {
    clock: WorldClock,
    noted: Arc<Mutex<BTreeMap<Sequence, Committed>>>,
    watches: Arc<Mutex<Watches>>,
}

/// How the watches stood with the decisions of which snapshots are kept, whenever that changed.
#[derive(Debug, Default)]
struct Watches {
    last: BTreeMap<JobKey, String>,
    changes: Vec<(Moment, JobKey, String)>,
}

impl Commits {
    pub(super) fn new(clock: WorldClock) -> Self {
        Self {
            clock,
            noted: Arc::default(),
            watches: Arc::default(),
        }
    }

    /// How the watches stood, and from when on: what the policy asks for, and how often.
    pub(super) fn watches(&self) -> Vec<(Moment, JobKey, String)> {
        self.watches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .changes
            .clone()
    }

    fn note_watches(&self, decided: Vec<(JobKey, String)>) {
        let at = self.clock.story_now();
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, said) in decided {
            if watches.last.get(&key) != Some(&said) {
                watches.last.insert(key.clone(), said.clone());
                watches.changes.push((at, key, said));
            }
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

/// How a decision has a job watched, for people; `None` if it failed.
fn watch(recorded: &Recorded) -> Option<(JobKey, String)> {
    let shown = recorded.shown.as_ref()?;
    let Looks {
        poll_after,
        wanted,
        validate_after: _,
        asked: _,
    } = shown.looks.as_ref()?;
    let wanted: Vec<&str> = wanted.iter().map(|source| source.as_str()).collect();
    let mut said = format!("{}, polls each {poll_after:?}", shown.attention);
    if !wanted.is_empty() {
        said.push_str(&format!(", looks up {}", wanted.join(" and ")));
    }
    Some((recorded.key().clone(), said))
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
        let decided = commit.recorded.iter().filter_map(watch).collect();
        self.between(Transaction::COMMIT, async {
            let entries = self.store.commit(at, commit).await?;
            self.commits.note(&entries, &jobs);
            self.commits.note_watches(decided);
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
