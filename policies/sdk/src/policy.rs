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
    /// never the state, which stands in the record. Fields may be added at the end; in what an earlier version wrote they
    /// read as `None`, `false`, 0, nothing or the first variant. A field that gets another meaning needs another place. A job that starts again keeps its memory: compare the record's attempt if that matters.
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
        let mut memory: P::Memory = remembered(P::NAME, memory);
        let verdict = self.0.decide(snapshot, &mut memory);
        let memory = written(P::NAME, &memory).map_err(|error| format!("the memory cannot be written: {error}"))?;
        Ok(verdict.decided(snapshot, memory))
    }
}

/// A memory as it is kept: whose it is, then what it holds. What holds nothing is kept as nothing.
fn written<M: Serialize>(name: &str, memory: &M) -> postcard::Result<Vec<u8>> {
    let held = postcard::to_allocvec(memory)?;
    if held.is_empty() {
        return Ok(held);
    }
    Ok([&whose(name)[..], &held].concat())
}

/// What was remembered, by this version of the policy or by an earlier one. What that did not write yet reads as zeros, which are
/// `None`, `false`, 0, nothing, and the first variant. Another policy's memory, and what does not read, is the default.
fn remembered<M: DeserializeOwned + Default>(name: &str, memory: &[u8]) -> M {
    /// More than added fields take.
    const ADDED: usize = 256;
    let Some(held) = memory.strip_prefix(&whose(name)) else {
        return M::default();
    };
    let mut bytes = held.to_vec();
    bytes.resize(held.len() + ADDED, 0);
    postcard::take_from_bytes(&bytes)
        .map(|(memory, _)| memory)
        .unwrap_or_default()
}

/// A policy's mark: FNV-1a of its name. Another module may come to decide under the name that the configuration gives.
fn whose(name: &str) -> [u8; 4] {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.to_le_bytes()
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
                    $crate::tell_panics();
                    Instance::<super::$policy>::describe()
                }

                fn configure(params: std::string::String) -> Result<(), std::string::String> {
                    $crate::tell_panics();
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

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::{remembered, whose, written};

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Earlier {
        attempt: u32,
        pod: Option<String>,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Later {
        attempt: u32,
        pod: Option<String>,
        since: Option<i64>,
        is_known: bool,
        pods: Vec<String>,
    }

    #[test]
    fn what_an_earlier_version_remembered_is_kept_when_fields_are_added() {
        let earlier = Earlier {
            attempt: 7,
            pod: Some("jm".into()),
        };
        let kept = written("mine", &earlier).unwrap();
        let later: Later = remembered("mine", &kept);
        let expected = Later {
            attempt: 7,
            pod: Some("jm".into()),
            ..Later::default()
        };
        assert_eq!(later, expected);
        assert_eq!(remembered::<Later>("mine", b""), Later::default());
        assert_eq!(remembered::<Later>("another", &kept), Later::default(), "another's");
        // A text of which the end is not there.
        let cut = [&whose("mine")[..], &[7, 1, 250, 250, 250, 1]].concat();
        assert_eq!(remembered::<Earlier>("mine", &cut), Earlier::default());
        assert_eq!(written("mine", &()).unwrap(), b"");
    }
}
