//! The durable record: what is committed, in one transaction, before anybody sees it.

mod history;
mod keep;
mod page;
mod refusal;

use std::sync::Arc;

use async_trait::async_trait;

use crate::alert::AlertStatus;
use crate::call::Call;
pub use crate::event::{Event, EventKind, Transition};
use crate::id::JobKey;
use crate::record::JobRecord;
use crate::recording::Recorded;
use crate::silences;
use crate::state::JobState;
use crate::time::Timestamp;

pub use history::{History, HistoryPage, Order};
pub use keep::{Keep, KeepEntries, Pruned};
pub use page::{Entry, Loaded, LoadedPart, Page, Quarantined, RecordingPage, Row, Unreadable};
pub use refusal::{JournalError, Part, Refusal};

/// A position in the journal: grows by at least one with each entry, never reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

/// One job's part of a commit: its record afterwards and what happened to it, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The whole record afterwards. With [`Event::Forgotten`] among the events, it is deleted instead. Shared, since the
    /// same record goes to the store, to memory and to readers.
    pub record: Arc<JobRecord>,
    /// May be empty: the record is saved (e.g. a newer `confirmed_at`), and no sink is told of it.
    pub events: Vec<Event>,
}

/// Revisions are counted here alone: a store refuses a change that does not follow the revision it holds.
impl Change {
    /// The first commit of a job.
    pub fn begin(record: JobRecord) -> Self {
        Self {
            events: vec![Event::updated(&record)],
            record: Arc::new(JobRecord { revision: 1, ..record }),
        }
    }

    /// The first commit of a record that was kept under another key until now. Its history stays under that key: what stands
    /// is told as one transition, so that the history under this one ends where the record is. Its alerts are raised anew.
    pub fn go_on_as(key: JobKey, before: &JobRecord) -> Self {
        let mut after = JobRecord {
            key,
            alerts: Vec::new(),
            ..before.clone()
        };
        // Its Deployment keeps its name.
        let (old, new) = (&before.key.target.name, &after.key.target.name);
        if old != new && after.incarnation.deployment_name.is_none() {
            after.incarnation.deployment_name = Some(old.to_string());
        }
        Self::stand(before, after)
    }

    /// The first commit of a record whose row was set aside, as memory still has it: the journal has its end, and from here
    /// on its history ends where the record is. Its alerts stand on.
    pub fn write_anew(record: &JobRecord) -> Self {
        Self::stand(record, record.clone())
    }

    /// A first commit that tells what stands as one transition.
    fn stand(before: &JobRecord, after: JobRecord) -> Self {
        let change = Self::begin(after);
        if before.state == JobState::Unknown {
            return change;
        }
        let transition = Transition {
            from: JobState::Unknown,
            to: before.state,
            confidence: before.confidence,
            reason: before.reason.clone(),
            attempt: before.incarnation.attempt,
            policy: before.policy.clone(),
            told_since: before.told_since,
        };
        Self {
            events: vec![Event::Transition(transition)],
            ..change
        }
    }

    /// The record changes. `before` is the record as committed; the revision of `after` is of no account.
    pub fn update(before: &JobRecord, after: JobRecord, events: Vec<Event>) -> Self {
        let revision = before.revision.saturating_add(1);
        Self {
            record: Arc::new(JobRecord { revision, ..after }),
            events,
        }
    }

    /// The record is deleted, and what stood of it is over. What else has an alert that many share, and which of them were
    /// told with another's, is for [`ClusterAlerts::dedupe`](crate::cluster_alerts::ClusterAlerts::dedupe) to know.
    pub fn forget(record: Arc<JobRecord>) -> Self {
        let resolved = record
            .alerts
            .iter()
            .map(|alert| Event::Alert(silences::event(alert, AlertStatus::Resolved)));
        let events = resolved.chain([Event::Forgotten]).collect();
        Self { record, events }
    }

    /// It was that call which asked for it.
    pub fn called(mut self, call: Option<Call>) -> Self {
        self.events.splice(0..0, call.map(Event::Called));
        self
    }

    /// Whether the record is deleted.
    pub fn forgets(&self) -> bool {
        self.events.contains(&Event::Forgotten)
    }
}

/// One transaction: what changes, and the snapshots kept behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// The records' changes, in order.
    pub changes: Vec<Change>,
    /// Snapshots to keep, in the order in which they were decided.
    pub recorded: Vec<Recorded>,
}

impl Commit {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.recorded.is_empty()
    }
}

