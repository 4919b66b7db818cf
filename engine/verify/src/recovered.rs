//! What need not be asked again: whether the record recovers from a sight.

use std::sync::{Mutex, PoisonError};

use crate::fingerprints::FingerprintSet;

/// Sights from which the record was seen to follow a job that runs, by their fingerprints. All threads of an exploration share it:
/// what is in it only spares looks whose outcome is known, so that it does not matter which thread came first.
#[derive(Debug, Default)]
pub(crate) struct Recovered(Mutex<FingerprintSet>);

impl Recovered {
    pub(crate) fn contains(&self, sight: u64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(&sight)
    }

    pub(crate) fn note(&self, sight: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(sight);
    }
}
