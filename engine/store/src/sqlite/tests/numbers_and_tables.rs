//! One number, one row of the store's own, one table: damage that costs no record. Each is named by the check, mended by a repair,
//! and by the engine itself where nothing has to be decided.

use std::ops::RangeInclusive;

use super::*;
use crate::{Discard, export, inspect, repair};

/// What an engine makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// It goes on and has mended it.
    Mends,
    /// It goes on, and it does no harm.
    GoesOn,
    /// It says which command mends it.
    Refuses,
}
use Start::{GoesOn, Mends, Refuses};

struct Damage {
    sql: &'static str,
    /// Where the check finds it, beside other places maybe.
    place: &'static str,
    start: Start,
    /// How many of three records are left.
    records: usize,
}

const fn damage(sql: &'static str, place: &'static str, start: Start) -> Damage {
    Damage {
        sql,
        place,
        start,
        records: 3,
    }
}

const MAX: &str = "9223372036854775807";

const DAMAGES: &[Damage] = &[
    // Numbers.
    damage(
        "UPDATE snapshots SET place = MAX WHERE place = (SELECT max(place) FROM snapshots)",
        "snapshot MAX",
        Mends,
    ),
    damage("UPDATE snapshots SET place = -3 WHERE place = 1", "snapshot -3", Mends),
    damage(
        "UPDATE journal SET sequence = MAX WHERE sequence = 3; UPDATE sqlite_sequence SET seq = MAX WHERE name = 'journal'",
        "the numbering of journal",
        Mends,
    ),
    damage(
        "UPDATE sqlite_sequence SET seq = MAX WHERE name = 'journal'",
        "the numbering of journal",
        Mends,
    ),
    damage(
        "UPDATE sqlite_sequence SET seq = 'many' WHERE name = 'snapshots'",
        "the numbering of snapshots",
        Mends,
    ),
    Damage {
        sql: "INSERT INTO quarantine VALUES (MAX, 0, 'jobs', 'x', 'y'); INSERT INTO quarantined_cells VALUES (MAX, 'job', 'x');
              UPDATE jobs SET record = 'x' WHERE job LIKE '%/a'",
        place: "row MAX of quarantine",
        start: Mends,
        records: 2,
    },
    damage("UPDATE store SET checks = MAX", "the count of checks", Mends),
    damage("UPDATE store SET dropped_until = MAX", "the end of what was dropped", Mends),
    damage("UPDATE store SET dropped_until = -1", "the end of what was dropped", Mends),
    damage("UPDATE sinks SET delivered = MAX", "the sink webhook", Mends),
    damage("UPDATE sinks SET delivered = -5", "the sink webhook", Mends),
    damage("UPDATE snapshots SET bytes = MAX", "snapshot 1", GoesOn),
    damage("UPDATE snapshots SET at = MAX", "snapshot 1", GoesOn),
    Damage {
        sql: "UPDATE jobs SET record = json_set(record, '$.revision', 9223372036854775807), revision = MAX WHERE job LIKE '%/a'",
        place: "the record of local/default/a",
        start: Mends,
        records: 2,
    },
    Damage {
        sql: "UPDATE jobs SET record = replace(record, '\"revision\":1', '\"revision\":18446744073709551615') WHERE job LIKE '%/a'",
        place: "the record of local/default/a",
        start: Mends,
        records: 2,
    },
    Damage {
        sql: "UPDATE jobs SET memory = zeroblob(16385) WHERE job LIKE '%/a'",
        place: "the record of local/default/a",
        start: Mends,
        records: 2,
    },
    Damage {
        sql: "UPDATE jobs SET record = json_set(record, '$.reason.message', hex(zeroblob(8388608))) WHERE job LIKE '%/a'",
        place: "the record of local/default/a",
        start: Mends,
        records: 2,
    },
    Damage {
        sql: "UPDATE jobs SET record = replace(record, '2026-', '2262-') WHERE job LIKE '%/a'",
        place: "the record of local/default/a",
        start: Mends,
        records: 2,
    },
    damage("UPDATE journal SET at = at | (1 << 43) WHERE sequence = 3", "entry 3 of local/default/c", GoesOn),
    damage("UPDATE journal SET revision = MAX WHERE sequence = 3", "entry 3 of local/default/c", GoesOn),
    // The rows of the store itself.
    damage("DELETE FROM head", "the store's mark", Mends),
    damage("UPDATE head SET mark = 'x'", "the store's mark", Mends),
    damage(
        "UPDATE head SET mark = substr(mark, 1, 17) || 'MAX' || substr(mark, 37)",
        "the store's mark",
        Mends,
    ),
    // One bit of the id, and the mark is of another store.
    damage(
        "UPDATE store SET id = CASE substr(id, 1, 1) WHEN '0' THEN '1' ELSE '0' END || substr(id, 2)",
        "the store's mark",
        Mends,
    ),
    damage("UPDATE store SET id = substr(id, 1, 3) || char(127) || substr(id, 5)", "the store's id", Refuses),
    damage("UPDATE store SET id = ''", "the store's id", Refuses),
    damage("UPDATE store SET id = hex(zeroblob(500000))", "the store's id", Refuses),
    damage("UPDATE store SET id = CAST(x'ff' AS TEXT)", "the store's id", Refuses),
    damage("DELETE FROM store", "the store's id", Refuses),
    // Tables, and what is none of ours.
    damage("PRAGMA user_version = -1", "the version of the schema", Refuses),
    damage("PRAGMA user_version = 1", "the version of the schema", Refuses),
    damage("DROP TABLE quarantine", "the table quarantine", Refuses),
    damage("DROP TABLE quarantined_cells", "the table quarantined_cells", Refuses),
    damage("DROP TABLE head", "the table head", Refuses),
    damage("DROP TABLE sinks", "the table sinks", Refuses),
    damage("DROP TABLE store", "the table store", Refuses),
    damage("ALTER TABLE snapshots DROP COLUMN job", "the table snapshots", Refuses),
    damage(
        "ALTER TABLE jobs RENAME TO jobs2; CREATE VIEW jobs AS SELECT * FROM jobs2",
        "the table jobs",
        Refuses,
    ),
    // What a document tells is taken from it.
    damage("ALTER TABLE jobs DROP COLUMN confidence", "the table jobs", Refuses),
    // And what nobody tells any more does not read.
    damage("ALTER TABLE journal DROP COLUMN at", "the table journal", Refuses),
    damage("ALTER TABLE journal DROP COLUMN at", "the table journal", Refuses),
    damage(
        "CREATE TABLE loose AS SELECT * FROM jobs; DROP TABLE jobs; ALTER TABLE loose RENAME TO jobs",
        "the table jobs",
        Refuses,
    ),
    damage("ALTER TABLE jobs ADD COLUMN z TEXT", "the table jobs", GoesOn),
    damage("DROP INDEX journal_of_job", "the index journal_of_job", GoesOn),
    damage(
        "DROP INDEX journal_of_job; CREATE INDEX journal_of_job ON journal (at)",
        "the index journal_of_job",
        GoesOn,
    ),
    damage("CREATE UNIQUE INDEX u ON journal (at, kind, sequence)", "the index u", Refuses),
    damage("CREATE INDEX u ON journal (json(event))", "the index u", Refuses),
    damage("CREATE INDEX u ON journal (at)", "the index u", GoesOn),
    damage("CREATE TABLE theirs (x)", "the table theirs", GoesOn),
    damage("CREATE VIEW v AS SELECT 1", "the view v", GoesOn),
    damage(
        "CREATE TRIGGER t BEFORE INSERT ON journal BEGIN SELECT raise(ABORT, 'no'); END",
        "the trigger t",
        GoesOn,
    ),
    damage(
        "CREATE TRIGGER t BEFORE UPDATE ON jobs BEGIN SELECT raise(IGNORE); END",
        "the trigger t",
        GoesOn,
    ),
    damage(
        "CREATE TRIGGER t AFTER INSERT ON journal BEGIN UPDATE jobs SET state = 'FAILED'; END",
        "the trigger t",
        GoesOn,
    ),
];

