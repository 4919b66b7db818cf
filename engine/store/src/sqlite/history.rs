//! The journal asked as a whole: by job, by what happened, by when.
//!
//! Commits wait while rows are looked at, so no call looks at more than a few thousand. Rows are read in the order of their
//! sequences, by blocks; what a block spans in time is remembered, so that a second question about an hour does not go through
//! all hours again. (Clocks are set, so that times need not grow with sequences: a block is passed over for what is in it, never
//! for what is beside it.) The entries of one job are found by the index that there is.

use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use steadfast_core::event::EventKind;
use steadfast_core::id::JobKey;
use steadfast_core::journal::{History, HistoryPage, Order, Row, Sequence};

use super::SqliteFailure;
use super::rows::{dropped_until, read_row, unsigned};
use crate::bounds;

/// Sequences of a block; and the most entries of a job that are looked at in one call.
const BLOCK: i64 = 4096;
/// How many blocks are read in one call.
const LOOKS: usize = 2;
/// What [`read_row`] reads.
const COLUMNS: &str = "SELECT sequence, at, job, revision, event FROM journal";

/// What blocks span in time: the first and the last moment, in milliseconds since the Unix epoch. Only of blocks to which
/// nothing is added any more; what retention drops makes a block span less, and it is read once in vain.
#[derive(Debug, Default)]
pub(super) struct Times(HashMap<i64, (i64, i64)>);

/// Rows that are asked for, behind `from`.
pub(super) fn read(
    connection: &Connection,
    times: &mut Times,
    of: &History,
    from: Option<Sequence>,
    limit: u32,
) -> Result<HistoryPage, SqliteFailure> {
    let from = match (from, of.order) {
        (Some(from), Order::Newest | Order::Oldest) => i64::try_from(from.0).unwrap_or(i64::MAX),
        (None, Order::Newest) => i64::MAX,
        (None, Order::Oldest) => 0,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut page = HistoryPage {
        dropped_until: dropped_until(connection)?,
        ..HistoryPage::default()
    };
    match &of.job {
        Some(job) if of.takes_job(job) => of_job(connection, of, job, from, limit, &mut page)?,
        Some(_) => {}
        None => of_all(connection, times, of, from, limit, &mut page)?,
    }
    Ok(page)
}

/// In which kinds of rows events are kept. Calls are among the updates.
fn kinds(of: &History) -> Vec<&'static str> {
    let all = [
        ("transition", &[EventKind::Transition][..]),
        ("update", &[EventKind::Update, EventKind::Call]),
        ("alert", &[EventKind::Alert]),
        ("forgotten", &[EventKind::Forgotten]),
    ];
    let asked = |kinds: &[EventKind]| of.kinds.is_empty() || kinds.iter().any(|kind| of.kinds.contains(kind));
    all.iter()
        .filter(|(_, kinds)| asked(kinds))
        .map(|(kind, _)| *kind)
        .collect()
}

/// The entries of one job: their sequences by the index, then each by itself.
fn of_job(
    connection: &Connection,
    of: &History,
    job: &JobKey,
    from: i64,
    limit: usize,
    page: &mut HistoryPage,
) -> Result<(), SqliteFailure> {
    let (is_behind, direction) = direction(of.order);
    let mut select = connection.prepare_cached(&format!(
        "SELECT sequence FROM journal WHERE job = ?1 AND kind = ?2 AND sequence {is_behind} ?3 AND sequence <= ?4
             ORDER BY sequence {direction} LIMIT ?5"
    ))?;
    let mut places: Vec<i64> = Vec::new();
    for kind in kinds(of) {
        let found = select.query_map(params![job.to_string(), kind, from, bounds::MOST, BLOCK], |row| {
            row.get(0)
        })?;
        places.extend(found.collect::<Result<Vec<i64>, _>>()?);
    }
    match of.order {
        Order::Newest => places.sort_unstable_by(|one, other| other.cmp(one)),
        Order::Oldest => places.sort_unstable(),
    }
    // Of each kind the next ones are among them, so that the first ones of all kinds are whole.
    let has_more = i64::try_from(places.len()).is_ok_and(|found| found >= BLOCK);
    places.truncate(usize::try_from(BLOCK).unwrap_or(usize::MAX));
    let last = places.last().copied();
    let mut one = connection.prepare_cached(&format!("{COLUMNS} WHERE sequence = ?1"))?;
    for place in places {
        let Some(row) = one.query_row([place], read_row).optional()? else {
            continue;
        };
        let is_asked = match &row {
            Row::Entry(entry) => of.takes(entry),
            Row::Unreadable(_) => true,
        };
        if is_asked {
            page.rows.push(row);
        }
        if page.rows.len() == limit {
            page.next = Some(Sequence(unsigned(place)));
            return Ok(());
        }
    }
    page.next = last.filter(|_| has_more).map(|last| Sequence(unsigned(last)));
    Ok(())
}

/// The entries of all jobs, block by block.
fn of_all(
    connection: &Connection,
    times: &mut Times,
    of: &History,
    mut from: i64,
    limit: usize,
    page: &mut HistoryPage,
) -> Result<(), SqliteFailure> {
    let newest: Option<i64> = connection
        .prepare_cached("SELECT max(sequence) FROM journal WHERE sequence <= ?1")?
        .query_row([bounds::MOST], |row| row.get(0))?;
    let filter = Filter::new(of);
    let mut looks = 0;
    while let Some(place) = next(connection, of.order, from)? {
        let block = place.div_euclid(BLOCK);
        let (first, last) = (
            block.saturating_mul(BLOCK),
            block.saturating_mul(BLOCK).saturating_add(BLOCK - 1),
        );
        if looks >= LOOKS {
            page.next = Some(Sequence(unsigned(from)));
            return Ok(());
        }
        if of.is_bounded_in_time() && !times.may_have(connection, of, block, newest, &mut looks)? {
            from = beyond(of.order, first, last);
            continue;
        }
        looks += 1;
        if filter.read(connection, of, (first, last), from, limit, page)? {
            return Ok(());
        }
        from = beyond(of.order, first, last);
    }
    Ok(())
}

