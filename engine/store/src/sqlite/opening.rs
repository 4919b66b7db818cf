//! Opening a store's file: what is ours is taken, anything else is refused, named and left as it is.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use steadfast_core::journal::JournalError;
use steadfast_crash_points::{CrashPoint, Transaction as Points};

use super::failure::is_damage;
use super::files::{beside, must_be_regular, narrow, open_private, real, set_aside, unreachable};
use super::guard::Guard;
use super::lock::{Lock, NameLock, is_in_use, is_ours};
use super::mark::Write;
use super::pairing::{self, Pairing};
use super::{identity, layout, schema};

/// Up to this size the whole file is checked at the start; beyond it the records alone, so that a long journal
/// does not hold the engine up. Damage elsewhere is found where it is read.
const WHOLE_CHECK: u64 = 256 * 1024 * 1024;
/// The first bytes of every SQLite file.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where `PRAGMA application_id` stands in them, big-endian.
const APPLICATION_ID_AT: usize = 68;
const HEADER: usize = 100;
/// How long the opening waits for somebody who has the file locked.
const PATIENCE: Duration = Duration::from_secs(5);
/// And how long each call of an open store: the loop waits with it, and tries again anyway. Readers lock nobody out.
const SHORT_PATIENCE: Duration = Duration::from_millis(250);

/// A store that may be used.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) guard: Guard,
    pub(super) id: String,
}

pub(super) fn open(path: &Path) -> Result<Opened, JournalError> {
    let lock = take_lock(path)?;
    let mut connection = connect(path).map_err(|error| refused(path, &error))?;
    check_version(path, &connection)?;
    take(path, &mut connection)?;
    let id = identity::known(path, &connection).map_err(|error| refused(path, &error))??;
    mend_mark(path, &mut connection)?;
    CrashPoint::StoreTaken.reach();
    check_pages(path, &connection)?;
    narrow(&real(path));
    let guard = Guard::new(path, lock, &id, &connection).map_err(|error| refused(path, &error))?;
    Ok(Opened { connection, guard, id })
}

/// Takes the file's locks; makes the file if there is none. What is beside it is its own from here on.
pub(super) fn take_lock(path: &Path) -> Result<Lock, JournalError> {
    let is_there = path.try_exists().map_err(|error| unreachable(path, &error))?;
    if is_there {
        must_be_regular(path)?;
    }
    let name = NameLock::take(path)?;
    let is_there = path.try_exists().map_err(|error| unreachable(path, &error))?;
    if !is_there {
        set_aside_orphans(path)?;
        create(path)?;
    }
    let lock = name.of_file(path)?;
    if is_there {
        check_header(path, lock.file())?;
        set_aside_foreign_log(path, lock.file())?;
    }
    if lock.file().metadata().is_ok_and(|file| file.nlink() > 1) {
        tracing::warn!(
            store = %path.display(),
            "the store has another name (a hard link), and SQLite keeps its write-ahead log by the name: always use the same one"
        );
    }
    Ok(lock)
}

/// What a file that is gone has left: a log that would be laid over the store that is about to be made.
fn set_aside_orphans(path: &Path) -> Result<(), JournalError> {
    let log = beside(path, "-wal");
    if !log.try_exists().map_err(|error| unreachable(&log, &error))? {
        return Ok(());
    }
    let kept = set_aside(path, &log)?;
    tracing::warn!(
        store = %path.display(), log = %kept.display(),
        "there is no store, and the write-ahead log of one was there: it was set aside, and a new record begins. If the \
         store was moved, it lacks what this log holds: stop the engine, and move both back under one name"
    );
    Ok(())
}

/// The log of another file, or of another time of this one.
fn set_aside_foreign_log(path: &Path, file: &File) -> Result<(), JournalError> {
    let real = real(path);
    let log = beside(&real, "-wal");
    match pairing::judge(file, &log).map_err(|error| unreachable(&log, &error))? {
        Pairing::Fits => Ok(()),
        Pairing::Foreign(why) => {
            let kept = set_aside(&real, &log)?;
            tracing::warn!(
                store = %path.display(), log = %kept.display(),
                "the write-ahead log beside the store is not of this file, as after a file was restored: {why}. It was set \
                 aside, and the record is what the file has"
            );
            Ok(())
        }
    }
}

/// Opens a store to read from it, beside the engine that holds it. Nothing is created, migrated or locked. Says which version
/// of the schema it has.
pub(super) fn open_to_read(path: &Path) -> Result<(Connection, i32), JournalError> {
    must_be_regular(path)?;
    let metadata = fs::metadata(path).map_err(|error| unreachable(path, &error))?;
    // To close a file that this process has open would take SQLite's locks from it.
    if !is_ours(&metadata) {
        let file = File::open(path).map_err(|error| unreachable(path, &error))?;
        check_header(path, &file)?;
        check_log(path, &file)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| refused(path, &error))?;
    let only_rows = only_rows(&connection);
    only_rows.map_err(|error| refused(path, &error))?;
    check_version(path, &connection)?;
    // A checkpoint of the engine may be under way.
    connection
        .busy_timeout(PATIENCE)
        .map_err(|error| refused(path, &error))?;
    let stands = layout::standing(&connection).map_err(|error| refused(path, &error))?;
    Ok((connection, stands))
}

