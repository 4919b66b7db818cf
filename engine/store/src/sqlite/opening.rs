//! Opening a store's file: what is ours is taken, anything else is refused, named and left as it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use steadfast_core::journal::JournalError;

use super::{is_damage, schema};
use crate::refusal::failed;

/// Up to this size the whole file is checked at the start; beyond it the records alone, so that a long journal
/// does not hold the engine up. Damage elsewhere is found where it is read.
const WHOLE_CHECK: u64 = 256 * 1024 * 1024;
/// The first bytes of every SQLite file.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where `PRAGMA application_id` stands in them, big-endian.
const APPLICATION_ID_AT: usize = 68;
const HEADER: usize = 100;

/// A store that may be used.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) lock: File,
    pub(super) id: String,
}

pub(super) fn open(path: &Path) -> Result<Opened, JournalError> {
    let lock = lock(path)?;
    if path.try_exists().map_err(|error| unreachable(path, error))? {
        check_header(path)?;
    } else {
        create(path)?;
    }
    let mut connection = connect(path).map_err(|error| refused(path, &error))?;
    check_version(path, &connection)?;
    let id = take(path, &mut connection).map_err(|error| refused(path, &error))?;
    check_pages(path, &connection)?;
    Ok(Opened { connection, lock, id })
}

/// Opens a store to read from it, beside the engine that holds it. Nothing is created, migrated or locked.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, JournalError> {
    check_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| refused(path, &error))?;
    let found = check_version(path, &connection)?;
    if found < schema::VERSION {
        return Err(JournalError::Unusable(format!(
            "the store {} has schema version {found}, from before this build (version {}). It was left as it is. Run \
             the engine on it once, which brings it up to date",
            path.display(),
            schema::VERSION
        )));
    }
    // A checkpoint of the engine may be under way.
    let patient = connection.busy_timeout(std::time::Duration::from_secs(5));
    patient.map_err(|error| refused(path, &error))?;
    Ok(connection)
}

/// The file beside the store (or instead of it, while it is made).
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let lock_path = beside(path, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|error| unreachable(&lock_path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Unusable(format!(
            "the store {} is in use by another steadfast process, and a store has one writer; \
             stop that process or give this one a store of its own (store.url)",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(failed(format!("cannot lock {}", lock_path.display()), error)),
    }
}

fn unreachable(path: &Path, error: io::Error) -> JournalError {
    let kind = error.kind();
    let fix = if kind == io::ErrorKind::NotFound {
        "create its folder or correct store.url"
    } else if kind == io::ErrorKind::PermissionDenied || kind == io::ErrorKind::ReadOnlyFilesystem {
        "let the engine's user write to the folder, or name another one in store.url"
    } else {
        "correct store.url"
    };
    JournalError::Unusable(format!("cannot open {}: {error}; {fix}", path.display()))
}

/// Looks at the first bytes before SQLite touches the file. Our id is in them from the moment the file has its
/// name, since it is made under another one.
fn check_header(path: &Path) -> Result<(), JournalError> {
    let mut header = Vec::with_capacity(HEADER);
    let file = File::open(path).map_err(|error| unreachable(path, error))?;
    file.take(HEADER as u64)
        .read_to_end(&mut header)
        .map_err(|error| unreachable(path, error))?;
    if header.len() < HEADER || !header.starts_with(MAGIC) {
        return Err(damaged(path, "it does not begin like an SQLite database"));
    }
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4);
    if id == Some(&schema::APPLICATION_ID.to_be_bytes()) {
        return Ok(());
    }
    Err(JournalError::Unusable(format!(
        "{} is a database of another program, not a Steadfast store; it was left as it is. \
         Name another file in store.url",
        path.display()
    )))
}

/// Makes an empty store under another name and gives it its own when it is whole.
fn create(path: &Path) -> Result<(), JournalError> {
    let unborn = beside(path, ".creating");
    // What an engine left that ended while it made a store: never used, and we hold the lock.
    for leftover in [&unborn, &beside(&unborn, "-journal")] {
        match fs::remove_file(leftover) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreachable(leftover, error)),
        }
    }
    let made = || -> rusqlite::Result<()> {
        let mut connection = Connection::open(&unborn)?;
        schema::migrate(&mut connection)?;
        connection.close().map_err(|(_, error)| error)
    };
    made().map_err(|error| refused(path, &error))?;
    let named = || -> io::Result<()> {
        fs::rename(&unborn, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    named().map_err(|error| unreachable(path, error))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Not CREATE: what is not there any more is not made anew in passing.
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // Until the file is accepted, closing it must not write to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

fn check_version(path: &Path, connection: &Connection) -> Result<i32, JournalError> {
    let found = schema::version(connection).map_err(|error| refused(path, &error))?;
    if found <= schema::VERSION {
        return Ok(found);
    }
    Err(JournalError::Unusable(format!(
        "the store {} has schema version {found}; this build knows versions up to {}. It was left as it is. \
         Run the newer steadfast that wrote it, or name another file in store.url",
        path.display(),
        schema::VERSION
    )))
}

/// Makes the store ours: settings, migrations, identity.
fn take(path: &Path, connection: &mut Connection) -> rusqlite::Result<String> {
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Err(read_only(path));
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Waits for a backup that reads, instead of failing at once.
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
            Some(format!(
                "the file system does not allow a write-ahead log (it said `{mode}`); use a local disk"
            )),
        ));
    }
    schema::migrate(connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.query_row("SELECT id FROM store", [], |row| row.get(0))
}

fn read_only(path: &Path) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY),
        Some(format!("{} is read-only", path.display())),
    )
}

fn check_pages(path: &Path, connection: &Connection) -> Result<(), JournalError> {
    let size = fs::metadata(path).map_or(0, |file| file.len());
    let checks: &[&str] = if size <= WHOLE_CHECK {
        &["PRAGMA quick_check(1)"]
    } else {
        &["PRAGMA quick_check(jobs)", "PRAGMA quick_check(store)"]
    };
    for check in checks {
        let verdict: String = connection
            .query_row(check, [], |row| row.get(0))
            .map_err(|error| refused(path, &error))?;
        if verdict != "ok" {
            return Err(damaged(path, verdict.lines().next().unwrap_or_default()));
        }
    }
    Ok(())
}

/// Why SQLite would not have the file.
fn refused(path: &Path, error: &rusqlite::Error) -> JournalError {
    if is_damage(error) {
        return damaged(path, &error.to_string());
    }
    let fix = match error.sqlite_error_code() {
        Some(
            rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::PermissionDenied,
        ) => "let the engine's user write to the file and its folder, or name another file in store.url",
        Some(rusqlite::ErrorCode::DiskFull) => "make room on its disk",
        _ => "name another file in store.url if this persists",
    };
    JournalError::Unusable(format!("cannot use the store {}: {error}; {fix}", path.display()))
}

/// The file is not, or no longer, a store that can be read.
pub(super) fn damaged(path: &Path, what: &str) -> JournalError {
    JournalError::Unusable(format!(
        "{} is not a usable Steadfast store: {what}. It was left as it is: restore it from a backup, \
         or name another file in store.url to begin a new record",
        path.display()
    ))
}
