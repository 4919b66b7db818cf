//! Mending a store at rest. Nothing is lost: what does not read is kept, and before anything is written the files are copied.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use steadfast_core::journal::{JournalError, Loaded, Row};
use steadfast_core::time::Timestamp;
use steadfast_crash_points::{CrashPoint, Transaction as Points};

use super::files::{beside, copy, must_be_regular, real};
use super::inspect::{ENTRIES, Problem, SNAPSHOT_ROWS, Snapshot, differing, inspect, judge_snapshot};
use super::mark::Write;
use super::opening::{bring_up, check_version, connect, refused, set_up, take_lock, unrepaired};
use super::quarantine::{self, JOURNAL, SNAPSHOTS};
use super::rows::{columns, read_row};
use super::{SqliteFailure, counters, identity, layout, records, rows};

/// What becomes of rows that were set aside before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// They stay.
    Nothing,
    /// They are deleted. The backup has them.
    Quarantined,
}

/// What a repair did.
#[derive(Clone, Debug, Default)]
pub struct Repaired {
    /// The copy of the store as it was. Its log, if it had one, is beside it.
    pub backup: PathBuf,
    /// What was done, each in a sentence.
    pub done: Vec<String>,
    /// What is still wrong.
    pub left: Vec<Problem>,
}

/// Mends what can be mended, row by row. Refuses while an engine holds the store. `now` names the backup.
pub fn repair(path: &Path, now: Timestamp, discard: Discard) -> Result<Repaired, JournalError> {
    mended(path, now, discard).map_err(unrepaired)
}

fn mended(path: &Path, now: Timestamp, discard: Discard) -> Result<Repaired, JournalError> {
    must_be_regular(path)?;
    let mut repaired = Repaired {
        backup: back_up(path, now)?,
        ..Repaired::default()
    };
    let lock = take_lock(path)?;
    let mut connection = connect(path).map_err(|error| refused(path, &error))?;
    check_version(path, &connection)?;
    set_up(path, &connection).map_err(|error| refused(path, &error))?;
    let mended = mend(&mut connection, now, discard, &mut repaired.done);
    mended.map_err(|failure| failure.told_apart(&connection).explain("cannot repair", path))?;
    let closed = connection.close();
    closed.map_err(|(_, error)| refused(path, &error))?;
    drop(lock);
    repaired.left = inspect(path)?.problems;
    Ok(repaired)
}

/// Copies the file, and its log. The lock is held meanwhile, and given back: to close the file later would take SQLite's locks.
fn back_up(path: &Path, now: Timestamp) -> Result<PathBuf, JournalError> {
    let name = now.to_string().replace(['-', ':'], "");
    let backup = beside(path, &format!(".backup-{name}"));
    if backup.exists() {
        return Err(JournalError::Unusable(format!(
            "{} is there already, and a backup is not written over; move it away",
            backup.display()
        )));
    }
    let log = beside(&real(path), "-wal");
    // Before the lock is taken: what is set aside then is still beside the file.
    let held = super::lock::NameLock::take(path)?.of_file(path)?;
    copy(path, &backup)?;
    if log.exists() {
        copy(&log, &beside(&backup, "-wal")).inspect_err(|_| drop(fs::remove_file(&backup)))?;
    }
    drop(held);
    CrashPoint::RepairCopied.reach();
    Ok(backup)
}

fn mend(
    connection: &mut Connection,
    now: Timestamp,
    discard: Discard,
    done: &mut Vec<String>,
) -> Result<(), SqliteFailure> {
    // Tables first: the rest goes by them.
    layout::mend(connection, done)?;
    bring_up(connection)?;
    mend_indexes(connection, done)?;
    let write = Write::begin(connection, Points::REPAIR)?;
    identity::mend_id(&write, done)?;
    identity::mend_mark(&write, done)?;
    counters::mend(&write, now, done)?;
    mend_records(&write, now, done)?;
    mend_journal(&write, now, done)?;
    mend_snapshots(&write, now, done)?;
    if discard == Discard::Quarantined {
        let discarded = write.execute("DELETE FROM quarantine", [])?;
        write.execute("DELETE FROM quarantined_cells", [])?;
        done.push(match discarded {
            1 => "1 row that was set aside is deleted".to_owned(),
            rows => format!("{rows} rows that were set aside are deleted"),
        });
    }
    if !done.is_empty() {
        write.commit()?;
    }
    Ok(())
}

