//! What is wrong with a store at rest or beside its engine: row by row, each with the fix. Nothing is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row as SqlRow};
use steadfast_core::id::JobKey;
use steadfast_core::journal::{Entry, Event, JournalError, Quarantined, Row};
use steadfast_core::recording::Recorded;
use steadfast_core::state::JobState;

use super::opening::{open_to_read, unchecked};
use super::records::{Verdict, text};
use super::rows::{columns, read_row};
use super::schema::SNAPSHOTS;
use super::{SqliteFailure, counters, identity, layout, quarantine, records, rows};
use crate::bounds;
use crate::packing::unpack;

/// What a store holds, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// The store's id.
    pub store: String,
    /// The version of its tables.
    pub schema: i32,
    /// Rows of each kind.
    pub records: u64,
    /// Entries of the journal.
    pub entries: u64,
    /// Snapshots behind decisions.
    pub snapshots: u64,
    /// Entries up to this one may have been dropped by retention; 0: none were.
    pub dropped_until: u64,
    /// Rows of records that were set aside and are kept.
    pub quarantined: Vec<Quarantined>,
    /// What is wrong, in the order of the tables.
    pub problems: Vec<Problem>,
    /// Tables that are missing, or lack columns.
    absent: BTreeSet<String>,
    /// What SQLite says of pages that are not as they must be, if any are not.
    damage: Option<String>,
}

/// Something that is wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a row, a table, or the file.
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// What mends it.
    pub fix: &'static str,
}

const REPAIR: &str = "`steadfast store repair` sets the row aside; the engine does so as it starts";
const REPAIR_ENTRY: &str = "readers are told and pass over it; `steadfast store repair` sets it aside";
const MEND: &str = "`steadfast store repair` makes the columns follow the document; the engine does so as it starts";
const RESTORE: &str = "stop the engine, `steadfast store repair` tries to mend it; else restore a backup. `steadfast store export` \
                       writes out what reads";
const REPAIR_SNAPSHOT: &str = "replays pass over it; `steadfast store repair` sets it aside";
const MEND_SNAPSHOT: &str = "`steadfast store repair` makes them follow it";
const LOOK: &str = "somebody has edited the journal, or entries are lost: compare with a backup; nothing is repaired";

/// Looks through the whole store, beside a running engine or not. Fails if it is none, or cannot be opened at all.
pub fn inspect(path: &Path) -> Result<Inspection, JournalError> {
    let (connection, schema) = open_to_read(path).map_err(unchecked)?;
    let mut inspection = Inspection {
        schema,
        ..Inspection::default()
    };
    let looked = inspection.look(path, &connection);
    looked.map_err(|failure| failure.explain("cannot inspect", path))?;
    Ok(inspection)
}

impl Inspection {
    /// What is wrong with the file's pages, if something is.
    pub(super) fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    fn look(&mut self, path: &Path, connection: &Connection) -> Result<(), SqliteFailure> {
        self.mode(path);
        self.pages(connection);
        self.table("sqlite_schema", Self::layout, connection);
        self.table("store", Self::own, connection);
        self.table("jobs", Self::jobs, connection);
        self.table("journal", Self::journal, connection);
        if self.schema >= SNAPSHOTS {
            self.table("snapshots", Self::snapshots, connection);
        }
        self.table("sinks", Self::sinks, connection);
        if self.schema >= 3 {
            self.table("quarantine", Self::aside, connection);
        }
        Ok(())
    }

    fn layout(&mut self, connection: &Connection) -> Result<(), SqliteFailure> {
        for flaw in layout::find(connection)? {
            self.add(flaw.place(), flaw.what(), flaw.fix());
            self.absent.extend(flaw.unreadable_table().map(str::to_owned));
        }
        Ok(())
    }

    /// What is not of single rows: id and mark, and the numbers by which the store counts.
    fn own(&mut self, connection: &Connection) -> Result<(), SqliteFailure> {
        self.store = identity::id(connection)?.unwrap_or_default();
        for flaw in identity::find(connection, self.schema >= 3 && !self.absent.contains("head"))? {
            self.add(flaw.place().to_owned(), flaw.what(), flaw.fix());
        }
        // Numbered are rows of several tables.
        if self.absent.is_empty() {
            for flaw in counters::find(connection, self.schema)? {
                self.add(flaw.place(), flaw.what(), flaw.fix());
            }
        }
        if self.schema >= 3 && !self.store.is_empty() {
            self.dropped_until = rows::dropped_until(connection)?.0;
        }
        Ok(())
    }

    fn aside(&mut self, connection: &Connection) -> Result<(), SqliteFailure> {
        self.quarantined = quarantine::records(connection)?;
        Ok(())
    }

