//! Failing lists of one cluster help each other: one keeps the poll's pace, and its success ends the others' waits.

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

/// How a failing reflector waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It tries at the poll's pace, for all.
    Canary,
    /// It waits for its own time, or for the canary.
    Waits,
}

impl Recovery {
    /// Notes a failure; the first by id is the canary.
    pub(super) fn failed(&self, id: u64) -> Role {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.insert(id);
        if failing.first() == Some(&id) {
            Role::Canary
        } else {
            Role::Waits
        }
    }

    /// Notes a success. If it followed a failure, the others are told.
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
