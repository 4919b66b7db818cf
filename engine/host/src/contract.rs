//! The contract, in each version that is served: the current one and the one before it.
//!
//! A version is its bindings and what it says differently; all else of the way from the core's types to the
//! contract's and back is the source under `translate`, compiled once for each. What an older version has no word for
//! is left out, or becomes the nearest word it has, so that a newer engine never breaks an older policy.

mod v0_1;
mod v0_2;

use std::fmt;
use std::sync::Arc;

use steadfast_core::decision::{Decision, PolicyFailure};
use steadfast_core::snapshot::Snapshot;
use wasmtime::component::InstancePre;
use wasmtime::{Result, Store};

use crate::description::Description;
use crate::guard::Guard;

/// The functions a policy exports.
pub(crate) const EXPORTS: [&str; 3] = ["configure", "decide", "describe"];

/// The instance that carries the contract's types. It holds no function, so importing it gives a policy nothing.
pub(crate) const TYPES: &str = "steadfast:policy/types";

/// The instance through which a policy prints; see [`crate::output`].
pub(crate) const OUTPUT: &str = "steadfast:policy/output";

/// A version of the contract that this engine serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V0_1,
    V0_2,
}

impl Version {
    /// The newest one.
    pub(crate) const fn current() -> Self {
        Self::V0_2
    }

    /// The served version of that number.
    pub(crate) fn served(number: &str) -> Option<Self> {
        [Self::V0_2, Self::V0_1]
            .into_iter()
            .find(|version| version.number() == number)
    }

    const fn number(self) -> &'static str {
        match self {
            Self::V0_1 => steadfast_wit::PREVIOUS_VERSION,
            Self::V0_2 => steadfast_wit::VERSION,
        }
    }

    /// Checks a module's functions against this version's types.
    pub(crate) fn prepare(self, module: InstancePre<Guard>) -> Result<Arc<dyn Prepared>> {
        Ok(match self {
            Self::V0_1 => Arc::new(v0_1::prepare(module)?),
            Self::V0_2 => Arc::new(v0_2::prepare(module)?),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}

/// A module whose functions have the types of its version.
pub(crate) trait Prepared: Send + Sync {
    /// Makes an instance in the store.
    fn instantiate(&self, store: &mut Store<Guard>) -> Result<Box<dyn Calls>>;
}

/// The functions of an instance, in the core's types. An outer error is a trap, a limit, or an answer that cannot be
/// read; an inner one is the policy's own.
pub(crate) trait Calls: Send + Sync {
    /// `describe`.
    fn describe(&self, store: &mut Store<Guard>) -> Result<Description>;

    /// `configure`.
    fn configure(&self, store: &mut Store<Guard>, params: &str) -> Result<Result<(), String>>;

    /// `decide`, with the memory in the snapshot's record.
    fn decide(&self, store: &mut Store<Guard>, snapshot: &Snapshot) -> Result<Result<Decision, PolicyFailure>>;

    /// 64 marks of the code that ran; see [`crate::marks`].
    #[cfg(feature = "coverage")]
    fn marks(&self, store: &mut Store<Guard>, word: u32) -> Result<u64>;
}
