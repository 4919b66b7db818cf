//! Changes and entries as rows.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, params};
use steadfast_core::id::JobKey;
use steadfast_core::journal::{Change, EntriesOf, Entry, Event, Page, Row, Sequence, Unreadable};
use steadfast_core::time::Timestamp;
use steadfast_crash_points::CrashPoint;

use super::SqliteFailure;
use super::records::text;
use crate::bounds;
use crate::refusal::{brief, failed, stored_name};
use crate::written::WrittenChange;

/// The revision of a job's record; `None` without one.
pub(super) fn stored_revision(connection: &Connection, key: &JobKey) -> Result<Option<u64>, SqliteFailure> {
    let Ok(job) = stored_name(key) else { return Ok(None) };
    let stored: Option<i64> = connection
        .prepare_cached("SELECT revision FROM jobs WHERE job = ?1")?
        .query_row([&job], |row| row.get(0))
        .optional()?;
    Ok(stored.map(unsigned))
}

/// Writes one job's part of a commit, and adds its entries.
pub(super) fn write_change(
    connection: &Connection,
    at: Timestamp,
    change: Change,
    written: &WrittenChange,
    entries: &mut Vec<Entry>,
) -> Result<(), SqliteFailure> {
    let WrittenChange { job, record, events } = written;
    let revision = signed(change.record.revision)?;
    if Timestamp::written(at.as_millis()).is_none() {
        return Err(SqliteFailure::Reported(failed(
            "cannot commit",
            format!(
                "the clock shows {at}, and no time behind {} can be gone on from; set it",
                Timestamp::LATEST
            ),
        )));
    }
    match record {
        None => {
            connection
                .prepare_cached("DELETE FROM jobs WHERE job = ?1")?
                .execute([job])?;
        }
        Some(document) => {
            connection
                .prepare_cached(
                    "INSERT INTO jobs (job, state, confidence, attempt, revision, record, memory)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                     ON CONFLICT (job) DO UPDATE SET state = excluded.state, confidence = excluded.confidence,
                         attempt = excluded.attempt, revision = excluded.revision, record = excluded.record,
                         memory = excluded.memory",
                )?
                .execute(params![
                    job,
                    change.record.state.as_str(),
                    change.record.confidence.as_str(),
                    change.record.incarnation.attempt,
                    revision,
                    document,
                    // As a blob: JSON would write every byte as a number.
                    change.record.memory
                ])?;
        }
    }
    CrashPoint::CommitRecordWritten.reach();
    let key = change.record.key.clone();
    let mut insert = connection.prepare_cached(
        "INSERT INTO journal (at, job, kind, state, attempt, revision, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (event, document) in change.events.into_iter().zip(events) {
        let (kind, state, attempt) = columns(&event);
        insert.execute(params![at.as_millis(), job, kind, state, attempt, revision, document])?;
        entries.push(Entry {
            sequence: Sequence(unsigned(connection.last_insert_rowid())),
            at,
            key: key.clone(),
            event,
            revision: unsigned(revision),
        });
    }
    Ok(())
}

/// What is queried of an event beside its body.
pub(super) fn columns(event: &Event) -> (&'static str, Option<&'static str>, Option<u32>) {
    match event {
        Event::Transition(transition) => ("transition", Some(transition.to.as_str()), Some(transition.attempt)),
        Event::Update(_) | Event::Called(_) => ("update", None, None),
        Event::Alert(_) => ("alert", None, None),
        Event::Forgotten => ("forgotten", None, None),
    }
}

pub(super) fn read_page(
    connection: &Connection,
    of: &EntriesOf,
    after: Sequence,
    limit: u32,
) -> Result<Page, SqliteFailure> {
    // What is out of bounds is set aside with the next load, and nobody is told a sequence behind which nothing comes.
    let columns = format!(
        "SELECT sequence, at, job, revision, event FROM journal WHERE sequence > ?1 AND sequence <= {}",
        bounds::MOST
    );
    let after = i64::try_from(after.0).unwrap_or(i64::MAX);
    let (filter, job) = match of {
        EntriesOf::Everything => ("", None),
        EntriesOf::ForSinks => ("AND kind IN ('transition', 'alert')", None),
        // A job that was forgotten and found again begins anew.
        EntriesOf::TransitionsOf(key) => (
            "AND job = ?3 AND kind = 'transition' AND sequence > (SELECT ifnull(max(sequence), 0) FROM journal
                 WHERE job = ?3 AND kind = 'forgotten')",
            Some(key.to_string()),
        ),
        // They are among the updates. What does not read is passed over.
        EntriesOf::CallsAbout(key) => (
            "AND job = ?3 AND kind = 'update'
                 AND CASE WHEN typeof(event) = 'text' AND json_valid(event) THEN json_type(event, '$.call') END = 'object'",
            Some(key.to_string()),
        ),
    };
    let mut select = connection.prepare_cached(&format!("{columns} {filter} ORDER BY sequence LIMIT ?2"))?;
    let mut rows = match job {
        Some(job) => select.query(params![after, limit, job])?,
        None => select.query(params![after, limit])?,
    };
    let mut page = Page {
        rows: Vec::new(),
        dropped_until: dropped_until(connection)?,
    };
    while let Some(row) = rows.next()? {
        page.rows.push(read_row(row)?);
    }
    Ok(page)
}

