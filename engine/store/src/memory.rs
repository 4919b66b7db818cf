//! A store that lives and dies with the process, without a thread or a file of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use steadfast_core::id::JobKey;
use steadfast_core::journal::{
    Commit, EntriesOf, Entry, Event, History, HistoryPage, Journal, JournalError, Keep, KeepEntries, Loaded, Order,
    Page, Pruned, RecordingPage, Recordings, Row, Sequence, SinkCursors,
};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;
use steadfast_core::time::Timestamp;

use crate::refusal::{check_revisions, refused};
use crate::retention::STEP;
use crate::written::{Snapshots, Written};

/// Keeps everything in memory. For simulations, whose virtual time no blocking thread may hold up: behind an
/// `Arc` it outlives the engine that is killed, as a file would.
#[derive(Debug)]
pub struct MemoryStore {
    id: String,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    jobs: BTreeMap<JobKey, Arc<JobRecord>>,
    entries: Vec<Entry>,
    /// The newest sequence that was given out.
    newest: Sequence,
    dropped_until: Sequence,
    cursors: BTreeMap<String, Sequence>,
    /// In the order in which they were decided, the oldest first.
    recorded: Vec<KeptSnapshot>,
}

#[derive(Debug)]
struct KeptSnapshot {
    place: Sequence,
    /// As a file would hold it.
    bytes: u64,
    recorded: Recorded,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new("memory")
    }
}

impl MemoryStore {
    /// An empty store of that identity.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The sequence at which the job was last forgotten.
    fn forgotten_at(&self, key: &JobKey) -> Sequence {
        let mut of_job = self.entries.iter().rev().filter(|entry| entry.key == *key);
        let forgotten = of_job.find(|entry| entry.event == Event::Forgotten);
        forgotten.map_or(Sequence::default(), |entry| entry.sequence)
    }

    /// Takes in what was checked.
    fn take(&mut self, at: Timestamp, written: Written) -> Vec<Entry> {
        let mut entries = Vec::new();
        for change in written.commit.changes {
            let key = change.record.key.clone();
            let (gone, revision) = (change.forgets(), change.record.revision);
            for event in change.events {
                self.newest = Sequence(self.newest.0.saturating_add(1));
                entries.push(Entry {
                    sequence: self.newest,
                    at,
                    key: key.clone(),
                    event,
                    revision,
                });
            }
            if gone {
                self.jobs.remove(&key);
            } else {
                self.jobs.insert(key, change.record);
            }
        }
        self.entries.extend(entries.iter().cloned());
        let last = self.recorded.last().map_or(0, |one| one.place.0);
        let recorded = written.commit.recorded.into_iter().zip(written.snapshots);
        for (place, (recorded, snapshot)) in (last + 1..).zip(recorded) {
            self.recorded.push(KeptSnapshot {
                place: Sequence(place),
                bytes: snapshot.packed.len() as u64,
                recorded,
            });
        }
        entries
    }

    /// Drops the oldest snapshots that are not to be kept, at most a step of them.
    fn prune_snapshots(&mut self, keep: &Keep) -> usize {
        let mut bytes: u64 = self.recorded.iter().map(|one| one.bytes).sum();
        let due = self.recorded.iter().take(STEP).take_while(|one| {
            let is_due = one.recorded.at() < keep.snapshots_since || bytes > keep.snapshot_bytes;
            bytes = bytes.saturating_sub(one.bytes);
            is_due
        });
        let due = due.count();
        self.recorded.drain(..due);
        due
    }

    /// Drops entries that are not to be kept, the oldest first, at most a step of them.
    fn prune_entries(&mut self, keep: KeepEntries) -> usize {
        if keep == KeepEntries::All {
            return 0;
        }
        let undelivered = self.cursors.values().min().copied();
        let mut held: BTreeMap<&JobKey, Sequence> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| self.jobs.contains_key(&entry.key)) {
            match entry.event {
                Event::Transition(_) | Event::Forgotten => drop(held.insert(&entry.key, entry.sequence)),
                Event::Update(_) | Event::Called(_) | Event::Alert(_) => {}
            }
        }
        let newest = self.newest;
        let is_due = |entry: &&Entry| {
            let is_told = matches!(entry.event, Event::Transition(_) | Event::Alert(_));
            is_dropped(keep, entry.sequence, entry.at, newest)
                && held.get(&entry.key) != Some(&entry.sequence)
                && !(is_told && undelivered.is_some_and(|delivered| entry.sequence > delivered))
        };
        let due: BTreeSet<Sequence> = self
            .entries
            .iter()
            .filter(is_due)
            .take(STEP)
            .map(|entry| entry.sequence)
            .collect();
        self.entries.retain(|entry| !due.contains(&entry.sequence));
        self.dropped_until = due.last().copied().unwrap_or_default().max(self.dropped_until);
        due.len()
    }
}

