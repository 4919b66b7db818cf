//! Recorded snapshots as rows.

use rusqlite::{Connection, params};
use steadfast_core::journal::{Keep, RecordingPage, Sequence};
use steadfast_core::recording::Recorded;
use steadfast_core::time::Timestamp;

use super::SqliteFailure;
use super::rows::{signed, unsigned};
use crate::bounds::MOST;
use crate::packing::unpack;
use crate::retention::STEP;
use crate::written::WrittenSnapshot;

/// Writes a recorded snapshot as a row, in the transaction of its decision.
pub(super) fn write(
    connection: &Connection,
    recorded: &Recorded,
    written: &WrittenSnapshot,
) -> Result<(), SqliteFailure> {
    connection
        .prepare_cached("INSERT INTO snapshots (at, job, bytes, recorded) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            recorded.at().as_millis(),
            written.job,
            signed(written.packed.len() as u64)?,
            written.packed
        ])?;
    Ok(())
}

/// Reads them in order.
pub(super) fn read(
    connection: &Connection,
    after: Sequence,
    since: Timestamp,
    limit: u32,
) -> Result<RecordingPage, SqliteFailure> {
    let mut select = connection.prepare_cached(
        "SELECT place, recorded FROM snapshots WHERE place > ?1 AND place <= ?4 AND at >= ?2 ORDER BY place LIMIT ?3",
    )?;
    let after = i64::try_from(after.0).unwrap_or(i64::MAX);
    let mut rows = select.query(params![after, since.as_millis(), limit, MOST])?;
    let mut page = RecordingPage::default();
    while let Some(row) = rows.next()? {
        let place = Sequence(unsigned(row.get(0)?));
        let packed = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        match unpack(packed) {
            Ok(recorded) => page.read.push((place, recorded)),
            // No damage to the record: another version may have kept it.
            Err(error) => page.unreadable.push((place, error.to_string())),
        }
    }
    Ok(page)
}

/// Drops what is too old, and the oldest beyond the size: the oldest first, and at most a step of them. Says how many went.
pub(super) fn prune(connection: &Connection, keep: &Keep) -> Result<usize, SqliteFailure> {
    let mut bytes: i64 = connection
        // A size that cannot be is no size, and a sum of such would be an error.
        .prepare_cached("SELECT CAST(total(max(bytes, 0)) AS INTEGER) FROM snapshots")?
        .query_row([], |row| row.get(0))?;
    let most = i64::try_from(keep.snapshot_bytes).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached("SELECT place, at, bytes FROM snapshots ORDER BY place LIMIT ?1")?;
    let mut rows = select.query([STEP as i64])?;
    let (mut due, mut last) = (0, None);
    while let Some(row) = rows.next()? {
        let (place, at, size): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if at >= keep.snapshots_since.as_millis() && bytes <= most {
            break;
        }
        bytes = bytes.saturating_sub(size);
        due += 1;
        last = Some(place);
    }
    drop(rows);
    if let Some(last) = last {
        connection
            .prepare_cached("DELETE FROM snapshots WHERE place <= ?1")?
            .execute([last])?;
    }
    Ok(due)
}
