//! The same again, each time one of some files has changed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Notify;

use super::super::super::{Failure, printer, told};
use crate::run::{Files, digest};

/// How long nothing may happen to the files before they are read: a build writes a module piece by piece.
const SETTLES: Duration = Duration::from_millis(200);

/// Does it at once, and again after each change of what the files hold. What fails is told and waits for the next change, save that
/// nobody reads standard output any more, which ends it.
pub(super) async fn each_time(
    files: Vec<PathBuf>,
    mut again: impl FnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let changed = Arc::new(Notify::new());
    let mut watcher = Files::new(Arc::clone(&changed)).context("changes of files cannot be seen")?;
    watcher.watch(&files);
    loop {
        let read = digest(&files);
        match again() {
            Err(Failure::Unread) => return Err(Failure::Unread),
            outcome => drop(told(outcome)),
        }
        printer::note("waiting for a change of the module or the snapshot; Ctrl-C ends it");
        while digest(&files) == read {
            changed.notified().await;
            while tokio::time::timeout(SETTLES, changed.notified()).await.is_ok() {}
        }
    }
}
