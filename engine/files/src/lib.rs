//! The one door through which files that somebody named are read: regular ones, and no more of them than a limit.
//!
//! What a configuration names may be anything by the time it is read: a link to `/dev/zero` has no end, a pipe waits for a
//! writer who never comes, and a sparse file of three gigabytes costs its maker nothing. What was a regular file when it was
//! checked need not be one when it is read again, so each reading goes through here. The other ways to read a file are
//! refused by Clippy in the crates that know names of files (`clippy.toml` beside this crate's manifest).

// The one place that may, and tests, which read what they have written.
#![allow(clippy::disallowed_methods)]

use std::fs::File;
use std::io::{self, Read, Take};
use std::path::Path;

/// The most that a file with a secret, a key or certificates holds, in bytes. The authorities of a whole system have a quarter of
/// it.
pub const SMALL: usize = 1 << 20;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system does not let it be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a directory, a device, a pipe or a socket.
    #[error("it is no regular file")]
    NotRegular,
    /// It was to be text.
    #[error("it is not UTF-8")]
    NotText,
    /// It holds more than it may.
    #[error("it holds more than {limit} bytes")]
    TooLarge {
        /// What it may hold, in bytes.
        limit: usize,
    },
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(error) => error,
            FileError::NotRegular | FileError::NotText | FileError::TooLarge { .. } => {
                Self::new(io::ErrorKind::InvalidData, error)
            }
        }
    }
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
    let mut file = open(path, limit)?;
    // As large as it is: a vector that grows holds half as much again, and twice as much while it is moved.
    let length = usize::try_from(file.get_ref().metadata()?.len()).unwrap_or(limit);
    let mut bytes = Vec::with_capacity(length.min(limit).saturating_add(1));
    file.read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(FileError::TooLarge { limit });
    }
    Ok(bytes)
}

/// Reads a text of no more than `limit` bytes.
pub fn read_text(path: &Path, limit: usize) -> Result<String, FileError> {
    String::from_utf8(read(path, limit)?).map_err(|_| FileError::NotText)
}

/// [`read`], on a thread that may wait for a slow disk.
pub async fn read_apart(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read(&path, limit)).await;
    read.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

/// [`read_text`], on a thread that may wait for a slow disk.
pub async fn read_text_apart(path: &Path, limit: usize) -> Result<String, FileError> {
    let bytes = read_apart(path, limit).await?;
    String::from_utf8(bytes).map_err(|_| FileError::NotText)
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

    #[tokio::test]
    async fn text_is_text_and_an_error_says_what_it_is_in_any_type() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, [b'a', 0xff]).unwrap();
        assert!(matches!(read_text(&path, 9), Err(FileError::NotText)));
        assert!(matches!(read_text_apart(&path, 9).await, Err(FileError::NotText)));
        assert!(matches!(
            read_apart(&path, 1).await,
            Err(FileError::TooLarge { limit: 1 })
        ));
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read_text_apart(&path, 9).await.unwrap(), "text");
        assert_eq!(
            io::Error::from(FileError::NotRegular).to_string(),
            "it is no regular file"
        );
        let gone = read(&folder.path().join("gone"), 9).map_err(io::Error::from);
        assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_sparse_file_is_refused_by_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(3 << 40).unwrap();
        assert!(matches!(open(&path, 1 << 20), Err(FileError::TooLarge { .. })));
    }
}
