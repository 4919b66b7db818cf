//! Tasks that somebody owns: each has a name, all of one owner end with one token, and a stop that takes too long says
//! by name what it waits for.
//!
//! A task that is merely spawned is nobody's. If it panics, nobody learns of it before it is awaited; if it does not
//! end, whoever awaits it hangs, and a person at the terminal sees a process that ignores them. [`Tasks`] is the owner
//! of what one part of the engine runs: a panic is logged when it happens, and [`Tasks::stop`] has a deadline after
//! which what is left is dropped where it stands.
//!
//! `JoinSet` was weighed: it must be polled by its owner to notice an end, and knows tasks by numbers. Tokio's own names
//! (`task::Builder`) are for its console, need `tokio_unstable`, and cannot be asked for.

mod names;
mod threads;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use names::Names;

pub use threads::try_threads;

/// How long all of a process may take to stop. Kubernetes kills 30 s after it asked (its default for
/// `terminationGracePeriodSeconds`): by then the reason must have been logged, and the process gone by itself.
pub const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// A stop that takes longer than this says what it waits for.
const SILENCE: Duration = Duration::from_secs(1);

/// The tasks of one owner; a clone is the same owner. Dropping it ends none of them: [`Tasks::stop`] does.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    names: Names,
    tracker: TaskTracker,
    cancel: CancellationToken,
    /// Ends tasks that did not end by themselves, at their next `await`.
    cut_off: CancellationToken,
}

/// A stop whose deadline passed. The tasks are dropped, but for what blocks a thread.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("still running at the deadline of the stop, and cut off: {}", tasks.join(", "))]
pub struct StillRunning {
    /// The names of the tasks, in the order in which they were spawned.
    pub tasks: Vec<String>,
}

impl Tasks {
    /// The token that tells all of them to end.
    pub fn token(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Runs `work` until it ends by itself, which it should do soon after [`Tasks::token`] is cancelled. The name is for
    /// people who read of a stop that hangs: what it does, and for whom.
    pub fn spawn(&self, name: impl Into<String>, work: impl Future<Output = ()> + Send + 'static) {
        let entry = self.names.enter(name.into());
        let cut_off = self.cut_off.clone();
        self.tracker.spawn(async move {
            let _entry = entry;
            // Whether it was cut off is told by `stop`.
            let _ = cut_off.run_until_cancelled_owned(work).await;
        });
    }

    /// The names of those that run, in the order in which they were spawned.
    pub fn running(&self) -> Vec<String> {
        self.names.all()
    }

    /// Tells all to end, and waits for them until the moment `by`. After a second it logs whom it waits for.
    ///
    /// # Errors
    /// If some have not ended by then. They are cut off, and the error names them.
    pub async fn stop(&self, by: Instant) -> Result<(), StillRunning> {
        self.cancel.cancel();
        self.tracker.close();
        let patient = (Instant::now() + SILENCE).min(by);
        if self.have_ended(patient).await {
            return Ok(());
        }
        if patient < by {
            tracing::info!("the stop waits for: {}", self.running().join(", "));
            if self.have_ended(by).await {
                return Ok(());
            }
        }
        let tasks = self.running();
        self.cut_off.cancel();
        Err(StillRunning { tasks })
    }

    async fn have_ended(&self, by: Instant) -> bool {
        tokio::select! {
            biased;
            () = self.tracker.wait() => true,
            () = sleep_until(by) => false,
        }
    }
}

#[cfg(test)]
mod tests;