impl From<Vec<Change>> for Commit {
    fn from(changes: Vec<Change>) -> Self {
        Self {
            changes,
            recorded: Vec::new(),
        }
    }
}

/// The store. One commit is one transaction: all of it is durable when `commit` returns, or none.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Commits all of it; returns the entries with their sequences, in order.
    ///
    /// What would not read back is not written: it is refused with [`JournalError::Refused`], which names each job that is at
    /// fault, and so is a change that does not follow the stored revision. The others are to be committed without them.
    async fn commit(&self, at: Timestamp, commit: Commit) -> Result<Vec<Entry>, JournalError>;

    /// Every record that is stored, of all jobs. A row that does not read costs its job alone: it is set aside, and the
    /// journal is told, at the time `now`, that the record has ended.
    async fn load(&self, now: Timestamp) -> Result<Loaded, JournalError>;

    /// The same of some records: those behind `after`, in the order of their keys as text (`None`: from the first on), `limit` at most.
    async fn load_part(&self, after: Option<&str>, limit: u32, now: Timestamp) -> Result<LoadedPart, JournalError> {
        let mut loaded = self.load(now).await?;
        Ok(LoadedPart::of(&mut loaded, after, limit))
    }

    /// Rows with a sequence above `after`, of one job or of all, oldest first, at most `limit`.
    async fn page(&self, of: EntriesOf, after: Sequence, limit: u32) -> Result<Page, JournalError>;

    /// Rows that are asked for, in the order that is asked for, behind `from` (`None`: from the beginning of that order); at most
    /// `limit`. A store looks at a few thousand rows at a time: there may be more although fewer than `limit` were found, and
    /// the page says where to go on.
    async fn history(&self, of: &History, from: Option<Sequence>, limit: u32) -> Result<HistoryPage, JournalError>;

    /// The next `limit` entries that read, fewer only at the end. Who must not pass over the others asks for the
    /// [`page`](Self::page).
    async fn entries(&self, of: EntriesOf, mut after: Sequence, limit: u32) -> Result<Vec<Entry>, JournalError> {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut entries = Vec::new();
        loop {
            let page = self.page(of.clone(), after, limit).await?;
            let (rows, last) = (page.rows.len(), page.last());
            entries.extend(page.rows.into_iter().filter_map(Row::into_entry));
            match last {
                Some(last) if rows == wanted && entries.len() < wanted => after = last,
                Some(_) | None => {
                    entries.truncate(wanted);
                    return Ok(entries);
                }
            }
        }
    }

    /// The sequence of the newest entry; zero while there is none.
    async fn newest(&self) -> Result<Sequence, JournalError>;

    /// Whether a commit would work now. Used by `/readyz`.
    async fn check(&self) -> Result<(), JournalError>;

    /// Takes one small step towards what is to be kept: it drops a few rows, and holds nobody up for more than some
    /// milliseconds.
    async fn prune(&self, keep: &Keep) -> Result<Pruned, JournalError>;
}

/// The snapshots that were kept.
#[async_trait]
pub trait Recordings: Send + Sync {
    /// Those with a position above `after` (that of the last one read; zero at first) that were decided at `since` or
    /// later, in the order in which they were decided; at most `limit`. Those that do not read are named beside the others.
    async fn recorded(&self, after: Sequence, since: Timestamp, limit: u32) -> Result<RecordingPage, JournalError>;
}

/// How far each sink has delivered the journal, kept beside it so that both survive together.
#[async_trait]
pub trait SinkCursors: Send + Sync {
    /// The last sequence the sink delivered; `None`: the sink has never been seen.
    async fn sink_cursor(&self, sink: &str) -> Result<Option<Sequence>, JournalError>;

    /// Notes durably that everything up to `to` was delivered. A cursor never moves back.
    async fn advance_sink(&self, sink: &str, to: Sequence) -> Result<(), JournalError>;

    /// The identity of this store, drawn when it was created: with a sequence it names an entry for ever.
    fn store_id(&self) -> &str;
}

/// A whole store: the journal, the cursors of its readers, and the snapshots behind its decisions.
pub trait Store: Journal + SinkCursors + Recordings {}

impl<T: Journal + SinkCursors + Recordings> Store for T {}

/// Which entries of the journal are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntriesOf {
    /// All of them.
    Everything,
    /// Alerts and transitions, which sinks deliver.
    ForSinks,
    /// The transitions of one job.
    TransitionsOf(JobKey),
    /// The calls about one job, also from before it was forgotten.
    CallsAbout(JobKey),
}

#[cfg(test)]
mod tests;
