//! The clock of the host that the engine is on, which somebody may set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use steadfast_core::time::{Clock, Timestamp};
use steadfast_world::clock::WorldClock;
use steadfast_world::story::Moment;

/// Shows the world's time, so far ahead as it was set. Clones show the same.
#[derive(Clone, Debug)]
pub(super) struct HostClock {
    truth: WorldClock,
    /// Milliseconds; less than zero: behind.
    ahead: Arc<AtomicI64>,
}

impl HostClock {
    /// A clock that is right.
    pub(super) fn of(truth: WorldClock) -> Self {
        Self {
            truth,
            ahead: Arc::default(),
        }
    }

    /// Somebody sets it, so far ahead of the truth.
    pub(super) fn set_ahead(&self, by: Moment) {
        self.ahead.store(by.as_millis(), Ordering::Relaxed);
    }
}

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        Timestamp::from_millis(self.truth.now().as_millis().saturating_add(ahead))
    }
}
