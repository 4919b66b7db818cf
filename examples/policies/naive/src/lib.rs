//! What many a watcher does, as a policy: an error means the job is gone, and what has ended is not looked at again.
//!
//! It is here to be compared with. Run it as a shadow (`shadow = true`) beside the default policy, and see which
//! running jobs it would have called FAILED. It is also the shortest example of a policy with a parameter.

use serde::Deserialize;
use steadfast_policy::{
    Attention, Confidence, Decision, Description, FlinkAnswer, JobState, Parameter, Policy, Reason, Rule, Snapshot,
    Watch,
};

/// The policy with its parameter.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Naive {
    /// How many looks in a row must fail before the job counts as gone.
    attempts: u32,
}

impl Default for Naive {
    fn default() -> Self {
        Self { attempts: 1 }
    }
}

impl Policy for Naive {
    fn describe() -> Description {
        Description {
            name: "naive".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "An error means gone, and gone means FAILED. For comparison only.".into(),
            parameters: vec![Parameter {
                name: "attempts".into(),
                kind: "integer".into(),
                default: "1".into(),
                help: "looks in a row that must fail before the job counts as gone".into(),
            }],
            rules: vec![
                rule("never asked", "Flink has not been asked: the record stays"),
                rule("flink", "Flink lists the job: its word is the state"),
                rule(
                    "try again",
                    "fewer looks in a row have failed than `attempts`: the record stays",
                ),
                rule(
                    "not yet there",
                    "a job that has not been seen yet is starting while looks fail",
                ),
                rule(
                    "error means gone",
                    "a look that fails means that the job is gone, and gone means FAILED",
                ),
                rule("ended", "a terminal state is believed for ever, and the watch sleeps"),
            ],
        }
    }

    fn configure(params: &str) -> Result<Self, String> {
        serde_json::from_str(params).map_err(|error| error.to_string())
    }

    fn decide(&self, snapshot: &Snapshot, _memory: &[u8]) -> Result<Decision, String> {
        let recorded = &snapshot.job;
        let (state, confidence, rule, message) = if has_ended(recorded.state) {
            let message = recorded.reason.message.clone();
            (recorded.state, Confidence::Confirmed, "ended", message)
        } else {
            self.judge(snapshot)
        };
        let attention = if has_ended(state) {
            Attention::Sleeping
        } else {
            Attention::Active
        };
        Ok(Decision {
            state,
            confidence,
            reason: Reason {
                code: "Naive".into(),
                message,
            },
            rule: rule.into(),
            watch: Watch {
                poll_after: snapshot.timing.poll,
                validate_after: snapshot.timing.validate,
                attention,
            },
            wanted: vec![],
            conditions: vec![],
            alerts: vec![],
            memory: vec![],
        })
    }
}

fn rule(name: &str, says: &str) -> Rule {
    Rule {
        name: name.into(),
        says: says.into(),
        because: "it is what watchers do that take an error for absence; here to be compared with".into(),
        changed_by: "nothing, once the record has ended; before that, Flink's next answer".into(),
    }
}

impl Naive {
    fn judge(&self, snapshot: &Snapshot) -> (JobState, Confidence, &'static str, String) {
        let recorded = snapshot.job.state;
        let Some(flink) = &snapshot.flink else {
            return (
                recorded,
                Confidence::Stale,
                "never asked",
                "Flink has not been asked".into(),
            );
        };
        let gone = match &flink.answer {
            FlinkAnswer::Present(job) => {
                return (job.state, Confidence::Confirmed, "flink", "as Flink says".into());
            }
            FlinkAnswer::Absent => "Flink does not list the job".into(),
            FlinkAnswer::Unknown(fault) if flink.looks.failures >= self.attempts => fault.message.clone(),
            FlinkAnswer::Unknown(_) => {
                return (recorded, Confidence::Stale, "try again", "Flink does not answer".into());
            }
        };
        if matches!(recorded, JobState::Unknown | JobState::Starting) {
            return (JobState::Starting, Confidence::Inferred, "not yet there", gone);
        }
        (JobState::Failed, Confidence::Confirmed, "error means gone", gone)
    }
}

fn has_ended(state: JobState) -> bool {
    matches!(state, JobState::Finished | JobState::Failed | JobState::Canceled)
}

steadfast_policy::export!(Naive);

#[cfg(test)]
mod tests;
