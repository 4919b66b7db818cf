//! A folder in a directory that this process can read. The disk may be a network's, and may hang.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_files::FileError;
use tokio::sync::Semaphore;

use super::Files;
use super::files::{MOST_FILES, too_many};
use crate::transport::{Limits, within};

/// Calls under way at once, those included that a hanging disk never ends.
const PERMITS: usize = 8;

/// A directory's files.
pub struct Directory {
    root: PathBuf,
    permits: Arc<Semaphore>,
}

impl Directory {
    /// The directory at that absolute path. It need not be there yet.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            permits: Arc::new(Semaphore::new(PERMITS)),
        }
    }

    /// Each part is one step down; what is none is refused.
    fn below(&self, path: &[&str]) -> Result<PathBuf, Fault> {
        let is_step = |part: &str| !part.is_empty() && !part.contains(['/', '\0']) && part != "." && part != "..";
        if !path.iter().all(|part| is_step(part)) {
            let text = format!("{}: such a path is not followed", self.shown(path));
            return Err(Fault::new(FaultKind::Address, text));
        }
        Ok(path.iter().fold(self.root.clone(), |folder, part| folder.join(part)))
    }

    /// Runs a call on a thread of its own, with a deadline. A thread that waits for a hanging disk cannot be called
    /// back: it keeps its permit until the disk answers, so that a lost mount costs a few threads and not all of them.
    async fn on_disk<T: Send + 'static>(
        &self,
        deadline: Duration,
        what: &str,
        call: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let permits = Arc::clone(&self.permits);
        let ended = |text: String| Fault::new(FaultKind::Connection, format!("{what}: {text}"));
        within(deadline, what, async {
            let permit = permits
                .acquire_owned()
                .await
                .map_err(|error| ended(error.to_string()))?;
            let call = tokio::task::spawn_blocking(move || {
                let _held = permit;
                call()
            });
            call.await.map_err(|error| ended(error.to_string()))?
        })
        .await
    }
}

#[async_trait]
impl Files for Directory {
    async fn read(&self, path: &[&str], limits: Limits) -> Result<Option<Bytes>, Fault> {
        let (file, root, shown) = (self.below(path)?, self.root.clone(), self.shown(path));
        let what = shown.clone();
        self.on_disk(limits.deadline, &what, move || match whole(&file, limits.max_bytes) {
            Ok(Some(content)) => Ok(Some(content.into())),
            Ok(None) => require_directory(&root).map(|()| None),
            Err(FileError::TooLarge { limit }) => Err(Fault::new(
                FaultKind::TooLarge,
                format!("{shown}: the file exceeds {limit} bytes"),
            )),
            Err(error) => Err(fault(&shown, &error.into())),
        })
        .await
    }

    async fn list(&self, path: &[&str], limits: Limits) -> Result<Vec<Vec<String>>, Fault> {
        let (folder, root, shown) = (self.below(path)?, self.root.clone(), self.shown(path));
        let what = shown.clone();
        self.on_disk(limits.deadline, &what, move || {
            let mut found = Vec::new();
            gather(&folder, &[], &mut found).map_err(|error| fault(&shown, &error))?;
            if found.len() > MOST_FILES {
                return Err(too_many(&shown));
            }
            if found.is_empty() {
                // A volume that was lost meanwhile looks empty too.
                require_directory(&root)?;
            }
            Ok(found)
        })
        .await
    }

    fn shown(&self, path: &[&str]) -> String {
        format!("file://{}/{}", self.root.display(), path.join("/"))
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// A file's content; `None` if there is no such file. Flink 2.3 may name a folder like an archive: that is no file.
fn whole(path: &Path, most: usize) -> Result<Option<Vec<u8>>, FileError> {
    match steadfast_files::read(path, most) {
        Ok(content) => Ok(Some(content)),
        Err(FileError::Io(error)) if is_missing(&error) => Ok(None),
        Err(FileError::NotRegular) if path.is_dir() => Ok(None),
        Err(error) => Err(error),
    }
}

/// That the directory itself is there, though it lacks what was asked for: one that is not there lacks nothing.
fn require_directory(root: &Path) -> Result<(), Fault> {
    let url = format!("file://{}", root.display());
    match std::fs::metadata(root) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Fault::new(FaultKind::Malformed, format!("{url} is not a directory"))),
        Err(error) if is_missing(&error) => Err(Fault::new(
            FaultKind::NotFound,
            format!("{url} does not exist; is the volume mounted?"),
        )),
        Err(error) => Err(fault(&url, &error)),
    }
}

/// The paths of all files below a folder, up to one too many. Links to folders are not followed: they may go in circles.
fn gather(folder: &Path, steps: &[String], found: &mut Vec<Vec<String>>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_missing(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path: Vec<String> = steps.iter().cloned().chain([name]).collect();
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &path, found)?;
        } else {
            found.push(path);
        }
        if found.len() > MOST_FILES {
            break;
        }
    }
    Ok(())
}

fn fault(what: &str, error: &io::Error) -> Fault {
    let kind = if error.kind() == ErrorKind::PermissionDenied {
        FaultKind::Forbidden
    } else {
        FaultKind::Connection
    };
    Fault::new(kind, format!("{what}: {error}"))
}
