//! Files that are looked at again when what they hold is asked for, and followed when they change.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use steadfast_core::error_chain::error_chain;
use steadfast_files::{FileError, SMALL};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// For how long files that were read count as they were. Ones that change count as they are now after that.
const FRESH: Duration = Duration::from_secs(1);
/// How long files may take to be read; meanwhile what was read before counts.
const LOOK: Duration = Duration::from_secs(1);

/// A file as it was read, or why it was not.
pub(crate) struct Text<'a> {
    pub(crate) path: &'a Path,
    pub(crate) read: Result<String, FileError>,
}

/// What is made of the content of files.
pub(crate) trait Content: Clone + Sized {
    /// Why it cannot be. Never has what the files hold.
    type Error: Error + Send + Sync + 'static;
    /// What it is called where its change is told of.
    const NAME: &'static str;

    /// Of the files, in the order in which they were named.
    fn of(files: Vec<Text<'_>>) -> Result<Self, Self::Error>;

    /// What is to be told of it though it can be used.
    fn warning(&self) -> Option<&str> {
        None
    }
}

/// Files, and what was last made of them. What cannot be used leaves in force what was there before.
#[derive(Debug)]
pub(crate) struct Followed<T> {
    paths: Vec<PathBuf>,
    held: Mutex<Held<T>>,
}

#[derive(Debug)]
struct Held<T> {
    content: T,
    digest: [u8; 32],
    looked_at: Instant,
    /// The files could not be used when they were looked at last.
    is_unfit: bool,
}

impl<T: Content> Followed<T> {
    /// Reads files for the first time. Fails if they cannot be used.
    pub(crate) fn open(paths: Vec<PathBuf>) -> Result<Self, T::Error> {
        let read = paths.iter().map(|path| steadfast_files::read_text(path, SMALL));
        let read: Vec<_> = read.collect();
        let digest = digest(&read);
        let content = T::of(texts(&paths, read))?;
        warn(&content);
        let held = Held {
            content,
            digest,
            looked_at: Instant::now(),
            is_unfit: false,
        };
        Ok(Self {
            held: Mutex::new(held),
            paths,
        })
    }

    /// What they hold now. They are looked at once a second at most.
    pub(crate) async fn current(&self) -> T {
        let mut held = self.held.lock().await;
        if held.looked_at.elapsed() < FRESH {
            return held.content.clone();
        }
        let read = timeout(LOOK, read_apart(&self.paths)).await;
        held.looked_at = Instant::now();
        // Else a disk hangs, and what was read before counts.
        if let Ok(read) = read {
            held.take(&self.paths, read);
        }
        held.content.clone()
    }
}

impl<T: Content> Held<T> {
    fn take(&mut self, paths: &[PathBuf], read: Vec<Result<String, FileError>>) {
        let digest = digest(&read);
        if digest == self.digest && !self.is_unfit {
            return;
        }
        match T::of(texts(paths, read)) {
            Ok(content) => {
                if digest != self.digest {
                    let files: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
                    tracing::info!(
                        "{} {} has changed: what is in it counts from now on",
                        T::NAME,
                        files.join(", ")
                    );
                    warn(&content);
                }
                (self.content, self.digest, self.is_unfit) = (content, digest, false);
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_unfit, true) {
                    tracing::warn!("{} of before goes on: {}", T::NAME, error_chain(&error));
                }
            }
        }
    }
}

fn warn<T: Content>(content: &T) {
    if let Some(warning) = content.warning() {
        tracing::warn!("{warning}");
    }
}

async fn read_apart(paths: &[PathBuf]) -> Vec<Result<String, FileError>> {
    let mut read = Vec::with_capacity(paths.len());
    for path in paths {
        read.push(steadfast_files::read_text_apart(path, SMALL).await);
    }
    read
}

fn texts(paths: &[PathBuf], read: Vec<Result<String, FileError>>) -> Vec<Text<'_>> {
    let texts = paths.iter().zip(read).map(|(path, read)| Text { path, read });
    texts.collect()
}

/// It differs if a file does. What is not read is no content: it is tried again, and told of once.
fn digest(read: &[Result<String, FileError>]) -> [u8; 32] {
    let mut whole = Sha256::new();
    for read in read {
        let text = read.as_deref().unwrap_or_default();
        whole.update(text.len().to_le_bytes());
        whole.update(text);
    }
    whole.finalize().into()
}
