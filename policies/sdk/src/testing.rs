//! Policies are tested natively: a job's world is told step by step, and each decision becomes the record, as it would
//! in the engine. Nothing of this is in a module.
//!
//! ```
//! # use steadfast_policy::*;
//! # struct Mine;
//! # rules! { enum Rule { Flink = "flink" { says: "S.", because: "B.", changed_by: "C." } Silent = "silent" { says: "S.", because: "B.", changed_by: "C." } } }
//! # impl Policy for Mine {
//! #     type Params = (); type Memory = (); type Rule = Rule;
//! #     const NAME: &'static str = "mine"; const VERSION: &'static str = "1"; const SUMMARY: &'static str = "";
//! #     fn new(_: ()) -> Result<Self, String> { Ok(Self) }
//! #     fn decide(&self, snapshot: &Snapshot, _: &mut ()) -> Verdict<Rule> {
//! #         match snapshot.flink().present() {
//! #             Some(job) => Verdict::confirmed(job.state, Rule::Flink),
//! #             None => Verdict::keep(snapshot, Rule::Silent),
//! #         }
//! #     }
//! # }
//! use steadfast_policy::testing::{self, Says};
//!
//! let policy = testing::policy::<Mine>("{}");
//! let mut orders = testing::job("orders").running();
//!
//! orders.at("30s").dark(FaultKind::Timeout).decide(&policy).is(JobState::Running, Confidence::Stale).by(Rule::Silent);
//! orders.lasts_until("1d", &policy).is(JobState::Running, Confidence::Stale);
//! orders.flink(Says::Absent).decide(&policy).is(JobState::Running, Confidence::Stale);
//! orders.later("5s").flink_reports(JobState::Finished).decide(&policy).is(JobState::Finished, Confidence::Confirmed);
//! ```
//!
//! For a test of one function, [`World::snapshot`] hands out the snapshot as it stands.

mod judged;
mod parts;
mod says;
mod world;

pub use judged::Judged;
pub use parts::{FLINK_JOB, deployment, ended, flink_job, flink_resource, job_end, pod, waiting};
pub use says::Says;
pub use world::{START, World};

use crate::{Instance, Policy};

/// A policy with these parameters (JSON).
///
/// # Panics
///
/// If it refuses them; a test of a refusal calls [`Instance::configure`].
#[track_caller]
pub fn policy<P: Policy>(params: &str) -> Instance<P> {
    match Instance::configure(params) {
        Ok(policy) => policy,
        #[allow(clippy::panic, reason = "a test that cannot begin has failed")]
        Err(refusal) => panic!("{} refuses {params}: {refusal}", P::NAME),
    }
}

/// An application-mode job of that name that nobody has looked at yet.
pub fn job(name: &str) -> World {
    World::of(name)
}
