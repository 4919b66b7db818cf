//! A store is restored, moved or begun anew beside what an engine that was killed has left.

use super::*;

/// A store with a backup, and the files that a kill left: the backup ends with revision 2; the file with 4, its log with 6.
async fn killed(vacuumed: bool) -> (TempDir, PathBuf) {
    let (folder, path) = folder();
    let file = |name: &str| folder.path().join(name);
    let store = SqliteStore::open(&path).unwrap();
    for n in 1..=2 {
        store.commit(AT, vec![next("a", n)].into()).await.unwrap();
    }
    let backup = file("backup.db").display().to_string();
    if !vacuumed {
        tamper(&store, &format!("VACUUM INTO '{backup}'"));
    }
    for n in 3..=6 {
        store.commit(AT, vec![next("a", n)].into()).await.unwrap();
        if n == 4 {
            tamper(&store, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }
    if vacuumed {
        tamper(&store, &format!("VACUUM INTO '{backup}'"));
    }
    fs::create_dir(file("crash")).unwrap();
    for name in ["steadfast.db", "steadfast.db-wal", "steadfast.db-shm"] {
        fs::copy(file(name), file("crash").join(name)).unwrap();
    }
    drop(store);
    let crashed = file("crash").join("steadfast.db");
    (folder, crashed)
}

async fn revision(path: &Path) -> u64 {
    let store = SqliteStore::open(path).unwrap();
    store.check().await.unwrap();
    records(&store).await.first().map_or(0, |record| record.revision)
}

fn log_set_aside(path: &Path) -> bool {
    path.with_file_name("steadfast.db-wal.set-aside").exists()
}

#[tokio::test]
async fn the_log_of_a_killed_engine_is_taken_up() {
    let (_folder, path) = killed(false).await;
    assert_eq!(revision(&path).await, 6);
    assert!(!log_set_aside(&path));
}

#[tokio::test]
async fn a_backup_beside_the_log_of_a_killed_engine_is_restored() {
    let (folder, path) = killed(false).await;
    fs::copy(folder.path().join("backup.db"), &path).unwrap();
    let said = match SqliteReader::open(&path) {
        Err(JournalError::Unusable(said)) => said,
        other => panic!("{other:?}"),
    };
    assert!(
        said.contains("steadfast.db-wal") && said.contains("move the log away"),
        "{said}"
    );
    assert_eq!(revision(&path).await, 2);
    assert!(log_set_aside(&path), "and the log is kept");
    assert_eq!(revision(&path).await, 2);
}

/// As new as the log, and with its pages in another order.
#[tokio::test]
async fn a_compacted_backup_beside_the_log_is_restored() {
    let (folder, path) = killed(true).await;
    fs::copy(folder.path().join("backup.db"), &path).unwrap();
    assert_eq!(revision(&path).await, 6);
    assert!(log_set_aside(&path));
}

/// Of a store that was compacted itself: the mark is on the same page in both, and what is on the others is not.
#[tokio::test]
async fn a_compacted_backup_of_a_compacted_store_is_restored() {
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    for n in 1..=40 {
        store
            .commit(AT, vec![started(&format!("job-{n:02}"))].into())
            .await
            .unwrap();
    }
    drop(store);
    Connection::open(&path).unwrap().execute_batch("VACUUM").unwrap();
    let store = SqliteStore::open(&path).unwrap();
    for n in 1..=40 {
        store
            .commit(AT, vec![next(&format!("job-{n:02}"), 2)].into())
            .await
            .unwrap();
    }
    let backup = folder.path().join("backup.db");
    tamper(&store, &format!("VACUUM INTO '{}'", backup.display()));
    for n in 1..=40 {
        store
            .commit(AT, vec![next(&format!("job-{n:02}"), 3)].into())
            .await
            .unwrap();
    }
    let crashed = folder.path().join("crashed.db");
    fs::copy(&backup, &crashed).unwrap();
    fs::copy(format!("{}-wal", path.display()), format!("{}-wal", crashed.display())).unwrap();
    drop(store);
    let restored = SqliteStore::open(&crashed).unwrap();
    let revisions: Vec<u64> = records(&restored).await.iter().map(|record| record.revision).collect();
    assert_eq!(revisions, vec![2; 40]);
    assert!(folder.path().join("crashed.db-wal.set-aside").exists());
    drop(restored);
    assert_eq!(
        crate::inspect(&crashed)
            .unwrap()
            .problems
            .iter()
            .filter(|one| one.place.contains("pages"))
            .count(),
        0
    );
}

#[tokio::test]
async fn another_store_beside_the_log_is_what_it_was() {
    let (folder, path) = killed(false).await;
    let other = folder.path().join("other.db");
    drop(SqliteStore::open(&other).unwrap());
    fs::copy(&other, &path).unwrap();
    assert_eq!(revision(&path).await, 0);
    assert!(log_set_aside(&path));
}

/// As under another name of the file, by which an engine went on.
#[tokio::test]
async fn an_old_log_beside_a_newer_file_is_not_laid_over_it() {
    let (folder, path) = killed(false).await;
    let store = folder.path().join("steadfast.db");
    let newer = SqliteStore::open(&store).unwrap();
    for n in 7..=8 {
        newer.commit(AT, vec![next("a", n)].into()).await.unwrap();
    }
    drop(newer);
    fs::copy(&store, &path).unwrap();
    assert_eq!(revision(&path).await, 8);
    assert!(log_set_aside(&path));
}

#[tokio::test]
async fn a_store_that_was_moved_away_does_not_come_back_out_of_its_log() {
    let (folder, path) = killed(false).await;
    fs::rename(&path, folder.path().join("moved.db")).unwrap();
    assert_eq!(revision(&path).await, 0, "a new record begins");
    assert!(log_set_aside(&path));
}

#[tokio::test]
async fn a_log_from_the_step_that_made_the_first_mark_is_taken_up() {
    let (folder, path) = folder();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/v1/store.db"), &path).unwrap();
    // As an engine that was killed before its first checkpoint: the steps stand in the log alone.
    let mut connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    schema::migrate(&mut connection).unwrap();
    let killed = folder.path().join("killed.db");
    for suffix in ["", "-wal"] {
        fs::copy(
            format!("{}{suffix}", path.display()),
            format!("{}{suffix}", killed.display()),
        )
        .unwrap();
    }
    let store = SqliteStore::open(&killed).unwrap();
    assert_eq!(records(&store).await.len(), 3);
    assert!(!folder.path().join("killed.db-wal.set-aside").exists());
}

/// A log that was written into the file is begun anew over what it had. One who is killed within a commit leaves the heads of new
/// frames over pages of old ones, with old marks.
#[tokio::test]
async fn a_kill_within_a_commit_takes_nothing_with_it_that_was_committed_before() {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4096;
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    for n in 1..=7 {
        store.commit(AT, vec![next("a", n)].into()).await.unwrap();
        if n == 5 {
            tamper(&store, "PRAGMA wal_checkpoint(PASSIVE)");
        }
    }
    let log = fs::read(format!("{}-wal", path.display())).unwrap();
    let salts = log[16..24].to_vec();
    let frames = (log.len() - HEADER) / FRAME;
    let at = |frame: usize| HEADER + frame * FRAME + 8;
    let old = (0..frames)
        .find(|frame| log[at(*frame)..at(*frame) + 8] != salts)
        .unwrap();
    assert!(frames > old + 5, "the log was not begun anew");
    for come_to in old..frames {
        let mut torn = log.clone();
        for frame in old..=come_to {
            torn[at(frame)..at(frame) + 8].copy_from_slice(&salts);
        }
        let killed = folder.path().join(format!("killed-{come_to}.db"));
        fs::copy(&path, &killed).unwrap();
        fs::write(format!("{}-wal", killed.display()), torn).unwrap();
        assert_eq!(revision(&killed).await, 7, "killed at frame {come_to}");
        assert!(
            !folder
                .path()
                .join(format!("killed-{come_to}.db-wal.set-aside"))
                .exists()
        );
    }
}
