//! The numbers by which the store counts: those that SQLite gives to rows, and those in the row of the store.
//!
//! SQLite numbers the next row behind the highest number it ever gave. One that stands at the end of what it can count takes no
//! row any more, and says that the disk is full. So a row whose number is out of bounds is set aside like any other that does
//! not read, and the numbering goes on behind the rows that are left.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use steadfast_core::time::Timestamp;

use super::SqliteFailure;
use super::quarantine::{self, JOURNAL, SNAPSHOTS, Source};
use super::rows;
use crate::bounds::{MOST, is_place};

/// What is out of bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The number of a row that can have another one: nothing names it.
    Place { table: &'static str, row: i64 },
    /// The highest number that was given, as SQLite has noted it.
    Given { table: &'static str, is: String },
    /// Up to where entries were dropped.
    DroppedUntil { is: i64, newest: i64 },
    /// The count of the checks.
    Checks(i64),
}

/// The tables whose rows SQLite numbers, each with its key.
const NUMBERED: [(&str, &str); 3] = [("journal", "sequence"), ("snapshots", "place"), ("quarantine", "place")];

impl Flaw {
    pub(super) fn place(&self) -> String {
        match self {
            Self::Place { table, row } => format!("row {row} of {table}"),
            Self::Given { table, .. } => format!("the numbering of {table}"),
            Self::DroppedUntil { .. } => "the end of what was dropped".to_owned(),
            Self::Checks(_) => "the count of checks".to_owned(),
        }
    }

    pub(super) fn what(&self) -> String {
        match self {
            Self::Place { .. } => "its number is beyond what the store counts".to_owned(),
            Self::Given { is, .. } => format!("it stands at {is}, beyond what the store counts"),
            Self::DroppedUntil { is, newest } => {
                format!("entries up to {is} would have been dropped, and the newest entry is {newest}")
            }
            Self::Checks(is) => format!("it stands at {is}, beyond what the store counts"),
        }
    }

    pub(super) fn fix(&self) -> &'static str {
        match self {
            Self::Place { .. } => "`steadfast store repair` gives it another one; the engine does so as it starts",
            Self::Given { .. } => {
                "`steadfast store repair` goes on behind the newest row; the engine does so as it starts"
            }
            Self::DroppedUntil { .. } => {
                "`steadfast store repair` sets it to what the journal says; the engine does so as it starts"
            }
            Self::Checks(_) => "`steadfast store repair` begins it anew; the engine does so as it starts",
        }
    }
}

/// Whether a number of the store's tables is at the end of what can be counted: what SQLite calls a full disk then.
pub(super) fn is_used_up(connection: &Connection) -> bool {
    NUMBERED.iter().any(|(table, key)| {
        let sql = format!(
            "SELECT ifnull((SELECT max({key}) FROM {table}), 0) = ?1
                 OR EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '{table}' AND seq = ?1)"
        );
        connection
            .query_row(&sql, [i64::MAX], |row| row.get(0))
            .unwrap_or(false)
    })
}

/// What is out of bounds, in the tables of the store's version. Rows that are set aside for it are found with their tables.
pub(super) fn find(connection: &Connection, schema: i32) -> Result<Vec<Flaw>, SqliteFailure> {
    let mut flaws = Vec::new();
    if schema >= 3 {
        for row in beyond(connection, "quarantine", "place")? {
            let table = "quarantine";
            flaws.push(Flaw::Place { table, row });
        }
    }
    for (table, _) in NUMBERED {
        if let Some(is) = given(connection, table)? {
            flaws.push(Flaw::Given { table, is });
        }
    }
    let newest = rows::signed(rows::newest(connection)?.0)?;
    let dropped = if schema >= 3 { "dropped_until" } else { "0" };
    let mut select = connection.prepare_cached(&format!("SELECT checks, {dropped} FROM store"))?;
    let mut rows = select.query([])?;
    if let Some(row) = rows.next()? {
        let (checks, is): (i64, i64) = (row.get(0)?, row.get(1)?);
        if !(0..=MOST).contains(&checks) {
            flaws.push(Flaw::Checks(checks));
        }
        if !(0..=newest).contains(&is) {
            flaws.push(Flaw::DroppedUntil { is, newest });
        }
    }
    Ok(flaws)
}

/// Rows whose number is out of bounds.
fn beyond(connection: &Connection, table: &str, key: &str) -> rusqlite::Result<Vec<i64>> {
    let sql = format!("SELECT {key} FROM {table} WHERE {key} < 1 OR {key} > ?1 ORDER BY {key}");
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query_map([MOST], |row| row.get(0))?;
    rows.collect()
}

