//! Whether there can be more threads.

use std::io;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{Builder, scope};

/// Tries whether the process may have so many threads more at one time, and ends them again.
///
/// # Errors
/// Why the system did not let one start.
pub fn try_threads(count: usize) -> io::Result<()> {
    let (hold, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    // Nothing is ever sent: each waits until the sender is dropped.
    let wait = || {
        let _ = held.lock().unwrap_or_else(PoisonError::into_inner).recv();
    };
    scope(|threads| {
        let started = (0..count).try_for_each(|_| Builder::new().spawn_scoped(threads, wait).map(drop));
        drop(hold);
        started
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_asked_for_are_there_at_one_time_and_end() {
        try_threads(0).unwrap();
        try_threads(8).unwrap();
    }
}
