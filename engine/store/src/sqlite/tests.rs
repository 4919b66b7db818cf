//! What only a file can do: survive, be damaged, be someone else's, be full.

mod backup;
mod elsewhere;
mod maintenance;
mod numbers_and_tables;
mod restored;
mod special;
mod unreadable;

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use steadfast_core::journal::{Change, Recordings as _};
use steadfast_core::record::JobRecord;
use steadfast_core::state::JobState;
use tempfile::TempDir;

use super::*;
use crate::conformance::{self, AT, moved, record, shown, started};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("steadfast.db");
    (folder, path)
}

/// Every record, as it is stored.
async fn records(store: &SqliteStore) -> Vec<JobRecord> {
    store.load(AT).await.unwrap().records
}

/// Does to the rows what nobody should, beside the store.
fn tamper(store: &SqliteStore, sql: &str) {
    store.shared.open.lock().unwrap().connection.execute_batch(sql).unwrap();
}

fn refusal(path: &Path) -> String {
    match SqliteStore::open(path) {
        Err(JournalError::Unusable(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn next(name: &str, revision: u64) -> Change {
    Change {
        record: record(name, JobState::Running, revision).into(),
        events: vec![moved(JobState::Running, JobState::Running)],
    }
}

#[tokio::test]
async fn conforms() {
    let (folder, _) = folder();
    conformance::all(|part| SqliteStore::open(&folder.path().join(part)).unwrap()).await;
}

#[tokio::test]
async fn what_was_committed_survives_a_reopening() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let entries = store.commit(AT, vec![started("a"), started("b")].into()).await.unwrap();
    store.advance_sink("webhook", Sequence(1)).await.unwrap();
    let id = store.store_id().to_owned();
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(
        records(&store).await,
        [
            JobRecord::clone(&started("a").record),
            JobRecord::clone(&started("b").record)
        ]
    );
    assert_eq!(
        store.entries(EntriesOf::Everything, Sequence(0), 10).await.unwrap(),
        entries
    );
    assert_eq!(store.sink_cursor("webhook").await.unwrap(), Some(Sequence(1)));
    assert_eq!(store.store_id(), id);
}

/// The files as a SIGKILL leaves them: no checkpoint, no clean close, taken between and in the middle of commits.
#[tokio::test]
async fn every_moment_of_a_kill_leaves_whole_commits() {
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let kill = |n: u64| {
        let killed = folder.path().join(format!("killed-{n}"));
        for suffix in ["", "-wal"] {
            fs::copy(
                format!("{}{suffix}", path.display()),
                format!("{}{suffix}", killed.display()),
            )
            .unwrap();
        }
        killed
    };
    for n in 1..=20 {
        store.commit(AT, vec![next("a", n), next("b", n)].into()).await.unwrap();
        let copy = SqliteStore::open(&kill(n)).unwrap();
        assert!(records(&copy).await.iter().all(|record| record.revision == n));
        assert_eq!(copy.newest().await.unwrap(), Sequence(2 * n));
    }
    // A commit whose end never reached the disk: its frames are cut off anywhere in the log.
    let whole = kill(99);
    let log = fs::read(format!("{}-wal", whole.display())).unwrap();
    for (n, cut) in (0..log.len()).step_by(1009).enumerate() {
        let torn = folder.path().join(format!("torn-{n}"));
        fs::copy(&whole, &torn).unwrap();
        fs::write(format!("{}-wal", torn.display()), &log[..cut]).unwrap();
        let copy = SqliteStore::open(&torn).unwrap();
        let revisions: Vec<u64> = records(&copy).await.iter().map(|r| r.revision).collect();
        let entries = copy.newest().await.unwrap().0;
        assert!(
            revisions.is_empty() && entries == 0 || revisions == [entries / 2, entries / 2],
            "cut at {cut}: {revisions:?}, {entries} entries"
        );
    }
}

#[tokio::test]
async fn a_connection_lost_before_its_commit_leaves_nothing() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(AT, vec![started("a")].into()).await.unwrap();
    {
        let mut open = store.shared.open.lock().unwrap();
        let write = Write::begin(&mut open.connection, Points::COMMIT).unwrap();
        let written = Written::of(vec![next("a", 2)].into(), Snapshots::ReadBack).unwrap();
        rows::write_change(&write, AT, next("a", 2), &written.changes[0], &mut Vec::new()).unwrap();
    }
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(records(&store).await, [JobRecord::clone(&started("a").record)]);
    assert_eq!(store.newest().await.unwrap(), Sequence(1));
}

#[tokio::test]
async fn a_second_engine_is_refused_until_the_first_ends() {
    let (_folder, path) = folder();
    let first = SqliteStore::open(&path).unwrap();
    let text = refusal(&path);
    assert!(
        text.contains("steadfast.db") && text.contains("in use") && text.contains("store.url"),
        "{text}"
    );
    drop(first);
    SqliteStore::open(&path).unwrap();
}

#[test]
fn a_newer_schema_is_refused_and_kept() {
    let (_folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    connection.close().unwrap();
    let before = fs::read(&path).unwrap();
    let text = refusal(&path);
    assert!(
        text.contains("version 99")
            && text.contains(&format!("up to {}", schema::VERSION))
            && text.contains("steadfast.db"),
        "{text}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// The newer version stands in the log alone: a newer engine was killed before its first checkpoint.
#[test]
fn a_newer_schema_in_the_log_is_refused_and_kept() {
    let (folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let killed = folder.path().join("killed.db");
    for suffix in ["", "-wal"] {
        fs::copy(
            format!("{}{suffix}", path.display()),
            format!("{}{suffix}", killed.display()),
        )
        .unwrap();
    }
    let before = fs::read(&killed).unwrap();
    assert!(refusal(&killed).contains("version 99"));
    assert_eq!(fs::read(&killed).unwrap(), before);
    assert!(refusal(&killed).contains("version 99"), "the log was kept too");
}

#[test]
fn foreign_and_damaged_files_are_refused_and_kept() {
    let (folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    let whole = fs::read(&path).unwrap();
    let foreign = folder.path().join("foreign.db");
    let connection = Connection::open(&foreign).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    connection.close().unwrap();
    let mut torn = whole.clone();
    for byte in &mut torn[4096..] {
        *byte = 0xa5;
    }
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("foreign.db", fs::read(&foreign).unwrap(), "another program"),
        ("text.db", b"hello".repeat(100), "is no Steadfast store"),
        ("empty.db", Vec::new(), "is no Steadfast store"),
        ("short.db", whole[..5000].to_vec(), "not a usable Steadfast store"),
        ("torn.db", torn, "not a usable Steadfast store"),
    ];
    for (name, bytes, why) in cases {
        let file = folder.path().join(name);
        fs::write(&file, &bytes).unwrap();
        let text = refusal(&file);
        assert!(
            text.contains(why) && text.contains(name) && text.contains("store.url"),
            "{text}"
        );
        assert_eq!(fs::read(&file).unwrap(), bytes, "{name} was touched");
    }
}

#[test]
fn a_missing_folder_is_named() {
    let (folder, _) = folder();
    let text = refusal(&folder.path().join("nowhere").join("steadfast.db"));
    assert!(text.contains("nowhere") && text.contains("create its folder"), "{text}");
}

#[test]
fn a_directory_is_no_store() {
    let (folder, path) = folder();
    fs::create_dir(&path).unwrap();
    let text = refusal(&path);
    assert!(text.contains("steadfast.db"), "{text}");
    assert!(folder.path().join("steadfast.db").is_dir());
}

#[tokio::test]
async fn a_full_disk_refuses_the_commit_and_lets_the_next_one_in() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(AT, vec![started("a")].into()).await.unwrap();
    let limit = |pages: i64| {
        let connection = &store.shared.open.lock().unwrap().connection;
        connection.pragma_update(None, "max_page_count", pages).unwrap();
    };
    limit(1); // SQLite takes the present size as the least.
    let many: Vec<Change> = (0..200).map(|n| started(&format!("job-{n}"))).collect();
    let refused = store.commit(AT, many.clone().into()).await;
    let Err(JournalError::Failed { context, source }) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        context.contains("steadfast.db") && source.to_string().contains("full"),
        "{context}: {source}"
    );
    assert_eq!(records(&store).await, [JobRecord::clone(&started("a").record)]);
    limit(1_000_000);
    store.commit(AT, many.into()).await.unwrap();
    assert_eq!(records(&store).await.len(), 201);
}

#[tokio::test]
async fn a_store_that_turned_read_only_fails_its_check() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.check().await.unwrap();
    let set = |on: bool| {
        let connection = &store.shared.open.lock().unwrap().connection;
        connection.pragma_update(None, "query_only", on).unwrap();
    };
    set(true);
    assert!(matches!(store.check().await, Err(JournalError::Failed { .. })));
    assert!(store.commit(AT, vec![started("a")].into()).await.is_err());
    assert!(records(&store).await.is_empty());
    set(false);
    store.check().await.unwrap();
}

#[cfg(unix)]
#[test]
fn a_read_only_file_is_refused_and_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    if fs::OpenOptions::new().write(true).open(&path).is_ok() {
        return; // root may write to it all the same
    }
    let text = refusal(&path);
    assert!(text.contains("let the engine's user write"), "{text}");
}

#[test]
fn an_interrupted_creation_is_begun_again() {
    let (folder, path) = folder();
    fs::write(folder.path().join("steadfast.db.creating"), b"half a store").unwrap();
    SqliteStore::open(&path).unwrap();
    assert!(!folder.path().join("steadfast.db.creating").exists());
}

#[test]
fn every_commit_is_synced_to_a_write_ahead_log() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let connection = &store.shared.open.lock().unwrap().connection;
    let text = |name: &str| -> String { connection.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
    let number = |name: &str| -> i64 { connection.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
    assert_eq!(text("journal_mode"), "wal");
    assert_eq!((number("synchronous"), number("foreign_keys")), (2, 1));
    assert_eq!(number("user_version"), i64::from(schema::VERSION));
}

#[tokio::test]
async fn snapshots_are_read_beside_a_running_engine() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let reader = SqliteReader::open(&path).unwrap();
    let commit = |n| Commit {
        changes: vec![],
        recorded: vec![shown("a", n)],
    };
    for n in 1..=2 {
        store.commit(AT, commit(n)).await.unwrap();
        let seen = reader.recorded(Sequence(0), AT, 100).await.unwrap();
        assert_eq!(seen.read.last().map(|(_, one)| one.clone()), Some(shown("a", n)));
    }
}

#[test]
fn a_reader_creates_nothing_and_says_what_is_missing() {
    let (folder, path) = folder();
    let text = SqliteReader::open(&path).unwrap_err().to_string();
    assert!(
        text.contains("there is no file") && text.contains("store.url"),
        "{text}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_store_of_the_version_before_is_brought_up_to_date_by_the_engine_alone() {
    let (_folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    let later = "DROP TABLE snapshots; DROP TABLE quarantine; DROP TABLE quarantined_cells; DROP TABLE head;
                 ALTER TABLE store DROP COLUMN dropped_until";
    connection.execute_batch(later).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection.close().unwrap();
    let text = SqliteReader::open(&path).unwrap_err().to_string();
    assert!(
        text.contains("schema version 1") && text.contains("Run the engine on it once"),
        "{text}"
    );
    let store = SqliteStore::open(&path).unwrap();
    store.commit(AT, vec![started("a")].into()).await.unwrap();
    assert!(SqliteReader::open(&path).is_ok());
}
