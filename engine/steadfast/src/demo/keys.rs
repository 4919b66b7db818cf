//! The keys of whoever watches.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The terminal, read key by key. It is as it was before when this is dropped.
#[derive(Debug)]
pub(super) struct Keys {
    /// Opened by its own name, so that it alone does not block: the standard streams are shared with the shell.
    terminal: AsyncFd<File>,
    before: Termios,
}

impl Keys {
    /// Only the terminal that standard input and output are both of; `None` without one. Ctrl-C stays a signal.
    pub(super) fn open() -> io::Result<Self> {
        let terminal = File::options()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
            .open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut by_key = before.clone();
        by_key.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        let keys = Self {
            terminal: AsyncFd::with_interest(terminal, Interest::READABLE)?,
            before,
        };
        tcsetattr(keys.terminal.get_ref(), OptionalActions::Now, &by_key)?;
        Ok(keys)
    }

    /// The next key. Without a terminal there is none, and no end of waiting.
    pub(super) async fn next(keys: Option<&Self>) -> char {
        match keys {
            Some(keys) => match keys.read().await {
                Ok(key) => key,
                // It has hung up: a signal says so too.
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    async fn read(&self) -> io::Result<char> {
        loop {
            let mut ready = self.terminal.readable().await?;
            let mut byte = [0];
            match ready.try_io(|terminal| terminal.get_ref().read(&mut byte)) {
                Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Ok(_)) => return Ok(char::from(byte[0])),
                Ok(Err(error)) => return Err(error),
                Err(_not_yet) => {}
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // There is nobody to tell that a terminal is gone.
        drop(tcsetattr(self.terminal.get_ref(), OptionalActions::Now, &self.before));
    }
}
