//! The signals by which a person or Kubernetes ends the process, and those that must not.

use std::future::Future;
use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What would end the process without a word, and says nothing to it.
const PASSED_OVER: [Number; 6] = [
    Number::USR1,
    Number::USR2,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::IO,
];

/// SIGINT, SIGTERM and SIGQUIT, from the moment it is made: none of them ends the process by itself any more, nor do those that
/// mean nothing to it.
#[derive(Debug)]
pub(crate) struct ShutdownSignals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
}

/// A file that may not grow any more (RLIMIT_FSIZE) is an error of whoever writes it, as a full disk is, and not the end of the
/// process. For as long as the process runs; within a runtime.
pub(crate) fn survive_limits_of_files() -> io::Result<()> {
    pass_over(Number::XFSZ)
}

/// A handler stays when nobody listens to it any more. That of a signal that is ignored would be inherited by every child.
fn pass_over(number: Number) -> io::Result<()> {
    signal(SignalKind::from_raw(number.as_raw())).map(drop)
}

/// A second signal: whoever sent it does not want to wait any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ended at once by a second signal ({0}); what was committed stays, and what was under way is tried again")]
pub struct EndedAtOnce(&'static str);

impl ShutdownSignals {
    pub(crate) fn new() -> io::Result<Self> {
        PASSED_OVER.into_iter().try_for_each(pass_over)?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// The name of the next one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.quit.recv() => "SIGQUIT",
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