/// Why a moment is none.
const OUT_OF_TIME: &str = "its time is beyond what the engine's clock can show";

/// One row, of the columns sequence, at, job, revision and event.
pub(super) fn read_row(row: &SqlRow<'_>) -> Result<Row, rusqlite::Error> {
    let sequence = Sequence(unsigned(row.get(0)?));
    let job = text(row.get_ref(2)?);
    let unreadable = |why: String| {
        Ok(Row::Unreadable(Unreadable {
            sequence,
            job: job.clone(),
            why,
        }))
    };
    if !bounds::is_place(row.get(0)?) {
        return unreadable("its sequence is beyond what the store counts".to_owned());
    }
    let (Ok(at), Ok(revision)) = (row.get_ref(1)?.as_i64(), row.get_ref(3)?.as_i64()) else {
        return unreadable("its time or its revision is no number".to_owned());
    };
    let Some(at) = Timestamp::written(at) else {
        return unreadable(OUT_OF_TIME.to_owned());
    };
    if let Err(why) = u64::try_from(revision)
        .map_err(|_| format!("its revision {revision} is negative"))
        .and_then(bounds::revision)
    {
        return unreadable(why);
    }
    let Some(key) = JobKey::parse(&job) else {
        return unreadable("it names no job".to_owned());
    };
    let ValueRef::Text(document) = row.get_ref(4)? else {
        return unreadable("its event is not text".to_owned());
    };
    match bounds::read(document) {
        Ok(event) => Ok(Row::Entry(Entry {
            sequence,
            at,
            key,
            event,
            revision: unsigned(revision),
        })),
        Err(error) => unreadable(format!("its event does not read: {}", brief(&error))),
    }
}

/// The newest sequence that was given out, also if its entry is dropped by now. What is out of bounds was never given out.
pub(super) fn newest(connection: &Connection) -> Result<Sequence, SqliteFailure> {
    let newest = connection
        .prepare_cached(
            "SELECT max(ifnull((SELECT max(seq) FROM sqlite_sequence
                     WHERE name = 'journal' AND typeof(seq) = 'integer' AND seq BETWEEN 0 AND ?1), 0),
                 ifnull((SELECT max(sequence) FROM journal WHERE sequence BETWEEN 0 AND ?1), 0))",
        )?
        .query_row([bounds::MOST], |row| row.get(0))?;
    Ok(Sequence(unsigned(newest)))
}

/// Entries up to this one may have been dropped.
pub(super) fn dropped_until(connection: &Connection) -> Result<Sequence, SqliteFailure> {
    let until = connection
        .prepare_cached("SELECT dropped_until FROM store")?
        .query_row([], |row| row.get(0))?;
    Ok(Sequence(unsigned(until)))
}

pub(super) fn read_cursor(connection: &Connection, sink: &str) -> Result<Option<Sequence>, SqliteFailure> {
    let delivered = connection
        .prepare_cached("SELECT delivered FROM sinks WHERE sink = ?1")?
        .query_row([sink], |row| row.get(0))
        .optional()?;
    // One beyond the journal would pass over what comes; the next load mends it.
    let newest = newest(connection)?;
    Ok(delivered.map(|sequence| Sequence(unsigned(sequence)).min(newest)))
}

pub(super) fn write_cursor(connection: &Connection, sink: &str, to: Sequence) -> Result<(), SqliteFailure> {
    connection
        .prepare_cached(
            "INSERT INTO sinks (sink, delivered) VALUES (?1, ?2)
             ON CONFLICT (sink) DO UPDATE SET delivered = max(delivered, excluded.delivered)",
        )?
        .execute(params![sink, signed(to.0)?])?;
    Ok(())
}

/// SQLite's integers are signed; ours never pass 2^63 in any lifetime.
pub(super) fn signed(value: u64) -> Result<i64, SqliteFailure> {
    i64::try_from(value)
        .map_err(|error| SqliteFailure::Reported(failed(format!("{value} does not fit into the store"), error)))
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