/// A store at rest, with that done to it.
async fn damaged(damage: &Damage) -> (TempDir, PathBuf) {
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let commit = Commit {
        changes: vec![started("a"), started("b"), started("c")],
        recorded: vec![shown("a", 1), shown("b", 1)],
    };
    store.commit(AT, commit).await.unwrap();
    store.advance_sink("webhook", Sequence(2)).await.unwrap();
    drop(store);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(&damage.sql.replace("MAX", MAX)).unwrap();
    connection.close().unwrap();
    (folder, path)
}

/// Everything that an engine does with a store works.
async fn goes_on(store: &SqliteStore, records: RangeInclusive<usize>, what: &str) {
    let loaded = store.load(AT).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert!(
        records.contains(&loaded.records.len()),
        "{what}: {:?}",
        loaded.set_aside
    );
    let before = store.newest().await.unwrap();
    let commit = Commit {
        changes: vec![next("b", 2), next("c", 2)],
        recorded: vec![shown("b", 2)],
    };
    let entries = store.commit(AT, commit).await;
    let entries = entries.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(entries[0].sequence.0, before.0 + 1, "{what}");
    store.check().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    store.advance_sink("webhook", entries[1].sequence).await.unwrap();
    let keep = Keep {
        snapshots_since: AT,
        snapshot_bytes: u64::MAX,
        entries: steadfast_core::journal::KeepEntries::All,
    };
    store
        .prune(&keep)
        .await
        .unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let revisions: Vec<u64> = store
        .load(AT)
        .await
        .unwrap()
        .records
        .iter()
        .map(|one| one.revision)
        .collect();
    assert_eq!(
        revisions[revisions.len() - 2..],
        [2, 2],
        "{what}: what was committed is there"
    );
    let page = store.page(EntriesOf::Everything, before, 10).await.unwrap();
    assert_eq!(page.rows.len(), 2, "{what}");
    assert_eq!(
        store.recorded(Sequence(0), AT, 10).await.unwrap().unreadable,
        [],
        "{what}"
    );
}