/// Where to go on behind a block.
fn beyond(order: Order, first: i64, last: i64) -> i64 {
    match order {
        Order::Newest => first,
        Order::Oldest => last,
    }
}

fn direction(order: Order) -> (&'static str, &'static str) {
    match order {
        Order::Newest => ("<", "DESC"),
        Order::Oldest => (">", "ASC"),
    }
}

/// The next sequence that there is: where much was dropped, there are gaps.
fn next(connection: &Connection, order: Order, from: i64) -> Result<Option<i64>, SqliteFailure> {
    let (is_behind, direction) = direction(order);
    let sql = format!(
        "SELECT sequence FROM journal WHERE sequence {is_behind} ?1 AND sequence BETWEEN 1 AND ?2
             ORDER BY sequence {direction} LIMIT 1"
    );
    let mut select = connection.prepare_cached(&sql)?;
    Ok(select.query_row([from, bounds::MOST], |row| row.get(0)).optional()?)
}

impl Times {
    /// Whether something in a block may be of the time that is asked for. What is not known yet is looked up, and counted.
    fn may_have(
        &mut self,
        connection: &Connection,
        of: &History,
        block: i64,
        newest: Option<i64>,
        looks: &mut usize,
    ) -> Result<bool, SqliteFailure> {
        // It still grows.
        if newest.is_none_or(|newest| newest.div_euclid(BLOCK) <= block) {
            return Ok(true);
        }
        let (first, last) =
            match self.0.get(&block) {
                Some(span) => *span,
                None => {
                    *looks += 1;
                    let start = block.saturating_mul(BLOCK);
                    let span = connection
                    .prepare_cached(
                        "SELECT ifnull(min(at), 0), ifnull(max(at), 0) FROM journal WHERE sequence BETWEEN ?1 AND ?2",
                    )?
                    .query_row([start, start.saturating_add(BLOCK - 1)], |row| Ok((row.get(0)?, row.get(1)?)))?;
                    self.0.insert(block, span);
                    span
                }
            };
        Ok(of.since.is_none_or(|since| last >= since.as_millis())
            && of.until.is_none_or(|until| first < until.as_millis()))
    }
}

/// What is asked for, in SQL.
struct Filter {
    sql: String,
    values: Vec<Value>,
}

impl Filter {
    fn new(of: &History) -> Self {
        let (is_behind, direction) = direction(of.order);
        let mut filter = Self {
            sql: format!(
                "{COLUMNS} WHERE sequence BETWEEN ?1 AND ?2 AND sequence {is_behind} ?3 AND sequence <= {}",
                bounds::MOST
            ),
            values: Vec::new(),
        };
        // What names no kind may be anything.
        if !of.kinds.is_empty() {
            let kinds: Vec<String> = kinds(of).iter().map(|kind| format!("'{kind}'")).collect();
            filter.sql.push_str(&format!(" AND kind IN ({})", kinds.join(", ")));
        }
        for (bound, is_within) in [(of.since, ">="), (of.until, "<")] {
            if let Some(bound) = bound {
                let value = filter.bind(Value::Integer(bound.as_millis()));
                filter.sql.push_str(&format!(" AND at {is_within} {value}"));
            }
        }
        // Behind a slash comes a zero: what begins with the name and a slash is between the two.
        filter.any_of(of.clusters.iter().map(|cluster| cluster.as_str()), |filter, cluster| {
            let from = filter.bind(Value::Text(format!("{cluster}/")));
            let to = filter.bind(Value::Text(format!("{cluster}0")));
            format!("job >= {from} AND job < {to}")
        });
        filter.any_of(
            of.namespaces.iter().map(|namespace| namespace.as_str()),
            |filter, namespace| {
                let between = filter.bind(Value::Text(format!("/{namespace}/")));
                format!("instr(job, {between}) = instr(job, '/')")
            },
        );
        filter.sql.push_str(&format!(" ORDER BY sequence {direction}"));
        filter
    }

    /// The place of one more value. The first three are of the block.
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len() + 3)
    }

    fn any_of<'a>(
        &mut self,
        names: impl ExactSizeIterator<Item = &'a str>,
        condition: impl Fn(&mut Self, &str) -> String,
    ) {
        if names.len() == 0 {
            return;
        }
        let conditions: Vec<String> = names.map(|name| condition(self, name)).collect();
        self.sql.push_str(&format!(" AND ({})", conditions.join(" OR ")));
    }

    /// Reads what is asked for of a block. Whether the page is full.
    fn read(
        &self,
        connection: &Connection,
        of: &History,
        (first, last): (i64, i64),
        from: i64,
        limit: usize,
        page: &mut HistoryPage,
    ) -> Result<bool, SqliteFailure> {
        let block = [first, last, from].map(Value::Integer);
        let mut select = connection.prepare_cached(&self.sql)?;
        let mut rows = select.query(params_from_iter(block.iter().chain(&self.values)))?;
        while let Some(row) = rows.next()? {
            let row = read_row(row)?;
            let is_asked = match &row {
                Row::Entry(entry) => of.takes(entry),
                Row::Unreadable(_) => true,
            };
            if is_asked {
                page.next = Some(row.sequence());
                page.rows.push(row);
            }
            if page.rows.len() >= limit {
                return Ok(true);
            }
        }
        page.next = None;
        Ok(false)
    }
}
