//! The default policy: conservative about existence, and it never ends a watch.
//!
//! - Flink's answer wins. Where Flink is silent, Kubernetes explains; where both are silent, the last
//!   state stays, marked stale ([`rules`]).
//! - Gone is known in two ways: a deletion that was seen and one complete answer after it, or
//!   `absence_confirmations` complete answers at least `absence_window` apart. An error is never part of either.
//! - How a job ended is looked up before the verdict, and is never FAILED out of ignorance ([`end`]).
//! - While most of a cluster is dark nothing there turns terminal.

mod conditions;
mod end;
mod memory;
mod params;
mod rules;
mod sight;
mod trouble;
mod verdict;

use steadfast_policy::{Attention, Decision, Description, JobState, Policy, Snapshot, Want, WantedSource, Watch};

use memory::Memory;
use params::Params;
use verdict::Verdict;

/// The policy with its parameters.
#[derive(Debug)]
pub struct Conservative {
    params: Params,
}

impl Policy for Conservative {
    fn describe() -> Description {
        Params::description()
    }

    fn configure(params: &str) -> Result<Self, String> {
        Params::parse(params).map(|params| Self { params })
    }

    fn decide(&self, snapshot: &Snapshot, memory: &[u8]) -> Result<Decision, String> {
        let mut memory = Memory::decode(memory, snapshot.job.incarnation.attempt);
        let verdict = rules::judge(snapshot, &self.params, &mut memory);
        let conditions = conditions::of(snapshot, &self.params, &mut memory, &verdict);
        let alerts = conditions::alerts(snapshot, &self.params, &verdict, &conditions);
        let watch = watch(snapshot, &self.params, &verdict);
        let mut wanted = verdict.wanted;
        if verdict.state == JobState::Running && sight::flink_lists_job(snapshot) {
            wanted.push(checkpoints(snapshot));
        }
        Ok(Decision {
            state: verdict.state,
            confidence: verdict.confidence,
            reason: verdict.reason,
            rule: verdict.rule.into(),
            watch,
            wanted,
            conditions,
            alerts,
            memory: memory.encode()?,
        })
    }
}

/// The pace: a state that has ended is looked at more slowly, never dropped.
fn watch(s: &Snapshot, params: &Params, verdict: &Verdict) -> Watch {
    let pace = if sight::is_terminal(verdict.state) {
        s.timing.terminal_poll
    } else {
        s.timing.poll
    };
    // An alert is due when its cause has stood for long enough, not a validation later.
    let soon = if verdict.attention == Attention::Sleeping || sight::is_terminal(verdict.state) {
        params.alert_after.get().max(1)
    } else {
        s.timing.validate
    };
    Watch {
        poll_after: verdict.poll_after.unwrap_or(pace),
        validate_after: verdict.validate_within.unwrap_or(s.timing.validate).min(soon),
        attention: verdict.attention,
    }
}

/// Checkpoint counters, once in each validation cycle.
fn checkpoints(s: &Snapshot) -> Want {
    let last = s.checkpoints.as_ref().map(|evidence| evidence.looks.asked_at);
    let due = last.map_or(s.now - 1, |last| sight::after(last, s.timing.validate));
    Want {
        source: WantedSource::Checkpoints,
        observed_after: due,
    }
}

steadfast_policy::export!(Conservative);

#[cfg(test)]
mod tests;