    fn add(&mut self, place: String, what: impl Into<String>, fix: &'static str) {
        self.problems.push(Problem {
            place,
            what: what.into(),
            fix,
        });
    }

    fn mode(&mut self, path: &Path) {
        let Ok(file) = fs::metadata(path) else { return };
        let mode = file.permissions().mode() & 0o777;
        if mode & 0o007 != 0 {
            self.add(
                path.display().to_string(),
                format!("everybody can read it (mode {mode:o})"),
                "chmod it to 600; the engine does so as it starts",
            );
        }
    }

    fn pages(&mut self, connection: &Connection) {
        let verdicts: Result<Vec<String>, _> = connection
            .prepare("PRAGMA integrity_check(20)")
            .and_then(|mut check| check.query_map([], |row| row.get(0))?.collect());
        match verdicts {
            Ok(verdicts) => {
                for verdict in verdicts.into_iter().filter(|verdict| verdict != "ok") {
                    self.damaged(verdict);
                }
            }
            Err(error) => self.damaged(error.to_string()),
        }
    }

    fn damaged(&mut self, what: String) {
        self.add("the file's pages".to_owned(), what.as_str(), RESTORE);
        self.damage.get_or_insert(what);
    }

    /// Looks at a table as far as it can be read.
    fn table(
        &mut self,
        table: &str,
        look: impl FnOnce(&mut Self, &Connection) -> Result<(), SqliteFailure>,
        connection: &Connection,
    ) {
        if self.absent.contains(table) {
            return;
        }
        match look(self, connection) {
            Ok(()) => {}
            Err(SqliteFailure::UsedUp) => {}
            Err(SqliteFailure::Sqlite(error)) => {
                self.add(
                    format!("the table {table}"),
                    format!("it cannot be read on: {error}"),
                    RESTORE,
                );
            }
            Err(SqliteFailure::Row(what)) => self.add(format!("the table {table}"), what, RESTORE),
            Err(SqliteFailure::Reported(error)) => self.add(format!("the table {table}"), error.to_string(), RESTORE),
        }
    }

    fn jobs(&mut self, connection: &Connection) -> Result<(), SqliteFailure> {
        for found in records::read(connection)? {
            self.records += 1;
            let place = || format!("the record of {}", found.job);
            match &found.verdict {
                Verdict::Reads(_) => {}
                Verdict::Differs(_, why) => self.add(place(), why.as_str(), MEND),
                Verdict::Unreadable(why) => self.add(place(), why.as_str(), REPAIR),
            }
        }
        Ok(())
    }

    fn journal(&mut self, connection: &Connection) -> Result<(), SqliteFailure> {
        let mut histories = Histories::new(self.dropped_until > 0);
        if self.schema >= 3 && !self.absent.contains("quarantine") && !self.absent.contains("quarantined_cells") {
            histories.set_aside(quarantine::entries(connection)?);
        }
        let mut select = connection.prepare(ENTRIES)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            self.entries += 1;
            match read_row(row)? {
                Row::Unreadable(unreadable) => {
                    histories.lose(&unreadable.job);
                    let place = format!("entry {} of {}", unreadable.sequence.0, unreadable.job);
                    self.add(place, unreadable.why, REPAIR_ENTRY);
                }
                Row::Entry(entry) => {
                    let place = format!("entry {} of {}", entry.sequence.0, entry.key);
                    if let Some(why) = differing(row, &entry)? {
                        self.add(place.clone(), why, MEND);
                    }
                    if let Some(why) = histories.take(&entry) {
                        self.add(place, why, LOOK);
                    }
                }
            }
        }
        Ok(())
    }

    fn snapshots(&mut self, connection: &Connection) -> Result<(), SqliteFailure> {
        let mut select = connection.prepare(SNAPSHOT_ROWS)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            self.snapshots += 1;
            let place = format!("snapshot {}", row.get::<_, i64>(0)?);
            match judge_snapshot(row)? {
                Snapshot::Reads => {}
                Snapshot::Differs(_) => self.add(
                    place,
                    "its columns say something else than what it holds",
                    MEND_SNAPSHOT,
                ),
                Snapshot::Unreadable(why) => self.add(place, why, REPAIR_SNAPSHOT),
            }
        }
        Ok(())
    }

    fn sinks(&mut self, connection: &Connection) -> Result<(), SqliteFailure> {
        let newest = rows::newest(connection)?.0;
        let mut select = connection.prepare("SELECT sink, delivered FROM sinks ORDER BY sink")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (sink, delivered): (String, i64) = (text(row.get_ref(0)?), row.get(1)?);
            if rows::unsigned(delivered) > newest || delivered < 0 {
                self.add(
                    format!("the sink {sink}"),
                    format!("it has delivered up to {delivered}, and the newest entry is {newest}"),
                    "`steadfast store repair` sets it to the newest entry; the engine does so as it starts",
                );
            }
        }
        Ok(())
    }
}

