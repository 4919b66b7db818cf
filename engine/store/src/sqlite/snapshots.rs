//! Recorded snapshots as rows.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use steadfast_core::journal::Sequence;
use steadfast_core::recording::Recorded;
use steadfast_core::time::Timestamp;

use super::SqliteFailure;
use super::rows::{signed, unsigned};
use crate::packing::{pack, unpack};
use crate::refusal::{failed, stored_name};

/// Writes a recorded snapshot as a row, in the transaction of its decision.
pub(super) fn write(transaction: &Transaction<'_>, recorded: &Recorded) -> Result<(), SqliteFailure> {
    let job = stored_name(recorded.key())?;
    let packed = pack(recorded).map_err(|error| SqliteFailure::Reported(failed("cannot pack a snapshot", error)))?;
    transaction
        .prepare_cached("INSERT INTO snapshots (at, job, bytes, recorded) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            recorded.at().as_millis(),
            job,
            signed(packed.len() as u64)?,
            packed
        ])?;
    Ok(())
}

/// Reads them in order.
pub(super) fn read(
    connection: &Connection,
    after: Sequence,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<(Sequence, Recorded)>, SqliteFailure> {
    let mut select = connection.prepare_cached(
        "SELECT place, recorded FROM snapshots WHERE place > ?1 AND at >= ?2 ORDER BY place LIMIT ?3",
    )?;
    let mut rows = select.query(params![signed(after.0)?, since.as_millis(), limit])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let place = Sequence(unsigned(row.get(0)?));
        let packed = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        // No damage to the record: another version may have kept it.
        let recorded = unpack(packed).map_err(|error| {
            let what = format!("snapshot {} does not read; another version may have kept it", place.0);
            SqliteFailure::Reported(failed(what, error))
        })?;
        all.push((place, recorded));
    }
    Ok(all)
}

/// Drops what is too old, and the oldest beyond the size.
pub(super) fn prune(transaction: &Transaction<'_>, since: Timestamp, max_bytes: u64) -> Result<u64, SqliteFailure> {
    // The newest one that no longer fits, counted from the newest of all.
    let beyond: Option<i64> = transaction
        .prepare_cached(
            "SELECT place FROM (SELECT place, at, sum(bytes) OVER (ORDER BY place DESC) AS upto FROM snapshots)
             WHERE upto > ?1 OR at < ?2 ORDER BY place DESC LIMIT 1",
        )?
        .query_row(params![signed(max_bytes)?, since.as_millis()], |row| row.get(0))
        .optional()?;
    let Some(beyond) = beyond else { return Ok(0) };
    let gone = transaction
        .prepare_cached("DELETE FROM snapshots WHERE place <= ?1")?
        .execute([beyond])?;
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}
