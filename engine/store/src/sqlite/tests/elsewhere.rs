//! Who else has the file, and what becomes of it while it is open.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use steadfast_core::error_chain::error_chain;

use super::*;

#[tokio::test]
async fn one_process_has_a_store_whatever_the_path_to_it() {
    let (folder, path) = folder();
    let first = SqliteStore::open(&path).unwrap();
    let link = folder.path().join("link.db");
    symlink(&path, &link).unwrap();
    let hard = folder.path().join("hard.db");
    fs::hard_link(&path, &hard).unwrap();
    let inner = folder.path().join("inner");
    symlink(folder.path(), &inner).unwrap();
    fs::remove_file(folder.path().join("steadfast.db.lock")).unwrap();
    for other in [path.clone(), link.clone(), hard.clone(), inner.join("steadfast.db")] {
        assert!(refusal(&other).contains("in use"), "{}", other.display());
    }
    // Nothing of what was tried has cost the first one its own locks.
    first.commit(AT, vec![started("a")].into()).await.unwrap();
    drop(first);
    let second = SqliteStore::open(&link).unwrap();
    assert_eq!(records(&second).await.len(), 1);
    assert!(refusal(&path).contains("in use"));
}

/// A build from before the file itself was locked knows the lock beside it.
#[test]
fn a_store_is_held_by_the_lock_beside_it_too() {
    let (folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    let beside = fs::File::open(folder.path().join("steadfast.db.lock")).unwrap();
    beside.try_lock().unwrap();
    assert!(refusal(&path).contains("in use"));
}

#[test]
fn a_store_is_its_owners_alone() {
    let (folder, path) = folder();
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    let set = |name: &str, mode| {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let store = SqliteStore::open(&path).unwrap();
    for name in [
        "steadfast.db",
        "steadfast.db-wal",
        "steadfast.db-shm",
        "steadfast.db.lock",
    ] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    drop(store);
    // As stores were made once.
    set("steadfast.db", 0o644);
    let store = SqliteStore::open(&path).unwrap();
    for name in ["steadfast.db", "steadfast.db-wal", "steadfast.db-shm"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    drop(store);
    set("steadfast.db", 0o640);
    let _store = SqliteStore::open(&path).unwrap();
    assert_eq!(
        mode("steadfast.db"),
        0o640,
        "what a group may read was somebody's choice"
    );
}

/// What a commit and a check say.
async fn refused(store: &SqliteStore) -> String {
    let committed = store.commit(AT, vec![started("late")].into()).await.unwrap_err();
    let checked = store.check().await.unwrap_err();
    for error in [&committed, &checked] {
        assert!(matches!(error, JournalError::Failed { .. }), "it may pass: {error:?}");
    }
    assert_eq!(error_chain(&committed), error_chain(&checked));
    assert!(store.load(AT).await.is_err(), "nor is it read");
    error_chain(&committed)
}

async fn three_commits(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(path).unwrap();
    for n in 1..=3 {
        store.commit(AT, vec![next("a", n)].into()).await.unwrap();
    }
    store
}

#[tokio::test]
async fn a_file_that_was_renamed_is_written_again_when_it_is_back() {
    let (folder, path) = folder();
    let store = three_commits(&path).await;
    let moved = folder.path().join("moved.db");
    fs::rename(&path, &moved).unwrap();
    let said = refused(&store).await;
    assert!(
        said.contains("steadfast.db") && said.contains("deleted or renamed"),
        "{said}"
    );
    fs::rename(&moved, &path).unwrap();
    store.check().await.unwrap();
    store.commit(AT, vec![next("a", 4)].into()).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(records(&store).await[0].revision, 4);
}

#[tokio::test]
async fn a_renamed_file_has_everything_once_the_engine_has_ended() {
    let (folder, path) = folder();
    let store = three_commits(&path).await;
    let moved = folder.path().join("moved.db");
    fs::rename(&path, &moved).unwrap();
    refused(&store).await;
    drop(store);
    let store = SqliteStore::open(&moved).unwrap();
    assert_eq!(records(&store).await[0].revision, 3);
}

#[tokio::test]
async fn a_file_that_was_replaced_is_not_written_and_the_copy_goes_on_with_its_log() {
    let (folder, path) = folder();
    let store = three_commits(&path).await;
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    fs::rename(&copy, &path).unwrap();
    let said = refused(&store).await;
    assert!(said.contains("another file is in its place"), "{said}");
    drop(store);
    // The copy is of the time of the log: nothing is lost.
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(records(&store).await[0].revision, 3);
}

#[tokio::test]
async fn a_file_that_was_cut_or_overwritten_is_not_written_again() {
    let cut = |path: &Path, _: &Path| {
        fs::OpenOptions::new()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(4096)
            .unwrap()
    };
    let garbage = |path: &Path, _: &Path| fs::write(path, b"hello".repeat(9000)).unwrap();
    let older = |path: &Path, backup: &Path| assert!(fs::copy(backup, path).unwrap() > 0);
    let other = |path: &Path, backup: &Path| {
        let other = backup.with_extension("other");
        drop(SqliteStore::open(&other).unwrap());
        fs::copy(&other, path).unwrap();
    };
    type Tampering<'t> = &'t dyn Fn(&Path, &Path);
    let cases: [(&str, Tampering<'_>, &str); 4] = [
        ("cut", &cut, "truncated or overwritten"),
        ("garbage", &garbage, "truncated or overwritten"),
        ("older", &older, "overwritten by an older copy"),
        ("other", &other, "overwritten by the store"),
    ];
    for (name, tampering, says) in cases {
        let (folder, path) = folder();
        let backup = folder.path().join("backup.db");
        drop(three_commits(&path).await);
        fs::copy(&path, &backup).unwrap();
        // Some of it in the file itself, and some in the log.
        let store = SqliteStore::open(&path).unwrap();
        store.commit(AT, vec![next("a", 4)].into()).await.unwrap();
        tamper(&store, "PRAGMA wal_checkpoint(TRUNCATE)");
        store.commit(AT, vec![next("a", 5)].into()).await.unwrap();
        tampering(&path, &backup);
        let said = refused(&store).await;
        assert!(said.contains(says), "{name}: {said}");
        let tampered = fs::read(&path).unwrap();
        // What SQLite has read meanwhile may be of either: it is not trusted again.
        assert!(refused(&store).await.contains(says));
        drop(store);
        assert_eq!(fs::read(&path).unwrap(), tampered, "{name}: the log was laid over it");
        if name == "older" {
            // The restored copy is what counts from here on.
            let store = SqliteStore::open(&path).unwrap();
            assert_eq!(records(&store).await[0].revision, 3);
            assert!(folder.path().join("steadfast.db-wal.set-aside").exists());
        }
    }
}

#[tokio::test]
async fn a_log_that_was_deleted_is_noticed_and_what_it_held_is_written_at_the_end() {
    let (folder, path) = folder();
    let store = three_commits(&path).await;
    fs::remove_file(folder.path().join("steadfast.db-wal")).unwrap();
    let said = refused(&store).await;
    assert!(
        said.contains("steadfast.db-wal") && said.contains("restart the engine"),
        "{said}"
    );
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(records(&store).await[0].revision, 3);
}

/// It moves the page of the mark, which is no tampering.
#[tokio::test]
async fn a_vacuum_from_outside_is_nothing_to_complain_of() {
    let (_folder, path) = folder();
    let store = three_commits(&path).await;
    let shell = Connection::open(&path).unwrap();
    shell.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    store.check().await.unwrap();
    store.commit(AT, vec![next("a", 4)].into()).await.unwrap();
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_lock_from_outside_is_named_and_not_waited_for_by_everybody_in_turn() {
    let (_folder, path) = folder();
    let store = std::sync::Arc::new(three_commits(&path).await);
    let shell = Connection::open(&path).unwrap();
    shell.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let probes: Vec<_> = (0..40)
        .map(|_| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move { error_chain(&store.check().await.unwrap_err()) })
        })
        .collect();
    let mut tries = std::collections::BTreeSet::new();
    for probe in probes {
        let said = probe.await.unwrap();
        assert!(said.contains("another process has locked it"), "{said}");
        tries.insert(said);
    }
    let began = store.tried.lock().await.as_ref().unwrap().began;
    let tried_again = store.check().await.is_err() && store.tried.lock().await.as_ref().unwrap().began > began;
    assert!(tried_again, "one who asks later is answered by a try of its own");
    shell.execute_batch("ROLLBACK").unwrap();
    store.check().await.unwrap();
}
