//! The keys of whoever watches.

use std::io;

use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;

/// The terminal, read key by key. It is as it was before when this is dropped.
#[derive(Debug)]
pub(super) struct Keys {
    /// Opened by its own name, so that it alone does not block: the standard streams are shared with the shell.
    terminal: Receiver,
    before: Termios,
}

impl Keys {
    /// Only the terminal that standard input and output are both of; `None` without one. Ctrl-C stays a signal.
    pub(super) fn open() -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = rustix::fs::open("/dev/tty", flags, Mode::empty())?;
        let before = tcgetattr(&terminal)?;
        let mut by_key = before.clone();
        by_key.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        let keys = Self {
            // No pipe, and read like one: byte by byte as they come, to the end.
            terminal: Receiver::from_owned_fd_unchecked(terminal)?,
            before,
        };
        tcsetattr(&keys.terminal, OptionalActions::Now, &by_key)?;
        Ok(keys)
    }

    /// The next key. Without a terminal there is none, and no end of waiting.
    pub(super) async fn next(keys: Option<&mut Self>) -> char {
        let Some(keys) = keys else {
            return std::future::pending().await;
        };
        match keys.terminal.read_u8().await {
            Ok(key) => char::from(key),
            // It has hung up: a signal says so too.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // There is nobody to tell that a terminal is gone.
        let _gone = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
