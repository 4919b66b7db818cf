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
mod end;
mod memory;
mod operator;
mod params;
mod rulebook;
mod rules;
mod sight;
mod tasks;
mod trouble;
mod verdict;

use steadfast_policy::{
    Attention, Decision, Description, JobState, Policy, Reason, Snapshot, Want, WantedSource, Watch,
};

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
        let alerts = conditions::alerts(snapshot, &self.params, &memory, &verdict, &conditions);
        let watch = watch(snapshot, &self.params, &verdict);
        let mut wanted = verdict.wanted;
        if !sight::is_terminal(verdict.state) {
            wanted.extend(end::words_again(snapshot, &mut memory));
        }
        if verdict.state == JobState::Running && sight::flink_lists_job(snapshot) {
            wanted.push(checkpoints(snapshot));
        }
        Ok(Decision {
            state: verdict.state,
            confidence: verdict.confidence,
            reason: Reason {
                message: shortened(verdict.reason.message),
                ..verdict.reason
            },
            rule: verdict.rule.name().into(),
            watch,
            wanted,
            conditions,
            alerts,
            memory: memory.encode()?,
        })
    }
}

/// The longest reason, in bytes: the engine takes 4 KiB, and several sources may speak in one reason.
const LONGEST_REASON: usize = 3 * 1024;

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LONGEST_REASON));
    text
}

/// The pace: a state that has ended is looked at more slowly, never dropped.
fn watch(s: &Snapshot, params: &Params, verdict: &Verdict) -> Watch {
    let has_ended = sight::is_terminal(verdict.state);
    let pace = if has_ended {
        s.timing.terminal_poll
    } else {
        s.timing.poll
    };
    let usual = verdict.validate_within.unwrap_or(s.timing.validate);
    // What stands after a time is judged at that time, not at the next look.
    let alert = (has_ended || verdict.attention == Attention::Sleeping).then(|| params.alert_after.get());
    let soonest = alert
        .into_iter()
        .chain(sight::unreachable_in(s, params))
        .fold(usual, u64::min);
    Watch {
        poll_after: verdict.poll_after.unwrap_or(pace),
        validate_after: soonest.max(SHORTEST),
        attention: verdict.attention,
    }
}

/// The shortest pace the engine takes, in milliseconds.
const SHORTEST: u64 = 10;

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
