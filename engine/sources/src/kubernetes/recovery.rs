//! Failing lists of one cluster help each other: one keeps to the poll interval, and its success ends the others' waits.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Which reflectors of a cluster fail, and how often one has recovered.
#[derive(Debug)]
pub(super) struct Recovery {
    failing: Mutex<BTreeSet<u64>>,
    recovered: watch::Sender<u64>,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            failing: Mutex::default(),
            recovered: watch::Sender::new(0),
        }
    }
}

/// When a failing reflector lists again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retries {
    /// At the poll interval, for all.
    AsCanary,
    /// After its own backoff, or once the canary succeeds.
    AfterBackoff,
}

impl Recovery {
    /// Notes a failure; the first by id is the canary.
    pub(super) fn failed(&self, id: u64) -> Retries {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.insert(id);
        if failing.first() == Some(&id) {
            Retries::AsCanary
        } else {
            Retries::AfterBackoff
        }
    }

    /// Notes a success. If it followed a failure, the others are woken.
    pub(super) fn succeeded(&self, id: u64) {
        let recovered = self.failing.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if recovered {
            self.recovered.send_modify(|times| *times += 1);
        }
    }

    /// Changes each time one recovers.
    pub(super) fn recovered(&self) -> watch::Receiver<u64> {
        self.recovered.subscribe()
    }
}
