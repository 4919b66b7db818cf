//! What is done to a store, and what the store says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use steadfast_core::id::PolicyName;
use steadfast_core::journal::{
    Change, EntriesOf, Entry, Event, Journal as _, JournalError, Keep, KeepEntries, Sequence, SinkCursors as _,
    Transition,
};
use steadfast_core::record::{JobRecord, Reason};
use steadfast_core::state::{Confidence, JobState};
use steadfast_core::testing::{self, job_key};
use steadfast_core::time::Timestamp;
use steadfast_store::SqliteStore;

const AT: Timestamp = Timestamp::from_millis(1_795_396_409_838);
const SINK: &str = "hook";

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Commit(Vec<Change>),
    Cursor(u64),
    Check,
    /// Keeps so many of the newest entries.
    Prune(u64),
    /// Writes the log into the file, as SQLite does by itself when it is long: the next write begins the log anew.
    Checkpoint,
    /// Closes the store, and opens it again.
    Reopen,
}

/// All that a store says.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    records: Vec<JobRecord>,
    entries: Vec<Entry>,
    dropped_until: Sequence,
    cursor: Option<Sequence>,
}

impl State {
    /// For people.
    pub fn brief(&self) -> String {
        let revisions: Vec<(String, u64)> = self
            .records
            .iter()
            .map(|record| (record.key.to_string(), record.revision))
            .collect();
        let (first, last) = (self.entries.first(), self.entries.last());
        format!(
            "{revisions:?}, {} entries from {:?} to {:?}, cursor {:?}, dropped until {:?}",
            self.entries.len(),
            first.map(|entry| entry.sequence),
            last.map(|entry| entry.sequence),
            self.cursor,
            self.dropped_until
        )
    }
}

/// Reads it.
pub async fn state(store: &SqliteStore) -> Result<State, JournalError> {
    let loaded = store.load(AT).await?;
    assert!(loaded.set_aside.is_empty() && loaded.quarantined.is_empty() && loaded.mended.is_empty());
    let page = store.page(EntriesOf::Everything, Sequence(0), u32::MAX).await?;
    Ok(State {
        records: loaded.records,
        entries: store.entries(EntriesOf::Everything, Sequence(0), u32::MAX).await?,
        dropped_until: page.dropped_until,
        cursor: store.sink_cursor(SINK).await?,
    })
}

/// Does a step to the store in that file. Reopening is the caller's.
pub async fn apply(store: &SqliteStore, path: &Path, step: &Step) -> Result<(), JournalError> {
    match step {
        Step::Commit(changes) => store.commit(AT, changes.clone().into()).await.map(drop),
        Step::Cursor(to) => store.advance_sink(SINK, Sequence(*to)).await,
        Step::Check => store.check().await,
        Step::Prune(count) => {
            let keep = Keep {
                snapshots_since: Timestamp::from_millis(0),
                snapshot_bytes: u64::MAX,
                entries: KeepEntries::Newest(*count),
            };
            store.prune(&keep).await.map(drop)
        }
        Step::Checkpoint => {
            let connection = Connection::open(path).unwrap();
            connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
                .unwrap();
            Ok(())
        }
        Step::Reopen => unreachable!("by whoever has the store"),
    }
}

/// Writes commits that follow one another.
#[derive(Default)]
struct Writer(BTreeMap<String, u64>);

impl Writer {
    fn commit(&mut self, jobs: &[&str], memory: usize) -> Step {
        let changes = jobs.iter().map(|job| {
            let revision = self.0.entry((*job).to_owned()).or_default();
            *revision += 1;
            change(job, *revision, memory)
        });
        Step::Commit(changes.collect())
    }
}

/// RUNNING and RESTARTING by turns.
fn change(job: &str, revision: u64, memory: usize) -> Change {
    let state = |revision: u64| match revision {
        0 => JobState::Unknown,
        odd if odd % 2 == 1 => JobState::Running,
        _ => JobState::Restarting,
    };
    let record = JobRecord {
        state: state(revision),
        revision,
        confirmed_at: Some(AT),
        memory: (0..memory).map(|place| (place as u64 * 31 + revision) as u8).collect(),
        ..testing::record(job_key(job), AT)
    };
    let moved = Event::Transition(Transition {
        from: state(revision - 1),
        to: state(revision),
        confidence: Confidence::Confirmed,
        reason: Reason::new("FlinkSays", "Flink lists it so"),
        attempt: 1,
        policy: PolicyName::new("default"),
        told_since: None,
    });
    Change {
        record: record.into(),
        events: vec![moved, Event::Update(None)],
    }
}

/// What every store begins with here.
pub fn beginning() -> Vec<Step> {
    let mut writer = Writer::default();
    vec![writer.commit(&["a", "b"], 9), Step::Cursor(1)]
}

fn begun() -> Writer {
    let mut writer = Writer::default();
    writer.commit(&["a", "b"], 9);
    writer
}

/// One of each call.
pub fn short() -> Vec<Step> {
    let mut writer = begun();
    vec![
        writer.commit(&["a", "b"], 9),
        Step::Cursor(3),
        Step::Check,
        writer.commit(&["b", "c"], 5000),
        Step::Prune(4),
        Step::Reopen,
        writer.commit(&["a"], 9),
    ]
}

/// A log that is begun anew twice over what it had, and two more lives.
pub fn long() -> Vec<Step> {
    let mut writer = begun();
    let mut steps = Vec::new();
    let small = |writer: &mut Writer, steps: &mut Vec<Step>, cursor: u64| {
        steps.extend([
            writer.commit(&["a"], 9),
            writer.commit(&["a", "b"], 9),
            Step::Cursor(cursor),
            Step::Check,
            writer.commit(&["b", "c"], 5000),
        ]);
    };
    small(&mut writer, &mut steps, 5);
    steps.push(Step::Checkpoint);
    small(&mut writer, &mut steps, 11);
    steps.push(Step::Prune(9));
    steps.push(Step::Checkpoint);
    small(&mut writer, &mut steps, 17);
    steps.push(Step::Reopen);
    small(&mut writer, &mut steps, 23);
    steps.push(Step::Reopen);
    steps.push(writer.commit(&["a", "b", "c"], 9));
    steps
}

/// A commit that follows what a store has.
pub fn another(state: &State) -> Step {
    let jobs = state.records.iter();
    Step::Commit(
        jobs.map(|record| change(&record.key.target.name, record.revision + 1, 9))
            .collect(),
    )
}
