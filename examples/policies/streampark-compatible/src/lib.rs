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
//! name = "streampark"  module = "streampark-compatible.wasm"  shadow = true
//! params = { silent_state_keep = "60s" }
//! ```

use serde::{Deserialize, Serialize};
use steadfast_policy::{Intent, JobState, Millis, Parameters, Policy, Seen, Snapshot, Streak, Verdict, rules};

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

rules! {
    /// Who spoke.
    pub enum Rule {
        FlinkReports = "flink-reports" {
            says: "Flink lists the job: its word is the state.",
            because: "StreamPark takes REST's word as it is.",
            changed_by: "Flink's next answer, or an error."
        }
        Silent = "silent" {
            says: "Flink answers and does not list the job, for less than `silent_state_keep`: SILENT, the state that was.",
            because: "A session cluster may list a job late.",
            changed_by: "A list with the job, or time."
        }
        Lost = "lost" {
            says: "SILENT for `silent_state_keep`: LOST.",
            because: "StreamPark gives up on it then.",
            changed_by: "A list with the job."
        }
        Archived = "archived" {
            says: "Flink does not answer, and an archive or the JobManager's log tells the end: that state.",
            because: "StreamPark reads `jobmanager.archive.fs.dir`.",
            changed_by: "Flink's answer."
        }
        Initializing = "k8s-initializing" {
            says: "The Deployment is there without an error, and Flink does not answer: K8S_INITIALIZING, here STARTING.",
            because: "StreamPark takes every silence for a start.",
            changed_by: "Flink's answer, or an error of the pod."
        }
        Cancelled = "cancelled" {
            says: "The cluster is gone, or gives an error, while the job was being cancelled: CANCELED.",
            because: "StreamPark keeps a list of what it cancels.",
            changed_by: "Flink's answer."
        }
        Failed = "failed" {
            says: "The JobManager restarted or crashed, the Deployment is missing from one answer, or Kubernetes gives an error: FAILED.",
            because: "StreamPark takes an exception for `does not exist`, and a past restart for an error (measured: 4 to 8 s after any restart).",
            changed_by: "Flink's answer. In StreamPark: nothing, since the watch ends."
        }
        Ended = "ended" {
            says: "An end on record stays while Flink does not list the job.",
            because: "Silence revives nothing.",
            changed_by: "Flink's answer."
        }
        NotYetSeen = "not-yet-seen" {
            says: "Nothing has been seen of the job yet: what is on record stays.",
            because: "There is nothing to be gone.",
            changed_by: "Any answer that has it."
        }
    }
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
                if silent.spans() >= self.silent_state_keep {
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
mod tests {
    use steadfast_policy::testing::{self, Says};
    use steadfast_policy::{Confidence, FaultKind, Intent, JobState, Pod};

    use super::{Rule, StreamPark};

    #[test]
    fn an_outage_is_a_failure_and_its_end_is_running_again() {
        let policy = testing::policy::<StreamPark>("{}");
        let mut orders = testing::job("orders").running();
        let failed = orders.at("5s").dark(FaultKind::Timeout).decide(&policy);
        failed
            .is(JobState::Failed, Confidence::Inferred)
            .by(Rule::Failed)
            .awake();
        orders
            .lasts_until("10m", &policy)
            .is(JobState::Failed, Confidence::Inferred)
            .awake();
        let back = orders.later("5s").flink_reports(JobState::Running).decide(&policy);
        back.is(JobState::Running, Confidence::Confirmed);
    }

    #[test]
    fn a_silence_is_a_start_and_a_restart_a_failure() {
        let policy = testing::policy::<StreamPark>("{}");
        let mut orders = testing::job("orders").running();
        orders
            .pods(Says::Present(vec![testing::pod("orders-1")]))
            .flink_unknown(FaultKind::Refused);
        orders
            .decide(&policy)
            .is(JobState::Starting, Confidence::Inferred)
            .by(Rule::Initializing);
        let restarted: Pod = testing::waiting("orders-1", "CrashLoopBackOff", 1);
        orders
            .pods(Says::Present(vec![restarted]))
            .decide(&policy)
            .is(JobState::Failed, Confidence::Inferred);
    }

    #[test]
    fn a_job_that_is_not_listed_is_silent_and_then_lost() {
        let policy = testing::policy::<StreamPark>("{}");
        let mut orders = testing::job("orders").running();
        orders
            .at("5s")
            .flink(Says::Absent)
            .decide(&policy)
            .is(JobState::Running, Confidence::Stale)
            .by(Rule::Silent);
        orders.lasts_until("60s", &policy).by(Rule::Silent);
        orders
            .lasts_until("65s", &policy)
            .is(JobState::Lost, Confidence::Inferred)
            .by(Rule::Lost);
        orders
            .later("5s")
            .flink_reports(JobState::Running)
            .decide(&policy)
            .is(JobState::Running, Confidence::Confirmed);
    }

    #[test]
    fn what_is_gone_while_it_is_cancelled_is_canceled() {
        let policy = testing::policy::<StreamPark>("{}");
        let mut orders = testing::job("orders").running();
        orders
            .intent(Intent::Cancel)
            .flink_unknown(FaultKind::Refused)
            .deployment_missing();
        orders
            .decide(&policy)
            .is(JobState::Canceled, Confidence::Inferred)
            .by(Rule::Cancelled);
    }
}
