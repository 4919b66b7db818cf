//! A copy of a store as it is at one moment, beside the engine that goes on writing.
//!
//! SQLite reads what it copies in one transaction (`VACUUM INTO`), with all that stands in the log alone, and holds up nobody who
//! writes. The copy has its name when it is whole, looked through, and on the disk; until then it has another one, which is
//! locked, so that what a backup left that was killed is told from one that is under way.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Seek as _, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use steadfast_core::journal::JournalError;
use steadfast_crash_points::CrashPoint;

use super::SqliteFailure;
use super::files::{Inode, PRIVATE, beside, real};
use super::inspect::{Inspection, inspect};
use super::opening::{open_to_read, unchecked};
use crate::refusal::failed;

/// What the copy is called until it is whole.
const PARTIAL: &str = ".partial";
/// What stands beside a store under its name.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ".lock"];

/// Copies a store to a file that is not there yet, for its owner alone. An engine may be running on it; nothing of it is locked or
/// changed.
///
/// Fails without a copy, as where the pages of what was copied are damaged. What is wrong with single rows is copied, and told.
pub fn back_up(path: &Path, to: &Path) -> Result<Inspection, JournalError> {
    must_be_free(to)?;
    let mut copy = Partial::begin(beside(to, PARTIAL))?;
    let found = copy.fill(path)?;
    CrashPoint::BackupWritten.reach();
    copy.name(to)?;
    CrashPoint::BackupNamed.reach();
    Ok(found)
}

/// The same, into a stream: the copy stands beside the store for as long as it is made, and has no name while it is read.
pub fn back_up_into(path: &Path, out: &mut dyn Write) -> Result<Inspection, JournalError> {
    let mut copy = Partial::begin(beside(&real(path), ".backup.partial"))?;
    let found = copy.fill(path)?;
    let mut file = copy.without_a_name()?;
    let copied = file.rewind().and_then(|()| io::copy(&mut file, out));
    copied
        .and_then(|_| out.flush())
        .map_err(|error| failed("the copy could not be written out whole", error))?;
    Ok(found)
}

/// A backup is not written over, nor made where SQLite would lay a log over it or take it for one.
fn must_be_free(to: &Path) -> Result<(), JournalError> {
    let there = ["", "-wal", "-journal"].map(|suffix| beside(to, suffix));
    if let Some(there) = there.iter().find(|file| file.symlink_metadata().is_ok()) {
        return Err(JournalError::Unusable(format!(
            "{} is there already, and a backup is not written over; move it away, or name another file",
            there.display()
        )));
    }
    let text = to.as_os_str().to_string_lossy();
    let of = BESIDE.iter().find_map(|suffix| text.strip_suffix(suffix));
    match of.filter(|store| Path::new(store).is_file()) {
        Some(store) => Err(JournalError::Unusable(format!(
            "{} is the name of what stands beside the store {store}; name another file",
            to.display()
        ))),
        None => Ok(()),
    }
}

/// A copy that is not whole yet. It goes with this value, unless it was given its name.
struct Partial {
    path: PathBuf,
    /// Locked. To close it would take SQLite's own locks, so it outlives the connections.
    file: Option<File>,
}

