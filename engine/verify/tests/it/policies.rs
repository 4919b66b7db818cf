//! Small policies: one that is right, and one for each way to be wrong.

use std::time::Duration;

use steadfast_core::decision::{
    Decide, DecidedAlert, DecidedCondition, Decision, PolicyFailure, PolicyFailureKind, Watch,
};
use steadfast_core::evidence::{FaultKind, Observed};
use steadfast_core::record::{AlertScope, Reason};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, ConditionType, Confidence, JobState};

/// What is wrong with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It believes Flink, and keeps what it last said: no law objects.
    None,
    /// Three looks without an answer, and the job is LOST.
    Impatient,
    /// A job that Flink no longer lists has FAILED, however it ended.
    AbsentMeansFailed,
    /// What has ended is not looked at any more.
    EndsTheWatch,
    /// Whatever is recorded is called confirmed.
    AlwaysSure,
    /// A silence makes it doubt and believe by turns.
    Wavers,
    /// It counts its calls.
    Counts,
    /// It fails where Kubernetes does not answer.
    Fails,
    /// There it says more than a record takes.
    Rambles,
    /// A proxy's 404 is an end for it; other faults are not.
    TakesNotFoundForLost,
    /// What does not answer and was never seen is starting.
    MakesUpStarts,
    /// A silence is an alert, with a condition: no law objects.
    Alarms,
}

pub struct Policy {
    pub defect: Defect,
    calls: u32,
}

pub fn policy(defect: Defect) -> Box<dyn Decide> {
    Box::new(Policy { defect, calls: 0 })
}

impl Decide for Policy {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        self.calls += 1;
        let recorded = snapshot.record.state;
        let mut decision = match snapshot.flink.as_ref().map(|flink| (&flink.latest, flink.failures)) {
            Some((Observed::Present(job), _)) => decision(job.state, Confidence::Confirmed),
            Some((Observed::Absent, _)) if self.defect == Defect::AbsentMeansFailed && !recorded.is_terminal() => {
                decision(JobState::Failed, Confidence::Inferred)
            }
            Some((Observed::Unknown(fault), failures)) => {
                let is_lost = match self.defect {
                    Defect::Impatient => failures >= 3,
                    Defect::TakesNotFoundForLost => fault.kind == FaultKind::NotFound,
                    _ => false,
                };
                if self.defect == Defect::MakesUpStarts && recorded == JobState::Unknown {
                    decision(JobState::Starting, Confidence::Inferred)
                } else if is_lost && !recorded.is_terminal() {
                    decision(JobState::Lost, Confidence::Inferred)
                } else if self.defect == Defect::Wavers {
                    let doubts = snapshot.record.memory.first() == Some(&1);
                    Decision {
                        memory: vec![u8::from(!doubts)],
                        ..decision(
                            if doubts {
                                JobState::Restarting
                            } else {
                                JobState::Running
                            },
                            Confidence::Stale,
                        )
                    }
                } else {
                    decision(recorded, Confidence::Stale)
                }
            }
            Some((Observed::Absent, _)) | None => decision(recorded, Confidence::Stale),
        };
        let kubernetes_is_silent = snapshot
            .deployment
            .as_ref()
            .is_some_and(|deployment| !deployment.latest.is_known());
        match self.defect {
            Defect::EndsTheWatch if decision.state.is_terminal() => decision.watch.attention = Attention::Sleeping,
            Defect::AlwaysSure if decision.state != JobState::Unknown => decision.confidence = Confidence::Confirmed,
            Defect::Counts => decision.memory = vec![u8::try_from(self.calls % 3).unwrap()],
            Defect::Fails if kubernetes_is_silent => {
                return Err(PolicyFailure {
                    kind: PolicyFailureKind::Error,
                    message: "no Deployment to look at".into(),
                });
            }
            Defect::Alarms if snapshot.flink.as_ref().is_some_and(|flink| !flink.latest.is_known()) => {
                decision.alerts.push(DecidedAlert {
                    name: "Silent".into(),
                    scope: AlertScope::Job,
                    message: "no answer".into(),
                });
                decision.conditions.push(DecidedCondition {
                    kind: ConditionType::FlinkUnreachable,
                    message: "no answer".into(),
                });
            }
            Defect::Rambles if kubernetes_is_silent => decision.reason.message = "silence, ".repeat(600),
            _ => {}
        }
        Ok(decision)
    }
}

fn decision(state: JobState, confidence: Confidence) -> Decision {
    Decision {
        state,
        confidence,
        reason: Reason::new("Tested", "it is only a test"),
        rule: "test".into(),
        watch: Watch {
            poll_after: Duration::from_secs(5),
            validate_after: Duration::from_secs(60),
            attention: Attention::Active,
        },
        wanted: vec![],
        conditions: vec![],
        alerts: vec![],
        memory: vec![],
    }
}