fn exported(path: &Path, what: &str) -> Vec<String> {
    let mut bytes = Vec::new();
    export(path, &mut bytes).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let lines = String::from_utf8(bytes).unwrap();
    let kinds = lines.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["kind"].as_str().unwrap().to_owned()
    });
    kinds.collect()
}

#[tokio::test]
async fn each_is_named_and_what_reads_is_written_out() {
    for damage in DAMAGES {
        let (_folder, path) = damaged(damage).await;
        let what = damage.sql;
        let found = inspect(&path)
            .unwrap_or_else(|error| panic!("{what}: {error:?}"))
            .problems;
        let place = damage.place.replace("MAX", MAX);
        let named = found.iter().find(|problem| problem.place == place);
        let named = named.unwrap_or_else(|| panic!("{what}: {found:?}"));
        assert!(
            named.what.len() < 300 && !named.what.contains("CREATE TABLE"),
            "{named:?}"
        );
        assert!(
            named.fix.contains("steadfast store repair") || named.fix.contains("the engine does so"),
            "{named:?}"
        );
        // A row that does not read is written out as it is.
        let lines = exported(&path, what);
        let rows = lines
            .iter()
            .filter(|kind| matches!(kind.as_str(), "record" | "unreadable"))
            .count();
        assert!(rows >= 3 || place == "the table jobs", "{what}: {lines:?}");
    }
}

#[tokio::test]
async fn a_start_mends_them_or_says_which_command_does() {
    for damage in DAMAGES {
        let (_folder, path) = damaged(damage).await;
        let what = damage.sql;
        if damage.start == Refuses {
            let said = refusal(&path);
            assert!(said.contains("`steadfast store repair`"), "{what}: {said}");
            assert!(
                !said.contains("disk") && !said.contains("CREATE TABLE"),
                "{what}: {said}"
            );
            continue;
        }
        let store = SqliteStore::open(&path).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        goes_on(&store, damage.records..=damage.records, what).await;
        drop(store);
        let left = inspect(&path).unwrap().problems;
        let is_left = left.iter().any(|problem| problem.place == damage.place);
        assert_eq!(is_left, damage.start == GoesOn, "{what}: {left:?}");
        SqliteStore::open(&path).unwrap();
    }
}

