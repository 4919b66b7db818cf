//! Seeds of worlds that failed. They are kept in one file, which one test plays; what any test finds is added to it.

use std::any::Any;

use proptest::test_runner::{FailurePersistence, FileFailurePersistence, PersistedSeed};

const FILE: FileFailurePersistence =
    FileFailurePersistence::Direct(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/properties.regressions"));

/// Which worlds a test plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worlds {
    /// Those that failed once.
    Kept,
    /// So many new ones, of a stream of random numbers that is its own. Were each test to play the kept ones too, one that fails
    /// would make them all fail.
    New { cases: u32, stream: u32 },
}

impl FailurePersistence for Worlds {
    fn load_persisted_failures2(&self, source_file: Option<&'static str>) -> Vec<PersistedSeed> {
        match self {
            Self::Kept => FILE.load_persisted_failures2(source_file),
            Self::New { .. } => Vec::new(),
        }
    }

    fn save_persisted_failure2(
        &mut self,
        source_file: Option<&'static str>,
        seed: PersistedSeed,
        shrunken_value: &dyn std::fmt::Debug,
    ) {
        FILE.clone().save_persisted_failure2(source_file, seed, shrunken_value);
    }

    fn box_clone(&self) -> Box<dyn FailurePersistence> {
        Box::new(*self)
    }

    fn eq(&self, other: &dyn FailurePersistence) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
