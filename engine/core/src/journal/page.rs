//! What is read of a store: rows that read, and beside them those that do not, so that none goes missing in silence.

use super::Sequence;
use crate::event::Event;
use crate::id::JobKey;
use crate::record::JobRecord;
use crate::recording::Recorded;
use crate::time::Timestamp;

/// A journal entry as committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its position in the journal: later entries have higher ones.
    pub sequence: Sequence,
    /// When it was decided.
    pub at: Timestamp,
    /// The job it is about.
    pub key: JobKey,
    /// What was committed with the record.
    pub event: Event,
    /// The record's revision after the commit.
    pub revision: u64,
}

/// An entry that is there and does not read, as after damage, or where a later version wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its position in the journal.
    pub sequence: Sequence,
    /// The job as the row names it.
    pub job: String,
    /// Why it does not read, for people.
    pub why: String,
}

/// One row of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// It reads.
    Entry(Entry),
    /// It does not.
    Unreadable(Unreadable),
}

impl Row {
    /// Its position.
    pub fn sequence(&self) -> Sequence {
        match self {
            Self::Entry(entry) => entry.sequence,
            Self::Unreadable(unreadable) => unreadable.sequence,
        }
    }

    /// The entry, if it reads.
    pub fn into_entry(self) -> Option<Entry> {
        match self {
            Self::Entry(entry) => Some(entry),
            Self::Unreadable(_) => None,
        }
    }
}

/// Rows of the journal, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows that were asked for.
    pub rows: Vec<Row>,
    /// Entries up to this one may have been dropped, since they were older than what is kept. Who stands before it may have
    /// missed some.
    pub dropped_until: Sequence,
}

impl Page {
    /// The position of the last row, where the next page begins; `None` if there is none.
    pub fn last(&self) -> Option<Sequence> {
        self.rows.last().map(Row::sequence)
    }
}

/// What a store holds of the jobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The records that read.
    pub records: Vec<JobRecord>,
    /// Rows that did not read and were set aside by this call. The journal has the end of each of their records.
    pub set_aside: Vec<Quarantined>,
    /// All rows that were ever set aside and are still kept, the oldest first.
    pub quarantined: Vec<Quarantined>,
    /// What else was mended, in words: columns that said something else than their documents, and numbers that could not be gone
    /// on from.
    pub mended: Vec<String>,
}

/// A part of what a store holds of the jobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadedPart {
    /// Its records, and what was wrong with rows among them.
    pub loaded: Loaded,
    /// Where the next part begins; `None`: this was the last.
    pub next: Option<String>,
}

impl LoadedPart {
    /// A part of all, for stores that have everything at hand.
    pub(super) fn of(all: &mut Loaded, after: Option<&str>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut named: Vec<(String, JobRecord)> = std::mem::take(&mut all.records)
            .into_iter()
            .map(|record| (record.key.to_string(), record))
            .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after))
            .collect();
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        let is_last = named.len() <= limit;
        named.truncate(limit);
        let next = named.last().map(|(key, _)| key.clone()).filter(|_| !is_last);
        Self {
            loaded: Loaded {
                records: named.into_iter().map(|(_, record)| record).collect(),
                ..std::mem::take(all)
            },
            next,
        }
    }
}

/// A record's row that did not read. It is kept as it was, byte for byte, and is no longer in the way of its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The job as the row names it.
    pub job: String,
    /// When it was set aside.
    pub at: Timestamp,
    /// Why it does not read, for people.
    pub why: String,
}

/// Snapshots that were kept, in the order in which they were decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordingPage {
    /// Those that read, each with its position.
    pub read: Vec<(Sequence, Recorded)>,
    /// Those that do not, each with the reason: damaged, or of another version.
    pub unreadable: Vec<(Sequence, String)>,
}

impl RecordingPage {
    /// The position of the last one, where the next page begins; `None` if there is none.
    pub fn last(&self) -> Option<Sequence> {
        let read = self.read.last().map(|(place, _)| *place);
        read.max(self.unreadable.last().map(|(place, _)| *place))
    }
}