#[tokio::test]
async fn a_repair_mends_each_after_a_copy_and_keeps_the_records() {
    for damage in DAMAGES {
        let (_folder, path) = damaged(damage).await;
        let what = damage.sql;
        let before = fs::read(&path).unwrap();
        let repaired = repair(&path, AT, Discard::Nothing).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(fs::read(&repaired.backup).unwrap(), before, "{what}");
        assert!(!repaired.done.is_empty(), "{what}");
        // Nobody knows what stood where an entry does not read; the one that goes on from it is told of.
        assert_eq!(repaired.left, [], "{what}: {:?}", repaired.done);
        let store = SqliteStore::open(&path).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        goes_on(&store, damage.records..=damage.records, what).await;
        drop(store);
        let again = repair(&path, AT.after(std::time::Duration::from_secs(1)), Discard::Nothing).unwrap();
        assert_eq!(again.done, Vec::<String>::new(), "{what}");
    }
}

/// What each cell is written over with: the ends of numbers, and texts that are none or long.
const VALUES: [&str; 6] = [
    "9223372036854775807",
    "-9223372036854775808",
    "0",
    "''",
    "CAST(x'ff' AS TEXT)",
    "hex(zeroblob(300000))",
];

/// Rows with each of whose cells that is done.
const ROWS: [(&str, &str); 12] = [
    ("jobs", "job LIKE '%/a'"),
    ("journal", "sequence = 1"),
    ("journal", "sequence = 3"),
    ("snapshots", "place = 1"),
    ("snapshots", "place = 2"),
    ("sinks", "true"),
    ("store", "true"),
    ("head", "true"),
    ("quarantine", "true"),
    ("quarantined_cells", "field = 'job'"),
    ("sqlite_sequence", "name = 'journal'"),
    ("sqlite_sequence", "name = 'snapshots'"),
];

/// Whatever stands in one cell, of any table: the engine goes on, at the cost of one record at most, or names the command that mends
/// it, which does; and afterwards the check finds nothing.
#[tokio::test]
async fn no_cell_stops_the_store() {
    let whole = damaged(&damage(
        "INSERT INTO quarantine VALUES (1, 0, 'jobs', 'x', 'y'); INSERT INTO quarantined_cells VALUES (1, 'job', 'x')",
        "",
        GoesOn,
    ))
    .await;
    let (folder, path) = folder();
    let mut tried = 0;
    for (table, which) in ROWS {
        let columns: Vec<String> = {
            let connection = Connection::open(&whole.1).unwrap();
            let mut select = connection.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
            let names = select.query_map([table], |row| row.get(0)).unwrap();
            names.map(Result::unwrap).collect()
        };
        for (column, value) in columns.iter().flat_map(|column| VALUES.map(|value| (column, value))) {
            for file in fs::read_dir(folder.path()).unwrap() {
                fs::remove_file(file.unwrap().path()).unwrap();
            }
            fs::copy(&whole.1, &path).unwrap();
            let connection = Connection::open(&path).unwrap();
            let sql = format!("UPDATE {table} SET {column} = {value} WHERE {which}");
            // The other kind of value, or another row's.
            let is_taken = connection.execute(&sql, []).is_ok();
            connection.close().unwrap();
            if !is_taken {
                continue;
            }
            tried += 1;
            let named = inspect(&path).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            exported(&path, &sql);
            let opened = SqliteStore::open(&path);
            let started = opened.is_ok();
            match opened {
                Ok(store) => goes_on(&store, 2..=3, &sql).await,
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.contains("`steadfast store repair`"), "{sql}: {said}");
                    assert_ne!(named.problems, [], "{sql}");
                }
            }
            let repaired = repair(&path, AT, Discard::Nothing).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            assert_eq!(repaired.left, [], "{sql}: {:?}", repaired.done);
            if !started {
                goes_on(&SqliteStore::open(&path).unwrap(), 2..=3, &sql).await;
            }
        }
    }
    assert!(tried > 120, "{tried}");
}

