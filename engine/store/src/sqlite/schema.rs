//! The tables, and how an older store becomes one of today.

use rusqlite::{Connection, TransactionBehavior};

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
];

/// The version this build writes.
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// The version of an open store.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that are missing, each in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let taken = usize::try_from(version(connection)?).unwrap_or(0);
    for (step, sql) in (1..=VERSION).zip(MIGRATIONS).skip(taken) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", step)?;
        transaction.commit()?;
    }
    Ok(())
}
