//! Entries of the journal that are no longer kept, dropped in small steps.
//!
//! Freed pages are used again by what is written next, so the file stays at the size that its retention needs.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use steadfast_core::journal::{KeepEntries, Sequence};
use steadfast_crash_points::CrashPoint;

use super::SqliteFailure;
use super::records::text;
use super::rows::{newest, signed, unsigned};
use crate::retention::STEP;

/// Where the search for entries to drop goes on: those before were looked at and are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Search {
    after: Sequence,
}

/// What a step did.
pub(super) struct Step {
    pub(super) dropped: usize,
    pub(super) more: bool,
}

/// Looks at the next entries, and drops those that are not to be kept. `sinks` are at work: what they have not delivered stays.
pub(super) fn step(
    connection: &Connection,
    keep: KeepEntries,
    sinks: &BTreeSet<String>,
    search: &mut Search,
) -> Result<Step, SqliteFailure> {
    let (since, until) = match keep {
        KeepEntries::All => {
            return Ok(Step {
                dropped: 0,
                more: false,
            });
        }
        KeepEntries::Since(since) => (since.as_millis(), i64::MAX),
        KeepEntries::Newest(count) => (i64::MAX, signed(newest(connection)?.0.saturating_sub(count))?),
    };
    let undelivered = undelivered(connection, sinks)?;
    let mut select = connection
        .prepare_cached("SELECT sequence, at, job, kind FROM journal WHERE sequence > ?1 ORDER BY sequence LIMIT ?2")?;
    let mut rows = select.query(params![signed(search.after.0)?, STEP as i64])?;
    let (mut due, mut seen, mut looked_at) = (Vec::new(), 0, search.after);
    let mut old = 0;
    while let Some(row) = rows.next()? {
        let (sequence, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (job, kind) = (text(row.get_ref(2)?), text(row.get_ref(3)?));
        seen += 1;
        looked_at = Sequence(unsigned(sequence));
        if at >= since || sequence > until {
            continue;
        }
        old += 1;
        let is_told = kind == "transition" || kind == "alert";
        let waits = is_told && undelivered.is_some_and(|delivered| sequence > delivered);
        if !waits && !holds(connection, &job, &kind, sequence)? {
            due.push(sequence);
        }
    }
    drop(rows);
    // The search is over where nothing is old any more, and begins from the start with the next one.
    let more = seen == STEP && old > 0;
    search.after = if more { looked_at } else { Sequence::default() };
    if let Some(last) = due.last() {
        let mut delete = connection.prepare_cached("DELETE FROM journal WHERE sequence = ?1")?;
        for sequence in &due {
            delete.execute([sequence])?;
        }
        CrashPoint::PruneDropped.reach();
        connection
            .prepare_cached("UPDATE store SET dropped_until = max(dropped_until, ?1)")?
            .execute([last])?;
    }
    Ok(Step {
        dropped: due.len(),
        more,
    })
}

/// Whether the history of a job on record hangs on this entry: the newest transition, or the entry behind which it began anew.
fn holds(connection: &Connection, job: &str, kind: &str, sequence: i64) -> Result<bool, SqliteFailure> {
    if kind != "transition" && kind != "forgotten" {
        return Ok(false);
    }
    let holds = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM jobs WHERE job = ?1)
             AND ?2 >= ifnull((SELECT max(sequence) FROM journal WHERE job = ?1 AND kind = 'transition'), 0)
             AND ?2 >= ifnull((SELECT max(sequence) FROM journal WHERE job = ?1 AND kind = 'forgotten'), 0)",
        )?
        .query_row(params![job, sequence], |row| row.get(0))?;
    Ok(holds)
}

/// Up to where every sink has delivered; `None` without one.
fn undelivered(connection: &Connection, sinks: &BTreeSet<String>) -> Result<Option<i64>, SqliteFailure> {
    let mut least = None;
    for sink in sinks {
        let delivered: Option<i64> = connection
            .prepare_cached("SELECT delivered FROM sinks WHERE sink = ?1")?
            .query_row([sink], |row| row.get(0))
            .optional()?;
        let delivered = delivered.unwrap_or(0);
        least = Some(least.map_or(delivered, |least: i64| least.min(delivered)));
    }
    Ok(least)
}
