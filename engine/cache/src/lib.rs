//! A folder of files that only their owner could have written: what is read from it may be trusted as far as the user is.

// Tests read what they have written.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder to which nobody but its owner may write.
#[derive(Clone, Debug)]
pub struct PrivateFolder {
    dir: PathBuf,
}

impl PrivateFolder {
    /// The folder at that path, which is made, with mode 0700, when something is first written.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Where a file is, or would be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The content of a file. `None` if there is no such file, if it is no regular one or holds more than `limit` bytes, or if others may
    /// write to the folder.
    pub fn read(&self, name: &str, limit: usize) -> Option<Vec<u8>> {
        if !is_private(&self.dir) {
            return None;
        }
        steadfast_files::read(&self.path(name), limit).ok()
    }

    /// Writes a file as a whole: a reader finds what was there before, or all of the parts. Fails if others may write
    /// to the folder.
    pub fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        make_private(&self.dir)?;
        if !is_private(&self.dir) {
            return Err(io::Error::other("others may write to the folder; use one of mode 0700"));
        }
        // Two engines, or two tasks, may share the folder: each writes a file of its own, and the last one to finish wins.
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let draft = self.path(&format!("{name}.{}-{number}.draft", std::process::id()));
        write_all(&draft, parts)
            .and_then(|()| std::fs::rename(&draft, self.path(name)))
            .inspect_err(|_| drop(std::fs::remove_file(&draft)))
    }
}

fn write_all(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = File::create(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// Whether nobody else can put anything into the folder.
#[cfg(unix)]
fn is_private(dir: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(dir).is_ok_and(|found| found.is_dir() && found.permissions().mode() & 0o022 == 0)
}

#[cfg(unix)]
fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn is_private(_dir: &Path) -> bool {
    false
}

#[cfg(not(unix))]
fn make_private(_dir: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder() -> (tempfile::TempDir, PrivateFolder) {
        let outer = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::new(outer.path().join("steadfast"));
        (outer, folder)
    }

    fn set_mode(folder: &PrivateFolder, mode: u32) {
        std::fs::set_permissions(&folder.dir, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_written_is_read_again_and_only_the_owner_may_enter() {
        let (_outer, folder) = folder();
        assert_eq!(folder.read("a", 100), None);
        folder.write("a", &[b"one", b"two"]).unwrap();
        folder.write("a", &[b"three"]).unwrap();
        assert_eq!(folder.read("a", 5).unwrap(), b"three");
        let mode = std::fs::metadata(&folder.dir).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let left: Vec<_> = std::fs::read_dir(&folder.dir).unwrap().collect();
        assert_eq!(left.len(), 1, "a draft was left behind: {left:?}");
    }

    #[test]
    fn more_than_the_limit_is_not_read() {
        let (_outer, folder) = folder();
        folder.write("a", &[b"three"]).unwrap();
        assert_eq!(folder.read("a", 4), None);
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let (_outer, folder) = folder();
        folder.write("a", &[b"one"]).unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.path("pipe")).status();
        assert!(made.unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", folder.path("zero")).unwrap();
        for name in ["pipe", "zero"] {
            assert_eq!(folder.read(name, 100), None, "{name}");
        }
        // A copy that takes its place is a file again.
        folder.write("pipe", &[b"two"]).unwrap();
        assert_eq!(folder.read("pipe", 100).unwrap(), b"two");
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_neither_read_nor_written() {
        let (_outer, folder) = folder();
        folder.write("a", &[b"one"]).unwrap();
        set_mode(&folder, 0o777);
        assert_eq!(folder.read("a", 100), None);
        assert!(folder.write("b", &[b"two"]).is_err());
        set_mode(&folder, 0o755);
        assert_eq!(folder.read("a", 100).unwrap(), b"one");
        assert_eq!(folder.read("b", 100), None);
    }
}
