//! The ways in which a reload is asked for, beside the API: SIGHUP, and a change of the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Reloader;
use super::files::{Files, digest, named};
use crate::config::Config;

/// For so long must nothing happen to the files before they are read: an editor or a copy may take several steps.
const QUIET: Duration = Duration::from_millis(300);
/// Files to which something happens all the time are read all the same after this many times as long.
const MAX_WAITS: u32 = 10;

/// Reloads when somebody asks for it, until it is cancelled.
pub(in crate::run) async fn follow(reloader: Arc<Reloader>, mut seen: FileSnapshot, cancel: CancellationToken) {
    let Some(config) = reloader.file.clone() else { return };
    let changed = Arc::new(Notify::new());
    let mut files = match Files::new(Arc::clone(&changed)) {
        Ok(files) => Some(files),
        Err(error) => {
            tracing::warn!("changes of files will not be seen ({error}); SIGHUP and POST /api/v1/reload still reload");
            None
        }
    };
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => Some(hangups),
        Err(error) => {
            tracing::warn!("SIGHUP will not reload ({error}); POST /api/v1/reload does");
            None
        }
    };
    // What changed while the engine started was not seen.
    changed.notify_one();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = hangup(hangups.as_mut()) => {
                seen.look(&config, files.as_mut()).await;
                // What it refuses it has told.
                drop(reloader.reload().await);
            }
            () = sleep(reloader.pause()), if reloader.tries_again() => drop(reloader.reload().await),
            () = changed.notified() => {
                debounce(&changed).await;
                if seen.look(&config, files.as_mut()).await == Seen::Changed {
                    drop(reloader.reload().await);
                }
            }
        }
    }
}

async fn hangup(hangups: Option<&mut Signal>) {
    match hangups {
        Some(hangups) => drop(hangups.recv().await),
        None => std::future::pending().await,
    }
}

/// Waits until nothing has changed for a while.
async fn debounce(changed: &Notify) {
    for _ in 0..MAX_WAITS {
        if timeout(QUIET, changed.notified()).await.is_err() {
            return;
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// The files as they were last looked at.
#[derive(Default)]
pub(in crate::run) struct FileSnapshot {
    files: Vec<PathBuf>,
    digest: [u8; 32],
}

/// What a look at the files found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Changed,
    Same,
}

impl FileSnapshot {
    /// The files from which an engine is about to be started with this configuration.
    pub(in crate::run) fn starting(file: &Path, config: &Config) -> Self {
        let files = named(file, &[]);
        let digest = digest(&files);
        match Config::load_without_modules(file) {
            Ok(same) if same == *config => Self { files, digest },
            // It has changed since it was read; the first look finds it out.
            Ok(_) | Err(_) => Self::default(),
        }
    }

    /// Looks at the files, and watches those that are named now. Each content counts once, whether it can be used or
    /// not.
    async fn look(&mut self, config: &Path, files: Option<&mut Files>) -> Seen {
        let (config, known) = (config.to_owned(), self.files.clone());
        // Watched first, so that nothing can change unseen between the two.
        let named = tokio::task::spawn_blocking(move || named(&config, &known)).await;
        let Ok(named) = named else { return Seen::Same };
        if let Some(files) = files {
            files.watch(&named);
        }
        self.files.clone_from(&named);
        let Ok(digest) = tokio::task::spawn_blocking(move || digest(&named)).await else {
            return Seen::Same;
        };
        let seen = if digest == self.digest {
            Seen::Same
        } else {
            Seen::Changed
        };
        self.digest = digest;
        seen
    }
}