impl Partial {
    /// An empty file of ours alone; what a backup left there that was killed is overwritten.
    fn begin(path: PathBuf) -> Result<Self, JournalError> {
        // SQLite takes a text that begins with `file:` for an address.
        let path = std::path::absolute(&path).map_err(|error| unwritable(&path, &error))?;
        let mut options = OpenOptions::new();
        options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(PRIVATE);
        // Else a link would say which file is emptied, and a pipe would be waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
        let file = options.open(&path).map_err(|error| unwritable(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(under_way(&path)),
            Err(TryLockError::Error(error)) => return Err(unwritable(&path, &error)),
        }
        let look = || io::Result::Ok((file.metadata()?, path.symlink_metadata()?));
        let (opened, named) = look().map_err(|error| unwritable(&path, &error))?;
        // Between opening and locking whoever had it may have given it its name.
        if Inode::from(&opened) != Inode::from(&named) || !opened.is_file() {
            return Err(under_way(&path));
        }
        file.set_len(0)
            .and_then(|()| file.set_permissions(Permissions::from_mode(PRIVATE)))
            .map_err(|error| unwritable(&path, &error))?;
        Ok(Self { path, file: Some(file) })
    }

    /// Copies the store, looks the copy through, and waits until the disk has it.
    fn fill(&mut self, path: &Path) -> Result<Inspection, JournalError> {
        let (source, _) = open_to_read(path)?;
        self.copy(&source)
            .map_err(|error| not_copied(error, path, &self.path))?;
        drop(source);
        let found = inspect(&self.path).map_err(unchecked)?;
        if let Some(damage) = found.damage() {
            return Err(JournalError::Unusable(format!(
                "the store {} is damaged, and so is a copy of it ({damage}): no backup was made. `steadfast store check` says more, \
                 `steadfast store repair` tries to mend it, after a copy of the files",
                path.display()
            )));
        }
        let synced = self.file.as_ref().map_or(Ok(()), File::sync_all);
        synced.map_err(|error| unwritable(&self.path, &error))?;
        Ok(found)
    }

    fn copy(&self, source: &Connection) -> rusqlite::Result<()> {
        let to = self.path.to_str().ok_or_else(|| {
            let why = "its name is no UTF-8".to_owned();
            rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN), Some(why))
        })?;
        source.execute("VACUUM INTO ?1", [to]).map(drop)
    }

    /// Gives it the name, if nobody has taken it meanwhile, and waits until the disk has that too.
    fn name(mut self, to: &Path) -> Result<(), JournalError> {
        let named = match renameat_with(CWD, &self.path, CWD, to, RenameFlags::NOREPLACE) {
            // The file system does not know how to, or the kernel does not.
            Err(Errno::INVAL | Errno::NOSYS) => must_be_free(to).map(|()| fs::rename(&self.path, to))?,
            named => named.map_err(io::Error::from),
        };
        named.map_err(|error| unwritable(to, &error))?;
        self.file = None;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(|error| unwritable(to, &error))
    }

    /// The copy, which is gone when it is closed.
    fn without_a_name(mut self) -> Result<File, JournalError> {
        fs::remove_file(&self.path).map_err(|error| unwritable(&self.path, &error))?;
        self.file.take().ok_or_else(|| under_way(&self.path))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.file.is_some() {
            drop(fs::remove_file(&self.path));
        }
    }
}

fn under_way(partial: &Path) -> JournalError {
    JournalError::Unusable(format!(
        "{} is being written by another backup; wait for its end, or name another file",
        partial.display()
    ))
}

/// Why SQLite made no copy.
fn not_copied(error: rusqlite::Error, path: &Path, partial: &Path) -> JournalError {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::PermissionDenied,
        ) => JournalError::Unusable(format!(
            "cannot copy the store {} to {}: {error}; make room on its disk, or name a file on another one. No backup was made",
            path.display(),
            partial.display()
        )),
        Some(_) | None => SqliteFailure::from(error).explain("cannot copy", path),
    }
}

/// Why there is no copy at that place, with the fix.
fn unwritable(file: &Path, error: &io::Error) -> JournalError {
    let kind = error.kind();
    let fix = if kind == ErrorKind::NotFound {
        "make its folder, or name another one"
    } else if [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem].contains(&kind) {
        "name a folder in which the user that runs this command may write"
    } else if [ErrorKind::StorageFull, ErrorKind::QuotaExceeded].contains(&kind) {
        "make room on its disk, or name a file on another one"
    } else if kind == ErrorKind::AlreadyExists {
        "a backup is not written over; move it away, or name another file"
    } else {
        "name another file"
    };
    JournalError::Unusable(format!(
        "cannot write {}: {error}; {fix}. No backup was made",
        file.display()
    ))
}
