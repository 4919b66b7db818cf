//! The default policy: conservative about existence, and it never ends a watch.
//!
//! - Flink's answer wins. Where Flink is silent, Kubernetes explains; where both are silent, the last
//!   state stays, marked stale ([`rules`]).
//! - Gone is known in two ways: a deletion that was seen and one complete answer after it, or
//!   `absence_confirmations` complete answers at least `absence_window` apart. An error is never part of either.
//! - How a job ended is looked up before the verdict, and is never FAILED out of ignorance ([`end`]).
//! - What the Flink operator's resource asks for explains a stop and a replacement; what the operator reports of the
//!   job is never taken for its state ([`operator`]).
//! - While most of a cluster is dark nothing there turns terminal.

mod conditions;
mod diagnosis;
mod end;
mod job_managers;
mod lacked;
mod memory;
mod missing;
mod observations;
mod operator;
mod params;
mod rulebook;
mod rules;
mod starting;
mod tasks;
mod watched;

use steadfast_policy::{Attention, JobState, Millis, Policy, Snapshot, WantedSource};

pub use memory::Memory;
pub use params::Params;
pub use rulebook::Rule;

/// What the rules say.
type Verdict = steadfast_policy::Verdict<Rule>;

/// The policy with its parameters.
#[derive(Debug)]
pub struct Conservative {
    params: Params,
}

impl Policy for Conservative {
    type Params = Params;
    type Memory = Memory;
    type Rule = Rule;
    const NAME: &'static str = "conservative";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Unknown is never absent; gone only when confirmed; a watch never ends.";

    fn new(params: Params) -> Result<Self, String> {
        params.check()?;
        Ok(Self { params })
    }

    fn decide(&self, snapshot: &Snapshot, memory: &mut Memory) -> Verdict {
        memory.begin(snapshot);
        let mut verdict = rules::judge(snapshot, &self.params, memory);
        verdict.conditions = conditions::of(snapshot, &self.params, memory, &verdict);
        verdict.alerts = conditions::alerts(snapshot, &self.params, memory, &verdict);
        let runs = snapshot
            .flink()
            .present()
            .is_some_and(|job| job.state == JobState::Running);
        if verdict.state == JobState::Running && runs && memory.instability.is_none() && memory.awaited_since.is_none()
        {
            // No patience is counted from before.
            memory.dark.forget();
            memory.operator_dark.forget();
            memory.kubernetes_dark.forget();
        }
        let soonest = soonest(snapshot, &self.params, memory, &verdict);
        verdict = verdict.validate_after(soonest);
        if !verdict.state.is_terminal() {
            verdict = end::words_again(snapshot, memory, verdict);
        }
        if verdict.state == JobState::Running && snapshot.flink().is_present() {
            verdict = verdict.want_each(WantedSource::Checkpoints, snapshot.validate());
        } else if verdict.state == JobState::Savepointing && snapshot.flink().is_present() {
            // To see it come and go.
            verdict = verdict.want_each(WantedSource::Checkpoints, snapshot.poll());
        }
        memory.settle(verdict.state);
        verdict
    }
}

/// When to judge again at the latest: what stands after a time is judged at that time, not at the next look.
fn soonest(s: &Snapshot, params: &Params, memory: &Memory, verdict: &Verdict) -> Millis {
    let is_slow = verdict.state.is_terminal() || verdict.attention == Attention::Sleeping;
    let usual = verdict.validate_after.unwrap_or(s.validate());
    let alert = is_slow.then_some(params.alert_after);
    alert
        .into_iter()
        .chain(observations::unreachable_in(s, params, memory))
        .fold(usual, Millis::min)
}

#[cfg(feature = "module")]
steadfast_policy::export!(Conservative);

#[cfg(test)]
mod tests;
