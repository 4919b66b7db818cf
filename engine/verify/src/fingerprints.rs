//! Sets and maps whose keys are fingerprints.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Fingerprints are hashes already.
#[derive(Debug, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// A value for each fingerprint.
pub(crate) type FingerprintMap<V> = HashMap<u64, V, BuildHasherDefault<AsItIs>>;

/// Fingerprints that were met.
pub(crate) type FingerprintSet = HashSet<u64, BuildHasherDefault<AsItIs>>;
