//! A Flink and a Kubernetes that answer by the job's name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use steadfast_core::closeup::{
    Checkpoint, CheckpointCounts, CheckpointDetail, ContainerDetail, ContainerState, EventDetail, FailedCheckpoint,
    Failure, Failures, FlinkCloseup, JobDetail, LogCloseup, LogQuestion, LogTail, PodDetail, PodRole, PodsCloseup,
    Vertex,
};
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::foreign_lines::ForeignLines;
use steadfast_core::id::{FlinkJobId, JobKey};
use steadfast_core::projection::Projection;
use steadfast_core::state::JobState;

use super::AT;
use crate::{Closeup, CloseupError};

/// For a job named `busy` nobody can be asked, one named `silent` does not answer, one named `gone` is not there.
pub(super) struct TestCloseup(pub(super) Arc<Projection>);

impl TestCloseup {
    fn answer<T>(&self, job: &JobKey, found: T) -> Result<Observed<T>, CloseupError> {
        self.0.get(job).ok_or(CloseupError::NoSuchJob)?;
        match job.target.name.as_ref() {
            "busy" => Err(CloseupError::Unavailable("as many looks are under way".to_owned())),
            "silent" => Ok(Observed::Unknown(Fault::new(
                FaultKind::Timeout,
                "no complete answer within 3000 ms",
            ))),
            "gone" => Ok(Observed::Absent),
            _ => Ok(Observed::Present(found)),
        }
    }
}

#[async_trait]
impl Closeup for TestCloseup {
    async fn flink(&self, job: &JobKey) -> Result<FlinkCloseup, CloseupError> {
        Ok(FlinkCloseup {
            asked_at: AT,
            job: self.answer(job, detail())?,
            checkpoints: self.answer(job, checkpoints())?,
            exceptions: self.answer(job, failures())?,
        })
    }

    async fn pods(&self, job: &JobKey) -> Result<PodsCloseup, CloseupError> {
        Ok(PodsCloseup::new(
            AT,
            self.answer(job, vec![pod()])?,
            self.answer(job, vec![event()])?,
        ))
    }

    async fn log(&self, job: &JobKey, question: &LogQuestion) -> Result<LogCloseup, CloseupError> {
        let LogQuestion { pod, lines, previous } = question;
        let tail = LogTail {
            pod: pod.clone().unwrap_or_else(|| "orders-7d-x".to_owned()),
            container: "flink-main-container".to_owned(),
            text: ForeignLines::first(&format!("{lines} {previous}\n"), 100),
        };
        Ok(LogCloseup {
            asked_at: AT,
            log: self.answer(job, tail)?,
        })
    }
}

fn detail() -> JobDetail {
    JobDetail {
        id: FlinkJobId::parse("ffffffffa021a4190000000000000000").unwrap(),
        name: "orders".into(),
        state: JobState::Running,
        started_at: AT,
        ended_at: None,
        duration: Duration::from_millis(8_610),
        max_parallelism: None,
        parallelism: 4,
        vertices: vec![Vertex {
            id: "cbc3".into(),
            name: "Source: numbers".into(),
            parallelism: 4,
            status: "RUNNING".into(),
            tasks: BTreeMap::from([("RUNNING".into(), 4)]),
            started_at: Some(AT),
            duration: Some(Duration::from_millis(3_530)),
        }],
        vertices_omitted: 0,
    }
}

fn checkpoints() -> CheckpointDetail {
    let one = Checkpoint {
        id: 1,
        status: "COMPLETED".into(),
        triggered_at: AT,
        acknowledged_at: Some(AT.after(Duration::from_millis(99))),
        duration: Duration::from_millis(99),
        size: 265,
        is_savepoint: false,
        path: Some("file:/flink-data/chk-1".into()),
    };
    CheckpointDetail {
        counts: CheckpointCounts {
            completed: 1,
            failed: 3,
            in_progress: 0,
            restored: 0,
        },
        latest_completed: Some(one.clone()),
        latest_failed: Some(FailedCheckpoint {
            id: 0,
            at: AT,
            message: Some("expired".into()),
        }),
        latest_savepoint: None,
        history: vec![one],
    }
}

fn failures() -> Failures {
    let failure = Failure {
        headline: "a.B: no".into(),
        stack_trace: ForeignLines::first("a.B: no\n\tat a.B.c(B.java:1)\n", 100),
        at: Some(AT),
        task: Some("map (1/4)".into()),
        endpoint: None,
    };
    Failures {
        root: Some(failure.clone()),
        history: vec![failure],
        truncated: false,
    }
}

fn pod() -> PodDetail {
    PodDetail {
        name: "orders-7d-x".to_owned(),
        role: PodRole::JobManager,
        phase: "Running".into(),
        ready: false,
        node: Some("node-1".into()),
        restarts: 2,
        created_at: Some(AT),
        started_at: Some(AT),
        reason: None,
        containers: vec![ContainerDetail {
            name: "flink-main-container".into(),
            restarts: 2,
            state: ContainerState::Waiting,
            reason: Some("CrashLoopBackOff".into()),
            message: None,
            exit_code: Some(137),
        }],
        main_container: Some("flink-main-container".to_owned()),
    }
}

fn event() -> EventDetail {
    EventDetail {
        object: "Pod/orders-7d-x".into(),
        reason: "BackOff".into(),
        message: "back-off".into(),
        at: Some(AT),
        count: Some(3),
        kind: Some("Warning".into()),
    }
}
