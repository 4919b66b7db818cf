//! The one door through which files that somebody named are read: regular ones, and no more of them than a limit.
//!
//! What a configuration names may be anything by the time it is read: a link to `/dev/zero` has no end, a pipe waits for a
//! writer who never comes, and a sparse file of three gigabytes costs its maker nothing.

use std::fs::File;
use std::io::{self, Read, Take};
use std::path::Path;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system does not let it be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a directory, a device, a pipe or a socket.
    #[error("it is no regular file")]
    NotRegular,
    /// It holds more than it may.
    #[error("it holds more than {limit} bytes")]
    TooLarge {
        /// What it may hold, in bytes.
        limit: usize,
    },
}

/// Opens a file that holds no more than `limit` bytes. Of one that grows while it is read no more is given. Fails without
/// waiting for anybody.
pub fn open(path: &Path, limit: usize) -> Result<Take<File>, FileError> {
    // Before it is opened: some devices do something when they are.
    if !std::fs::metadata(path)?.is_file() {
        return Err(FileError::NotRegular);
    }
    let file = open_at_once(path)?;
    // It may have been replaced in between.
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(FileError::NotRegular);
    }
    if found.len() > limit as u64 {
        return Err(FileError::TooLarge { limit });
    }
    Ok(file.take(limit as u64 + 1))
}

/// Reads a file that holds no more than `limit` bytes.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    open(path, limit)?.read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(FileError::TooLarge { limit });
    }
    Ok(bytes)
}

/// Opens a file without waiting for whoever is at the other end, should it be a pipe by now.
#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let at_once = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(at_once).open(path)
}

#[cfg(not(unix))]
fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"four");
        assert!(matches!(read(&path, 3), Err(FileError::TooLarge { limit: 3 })));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(read(&link, 4).unwrap(), b"four", "a ConfigMap's files are links");
    }

    #[test]
    fn what_has_no_end_or_no_beginning_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let link = |name: &str, to: &str| {
            let path = folder.path().join(name);
            std::os::unix::fs::symlink(to, &path).unwrap();
            path
        };
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        for path in [link("zero", "/dev/zero"), pipe, folder.path().to_owned()] {
            assert!(
                matches!(read(&path, 10), Err(FileError::NotRegular)),
                "{}",
                path.display()
            );
        }
        assert!(matches!(read(&link("gone", "nowhere"), 10), Err(FileError::Io(_))));
    }

    #[test]
    fn a_sparse_file_is_refused_by_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(3 << 40).unwrap();
        assert!(matches!(open(&path, 1 << 20), Err(FileError::TooLarge { .. })));
    }
}
