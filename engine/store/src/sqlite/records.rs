//! Records as rows: read one by one, so that one which does not read costs its job alone.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use steadfast_core::journal::{Loaded, LoadedPart, Quarantined};
use steadfast_core::record::JobRecord;
use steadfast_core::time::Timestamp;
use steadfast_crash_points::Transaction as Points;

use super::mark::Write;
use super::quarantine::{self, JOBS};
use super::{SqliteFailure, counters};
use crate::bounds;
use crate::refusal::brief;

/// A row of `jobs` as it was found.
pub(super) struct Found {
    pub(super) row: i64,
    /// The job as the row names it, for people.
    pub(super) job: String,
    /// As the column has it; 0 if that is no number.
    pub(super) revision: i64,
    pub(super) verdict: Verdict,
}

/// What a row is worth.
pub(super) enum Verdict {
    /// It reads, and all of it says the same.
    Reads(Box<JobRecord>),
    /// Its document reads, and columns beside it say something else.
    Differs(Box<JobRecord>, String),
    /// It does not read.
    Unreadable(String),
}

/// More rows than any table has.
const ALL: i64 = i64::MAX;

/// Reads every row. Fails only where SQLite itself does.
pub(super) fn read(connection: &Connection) -> Result<Vec<Found>, SqliteFailure> {
    read_behind(connection, None, ALL)
}

/// Reads the rows behind a job, by its name; `None`: from the first on.
fn read_behind(connection: &Connection, after: Option<&str>, limit: i64) -> Result<Vec<Found>, SqliteFailure> {
    let mut select = connection.prepare_cached(
        "SELECT rowid, job, state, confidence, attempt, revision, record, memory FROM jobs
         WHERE ?1 IS NULL OR job > ?1 ORDER BY job LIMIT ?2",
    )?;
    let mut rows = select.query(params![after, limit])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Found {
            row: row.get(0)?,
            job: text(row.get_ref(1)?),
            revision: row.get_ref(5)?.as_i64().unwrap_or(0),
            verdict: judge(row)?,
        });
    }
    Ok(all)
}

fn judge(row: &Row<'_>) -> Result<Verdict, rusqlite::Error> {
    let unreadable = |why: String| Ok(Verdict::Unreadable(why));
    let document = match row.get_ref(6)? {
        ValueRef::Text(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => {
            return unreadable("its document is not text".to_owned());
        }
    };
    let mut record: JobRecord = match bounds::read(document) {
        Ok(record) => record,
        Err(error) => return unreadable(format!("its document does not read: {}", brief(&error))),
    };
    if let ValueRef::Blob(memory) = row.get_ref(7)? {
        if let Err(why) = bounds::memory(memory.len()) {
            return unreadable(why);
        }
        record.memory = memory.to_vec();
    }
    let job = row.get_ref(1)?;
    if job != ValueRef::Text(record.key.to_string().as_bytes()) {
        return unreadable(format!("its document is of another job, {}", record.key));
    }
    let columns = [
        (
            "state",
            row.get_ref(2)? == ValueRef::Text(record.state.as_str().as_bytes()),
        ),
        (
            "confidence",
            row.get_ref(3)? == ValueRef::Text(record.confidence.as_str().as_bytes()),
        ),
        (
            "attempt",
            row.get_ref(4)? == ValueRef::Integer(record.incarnation.attempt.into()),
        ),
        (
            "revision",
            i64::try_from(record.revision).is_ok_and(|is| row.get_ref(5).ok() == Some(ValueRef::Integer(is))),
        ),
    ];
    let differ: Vec<&str> = columns
        .iter()
        .filter(|(_, same)| !same)
        .map(|(name, _)| *name)
        .collect();
    if differ.is_empty() {
        return Ok(Verdict::Reads(Box::new(record)));
    }
    let why = format!(
        "its document says something else than its columns: {}",
        differ.join(", ")
    );
    Ok(Verdict::Differs(Box::new(record), why))
}

/// What a cell holds, for people.
pub(super) fn text(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => "?".to_owned(),
    }
}

