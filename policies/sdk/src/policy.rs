//! What a policy is, and how a module exports one.

use crate::{Decision, Description, Snapshot};

/// A policy with its parameters. The engine calls `configure` once on each fresh instance, then `decide`.
///
/// What it returns may depend on nothing but its arguments: it has no clock, no randomness, and an instance
/// may be thrown away between any two decisions. What it wants to remember it returns as memory.
pub trait Policy: Sized + 'static {
    /// Says what the policy is and which parameters it takes.
    fn describe() -> Description;

    /// Takes the parameters: the JSON of `params` in config.toml. An error refuses the policy, and names the parameter.
    fn configure(params: &str) -> Result<Self, String>;

    /// Judges one snapshot. An error leaves the last state standing.
    fn decide(&self, snapshot: &Snapshot, memory: &[u8]) -> Result<Decision, String>;
}

/// Makes a module's policy the one the engine calls. Natively it expands to nothing, so that tests just run.
#[macro_export]
macro_rules! export {
    ($policy:ident) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        mod steadfast_policy_guest {
            use $crate::bindings::{Decision, Description, Guest, Snapshot};

            std::thread_local! {
                static POLICY: std::cell::OnceCell<super::$policy> = const { std::cell::OnceCell::new() };
            }

            struct Exported;

            impl Guest for Exported {
                fn describe() -> Description {
                    <super::$policy as $crate::Policy>::describe()
                }

                fn configure(params: std::string::String) -> Result<(), std::string::String> {
                    let policy = <super::$policy as $crate::Policy>::configure(&params)?;
                    POLICY.with(|cell| cell.set(policy)).map_err(|_| "configure was called twice".into())
                }

                fn decide(snapshot: Snapshot, memory: std::vec::Vec<u8>) -> Result<Decision, std::string::String> {
                    POLICY.with(|cell| match cell.get() {
                        Some(policy) => $crate::Policy::decide(policy, &snapshot, &memory),
                        None => Err("decide was called before configure".into()),
                    })
                }
            }

            $crate::bindings::export!(Exported with_types_in $crate::bindings);
        }
    };
}
