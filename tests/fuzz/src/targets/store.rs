//! A store in which one cell holds something else: every row reads, or is set aside, or is named; none goes missing.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use rusqlite::Connection;
use steadfast_core::id::JobKey;
use steadfast_core::journal::{EntriesOf, Journal as _, Recordings as _, Row, Sequence};
use steadfast_core::testing;
use steadfast_core::time::Timestamp;
use steadfast_store::SqliteStore;
use tempfile::TempDir;

use super::rows::WORDS;
use crate::fakes::{choice, head};
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "store",
    words: WORDS,
    seeds,
    check,
};

/// A store that an earlier build wrote.
const STORE: &str = "engine/store/tests/formats/v1/store.db";

/// How a cell is written over; STRICT keeps types, and text may hold any bytes.
const CELLS: [&str; 8] = [
    "UPDATE jobs SET record = CAST(?1 AS TEXT) WHERE rowid = 1",
    "UPDATE journal SET event = CAST(?1 AS TEXT) WHERE sequence = 1",
    "UPDATE snapshots SET recorded = ?1 WHERE place = 1",
    "UPDATE jobs SET job = CAST(?1 AS TEXT) WHERE rowid = 1",
    "UPDATE journal SET job = CAST(?1 AS TEXT) WHERE sequence = 1",
    "UPDATE jobs SET state = CAST(?1 AS TEXT) WHERE rowid = 1",
    "UPDATE jobs SET revision = CAST(CAST(?1 AS TEXT) AS INTEGER) WHERE rowid = 1",
    "UPDATE journal SET at = CAST(CAST(?1 AS TEXT) AS INTEGER) WHERE sequence = 1",
];

/// Behind what chooses the cell: what it holds.
fn seeds() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "3local/default/orders",
        "4-/-/orders",
        "5RUNNING",
        "6-1",
        "79223372036854775807",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    for (kind, name) in [("0", "records"), ("1", "events")] {
        all.extend(seeds::stored(kind, name));
    }
    all.push(seeds::input(
        "2",
        &seeds::file("engine/store/tests/formats/v1/recording.deflate"),
    ));
    all
}

/// A folder for the store, and the file as it was, brought to today's tables once.
static FOLDER: LazyLock<(TempDir, PathBuf, Vec<u8>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::write(&path, seeds::file(STORE)).unwrap();
    drop(SqliteStore::open(&path).unwrap());
    let whole = fs::read(&path).unwrap();
    (folder, path, whole)
});

fn check(input: &[u8]) {
    let ([cell], value) = head(input);
    let (_, path, whole) = &*FOLDER;
    for beside in ["store.db-wal", "store.db-shm"] {
        drop(fs::remove_file(path.with_file_name(beside)));
    }
    fs::write(path, whole).unwrap();
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "synchronous", "off").unwrap();
    // A job's name that another row has is refused, as is one that is no number.
    if connection.execute(CELLS[choice(cell, CELLS.len())], [value]).is_err() {
        return;
    }
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        usize::try_from(connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()).unwrap()
    };
    let rows = (count("jobs"), count("journal"), count("snapshots"));
    drop(connection);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(nothing_goes_missing(rows));
}

async fn nothing_goes_missing((jobs, entries, snapshots): (usize, usize, usize)) {
    let store = SqliteStore::open(&FOLDER.1).expect("a row that does not read does not shut the store");
    let loaded = store.load(testing::at(1)).await.expect("the others load");
    assert_eq!(
        loaded.records.len() + loaded.set_aside.len(),
        jobs,
        "a record went missing"
    );
    for aside in &loaded.set_aside {
        assert!(!aside.why.is_empty());
    }
    for record in &loaded.records {
        hold::time(record.since);
    }
    let again = store.load(testing::at(2)).await.unwrap();
    assert_eq!(again.records, loaded.records, "the same the second time");
    assert!(
        again.set_aside.is_empty() && again.mended.is_empty(),
        "set aside and mended once"
    );
    let page = store
        .page(EntriesOf::Everything, Sequence(0), 1_000)
        .await
        .expect("the journal is read");
    // The end of each record that was set aside is told, where somebody could follow it.
    let told = loaded
        .set_aside
        .iter()
        .filter(|aside| JobKey::parse(&aside.job).is_some());
    assert_eq!(page.rows.len(), entries + told.count(), "an entry went missing");
    for row in &page.rows {
        match row {
            Row::Entry(entry) => hold::time(entry.at),
            Row::Unreadable(unreadable) => assert!(!unreadable.why.is_empty()),
        }
    }
    let recorded = store
        .recorded(Sequence(0), Timestamp::from_millis(i64::MIN), 1_000)
        .await
        .expect("snapshots are read");
    assert_eq!(
        recorded.read.len() + recorded.unreadable.len(),
        snapshots,
        "a snapshot went missing"
    );
}