/// Whether a file begins like a store. Nothing else of it is read, and nothing is created beside it.
pub fn recognize(path: &Path) -> Result<(), JournalError> {
    must_be_regular(path)?;
    let metadata = fs::metadata(path).map_err(|error| unreachable(path, &error))?;
    if is_ours(&metadata) {
        return Ok(());
    }
    let file = File::open(path).map_err(|error| unreachable(path, &error))?;
    check_header(path, &file)
}

/// A log that is not the file's is not read over it. While an engine writes both, they are never apart.
fn check_log(path: &Path, file: &File) -> Result<(), JournalError> {
    let log = beside(&real(path), "-wal");
    match pairing::judge(file, &log).map_err(|error| unreachable(&log, &error))? {
        Pairing::Foreign(why) if !is_in_use(path, file) => Err(JournalError::Unusable(format!(
            "the write-ahead log {} is not of the store {}: {why}. If the store was restored, move the log away; the engine \
             does so as it starts",
            log.display(),
            path.display()
        ))),
        Pairing::Foreign(_) | Pairing::Fits => Ok(()),
    }
}

/// Refuses a store that an engine has kept a record in.
pub(super) fn must_have_no_record(path: &Path) -> Result<(), JournalError> {
    if !path.try_exists().map_err(|error| unreachable(path, &error))? {
        return Ok(());
    }
    let (connection, _) = open_to_read(path)?;
    // Also if all of it was forgotten, or dropped by retention.
    let has_record: bool = connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM jobs) OR EXISTS (SELECT 1 FROM journal)
                 OR EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'journal' AND seq <> 0)",
            [],
            |row| row.get(0),
        )
        .map_err(|error| refused(path, &error))?;
    if !has_record {
        return Ok(());
    }
    Err(JournalError::Unusable(format!(
        "the store {} has the record of an engine in it, and what simulations record is kept apart from it; name another file",
        path.display()
    )))
}

/// A store from before snapshots were kept has none to read, and is brought up to date by the engine alone.
pub(super) fn must_have_snapshots(path: &Path, found: i32) -> Result<(), JournalError> {
    if found >= schema::SNAPSHOTS {
        return Ok(());
    }
    Err(JournalError::Unusable(format!(
        "the store {} has schema version {found}, from before this build (version {}). It was left as it is. Run \
         the engine on it once, which brings it up to date",
        path.display(),
        schema::VERSION
    )))
}

/// Looks at the first bytes before SQLite touches the file. Our id is in them from the moment the file has its
/// name, since it is made under another one.
fn check_header(path: &Path, mut file: &File) -> Result<(), JournalError> {
    let mut header = Vec::with_capacity(HEADER);
    file.by_ref()
        .take(HEADER as u64)
        .read_to_end(&mut header)
        .map_err(|error| unreachable(path, &error))?;
    if header.len() < HEADER || !header.starts_with(MAGIC) {
        return Err(JournalError::Unusable(format!(
            "{} is no Steadfast store: it does not begin like an SQLite database. It was left as it is. If it was a store, restore \
             it from a backup (move what is beside it, -wal and -shm, away first); else name another file in store.url",
            path.display()
        )));
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
            Err(error) => return Err(unreachable(leftover, &error)),
        }
    }
    // SQLite gives its other files the mode of this one.
    open_private(&unborn)
        .map(drop)
        .map_err(|error| unreachable(&unborn, &error))?;
    let made = || -> rusqlite::Result<()> {
        let mut connection = Connection::open(&unborn)?;
        schema::migrate(&mut connection)?;
        connection.close().map_err(|(_, error)| error)
    };
    made().map_err(|error| refused(path, &error))?;
    CrashPoint::StoreMade.reach();
    let named = || -> io::Result<()> {
        fs::rename(&unborn, path)?;
        CrashPoint::StoreNamed.reach();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    named().map_err(|error| unreachable(path, &error))
}

pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Not CREATE: what is not there any more is not made anew in passing.
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // Until the file is accepted, closing it must not write to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    only_rows(&connection)?;
    Ok(connection)
}

/// Ours are tables and indexes. A trigger would do things of its own with each write, and a view can be anything.
fn only_rows(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    Ok(())
}

