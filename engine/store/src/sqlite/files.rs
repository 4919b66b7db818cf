//! A store is three files: the database, its write-ahead log, and the log's index. And the lock beside them.

use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use steadfast_core::journal::JournalError;
use steadfast_crash_points::CrashPoint;

/// For the owner alone: a record holds names, labels and the texts of exceptions.
pub(super) const PRIVATE: u32 = 0o600;

/// The file beside the store, or instead of it while it is made.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Where SQLite itself sees the file: its log is beside what a symbolic link leads to.
pub(super) fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Which file it is, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Inode {
    device: u64,
    number: u64,
}

impl From<&Metadata> for Inode {
    fn from(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            number: file.ino(),
        }
    }
}

/// Creates a file that its owner alone can read, or opens the one that is there.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(PRIVATE);
    options.open(path)
}

/// Takes from everybody what everybody could read: stores were once made with the process's usual mode. What a group may read
/// was somebody's choice and stays.
pub(super) fn narrow(path: &Path) {
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        let Ok(metadata) = fs::metadata(&file) else { continue };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o007 == 0 {
            continue;
        }
        match fs::set_permissions(&file, Permissions::from_mode(PRIVATE)) {
            Ok(()) => tracing::info!(
                file = %file.display(),
                "everybody could read the store (mode {mode:o}); now its owner alone can (600). For a group, chmod it to 640"
            ),
            Err(error) => tracing::warn!(
                file = %file.display(),
                "everybody can read the store (mode {mode:o}), and that could not be changed: {error}; chmod it to 600"
            ),
        }
    }
}

/// Renames a log that is not the file's, so that SQLite does not lay it over the file. Says what it is called now.
pub(super) fn set_aside(path: &Path, log: &Path) -> Result<PathBuf, JournalError> {
    let mut name = beside(log, ".set-aside");
    let mut number = 1;
    while name.exists() {
        number += 1;
        name = beside(log, &format!(".set-aside-{number}"));
    }
    fs::rename(log, &name).map_err(|error| unreachable(log, &error))?;
    CrashPoint::LogSetAside.reach();
    // The index is of the log alone, and is made anew.
    match fs::remove_file(beside(path, "-shm")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unreachable(log, &error)),
        Ok(()) | Err(_) => Ok(name),
    }
}

/// Refuses what is no file on a disk: to open a pipe would wait for whoever writes to it, and a device never ends.
pub(super) fn must_be_regular(path: &Path) -> Result<(), JournalError> {
    let kind = fs::metadata(path)
        .map_err(|error| unreachable(path, &error))?
        .file_type();
    if kind.is_file() {
        return Ok(());
    }
    Err(JournalError::Unusable(format!(
        "{} is {}, and a store is a file on a local disk; correct store.url",
        path.display(),
        name_of(kind)
    )))
}

fn name_of(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Copies a file whole and durably, or leaves no copy.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), JournalError> {
    let copied = fs::copy(from, to).and_then(|_| OpenOptions::new().write(true).open(to)?.sync_all());
    copied.map_err(|error| {
        // Half a copy would pass for one.
        drop(fs::remove_file(to));
        unreachable(to, &error)
    })
}

/// A file that could not be reached, with the fix.
pub(super) fn unreachable(path: &Path, error: &io::Error) -> JournalError {
    let kind = error.kind();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if kind == io::ErrorKind::NotFound && folder.is_none_or(Path::is_dir) {
        return JournalError::Unusable(format!(
            "there is no file {}; name the one that is meant in store.url, or with --store sqlite://PATH",
            path.display()
        ));
    }
    let fix = if kind == io::ErrorKind::NotFound {
        "create its folder or correct store.url"
    } else if kind == io::ErrorKind::PermissionDenied || kind == io::ErrorKind::ReadOnlyFilesystem {
        "let the engine's user write to the folder, or name another one in store.url"
    } else if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        "make room on its disk"
    } else {
        "correct store.url"
    };
    JournalError::Unusable(format!("cannot open {}: {error}; {fix}", path.display()))
}
