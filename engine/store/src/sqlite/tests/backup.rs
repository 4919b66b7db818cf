//! Copies that are taken beside an engine, and what is refused.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::{back_up, back_up_into, inspect};

/// A store that is open, with a record in its log alone.
async fn at_work() -> (TempDir, PathBuf, SqliteStore) {
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    for n in 1..=3 {
        store.commit(AT, vec![next("a", n)].into()).await.unwrap();
    }
    store.advance_sink("hook", Sequence(2)).await.unwrap();
    (folder, path, store)
}

fn refused(path: &Path, to: &Path) -> String {
    match back_up(path, to) {
        Err(JournalError::Unusable(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_copy_has_what_was_committed_and_the_store_goes_on() {
    let (folder, path, store) = at_work().await;
    let before = names(&folder);
    let to = folder.path().join("backup.db");
    let found = back_up(&path, &to).unwrap();
    assert_eq!((found.records, found.entries), (1, 3));
    assert_eq!(found.problems, inspect(&path).unwrap().problems);
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    store.commit(AT, vec![next("a", 4)].into()).await.unwrap();
    store.check().await.unwrap();
    let mut streamed = Vec::new();
    let found = back_up_into(&path, &mut streamed).unwrap();
    assert_eq!(found.entries, 4);
    assert_eq!(names(&folder), [&["backup.db".to_owned()], &*before].concat());
    drop(store);
    let again = folder.path().join("streamed.db");
    fs::write(&again, streamed).unwrap();
    for (copy, revision) in [(to, 3), (again, 4)] {
        let restored = SqliteStore::open(&copy).unwrap();
        assert_eq!(records(&restored).await[0].revision, revision);
        assert_eq!(restored.sink_cursor("hook").await.unwrap(), Some(Sequence(2)));
        restored.check().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_written_over_and_no_log_is_laid_over_a_copy() {
    let (folder, path, store) = at_work().await;
    let to = folder.path().join("backup.db");
    fs::write(&to, "kept").unwrap();
    assert!(refused(&path, &to).contains("is there already"));
    assert!(refused(&path, &path).contains("is there already"));
    assert_eq!(fs::read(&to).unwrap(), b"kept");
    fs::rename(&to, folder.path().join("other.db-wal")).unwrap();
    let other = refused(&path, &folder.path().join("other.db"));
    assert!(other.contains("other.db-wal is there already"), "{other}");
    drop(store);
    // Where no log is, as of an engine that has ended.
    let log = refused(&path, &folder.path().join("steadfast.db-wal"));
    assert!(log.contains("stands beside the store"), "{log}");
    let nowhere = refused(&path, &folder.path().join("gone/backup.db"));
    assert!(nowhere.contains("make its folder"), "{nowhere}");
    assert!(!names(&folder).iter().any(|name| name.contains("partial")));
}

#[tokio::test]
async fn what_a_killed_backup_left_is_told_from_one_that_is_under_way() {
    let (folder, path, _store) = at_work().await;
    let (to, partial) = (folder.path().join("b.db"), folder.path().join("b.db.partial"));
    fs::write(&partial, "half a copy").unwrap();
    set_permissions(&partial, Permissions::from_mode(0o644)).unwrap();
    let other = fs::File::open(&partial).unwrap();
    other.lock().unwrap();
    assert!(refused(&path, &to).contains("another backup"));
    assert_eq!(fs::read(&partial).unwrap(), b"half a copy");
    drop(other);
    back_up(&path, &to).unwrap();
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!partial.exists());
    // Whoever may write to the folder does not say which file is emptied.
    let treasure = folder.path().join("treasure");
    fs::write(&treasure, "kept").unwrap();
    symlink(&treasure, folder.path().join("c.db.partial")).unwrap();
    assert!(refused(&path, &folder.path().join("c.db")).contains("cannot write"));
    assert_eq!(fs::read(&treasure).unwrap(), b"kept");
}

#[tokio::test]
async fn of_what_is_no_whole_store_there_is_no_copy() {
    let (folder, path, store) = at_work().await;
    for n in 1..=40 {
        let job = started(&format!("job-{n:02}"));
        store.commit(AT, vec![job].into()).await.unwrap();
    }
    drop(store);
    let at = |name: &str| folder.path().join(name);
    fs::write(at("text.db"), "not a database").unwrap();
    fs::copy(&path, at("newer.db")).unwrap();
    let newer = Connection::open(at("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    newer.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[end / 2..].fill(0x5a);
    fs::write(at("torn.db"), bytes).unwrap();
    for (store, why) in [
        ("text.db", "is no Steadfast store"),
        ("newer.db", "has schema version 99"),
        ("torn.db", "is not a usable Steadfast store"),
        ("gone.db", "there is no file"),
    ] {
        let said = refused(&at(store), &at("backup.db"));
        assert!(said.contains(why), "{store}: {said}");
        assert!(
            !at("backup.db").exists() && !at("backup.db.partial").exists(),
            "{store}"
        );
    }
}

/// The index of a table that tells other rows than the table: SQLite copies both as they are.
#[tokio::test]
async fn a_copy_that_is_not_whole_is_no_backup() {
    let (folder, path, store) = at_work().await;
    drop(store);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "PRAGMA writable_schema = ON;
             CREATE INDEX extra ON journal (job);
             UPDATE sqlite_schema SET sql = 'CREATE INDEX extra ON journal (kind)' WHERE name = 'extra';",
        )
        .unwrap();
    connection.close().unwrap();
    let said = refused(&path, &folder.path().join("backup.db"));
    assert!(said.contains("no backup was made"), "{said}");
    assert!(!folder.path().join("backup.db").exists());
}

struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error_and_leaves_nothing_behind() {
    let (folder, path, _store) = at_work().await;
    let before = names(&folder);
    let broken = back_up_into(&path, &mut Full).unwrap_err();
    assert!(
        broken.to_string().contains("could not be written out whole"),
        "{broken}"
    );
    assert_eq!(names(&folder), before);
}
