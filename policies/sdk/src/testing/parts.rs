//! Things that are there and well. A test changes the fields it is about: `Pod { phase: "Pending".into(), ..pod("a-1") }`.

use super::START;
use crate::{
    Container, Deployment, DesiredState, EndSource, FlinkJob, FlinkResource, FlinkResourceKind, JobEnd, JobState, Pod,
    Readiness, Rollout, Tasks, Termination, Waiting,
};

/// The id of the job in these worlds.
pub const FLINK_JOB: &str = "00000000000000000000000000000001";

/// The job as Flink lists it, all of its tasks running.
pub fn flink_job(state: JobState) -> FlinkJob {
    FlinkJob {
        id: FLINK_JOB.into(),
        state,
        started_at: START,
        ended_at: None,
        tasks: Tasks { total: 1, running: 1 },
    }
}

/// The job's Deployment, UID `u1`, ready.
pub fn deployment() -> Deployment {
    Deployment {
        uid: "u1".into(),
        created_at: Some(START),
        deleting_since: None,
        replicas: 1,
        ready: 1,
        owner: None,
        trouble: None,
        rollout: Rollout::Settled,
    }
}

/// A pod that runs and is ready.
pub fn pod(name: &str) -> Pod {
    Pod {
        name: name.into(),
        uid: name.into(),
        created_at: Some(START),
        deleting_since: None,
        phase: "Running".into(),
        reason: None,
        readiness: Readiness::Ready,
        unschedulable: None,
        container: Some(container(0)),
    }
}

/// A pod whose container waits, such as in `CrashLoopBackOff`.
pub fn waiting(name: &str, reason: &str, restarts: u32) -> Pod {
    let waiting = Some(Waiting {
        reason: reason.into(),
        message: String::new(),
    });
    Pod {
        readiness: Readiness::NotReady,
        container: Some(Container {
            waiting,
            ..container(restarts)
        }),
        ..pod(name)
    }
}

/// A pod whose container has ended for good, such as `OOMKilled` with 137.
pub fn ended(name: &str, reason: &str, exit_code: i32) -> Pod {
    let terminated = Some(Termination {
        reason: reason.into(),
        exit_code,
        at: None,
    });
    Pod {
        phase: "Failed".into(),
        readiness: Readiness::NotReady,
        container: Some(Container {
            terminated,
            ..container(0)
        }),
        ..pod(name)
    }
}

fn container(restarts: u32) -> Container {
    Container {
        name: "flink-main-container".into(),
        restarts,
        waiting: None,
        terminated: None,
    }
}

/// The end of the job, as something other than its living REST endpoint tells it.
pub fn job_end(state: JobState, told_by: EndSource) -> JobEnd {
    JobEnd {
        job: FLINK_JOB.into(),
        state,
        cause: None,
        ended_at: None,
        told_by,
    }
}

/// A FlinkDeployment that asks for the job to run, and an operator that is content.
pub fn flink_resource() -> FlinkResource {
    FlinkResource {
        kind: FlinkResourceKind::FlinkDeployment,
        name: "orders".into(),
        uid: "r1".into(),
        created_at: Some(START),
        deleting_since: None,
        desired: DesiredState::Running,
        rollout: Rollout::Settled,
        flink_job_id: Some(FLINK_JOB.into()),
        reported_state: None,
        lifecycle: Some("STABLE".into()),
        job_manager_status: None,
        error: None,
    }
}