/// What SQLite has noted as the highest number, if it cannot be gone on from.
fn given(connection: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let mut select = connection.prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = ?1")?;
    let mut rows = select.query([table])?;
    while let Some(row) = rows.next()? {
        let cell = row.get_ref(0)?;
        match cell {
            ValueRef::Integer(number) if number == 0 || is_place(number) => {}
            ValueRef::Integer(_) | ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => {
                return Ok(Some(super::records::text(cell)));
            }
        }
    }
    Ok(None)
}

/// Whether everything is in bounds, so that nothing need be written. Of the newest version.
pub(super) fn is_sound(connection: &Connection) -> Result<bool, SqliteFailure> {
    let sources = [JOURNAL, SNAPSHOTS];
    for Source { table, key, .. } in sources {
        if !beyond(connection, table, key)?.is_empty() {
            return Ok(false);
        }
    }
    let newest = rows::signed(rows::newest(connection)?.0)?;
    let is_ahead: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sinks WHERE delivered NOT BETWEEN 0 AND ?1)")?
        .query_row([newest], |row| row.get(0))?;
    Ok(!is_ahead && find(connection, super::schema::VERSION)?.is_empty())
}

/// Brings everything within bounds. Says what it did.
pub(super) fn mend(write: &Connection, now: Timestamp, done: &mut Vec<String>) -> Result<(), SqliteFailure> {
    // First where rows are set aside to.
    number_quarantine(write, done)?;
    go_on_behind(write, "quarantine", "place", done)?;
    for (source, what) in [(JOURNAL, "entry"), (SNAPSHOTS, "snapshot")] {
        let Source { table, key, .. } = source;
        for row in beyond(write, table, key)? {
            let why = format!("its {key} is beyond what the store counts");
            quarantine::set_aside(write, source, row, &row.to_string(), &why, now)?;
            done.push(format!("{what} {row} is set aside: {why}"));
        }
        go_on_behind(write, table, key, done)?;
    }
    for flaw in find(write, super::schema::VERSION)? {
        match flaw {
            Flaw::Checks(is) => {
                write.execute("UPDATE store SET checks = 0", [])?;
                done.push(format!("the count of checks stood at {is} and begins anew"));
            }
            Flaw::DroppedUntil { is, newest } => {
                let until = is.clamp(0, newest);
                write.execute("UPDATE store SET dropped_until = ?1", [until])?;
                done.push(format!("entries up to {until} may have been dropped, not up to {is}"));
            }
            Flaw::Place { .. } | Flaw::Given { .. } => {}
        }
    }
    mend_sinks(write, done)
}

/// A sink whose cursor lies beyond the journal would pass over what comes.
fn mend_sinks(write: &Connection, done: &mut Vec<String>) -> Result<(), SqliteFailure> {
    let newest = rows::signed(rows::newest(write)?.0)?;
    let mended = write
        .prepare("UPDATE sinks SET delivered = ?1 WHERE delivered NOT BETWEEN 0 AND ?1")?
        .execute([newest])?;
    if mended > 0 {
        done.push(format!(
            "{mended} cursors of sinks are set to the newest entry, {newest}"
        ));
    }
    Ok(())
}

fn number_quarantine(write: &Connection, done: &mut Vec<String>) -> Result<(), SqliteFailure> {
    for row in beyond(write, "quarantine", "place")? {
        let place: i64 = write.query_row(
            "SELECT 1 + max(ifnull((SELECT max(place) FROM quarantine WHERE place BETWEEN 1 AND ?1), 0),
                 ifnull((SELECT max(place) FROM quarantined_cells WHERE place BETWEEN 1 AND ?1), 0))",
            [MOST],
            |row| row.get(0),
        )?;
        for table in ["quarantine", "quarantined_cells"] {
            write.execute(
                &format!("UPDATE {table} SET place = ?2 WHERE place = ?1"),
                params![row, place],
            )?;
        }
        done.push(format!("row {row} of quarantine is row {place} now"));
    }
    Ok(())
}

/// Numbers the next row behind the highest that is there.
fn go_on_behind(
    write: &Connection,
    table: &'static str,
    key: &str,
    done: &mut Vec<String>,
) -> Result<(), SqliteFailure> {
    let Some(is) = given(write, table)? else { return Ok(()) };
    write.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [table])?;
    write.execute(
        &format!("INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ifnull(max({key}), 0) FROM {table}"),
        [table],
    )?;
    done.push(format!(
        "the numbering of {table} stood at {is}, and goes on behind its newest row"
    ));
    Ok(())
}
