//! A value that others wait to see changed.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// A value whose changes wake those who wait, in the order in which they began to. Those who wait on tokio's `watch` are woken in
/// a random order, and one seed would not be one run.
#[derive(Debug, Default)]
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T: Copy> Watched<T> {
    /// The value now.
    pub fn get(&self) -> T {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the value.
    pub fn modify(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.value.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_waiters();
    }

    /// Resolves when the value is as it is waited for, with the value.
    pub async fn wait_for(&self, is_so: impl Fn(T) -> bool) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // What changes between the look and the wait must wake too.
            changed.as_mut().enable();
            let value = self.get();
            if is_so(value) {
                return value;
            }
            changed.await;
        }
    }
}
