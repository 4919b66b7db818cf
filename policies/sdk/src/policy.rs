//! What a policy is, and how a module exports one.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Decision, Description, Parameters, Rules, Snapshot, Verdict};

/// A policy with its parameters.
///
/// What it decides may depend on nothing but its arguments: it has no clock, no randomness, and an instance may be
/// thrown away between any two decisions. What it wants to remember of a job goes into its memory.
pub trait Policy: Sized + 'static {
    /// What operators can tune; `()` for nothing.
    type Params: Parameters;

    /// What is remembered of a job between two decisions, at most 16 KiB; `()` for nothing.
    ///
    /// It is written down in a compact form without names ([`postcard`](https://docs.rs/postcard)). A memory that
    /// cannot be read, because another version wrote it or there is none yet, is the [`Default`]: keep patience in it,
    /// never the state, which stands in the record. Fields may be added at the end; a field that gets another meaning
    /// needs another place. A job that starts again keeps its memory: compare the record's attempt if that matters.
    type Memory: Serialize + DeserializeOwned + Default;

    /// The rules that speak, made by [`rules!`](crate::rules).
    type Rule: Rules;

    /// The policy's name.
    const NAME: &'static str;
    /// Its version; `env!("CARGO_PKG_VERSION")` is a good one.
    const VERSION: &'static str;
    /// What it stands for, in a sentence.
    const SUMMARY: &'static str;

    /// Takes the parameters. The place for rules beyond types; an error refuses the policy, and names the parameter.
    fn new(params: Self::Params) -> Result<Self, String>;

    /// Judges one snapshot.
    fn decide(&self, snapshot: &Snapshot, memory: &mut Self::Memory) -> Verdict<Self::Rule>;
}

/// A policy as the engine calls it.
pub struct Instance<P>(P);

impl<P: Policy> fmt::Debug for Instance<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Instance").field(&P::NAME).finish()
    }
}

impl<P: Policy> Instance<P> {
    /// What the policy is, which parameters it takes, and its rules.
    pub fn describe() -> Description {
        Description {
            name: P::NAME.into(),
            version: P::VERSION.into(),
            summary: P::SUMMARY.into(),
            parameters: P::Params::described(),
            rules: P::Rule::ALL.iter().map(|rule| rule.described()).collect(),
        }
    }

    /// Takes the JSON of `params` in config.toml. An error names the parameter, the rule and the fix.
    pub fn configure(params: &str) -> Result<Self, String> {
        P::new(P::Params::read(params)?).map(Self)
    }

    /// Judges one snapshot with what was remembered. An error leaves the last state standing.
    pub fn decide(&self, snapshot: &Snapshot, memory: &[u8]) -> Result<Decision, String> {
        let mut memory: P::Memory = postcard::from_bytes(memory).unwrap_or_default();
        let verdict = self.0.decide(snapshot, &mut memory);
        let memory =
            postcard::to_allocvec(&memory).map_err(|error| format!("the memory cannot be written: {error}"))?;
        Ok(verdict.decided(snapshot, memory))
    }
}

/// Makes a module's policy the one the engine calls. Natively it expands to nothing, so that tests just run.
#[macro_export]
macro_rules! export {
    ($policy:ident) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        mod steadfast_policy_guest {
            use $crate::Instance;
            use $crate::bindings::{Decision, Description, Guest, Snapshot};

            std::thread_local! {
                static POLICY: std::cell::OnceCell<Instance<super::$policy>> = const { std::cell::OnceCell::new() };
            }

            struct Exported;

            impl Guest for Exported {
                fn describe() -> Description {
                    Instance::<super::$policy>::describe()
                }

                fn configure(params: std::string::String) -> Result<(), std::string::String> {
                    let policy = Instance::configure(&params)?;
                    POLICY.with(|cell| cell.set(policy)).map_err(|_| "configure was called twice".into())
                }

                fn decide(snapshot: Snapshot, memory: std::vec::Vec<u8>) -> Result<Decision, std::string::String> {
                    POLICY.with(|cell| match cell.get() {
                        Some(policy) => policy.decide(&snapshot, &memory),
                        None => Err("decide was called before configure".into()),
                    })
                }
            }

            $crate::bindings::export!(Exported with_types_in $crate::bindings);
        }
    };
}