/// An index is made of its table, and can be made anew.
fn mend_indexes(connection: &Connection, done: &mut Vec<String>) -> Result<(), SqliteFailure> {
    let is_whole = || -> rusqlite::Result<bool> {
        let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        Ok(verdict == "ok")
    };
    if is_whole()? {
        return Ok(());
    }
    connection.execute_batch("REINDEX")?;
    if is_whole()? {
        done.push("the indexes are made anew".to_owned());
    }
    Ok(())
}

fn mend_records(write: &Connection, now: Timestamp, done: &mut Vec<String>) -> Result<(), SqliteFailure> {
    let mut loaded = Loaded::default();
    for found in records::read(write)? {
        records::settle(write, found, now, &mut loaded)?;
    }
    done.extend(loaded.mended);
    let set_aside = loaded.set_aside.into_iter();
    done.extend(set_aside.map(|row| format!("the record of {} is set aside: {}", row.job, row.why)));
    Ok(())
}

fn mend_journal(write: &Connection, now: Timestamp, done: &mut Vec<String>) -> Result<(), SqliteFailure> {
    let mut select = write.prepare(ENTRIES)?;
    let mut rows = select.query([])?;
    let (mut unreadable, mut differ) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        match read_row(row)? {
            Row::Unreadable(row) => unreadable.push(row),
            Row::Entry(entry) if differing(row, &entry)?.is_some() => differ.push(entry),
            Row::Entry(_) => {}
        }
    }
    drop(rows);
    for row in unreadable {
        let sequence = rows::signed(row.sequence.0)?;
        let name = format!("{} of {}", row.sequence.0, row.job);
        quarantine::set_aside(write, JOURNAL, sequence, &name, &row.why, now)?;
        done.push(format!("entry {name} is set aside: {}", row.why));
    }
    for entry in differ {
        let (kind, state, attempt) = columns(&entry.event);
        write
            .prepare_cached("UPDATE journal SET kind = ?2, state = ?3, attempt = ?4 WHERE sequence = ?1")?
            .execute(params![rows::signed(entry.sequence.0)?, kind, state, attempt])?;
        done.push(format!(
            "the columns of entry {} follow its event now",
            entry.sequence.0
        ));
    }
    Ok(())
}

fn mend_snapshots(write: &Connection, now: Timestamp, done: &mut Vec<String>) -> Result<(), SqliteFailure> {
    let mut select = write.prepare(SNAPSHOT_ROWS)?;
    let mut rows = select.query([])?;
    let (mut unreadable, mut differ) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(0)?;
        match judge_snapshot(row)? {
            Snapshot::Reads => {}
            Snapshot::Differs(recorded) => differ.push((place, recorded.at().as_millis(), recorded.key().to_string())),
            Snapshot::Unreadable(why) => unreadable.push((place, why)),
        }
    }
    drop(rows);
    for (place, at, job) in differ {
        write
            .prepare_cached("UPDATE snapshots SET at = ?2, job = ?3, bytes = length(recorded) WHERE place = ?1")?
            .execute(params![place, at, job])?;
        done.push(format!("the columns of snapshot {place} follow what it holds now"));
    }
    for (place, why) in unreadable {
        quarantine::set_aside(write, SNAPSHOTS, place, &place.to_string(), &why, now)?;
        done.push(format!("snapshot {place} is set aside: {why}"));
    }
    Ok(())
}
