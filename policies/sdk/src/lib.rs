//! Everything a Steadfast policy in Rust needs: the contract's types, the [`Policy`] trait, [`rules!`],
//! [`Parameters`], a [`Verdict`] to build, evidence that must be [matched](Seen), and a [test kit](testing).
//!
//! A policy is a plain value that judges a [`Snapshot`]. It is tested natively with `cargo test`; compiled for
//! `wasm32-unknown-unknown` it becomes a module the engine loads.
//!
//! ```
//! use steadfast_policy::*;
//!
//! /// Believes Flink, and nothing else.
//! struct FlinkOnly {
//!     params: Params,
//! }
//!
//! #[derive(Parameters)]
//! struct Params {
//!     /// How long Flink may be silent before an alert.
//!     #[default(Millis::from_mins(2))]
//!     alert_after: Millis,
//! }
//!
//! rules! {
//!     enum Rule {
//!         FlinkReports = "flink-reports" {
//!             says: "Flink lists the job: its word is the state.",
//!             because: "Only the JobManager knows it.",
//!             changed_by: "Flink's next answer."
//!         }
//!         FlinkSilent = "flink-silent" {
//!             says: "Anything else: what is on record stays, stale.",
//!             because: "Unknown is not absent.",
//!             changed_by: "Flink's next answer."
//!         }
//!     }
//! }
//!
//! impl Policy for FlinkOnly {
//!     type Params = Params;
//!     type Memory = ();
//!     type Rule = Rule;
//!     const NAME: &'static str = "flink-only";
//!     const VERSION: &'static str = "1";
//!     const SUMMARY: &'static str = "Flink's word, or what it last was.";
//!
//!     fn new(params: Params) -> Result<Self, String> {
//!         Ok(Self { params })
//!     }
//!
//!     fn decide(&self, snapshot: &Snapshot, _memory: &mut ()) -> Verdict<Rule> {
//!         match snapshot.flink() {
//!             Seen::Present { value: job, .. } => Verdict::confirmed(job.state, Rule::FlinkReports),
//!             Seen::Unknown { fault, looks } if looks.silent_for(snapshot) >= Some(self.params.alert_after) => {
//!                 Verdict::keep(snapshot, Rule::FlinkSilent).alert("FlinkSilent", &fault.message)
//!             }
//!             Seen::Unknown { .. } | Seen::Absent { .. } | Seen::Never => Verdict::keep(snapshot, Rule::FlinkSilent),
//!         }
//!     }
//! }
//!
//! steadfast_policy::export!(FlinkOnly);
//!
//! // Its test.
//! let policy = testing::policy::<FlinkOnly>(r#"{"alert_after": "30s"}"#);
//! let mut orders = testing::job("orders").running();
//! orders.at("5s").flink_unknown(FaultKind::Timeout).decide(&policy).is(JobState::Running, Confidence::Stale);
//! orders.lasts_until("40s", &policy).alerts(&["FlinkSilent"]);
//! ```

mod evidence;
mod limits;
mod millis;
mod output;
mod parameters;
mod policy;
mod rules;
mod snapshot;
mod state;
mod streak;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod verdict;

// What the derive writes names this crate, in its own tests too.
extern crate self as steadfast_policy;

pub use bindings::steadfast::policy::types::*;
pub use evidence::Seen;
pub use millis::Millis;
#[doc(hidden)]
pub use output::print_line;
#[doc(hidden)]
#[cfg(target_arch = "wasm32")]
pub use output::tell_panics;
pub use parameters::{ParameterValue, Parameters, TextParameter};
#[doc(hidden)]
pub use parameters::{described, read_into};
pub use policy::{Instance, Policy};
pub use rules::Rules;
pub use steadfast_policy_macros::Parameters;
pub use streak::Streak;
pub use verdict::Verdict;

/// What [`export!`] expands to; not for direct use.
#[doc(hidden)]
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "policy",
        pub_export_macro: true,
        default_bindings_module: "steadfast_policy::bindings",
        additional_derives: [PartialEq],
    });
}