/// Whether an entry is beyond what is kept.
fn is_dropped(keep: KeepEntries, sequence: Sequence, at: Timestamp, newest: Sequence) -> bool {
    match keep {
        KeepEntries::All => false,
        KeepEntries::Since(since) => at < since,
        KeepEntries::Newest(count) => sequence.0 <= newest.0.saturating_sub(count),
    }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn commit(&self, at: Timestamp, commit: Commit) -> Result<Vec<Entry>, JournalError> {
        let written = Written::of(commit, Snapshots::ReadBack)?;
        let mut kept = self.kept();
        let stored = |key: &JobKey| Ok::<_, Infallible>(kept.jobs.get(key).map(|record| record.revision));
        let Ok(refusals) = check_revisions(&written.commit.changes, stored);
        if refusals.is_empty() {
            return Ok(kept.take(at, written));
        }
        Err(refused(written.commit, refusals))
    }

    async fn load(&self, _now: Timestamp) -> Result<Loaded, JournalError> {
        let kept = self.kept();
        let records = kept.jobs.values().map(|record| JobRecord::clone(record));
        Ok(Loaded {
            records: records.collect(),
            ..Loaded::default()
        })
    }

    async fn page(&self, of: EntriesOf, after: Sequence, limit: u32) -> Result<Page, JournalError> {
        let kept = self.kept();
        let after = match &of {
            EntriesOf::Everything | EntriesOf::ForSinks | EntriesOf::CallsAbout(_) => after,
            // A job that was forgotten and found again begins anew.
            EntriesOf::TransitionsOf(key) => after.max(kept.forgotten_at(key)),
        };
        let start = kept.entries.partition_point(|entry| entry.sequence <= after);
        let asked = |entry: &&Entry| match (&of, &entry.event) {
            (EntriesOf::Everything, _) => true,
            (EntriesOf::ForSinks, Event::Transition(_) | Event::Alert(_)) => true,
            (EntriesOf::ForSinks, Event::Update(_) | Event::Called(_) | Event::Forgotten) => false,
            (EntriesOf::TransitionsOf(key), Event::Transition(_)) => entry.key == *key,
            (EntriesOf::TransitionsOf(_), Event::Update(_) | Event::Called(_) | Event::Alert(_) | Event::Forgotten) => {
                false
            }
            (EntriesOf::CallsAbout(key), Event::Called(_)) => entry.key == *key,
            (
                EntriesOf::CallsAbout(_),
                Event::Update(_) | Event::Transition(_) | Event::Alert(_) | Event::Forgotten,
            ) => false,
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let entries = kept.entries.iter().skip(start).filter(asked).take(limit);
        Ok(Page {
            rows: entries.cloned().map(Row::Entry).collect(),
            dropped_until: kept.dropped_until,
        })
    }

    async fn history(&self, of: &History, from: Option<Sequence>, limit: u32) -> Result<HistoryPage, JournalError> {
        let kept = self.kept();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_behind = |entry: &&Entry| match (of.order, from) {
            (Order::Newest | Order::Oldest, None) => true,
            (Order::Newest, Some(from)) => entry.sequence < from,
            (Order::Oldest, Some(from)) => entry.sequence > from,
        };
        let asked = kept.entries.iter().filter(is_behind).filter(|entry| of.takes(entry));
        let found: Vec<&Entry> = match of.order {
            Order::Newest => asked.rev().take(limit).collect(),
            Order::Oldest => asked.take(limit).collect(),
        };
        Ok(HistoryPage {
            next: found
                .last()
                .filter(|_| found.len() == limit)
                .map(|entry| entry.sequence),
            rows: found.into_iter().cloned().map(Row::Entry).collect(),
            dropped_until: kept.dropped_until,
        })
    }

    async fn newest(&self) -> Result<Sequence, JournalError> {
        Ok(self.kept().newest)
    }

    async fn check(&self) -> Result<(), JournalError> {
        Ok(())
    }

    async fn prune(&self, keep: &Keep) -> Result<Pruned, JournalError> {
        let mut kept = self.kept();
        let snapshots = kept.prune_snapshots(keep);
        let entries = kept.prune_entries(keep.entries);
        Ok(Pruned {
            snapshots: snapshots as u64,
            entries: entries as u64,
            more: snapshots == STEP || entries == STEP,
        })
    }
}

#[async_trait]
impl Recordings for MemoryStore {
    async fn recorded(&self, after: Sequence, since: Timestamp, limit: u32) -> Result<RecordingPage, JournalError> {
        let kept = self.kept();
        let asked = kept
            .recorded
            .iter()
            .filter(|one| one.place > after && one.recorded.at() >= since);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(RecordingPage {
            read: asked.take(limit).map(|one| (one.place, one.recorded.clone())).collect(),
            unreadable: Vec::new(),
        })
    }
}

#[async_trait]
impl SinkCursors for MemoryStore {
    async fn sink_cursor(&self, sink: &str) -> Result<Option<Sequence>, JournalError> {
        Ok(self.kept().cursors.get(sink).copied())
    }

    async fn advance_sink(&self, sink: &str, to: Sequence) -> Result<(), JournalError> {
        let mut kept = self.kept();
        let cursor = kept.cursors.entry(sink.to_owned()).or_default();
        *cursor = to.max(*cursor);
        Ok(())
    }

    fn store_id(&self) -> &str {
        &self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn conforms() {
        conformance::all(|_| MemoryStore::default()).await;
    }
}
