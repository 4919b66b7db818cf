//! The tables, and how an older store becomes one of today.

use rusqlite::{Connection, TransactionBehavior};
use steadfast_crash_points::CrashPoint;

/// `PRAGMA application_id` of our files: "Stdf" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x5374_6466;

/// One step each; never changed once released. The version of a store is the number of steps it has taken.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE store (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    -- Drawn when the store is created; with a sequence it names an entry for ever.
    id TEXT NOT NULL,
    -- Written by each check that the store can be written.
    checks INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO store (only, id) VALUES (1, lower(hex(randomblob(8))));

CREATE TABLE jobs (
    job TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    confidence TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    -- The whole record as JSON, without the policy's memory.
    record TEXT NOT NULL,
    memory BLOB NOT NULL
) STRICT;

CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Milliseconds since the Unix epoch.
    at INTEGER NOT NULL,
    job TEXT NOT NULL,
    -- transition, update, alert, forgotten
    kind TEXT NOT NULL,
    -- Of a transition: the state and the attempt after it.
    state TEXT,
    attempt INTEGER,
    -- The record's revision after the commit.
    revision INTEGER NOT NULL,
    -- The event as JSON.
    event TEXT NOT NULL
) STRICT;
CREATE INDEX journal_of_job ON journal (job, kind, sequence);

CREATE TABLE sinks (
    sink TEXT PRIMARY KEY,
    -- The last sequence it delivered.
    delivered INTEGER NOT NULL
) STRICT;
",
    "
CREATE TABLE snapshots (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Milliseconds since the Unix epoch.
    at INTEGER NOT NULL,
    job TEXT NOT NULL,
    -- The length of `recorded`, so that sums need not read it.
    bytes INTEGER NOT NULL,
    -- What the policy was shown and what came of it: JSON, deflated.
    recorded BLOB NOT NULL
) STRICT;
CREATE INDEX snapshots_by_age ON snapshots (place, at, bytes);
",
    "
-- Rows that did not read, out of the way of their jobs.
CREATE TABLE quarantine (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    -- When it was set aside, in milliseconds since the Unix epoch.
    at INTEGER NOT NULL,
    -- The table it was in, and which row it was there: a job, a sequence, a place.
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;
-- Their columns, each as it was.
CREATE TABLE quarantined_cells (
    place INTEGER NOT NULL,
    field TEXT NOT NULL,
    value ANY,
    PRIMARY KEY (place, field)
) STRICT, WITHOUT ROWID;

-- Entries of the journal up to this one may have been dropped by retention.
ALTER TABLE store ADD COLUMN dropped_until INTEGER NOT NULL DEFAULT 0;

-- One row on a page of its own, written with each transaction and always as long: the store's id, the number of its
-- transactions, and the layout of its pages. By it the file and its write-ahead log know each other (mark.rs).
CREATE TABLE head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    mark TEXT NOT NULL
) STRICT;
INSERT INTO head (only, mark) SELECT 1, id || ':' || printf('%019d', 1) || ':' || printf('%010d', 0) FROM store;
",
];

/// The version this build writes.
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// Tables by which a version is known: each with the first version that has it.
pub(super) const TABLES: &[(&str, i32)] = &[
    ("store", 1),
    ("jobs", 1),
    ("journal", 1),
    ("snapshots", 2),
    ("quarantine", 3),
    ("quarantined_cells", 3),
    ("head", 3),
];

/// The first version that keeps snapshots.
pub(super) const SNAPSHOTS: i32 = 2;

/// The version of an open store.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that are missing, each in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate_to(connection, VERSION)
}

/// Takes those that are missing up to a version.
pub(super) fn migrate_to(connection: &mut Connection, last: i32) -> rusqlite::Result<()> {
    let taken = usize::try_from(version(connection)?).unwrap_or(0);
    for (step, sql) in (1..=last).zip(MIGRATIONS).skip(taken) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", step)?;
        CrashPoint::MigrationWritten.reach();
        transaction.commit()?;
        CrashPoint::MigrationDurable.reach();
    }
    Ok(())
}