pub(super) fn check_version(path: &Path, connection: &Connection) -> Result<i32, JournalError> {
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

/// Makes the store ours: settings, then migrations. Refuses tables that are not as they are made.
fn take(path: &Path, connection: &mut Connection) -> Result<(), JournalError> {
    set_up(path, connection).map_err(|error| refused(path, &error))?;
    let found = |connection: &Connection| layout::find(connection).map_err(|error| refused(path, &error));
    if found(connection)?.iter().any(layout::Flaw::hinders) {
        return Err(misshapen(path, &found(connection)?));
    }
    bring_up(connection).map_err(|error| refused(path, &error))?;
    for flaw in found(connection)? {
        tracing::warn!(
            store = %path.display(),
            "{}: {}; `steadfast store check` shows it, and `steadfast store repair` mends it", flaw.place(), flaw.what()
        );
    }
    Ok(())
}

/// Tables that no engine can go on with.
fn misshapen(path: &Path, flaws: &[layout::Flaw]) -> JournalError {
    let hinders = flaws.iter().filter(|flaw| flaw.hinders());
    let all: Vec<String> = hinders
        .map(|flaw| format!("{}: {}", flaw.place(), flaw.what()))
        .collect();
    JournalError::Unusable(format!(
        "the store {} cannot be gone on with: {}. It was left as it is: `steadfast store repair` mends it, after a copy",
        path.display(),
        all.join("; ")
    ))
}

/// A mark that is none of this store's would make the file pass for another one. The log is empty, so that nothing hangs on it.
fn mend_mark(path: &Path, connection: &mut Connection) -> Result<(), JournalError> {
    let mut done = Vec::new();
    let mut mend = || -> Result<(), super::SqliteFailure> {
        if identity::find(connection, true)?.is_empty() {
            return Ok(());
        }
        if !is_flushed(connection)? {
            return Err(read_meanwhile(path).into());
        }
        let write = Write::begin(connection, Points::SETTLE)?;
        identity::mend_mark(&write, &mut done)?;
        write.commit()?;
        // Before anything else is in the log: it is of the file by the mark that the file itself has.
        if is_flushed(connection)? {
            Ok(())
        } else {
            Err(read_meanwhile(path).into())
        }
    };
    mend().map_err(|failure| failure.explain("cannot mend the mark", path))?;
    for what in done {
        tracing::warn!(store = %path.display(), "the store was mended: {what}");
    }
    Ok(())
}

/// Writes the log into the file. Says whether all of it is there.
fn is_flushed(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(0)? == 0)
    })
}

fn read_meanwhile(path: &Path) -> JournalError {
    JournalError::Unusable(format!(
        "the store {} is being read by another process, and has to be mended first; end that process",
        path.display()
    ))
}

/// What holds for a connection that writes.
pub(super) fn set_up(path: &Path, connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Err(read_only(path));
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.busy_timeout(PATIENCE)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
            Some(format!(
                "the file system does not allow a write-ahead log (it said `{mode}`); use a local disk"
            )),
        ));
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Makes an older store one of today.
pub(super) fn bring_up(connection: &mut Connection) -> rusqlite::Result<()> {
    schema::migrate(connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    // So that the file itself has a mark, if nobody who reads keeps it from being written.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.busy_timeout(SHORT_PATIENCE)
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
pub(super) fn refused(path: &Path, error: &rusqlite::Error) -> JournalError {
    if is_damage(error) {
        return damaged(path, &error.to_string());
    }
    let fix = match error.sqlite_error_code() {
        Some(
            rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::PermissionDenied,
        ) => "let the engine's user write to the file and its folder, or name another file in store.url",
        Some(rusqlite::ErrorCode::DiskFull) => "make room on its disk",
        _ => "`steadfast store check` says more; name another file in store.url if this persists",
    };
    JournalError::Unusable(format!("cannot use the store {}: {error}; {fix}", path.display()))
}

/// The file is not, or no longer, a store that can be read.
pub(super) fn damaged(path: &Path, what: &str) -> JournalError {
    JournalError::Unusable(format!(
        "{} is not a usable Steadfast store: {what}. It was left as it is: {CHECK}{REPAIR}estore it from a backup (move what is beside \
         it, -wal and -shm, away first), or name another file in store.url to begin a new record",
        path.display()
    ))
}

const CHECK: &str = "`steadfast store check` says more, and ";
const REPAIR: &str = "`steadfast store repair` tries to mend it, after a copy. Else r";

/// As the check says it, which has no more to say.
pub(super) fn unchecked(error: JournalError) -> JournalError {
    match error {
        JournalError::Unusable(why) => JournalError::Unusable(why.replace(CHECK, "")),
        other @ (JournalError::Failed { .. } | JournalError::Refused { .. }) => other,
    }
}

/// As the repair says it, which has tried.
pub(super) fn unrepaired(error: JournalError) -> JournalError {
    let left = "`steadfast store repair` cannot mend it, and `steadfast store export` writes out what reads. R";
    match error {
        JournalError::Unusable(why) => JournalError::Unusable(why.replace(CHECK, "").replace(REPAIR, left)),
        other @ (JournalError::Failed { .. } | JournalError::Refused { .. }) => other,
    }
}