/// Every entry, with the columns of [`read_row`] first.
pub(super) const ENTRIES: &str =
    "SELECT sequence, at, job, revision, event, kind, state, attempt FROM journal ORDER BY sequence";

/// How an entry's columns differ from its document.
pub(super) fn differing(row: &SqlRow<'_>, entry: &Entry) -> Result<Option<String>, rusqlite::Error> {
    let (kind, state, attempt) = columns(&entry.event);
    let text = |text: Option<&'static str>| text.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()));
    let same = row.get_ref(5)? == text(Some(kind))
        && row.get_ref(6)? == text(state)
        && row.get_ref(7)? == attempt.map_or(ValueRef::Null, |attempt| ValueRef::Integer(attempt.into()));
    Ok((!same).then(|| "its columns say something else than its event".to_owned()))
}

/// Every snapshot, with the columns of [`judge_snapshot`].
pub(super) const SNAPSHOT_ROWS: &str = "SELECT place, at, job, bytes, recorded FROM snapshots ORDER BY place";

/// What a row of `snapshots` is worth.
pub(super) enum Snapshot {
    Reads,
    /// The columns beside it, by which it is kept and dropped, say something else.
    Differs(Box<Recorded>),
    Unreadable(String),
}

pub(super) fn judge_snapshot(row: &SqlRow<'_>) -> Result<Snapshot, rusqlite::Error> {
    if !bounds::is_place(row.get(0)?) {
        return Ok(Snapshot::Unreadable(
            "its place is beyond what the store counts; no more snapshots are kept behind it".to_owned(),
        ));
    }
    let ValueRef::Blob(packed) = row.get_ref(4)? else {
        return Ok(Snapshot::Unreadable("it is not packed".to_owned()));
    };
    let recorded = match unpack(packed) {
        Ok(recorded) => recorded,
        Err(error) => return Ok(Snapshot::Unreadable(format!("it does not read: {error}"))),
    };
    let same = row.get_ref(1)? == ValueRef::Integer(recorded.at().as_millis())
        && text(row.get_ref(2)?) == recorded.key().to_string()
        && row
            .get_ref(3)?
            .as_i64()
            .is_ok_and(|bytes| usize::try_from(bytes) == Ok(packed.len()));
    Ok(if same {
        Snapshot::Reads
    } else {
        Snapshot::Differs(Box::new(recorded))
    })
}

/// Whether each transition of a job begins where the one before ended.
struct Histories {
    last: BTreeMap<String, Option<JobState>>,
    /// Where entries were dropped, or one does not read, the next one is taken as it is.
    dropped: bool,
    /// How many entries of a job were set aside: each leaves a gap. Those that name no job may be of any.
    aside: BTreeMap<String, usize>,
    nameless: usize,
}

impl Histories {
    fn new(dropped: bool) -> Self {
        Self {
            last: BTreeMap::new(),
            dropped,
            aside: BTreeMap::new(),
            nameless: 0,
        }
    }

    fn set_aside(&mut self, entries: BTreeMap<String, usize>) {
        let is_named = |job: &String| JobKey::parse(job).is_some();
        self.nameless = entries
            .iter()
            .filter(|(job, _)| !is_named(job))
            .map(|(_, count)| count)
            .sum();
        self.aside = entries;
    }

    /// Whether an entry that was set aside may be what is missing. Each counts once.
    fn is_known_gap(&mut self, job: &str) -> bool {
        let gaps = match self.aside.get_mut(job) {
            Some(gaps) if *gaps > 0 => gaps,
            Some(_) | None => &mut self.nameless,
        };
        let is_known = *gaps > 0;
        *gaps = gaps.saturating_sub(1);
        is_known
    }

    fn lose(&mut self, job: &str) {
        if JobKey::parse(job).is_none() {
            self.nameless += 1;
        }
        self.last.insert(job.to_owned(), None);
    }

    fn take(&mut self, entry: &Entry) -> Option<String> {
        let job = entry.key.to_string();
        match &entry.event {
            Event::Transition(transition) => {
                let unseen = (!self.dropped).then_some(JobState::Unknown);
                let before = self.last.insert(job.clone(), Some(transition.to)).unwrap_or(unseen)?;
                if before == transition.from {
                    return None;
                }
                if self.is_known_gap(&job) {
                    return None;
                }
                Some(format!(
                    "it goes on from {}, and the job's history was at {before}",
                    transition.from
                ))
            }
            Event::Forgotten => {
                self.last.insert(job, Some(JobState::Unknown));
                None
            }
            Event::Update(_) | Event::Called(_) | Event::Alert(_) => None,
        }
    }
}
