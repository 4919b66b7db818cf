//! Records and entries as rows.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use steadfast_core::id::JobKey;
use steadfast_core::journal::{Change, EntriesOf, Entry, Event, Sequence};
use steadfast_core::record::JobRecord;
use steadfast_core::time::Timestamp;

use super::SqliteFailure;
use crate::format::{self, Kept};
use crate::refusal::{check_revision, stored_name};

/// Writes one job's part of a commit, and adds its entries.
pub(super) fn write_change(
    transaction: &Transaction<'_>,
    at: Timestamp,
    change: Change,
    entries: &mut Vec<Entry>,
) -> Result<(), SqliteFailure> {
    let job = stored_name(&change.record.key)?;
    let stored: Option<i64> = transaction
        .prepare_cached("SELECT revision FROM jobs WHERE job = ?1")?
        .query_row([&job], |row| row.get(0))
        .optional()?;
    check_revision(&change, stored.map(unsigned))?;
    let revision = signed(change.record.revision)?;
    let key = change.record.key.clone();
    if change.forgets() {
        transaction
            .prepare_cached("DELETE FROM jobs WHERE job = ?1")?
            .execute([&job])?;
    } else {
        write_record(transaction, &job, Arc::unwrap_or_clone(change.record))?;
    }
    let mut insert = transaction.prepare_cached(
        "INSERT INTO journal (at, job, kind, state, attempt, revision, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for event in change.events {
        let (kind, state, attempt) = columns(&event);
        insert.execute(params![
            at.as_millis(),
            job,
            kind,
            state,
            attempt,
            revision,
            document(&event)?
        ])?;
        entries.push(Entry {
            sequence: Sequence(unsigned(transaction.last_insert_rowid())),
            at,
            key: key.clone(),
            event,
            revision: unsigned(revision),
        });
    }
    Ok(())
}

fn write_record(transaction: &Transaction<'_>, job: &str, mut record: JobRecord) -> Result<(), SqliteFailure> {
    // As a blob: JSON would write every byte as a number.
    let memory = std::mem::take(&mut record.memory);
    transaction
        .prepare_cached(
            "INSERT INTO jobs (job, state, confidence, attempt, revision, record, memory)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (job) DO UPDATE SET state = excluded.state, confidence = excluded.confidence,
                 attempt = excluded.attempt, revision = excluded.revision, record = excluded.record,
                 memory = excluded.memory",
        )?
        .execute(params![
            job,
            record.state.as_str(),
            record.confidence.as_str(),
            record.incarnation.attempt,
            signed(record.revision)?,
            document(&record)?,
            memory
        ])?;
    Ok(())
}

/// What is queried of an event beside its body.
fn columns(event: &Event) -> (&'static str, Option<&'static str>, Option<u32>) {
    match event {
        Event::Transition(transition) => ("transition", Some(transition.to.as_str()), Some(transition.attempt)),
        Event::Update => ("update", None, None),
        Event::Alert(_) => ("alert", None, None),
        Event::Forgotten => ("forgotten", None, None),
    }
}

pub(super) fn read_records(connection: &Connection) -> Result<Vec<JobRecord>, SqliteFailure> {
    let mut select = connection.prepare_cached("SELECT job, record, memory FROM jobs ORDER BY job")?;
    let mut rows = select.query([])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let job: String = row.get(0)?;
        let text = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        let mut record: JobRecord = parse(text, || format!("the record of {job}"))?;
        record.memory = row.get(2)?;
        records.push(record);
    }
    records.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(records)
}

pub(super) fn read_entries(
    connection: &Connection,
    of: &EntriesOf,
    after: Sequence,
    limit: u32,
) -> Result<Vec<Entry>, SqliteFailure> {
    const COLUMNS: &str = "SELECT sequence, at, job, revision, event FROM journal WHERE sequence > ?1";
    let after = signed(after.0)?;
    let (filter, job) = match of {
        EntriesOf::Everything => ("", None),
        EntriesOf::ForSinks => ("AND kind IN ('transition', 'alert')", None),
        // A job that was forgotten and found again begins anew.
        EntriesOf::TransitionsOf(key) => (
            "AND job = ?3 AND kind = 'transition' AND sequence > (SELECT ifnull(max(sequence), 0) FROM journal
                 WHERE job = ?3 AND kind = 'forgotten')",
            Some(key.to_string()),
        ),
    };
    let mut select = connection.prepare_cached(&format!("{COLUMNS} {filter} ORDER BY sequence LIMIT ?2"))?;
    let mut rows = match job {
        Some(job) => select.query(params![after, limit, job])?,
        None => select.query(params![after, limit])?,
    };
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(read_entry(row)?);
    }
    Ok(entries)
}

fn read_entry(row: &Row<'_>) -> Result<Entry, SqliteFailure> {
    let sequence = Sequence(unsigned(row.get(0)?));
    let job: String = row.get(2)?;
    let key =
        JobKey::parse(&job).ok_or_else(|| SqliteFailure::Row(format!("entry {} names no job: {job}", sequence.0)))?;
    let event = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(Entry {
        sequence,
        at: Timestamp::from_millis(row.get(1)?),
        key,
        event: parse(event, || format!("entry {}", sequence.0))?,
        revision: unsigned(row.get(3)?),
    })
}

pub(super) fn newest(connection: &Connection) -> Result<Sequence, SqliteFailure> {
    let newest = connection
        .prepare_cached("SELECT ifnull(max(sequence), 0) FROM journal")?
        .query_row([], |row| row.get(0))?;
    Ok(Sequence(unsigned(newest)))
}

pub(super) fn read_cursor(connection: &Connection, sink: &str) -> Result<Option<Sequence>, SqliteFailure> {
    let delivered = connection
        .prepare_cached("SELECT delivered FROM sinks WHERE sink = ?1")?
        .query_row([sink], |row| row.get(0))
        .optional()?;
    Ok(delivered.map(|sequence| Sequence(unsigned(sequence))))
}

pub(super) fn write_cursor(transaction: &Transaction<'_>, sink: &str, to: Sequence) -> Result<(), SqliteFailure> {
    transaction
        .prepare_cached(
            "INSERT INTO sinks (sink, delivered) VALUES (?1, ?2)
             ON CONFLICT (sink) DO UPDATE SET delivered = max(delivered, excluded.delivered)",
        )?
        .execute(params![sink, signed(to.0)?])?;
    Ok(())
}

fn document(value: &impl Kept) -> Result<String, SqliteFailure> {
    format::write(value).map_err(|error| SqliteFailure::Reported(crate::refusal::failed("cannot write as JSON", error)))
}

fn parse<T: Kept>(text: &str, what: impl FnOnce() -> String) -> Result<T, SqliteFailure> {
    format::read(text.as_bytes()).map_err(|error| SqliteFailure::Row(format!("{} does not read: {error}", what())))
}

/// SQLite's integers are signed; ours never pass 2^63 in any lifetime.
pub(super) fn signed(value: u64) -> Result<i64, SqliteFailure> {
    i64::try_from(value).map_err(|error| {
        SqliteFailure::Reported(crate::refusal::failed(
            format!("{value} does not fit into the store"),
            error,
        ))
    })
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
