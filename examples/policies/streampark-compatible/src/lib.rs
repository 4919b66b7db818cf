//! What Apache StreamPark 2.1 would show of a job on Kubernetes, in Steadfast's words, for dashboards that grew up with it
//! and for a migration in which both must agree. One thing is different: the watch never ends, so that the FAILED of
//! an outage is RUNNING again when it is over.
//!
//! | StreamPark's state | here |
//! |---|---|
//! | CREATED, INITIALIZING, RUNNING, FAILING, FAILED, CANCELLING, CANCELED, FINISHED, RESTARTING, SUSPENDED, RECONCILING | the same, confirmed: Flink's word |
//! | K8S_INITIALIZING: the Deployment is there, Flink does not answer | STARTING |
//! | SILENT: Flink answers and does not list the job | the state that was, stale |
//! | LOST: SILENT for `silent_state_keep` | LOST |
//! | FAILED: the JobManager restarted or crashed, the Deployment is gone, or Kubernetes gives an error | FAILED |
//! | CANCELED: gone while it was being cancelled | CANCELED |
//!
//! ```toml
//! [[policy]]
//! name = "streampark"
//! module = "streampark-compatible.wasm"
//! shadow = true
//! params = { silent_state_keep = "60s" }
//! ```

mod rulebook;

use serde::{Deserialize, Serialize};
use steadfast_policy::{Intent, JobState, Millis, Parameters, Policy, Seen, Snapshot, Streak, Verdict};

use rulebook::Rule;

/// The policy with its parameter.
#[derive(Debug, Parameters)]
pub struct StreamPark {
    /// How long a job may be SILENT before it is LOST (`streampark.flink-k8s.tracking.silent-state-keep-sec`).
    #[default(Millis::from_secs(60))]
    silent_state_keep: Millis,
}

/// What is remembered of a job.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// Flink's answers in a row that lack it.
    silent: Option<Streak>,
}

impl Policy for StreamPark {
    type Params = Self;
    type Memory = Memory;
    type Rule = Rule;
    const NAME: &'static str = "streampark-compatible";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "What StreamPark would show, with a watch that never ends.";

    fn new(params: Self) -> Result<Self, String> {
        Ok(params)
    }

    fn decide(&self, snapshot: &Snapshot, memory: &mut Memory) -> Verdict<Rule> {
        let verdict = match snapshot.flink() {
            Seen::Present { value: job, .. } => {
                memory.silent = None;
                Verdict::confirmed(job.state, Rule::FlinkReports)
                    .because("FlinkReports", format!("Flink reports {}", job.state.word()))
            }
            Seen::Absent { .. } | Seen::Unknown { .. } | Seen::Never if snapshot.job.state.is_terminal() => {
                Verdict::keep(snapshot, Rule::Ended).as_sure_as(snapshot.job.confidence)
            }
            Seen::Absent { looks } => {
                let silent = Streak::count(memory.silent, looks);
                memory.silent = Some(silent);
                if silent.spans(snapshot) >= self.silent_state_keep {
                    Verdict::inferred(JobState::Lost, Rule::Lost)
                } else {
                    Verdict::keep(snapshot, Rule::Silent)
                }
            }
            Seen::Unknown { .. } => inferred_from_kubernetes(snapshot),
            Seen::Never => Verdict::keep(snapshot, Rule::NotYetSeen),
        };
        // The watch goes on at its pace, whatever the state.
        verdict.poll_after(snapshot.poll())
    }
}

/// Flink does not answer: StreamPark asks Kubernetes, and has no word for not knowing.
fn inferred_from_kubernetes(s: &Snapshot) -> Verdict<Rule> {
    let ends = [s.archive().present(), s.last_words().present()];
    if let Some(end) = ends.into_iter().flatten().next() {
        return Verdict::confirmed(end.state, Rule::Archived);
    }
    let message = match s.deployment() {
        Seen::Present { .. } => match s.job_manager() {
            Some(pod) if pod.restarts() > 0 => format!("pod {} has restarted", pod.name),
            Some(_) | None => return Verdict::inferred(JobState::Starting, Rule::Initializing),
        },
        _ if s.job.incarnation.attempt == 0 => return Verdict::keep(s, Rule::NotYetSeen),
        Seen::Absent { .. } => "the Deployment does not exist".to_owned(),
        // The mistake: these are not the same.
        Seen::Unknown { fault, .. } => format!("the Deployment does not exist: {}", fault.message),
        Seen::Never => return Verdict::keep(s, Rule::NotYetSeen),
    };
    let is_cancelled = s.job.state == JobState::Cancelling || s.intended(Intent::Cancel);
    let (state, rule) = if is_cancelled {
        (JobState::Canceled, Rule::Cancelled)
    } else {
        (JobState::Failed, Rule::Failed)
    };
    Verdict::inferred(state, rule).because("InferredFromKubernetes", message)
}

steadfast_policy::export!(StreamPark);

#[cfg(test)]
mod tests;
