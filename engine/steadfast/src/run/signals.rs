//! The signals by which a person or Kubernetes ends the process.

use std::future::Future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM, from the moment it is made: neither ends the process by itself any more.
#[derive(Debug)]
pub(crate) struct ShutdownSignals {
    interrupt: Signal,
    terminate: Signal,
}

/// A second signal: whoever sent it does not want to wait any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ended at once by a second signal ({0}); what was committed stays, and what was under way is tried again")]
pub struct EndedAtOnce(&'static str);

impl ShutdownSignals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The name of the next one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    /// Waits for a stop that a first signal began, but not beyond a second one.
    ///
    /// # Errors
    /// What the stop ended with, or [`EndedAtOnce`].
    pub(crate) async fn wait_for(mut self, stop: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
        tokio::select! {
            biased;
            stopped = stop => stopped,
            name = self.next() => Err(EndedAtOnce(name).into()),
        }
    }
}
