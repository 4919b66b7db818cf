//! A loop that answers by the job's name and state.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use steadfast_core::call::Call;
use steadfast_core::decision::{Decision, LookupSource, PolicyFailure, PolicyFailureKind, Watch};
use steadfast_core::evidence::{Evidence, Fault, FaultKind, Observation, Observed};
use steadfast_core::explanation::{Awaited, Awaiting, Due, Explanation};
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::journal::{Change, Event, Store};
use steadfast_core::projection::{JobView, Projection, WatchStatus};
use steadfast_core::record::{JobRecord, PostedIntent, Reason, Silence};
use steadfast_core::rule::Rule;
use steadfast_core::silences;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, Confidence, Force, Intent, JobState};
use steadfast_core::testing;
use steadfast_core::time::Timestamp;

use super::AT;
use crate::{AskedSilence, Control, ControlError, Looked};

/// For a job named `busy` the store is full, and one named `hasty` was changed too often; one named `alive` is still there, one named `silent` does not answer; the policy fails for one that FAILED.
pub(super) struct TestControl(pub(super) Arc<Projection>, pub(super) Arc<dyn Store>);

impl TestControl {
    /// As the loop does.
    async fn note(&self, record: &JobRecord, call: Call) {
        self.commit(Change::update(record, record.clone(), vec![Event::Called(call)]))
            .await;
    }

    async fn commit(&self, change: Change) {
        let record = Arc::clone(&change.record);
        if self.1.commit(AT, vec![change].into()).await.is_ok() {
            let watch = WatchStatus::default();
            self.0.show(JobView { record, watch });
        }
    }

    fn find(&self, job: &JobKey) -> Result<JobView, ControlError> {
        if job.target.name.as_ref() == "busy" {
            return Err(ControlError::Unavailable("the store is full".to_owned()));
        }
        if job.target.name.as_ref() == "hasty" {
            return Err(ControlError::TooOften {
                why: "120 at once".to_owned(),
                wait: Duration::from_millis(1_250),
            });
        }
        self.0.get(job).ok_or(ControlError::NoSuchJob)
    }
}

#[async_trait]
impl Control for TestControl {
    async fn intend(
        &self,
        job: &JobKey,
        intent: Intent,
        author: Option<Arc<str>>,
        call: Call,
    ) -> Result<JobView, ControlError> {
        let JobView { record, watch } = self.find(job)?;
        self.note(&record, call).await;
        let record = JobRecord {
            intent: Some(PostedIntent::new(intent, author, AT)),
            ..(*record).clone()
        };
        Ok(JobView {
            record: Arc::new(record),
            watch,
        })
    }

    async fn silence(&self, job: &JobKey, asked: AskedSilence, call: Call) -> Result<JobView, ControlError> {
        let JobView { record, .. } = self.find(job)?;
        let AskedSilence {
            alert,
            until,
            by,
            comment,
        } = asked;
        let silence = Silence {
            alert,
            since: AT,
            until,
            by,
            comment,
        };
        let change = silences::silence(&record, silence, None, Some(call)).map_err(ControlError::Silence)?;
        self.commit(change).await;
        self.find(job)
    }

    async fn unsilence(&self, job: &JobKey, alert: &str, call: Call) -> Result<JobView, ControlError> {
        let JobView { record, .. } = self.find(job)?;
        self.commit(silences::take_back(&record, alert, Some(call))).await;
        self.find(job)
    }

    async fn look(&self, job: &JobKey) -> Result<Looked, ControlError> {
        let view = self.find(job)?;
        Ok(if job.target.name.as_ref() == "silent" {
            Looked::UnderWay(view)
        } else {
            Looked::Judged(view)
        })
    }

    async fn explain(&self, job: &JobKey) -> Result<Explanation, ControlError> {
        let record = (*self.find(job)?.record).clone();
        Ok(Explanation {
            outcome: outcome(record.state),
            snapshot: snapshot(record),
            policy: PolicyName::new("default"),
            rule: Some(Rule {
                name: "keep-last".to_owned(),
                says: "both are silent: the state stays".to_owned(),
                because: "an error is never absence".to_owned(),
                changed_by: "any answer".to_owned(),
            }),
            waits_for: vec![
                Awaited {
                    awaiting: Awaiting::Lookup(LookupSource::Kubernetes),
                    due: Due::UnderWay,
                },
                Awaited {
                    awaiting: Awaiting::Flink,
                    due: Due::At(seconds(12)),
                },
            ],
        })
    }

    async fn forget(&self, job: &JobKey, force: Force, call: Call) -> Result<(), ControlError> {
        let JobView { record, .. } = self.find(job)?;
        if job.target.name.as_ref() == "alive" && force == Force::No {
            return Err(ControlError::SeenAlive("Flink lists the job as RUNNING".to_owned()));
        }
        self.note(&record, call).await;
        self.0.remove(job);
        Ok(())
    }
}

fn seconds(after: i64) -> Timestamp {
    Timestamp::from_millis(AT.as_millis() + after * 1000)
}

/// Flink did not list the job once, and is silent now.
fn snapshot(mut record: JobRecord) -> Snapshot {
    record.memory = vec![0, 171];
    let answered = Observation::new(Observed::Absent, AT, AT);
    let silent = Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer"));
    let mut flink = Evidence::first(answered);
    flink.accept(Observation::new(silent, seconds(5), seconds(8)));
    Snapshot {
        engine_since: AT,
        flink: Some(flink),
        ..testing::snapshot(record, seconds(10))
    }
}

fn outcome(state: JobState) -> Result<Decision, PolicyFailure> {
    if state == JobState::Failed {
        return Err(PolicyFailure {
            kind: PolicyFailureKind::Trap,
            message: "unreachable".into(),
        });
    }
    Ok(Decision {
        state,
        confidence: Confidence::Stale,
        reason: Reason::new("LastKnown", "both are silent"),
        rule: "keep-last".to_owned(),
        watch: Watch {
            poll_after: Duration::from_millis(1500),
            validate_after: Duration::from_secs(60),
            attention: Attention::Active,
        },
        wanted: vec![],
        conditions: vec![],
        alerts: vec![],
        memory: vec![1],
    })
}
