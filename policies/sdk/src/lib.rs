//! Everything a Steadfast policy in Rust needs: the contract's types, the [`Policy`] trait, and [`export!`].
//!
//! A policy is a plain value that judges a [`Snapshot`]. It is tested natively with `cargo test`; compiled for
//! `wasm32-unknown-unknown` it becomes a module the engine loads.
//!
//! ```
//! use steadfast_policy::*;
//!
//! /// Believes Flink, and nothing else.
//! struct FlinkOnly;
//!
//! impl Policy for FlinkOnly {
//!     fn describe() -> Description {
//!         Description { name: "flink-only".into(), version: "1".into(), summary: "Flink's word".into(), parameters: vec![], rules: vec![] }
//!     }
//!
//!     fn configure(_params: &str) -> Result<Self, String> {
//!         Ok(Self)
//!     }
//!
//!     fn decide(&self, snapshot: &Snapshot, _memory: &[u8]) -> Result<Decision, String> {
//!         let (state, confidence) = match snapshot.flink.as_ref().map(|evidence| &evidence.answer) {
//!             Some(FlinkAnswer::Present(job)) => (job.state, Confidence::Confirmed),
//!             // Unknown is not absent: what was known stays.
//!             Some(FlinkAnswer::Absent | FlinkAnswer::Unknown(_)) | None => (snapshot.job.state, Confidence::Stale),
//!         };
//!         Ok(Decision {
//!             state,
//!             confidence,
//!             reason: Reason { code: "Flink".into(), message: "as Flink says".into() },
//!             rule: "flink".into(),
//!             watch: Watch { poll_after: snapshot.timing.poll, validate_after: snapshot.timing.validate, attention: Attention::Active },
//!             wanted: vec![],
//!             conditions: vec![],
//!             alerts: vec![],
//!             memory: vec![],
//!         })
//!     }
//! }
//!
//! steadfast_policy::export!(FlinkOnly);
//! ```

mod millis;
mod policy;

pub use bindings::steadfast::policy::types::*;
pub use millis::Millis;
pub use policy::Policy;

/// What [`export!`] expands to; not for direct use.
#[doc(hidden)]
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../engine/wit/wit",
        world: "policy",
        pub_export_macro: true,
        default_bindings_module: "steadfast_policy::bindings",
        additional_derives: [PartialEq],
    });
}
