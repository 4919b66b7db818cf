//! A store that lives and dies with the process, without a thread or a file of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use steadfast_core::id::JobKey;
use steadfast_core::journal::{
    Commit, EntriesOf, Entry, Event, Journal, JournalError, Recordings, Sequence, SinkCursors,
};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;
use steadfast_core::time::Timestamp;

use crate::packing::pack;
use crate::refusal::{check_revision, failed, stored_name};

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
    fn newest(&self) -> Sequence {
        self.entries.last().map_or(Sequence::default(), |entry| entry.sequence)
    }

    /// The sequence at which the job was last forgotten.
    fn forgotten_at(&self, key: &JobKey) -> Sequence {
        let mut of_job = self.entries.iter().rev().filter(|entry| entry.key == *key);
        let forgotten = of_job.find(|entry| entry.event == Event::Forgotten);
        forgotten.map_or(Sequence::default(), |entry| entry.sequence)
    }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn commit(&self, at: Timestamp, commit: Commit) -> Result<Vec<Entry>, JournalError> {
        let mut kept = self.kept();
        // All changes are tried on a copy of the records they touch, so that a refusal leaves nothing behind.
        let mut touched: BTreeMap<JobKey, Option<Arc<JobRecord>>> = BTreeMap::new();
        let mut entries = Vec::new();
        let mut sequence = kept.newest().0;
        for change in commit.changes {
            stored_name(&change.record.key)?;
            let key = change.record.key.clone();
            let stored = match touched.get(&key) {
                Some(record) => record.as_ref(),
                None => kept.jobs.get(&key),
            };
            check_revision(&change, stored.map(|record| record.revision))?;
            let gone = change.forgets();
            for event in change.events {
                sequence = sequence.saturating_add(1);
                entries.push(Entry {
                    sequence: Sequence(sequence),
                    at,
                    key: key.clone(),
                    event,
                    revision: change.record.revision,
                });
            }
            touched.insert(key, (!gone).then_some(change.record));
        }
        for (key, record) in touched {
            match record {
                Some(record) => kept.jobs.insert(key, record),
                None => kept.jobs.remove(&key),
            };
        }
        kept.entries.extend(entries.iter().cloned());
        let last = kept.recorded.last().map_or(0, |one| one.place.0);
        for (place, recorded) in (last + 1..).zip(commit.recorded) {
            let packed = pack(&recorded).map_err(|error| failed("cannot pack a snapshot", error))?;
            kept.recorded.push(KeptSnapshot {
                place: Sequence(place),
                bytes: packed.len() as u64,
                recorded,
            });
        }
        Ok(entries)
    }

    async fn load(&self) -> Result<Vec<JobRecord>, JournalError> {
        Ok(self
            .kept()
            .jobs
            .values()
            .map(|record| JobRecord::clone(record))
            .collect())
    }

    async fn entries(&self, of: EntriesOf, after: Sequence, limit: u32) -> Result<Vec<Entry>, JournalError> {
        let kept = self.kept();
        let after = match &of {
            EntriesOf::Everything | EntriesOf::ForSinks => after,
            // A job that was forgotten and found again begins anew.
            EntriesOf::TransitionsOf(key) => after.max(kept.forgotten_at(key)),
        };
        let start = kept.entries.partition_point(|entry| entry.sequence <= after);
        let asked = |entry: &&Entry| match (&of, &entry.event) {
            (EntriesOf::Everything, _) => true,
            (EntriesOf::ForSinks, Event::Transition(_) | Event::Alert(_)) => true,
            (EntriesOf::ForSinks, Event::Update | Event::Forgotten) => false,
            (EntriesOf::TransitionsOf(key), Event::Transition(_)) => entry.key == *key,
            (EntriesOf::TransitionsOf(_), Event::Update | Event::Alert(_) | Event::Forgotten) => false,
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(kept
            .entries
            .iter()
            .skip(start)
            .filter(asked)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn newest(&self) -> Result<Sequence, JournalError> {
        Ok(self.kept().newest())
    }

    async fn check(&self) -> Result<(), JournalError> {
        Ok(())
    }

    async fn prune(&self, since: Timestamp, max_bytes: u64) -> Result<u64, JournalError> {
        let mut kept = self.kept();
        let all = kept.recorded.len();
        let mut bytes = 0_u64;
        // From the newest on: what still fits stays.
        let fits = kept.recorded.iter().rev().take_while(|one| {
            bytes = bytes.saturating_add(one.bytes);
            one.recorded.at() >= since && bytes <= max_bytes
        });
        let gone = all - fits.count();
        kept.recorded.drain(..gone);
        Ok(u64::try_from(gone).unwrap_or(u64::MAX))
    }
}

#[async_trait]
impl Recordings for MemoryStore {
    async fn recorded(
        &self,
        after: Sequence,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Sequence, Recorded)>, JournalError> {
        let kept = self.kept();
        let asked = kept
            .recorded
            .iter()
            .filter(|one| one.place > after && one.recorded.at() >= since);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(asked.take(limit).map(|one| (one.place, one.recorded.clone())).collect())
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
