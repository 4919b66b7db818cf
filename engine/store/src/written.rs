//! A commit as it is going to be written, read back before it is.
//!
//! A store that holds what does not read is worth less than one that lacks it: so nothing is written that does not read back
//! as what it was made of. Whatever fails that is refused for its job alone. Records and events are read back always, which
//! takes some ten microseconds each. A snapshot behind a decision is five times as much, and one that does not read costs
//! nobody anything: those are read back where faults are looked for, in debug builds and in simulations.

use steadfast_core::id::JobKey;
use steadfast_core::journal::{Change, Commit, Event, JournalError, Part, Refusal};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;

use crate::bounds::{self, Bounded};
use crate::format::{self, Kept};
use crate::packing::{pack, unpack};
use crate::refusal::{brief, refusal, refused, stored_name};

/// A commit with its documents.
#[derive(Debug)]
pub(crate) struct Written {
    /// As it was handed over.
    pub(crate) commit: Commit,
    /// For each change of the commit.
    pub(crate) changes: Vec<WrittenChange>,
    /// For each snapshot of the commit.
    pub(crate) snapshots: Vec<WrittenSnapshot>,
}

/// The documents of a change.
#[derive(Debug)]
pub(crate) struct WrittenChange {
    /// The job's name.
    pub(crate) job: String,
    /// The record, without the memory of its policy, which is bytes; `None` if it is deleted.
    pub(crate) record: Option<String>,
    pub(crate) events: Vec<String>,
}

/// The document of a snapshot, packed.
#[derive(Debug)]
pub(crate) struct WrittenSnapshot {
    /// The job's name.
    pub(crate) job: String,
    pub(crate) packed: Vec<u8>,
}

/// Whether snapshots are read back before they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Snapshots {
    ReadBack,
    AsTheyAre,
}

impl Written {
    /// The documents of a commit. Refuses each part that has none that reads back.
    pub(crate) fn of(commit: Commit, snapshots: Snapshots) -> Result<Self, JournalError> {
        let mut refusals = Vec::new();
        let mut changes = Vec::new();
        let mut packed = Vec::new();
        for change in &commit.changes {
            let written = WrittenChange::of(change);
            take(written, &change.record.key, Part::Change, &mut changes, &mut refusals);
        }
        for recorded in &commit.recorded {
            let written = WrittenSnapshot::of(recorded, snapshots);
            take(written, recorded.key(), Part::Snapshot, &mut packed, &mut refusals);
        }
        if refusals.is_empty() {
            return Ok(Self {
                commit,
                changes,
                snapshots: packed,
            });
        }
        Err(refused(commit, refusals))
    }
}

fn take<T>(written: Result<T, String>, key: &JobKey, part: Part, all: &mut Vec<T>, refusals: &mut Vec<Refusal>) {
    match written {
        Ok(written) => all.push(written),
        Err(why) => refusals.push(refusal(key, part, why)),
    }
}

impl WrittenChange {
    fn of(change: &Change) -> Result<Self, String> {
        let job = stored_name(&change.record.key)?;
        let record = if change.forgets() {
            None
        } else {
            let without_memory = JobRecord {
                memory: Vec::new(),
                ..JobRecord::clone(&change.record)
            };
            bounds::memory(change.record.memory.len())?;
            Some(document(&without_memory, "its record")?)
        };
        let events = change.events.iter().map(|event: &Event| document(event, "its event"));
        Ok(Self {
            job,
            record,
            events: events.collect::<Result<_, _>>()?,
        })
    }
}

impl WrittenSnapshot {
    fn of(recorded: &Recorded, snapshots: Snapshots) -> Result<Self, String> {
        let job = stored_name(recorded.key())?;
        let packed = pack(recorded).map_err(|error| format!("its snapshot cannot be written: {error}"))?;
        if snapshots == Snapshots::ReadBack {
            same(unpack(&packed), recorded, "its snapshot")?;
        }
        Ok(Self { job, packed })
    }
}

/// The document of a value, which reads back as that value.
fn document<T: Kept + Bounded + PartialEq>(value: &T, what: &str) -> Result<String, String> {
    let document = format::write(value).map_err(|error| format!("{what} cannot be written: {error}"))?;
    same(bounds::read(document.as_bytes()), value, what)?;
    Ok(document)
}

fn same<T: PartialEq, E: std::fmt::Display>(read: Result<T, E>, value: &T, what: &str) -> Result<(), String> {
    match read {
        Ok(read) if read == *value => Ok(()),
        Ok(_) => Err(format!("{what} would read back as something else")),
        Err(error) => Err(format!("{what} would not read back: {}", brief(&error))),
    }
}
