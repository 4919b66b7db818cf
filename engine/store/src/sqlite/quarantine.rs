//! Rows that do not read are set aside: kept as they were, byte for byte, and no longer in the way of their jobs.
//!
//! What is known of such a job is what its sources say from now on. To go by the columns beside the document, or by the
//! journal, would be to put together a record that nobody committed. The record ends in the journal with the entry
//! `forgotten`, so that whoever follows hears of it and the next history of the job does not seem to go on from this one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use steadfast_core::id::JobKey;
use steadfast_core::journal::{Event, Quarantined};
use steadfast_core::time::Timestamp;
use steadfast_crash_points::CrashPoint;

use super::SqliteFailure;
use super::records::text;
use crate::{bounds, format};

/// A table whose rows can be set aside: its key, and all of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) table: &'static str,
    pub(super) key: &'static str,
    columns: &'static [&'static str],
}

pub(super) const JOBS: Source = Source {
    table: "jobs",
    key: "rowid",
    columns: &["job", "state", "confidence", "attempt", "revision", "record", "memory"],
};

pub(super) const JOURNAL: Source = Source {
    table: "journal",
    key: "sequence",
    columns: &["sequence", "at", "job", "kind", "state", "attempt", "revision", "event"],
};

pub(super) const SNAPSHOTS: Source = Source {
    table: "snapshots",
    key: "place",
    columns: &["place", "at", "job", "bytes", "recorded"],
};

/// Moves a row out of its table. `name` is what people call it.
pub(super) fn set_aside(
    connection: &Connection,
    source: Source,
    row: i64,
    name: &str,
    why: &str,
    now: Timestamp,
) -> Result<(), SqliteFailure> {
    connection
        .prepare_cached("INSERT INTO quarantine (at, source, name, why) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![now.as_millis(), source.table, shortened(name), why])?;
    let place = connection.last_insert_rowid();
    let Source { table, key, columns } = source;
    for column in columns {
        connection
            .prepare_cached(&format!(
                "INSERT INTO quarantined_cells (place, field, value) SELECT ?1, '{column}', {column} FROM {table} WHERE {key} = ?2"
            ))?
            .execute(params![place, row])?;
    }
    CrashPoint::SettleCopied.reach();
    connection
        .prepare_cached(&format!("DELETE FROM {table} WHERE {key} = ?1"))?
        .execute([row])?;
    Ok(())
}

/// A name for people: the cells have all of it.
fn shortened(name: &str) -> Cow<'_, str> {
    const LONGEST: usize = 512;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}...", name.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(name),
    }
}

/// Tells the journal that a record has ended. One whose name is no job's has nobody to tell of.
pub(super) fn end_record(
    connection: &Connection,
    job: &str,
    revision: i64,
    now: Timestamp,
) -> Result<(), SqliteFailure> {
    if JobKey::parse(job).is_none() {
        return Ok(());
    }
    let readable = u64::try_from(revision).is_ok_and(|revision| bounds::revision(revision).is_ok());
    let (revision, at) = (if readable { revision } else { 0 }, now.min(Timestamp::LATEST));
    let event = format::write(&Event::Forgotten).map_err(|error| SqliteFailure::Row(error.to_string()))?;
    connection
        .prepare_cached(
            "INSERT INTO journal (at, job, kind, state, attempt, revision, event)
             VALUES (?1, ?2, 'forgotten', NULL, NULL, ?3, ?4)",
        )?
        .execute(params![at.as_millis(), job, revision, event])?;
    Ok(())
}

/// How many entries of each job were set aside.
pub(super) fn entries(connection: &Connection) -> rusqlite::Result<BTreeMap<String, usize>> {
    let mut select = connection.prepare(
        "SELECT value FROM quarantine JOIN quarantined_cells USING (place) WHERE source = 'journal' AND field = 'job'",
    )?;
    let mut rows = select.query([])?;
    let mut counted = BTreeMap::new();
    while let Some(row) = rows.next()? {
        *counted.entry(text(row.get_ref(0)?)).or_default() += 1;
    }
    Ok(counted)
}

/// Rows of records that were set aside, the oldest first.
pub(super) fn records(connection: &Connection) -> Result<Vec<Quarantined>, SqliteFailure> {
    let mut select =
        connection.prepare_cached("SELECT name, at, why FROM quarantine WHERE source = 'jobs' ORDER BY place")?;
    let rows = select.query_map([], |row| {
        Ok(Quarantined {
            job: text(row.get_ref(0)?),
            at: Timestamp::from_millis(row.get(1)?),
            why: text(row.get_ref(2)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