/// A trigger that comes while the engine runs does nothing to it.
#[tokio::test]
async fn no_trigger_runs_beside_a_commit() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store
        .commit(AT, vec![started("a"), started("b"), started("c")].into())
        .await
        .unwrap();
    let outside = Connection::open(&path).unwrap();
    outside
        .execute_batch("CREATE TRIGGER t BEFORE UPDATE ON jobs BEGIN SELECT raise(IGNORE); END")
        .unwrap();
    goes_on(&store, 3..=3, "a trigger beside a running engine").await;
}

/// It would pass over everything up to there. Sinks ask for it before the records are loaded.
#[tokio::test]
async fn a_sink_does_not_begin_beyond_the_journal() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(AT, vec![started("a")].into()).await.unwrap();
    store.advance_sink("webhook", Sequence(1)).await.unwrap();
    tamper(&store, &format!("UPDATE sinks SET delivered = {MAX}"));
    assert_eq!(store.sink_cursor("webhook").await.unwrap(), Some(Sequence(1)));
}

/// SQLite says of both that the disk is full.
#[tokio::test]
async fn a_number_at_its_end_is_told_from_a_full_disk_and_mended_by_the_next_validation() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(AT, vec![started("b"), started("c")].into()).await.unwrap();
    tamper(
        &store,
        &format!("UPDATE sqlite_sequence SET seq = {MAX} WHERE name = 'journal'"),
    );
    let Err(JournalError::Failed { context, source }) = store.commit(AT, vec![next("b", 2)].into()).await else {
        panic!("it was taken")
    };
    let said = format!("{context}: {source}");
    assert!(said.contains("at its end") && !said.contains("disk"), "{said}");
    let loaded = store.load(AT).await.unwrap();
    assert!(loaded.mended[0].contains("the numbering of journal"), "{loaded:?}");
    goes_on(&store, 2..=2, "a sequence at its end").await;
}

#[tokio::test]
async fn a_clock_behind_the_last_moment_commits_nothing() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let late = Timestamp::from_millis(Timestamp::LATEST.as_millis() + 1);
    let said = format!("{:?}", store.commit(late, vec![started("a")].into()).await);
    assert!(said.contains("the clock shows 2262-01-01"), "{said}");
    store
        .commit(Timestamp::LATEST, vec![started("a")].into())
        .await
        .unwrap();
}

/// The row that ends such a record reads, whatever the columns and the clock say.
#[tokio::test]
async fn the_end_of_a_record_that_is_set_aside_reads() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(AT, vec![started("a")].into()).await.unwrap();
    tamper(&store, &format!("UPDATE jobs SET record = '', revision = {MAX}"));
    let late = Timestamp::from_millis(i64::MAX);
    assert_eq!(store.load(late).await.unwrap().set_aside.len(), 1);
    let entries = store.entries(EntriesOf::Everything, Sequence(1), 10).await.unwrap();
    assert_eq!(entries.len(), 1, "{entries:?}");
}

#[tokio::test]
async fn only_a_store_without_a_record_takes_recordings_of_plays() {
    let (_folder, path) = folder();
    let store = SqliteStore::open_for_recordings(&path).unwrap();
    let commit = Commit {
        changes: vec![],
        recorded: vec![shown("a", 1)],
    };
    store.commit(AT, commit).await.unwrap();
    drop(store);
    let store = SqliteStore::open_for_recordings(&path).unwrap();
    store.commit(AT, vec![started("a")].into()).await.unwrap();
    drop(store);
    let said = SqliteStore::open_for_recordings(&path).unwrap_err().to_string();
    assert!(
        said.contains("the record of an engine") && said.contains("another file"),
        "{said}"
    );
}