/// Reads every record. Rows that do not read are set aside; columns that differ are made to follow their documents, and numbers
/// that cannot be gone on from the rows.
pub(super) fn load(connection: &mut Connection, now: Timestamp) -> Result<Loaded, SqliteFailure> {
    let found = read(connection)?;
    let is_sound = counters::is_sound(connection)?;
    take(connection, found, is_sound, now)
}

/// Reads some records as [`load`] does. What the store counts by is looked at with the first.
pub(super) fn load_part(
    connection: &mut Connection,
    after: Option<&str>,
    limit: u32,
    now: Timestamp,
) -> Result<LoadedPart, SqliteFailure> {
    let found = read_behind(connection, after, i64::from(limit) + 1)?;
    let (mut found, limit) = (found, usize::try_from(limit).unwrap_or(usize::MAX));
    let is_last = found.len() <= limit;
    found.truncate(limit);
    let next = found.last().map(|last| last.job.clone()).filter(|_| !is_last);
    let is_sound = after.is_some() || counters::is_sound(connection)?;
    let loaded = take(connection, found, is_sound, now)?;
    Ok(LoadedPart { loaded, next })
}

/// Takes rows as records, or mends what is wrong.
fn take(
    connection: &mut Connection,
    found: Vec<Found>,
    is_sound: bool,
    now: Timestamp,
) -> Result<Loaded, SqliteFailure> {
    let is_whole = |one: &Found| matches!(one.verdict, Verdict::Reads(_));
    let mut loaded = Loaded::default();
    if found.iter().all(is_whole) && is_sound {
        loaded.records = found.into_iter().filter_map(Found::into_record).collect();
    } else {
        let write = Write::begin(connection, Points::SETTLE)?;
        counters::mend(&write, now, &mut loaded.mended)?;
        for one in found {
            settle(&write, one, now, &mut loaded)?;
        }
        write.commit()?;
    }
    loaded.records.sort_by(|a, b| a.key.cmp(&b.key));
    loaded.quarantined = quarantine::records(connection)?;
    Ok(loaded)
}

impl Found {
    fn into_record(self) -> Option<JobRecord> {
        match self.verdict {
            Verdict::Reads(record) | Verdict::Differs(record, _) => Some(*record),
            Verdict::Unreadable(_) => None,
        }
    }
}

/// Sets a row aside, mends it, or takes it as it is.
pub(super) fn settle(
    connection: &Connection,
    found: Found,
    now: Timestamp,
    loaded: &mut Loaded,
) -> Result<(), SqliteFailure> {
    let Found {
        row,
        job,
        revision,
        verdict,
    } = found;
    match verdict {
        Verdict::Reads(record) => loaded.records.push(*record),
        Verdict::Differs(record, why) => {
            mend(connection, row, &record)?;
            let mended = format!("the row of {job}: {why}; its columns follow its document now");
            loaded.mended.push(mended);
            loaded.records.push(*record);
        }
        Verdict::Unreadable(why) => {
            quarantine::set_aside(connection, JOBS, row, &job, &why, now)?;
            quarantine::end_record(connection, &job, revision, now)?;
            loaded.set_aside.push(Quarantined { job, at: now, why });
        }
    }
    Ok(())
}

/// The document is the record; the columns are there for people and for queries.
fn mend(connection: &Connection, row: i64, record: &JobRecord) -> Result<(), SqliteFailure> {
    connection
        .prepare_cached("UPDATE jobs SET state = ?2, confidence = ?3, attempt = ?4, revision = ?5 WHERE rowid = ?1")?
        .execute(params![
            row,
            record.state.as_str(),
            record.confidence.as_str(),
            record.incarnation.attempt,
            super::rows::signed(record.revision)?
        ])?;
    Ok(())
}
