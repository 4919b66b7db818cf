//! Snapshots to judge.

use steadfast_core::evidence::{Fault, FaultKind, Observation, Observed};
use steadfast_core::facts::{Container, Deployment, FlinkJob, Pod, Readiness, Tasks, Termination, Waiting};
use steadfast_core::id::Uid;
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::state::{JobState, Mode};
pub(crate) use steadfast_core::testing::at;
use steadfast_core::testing::{self, flink_job, flink_job_id, job_key, observed};

/// A job that runs, as Flink said a second ago.
pub(crate) fn running() -> Snapshot {
    let id = flink_job_id(1);
    let mut record = testing::record(job_key("orders"), at(0));
    record.state = JobState::Running;
    record
        .incarnation
        .see_job(&flink_job(id, JobState::Running, at(0)), at(1), at(1));
    let job = FlinkJob {
        tasks: Tasks { total: 2, running: 2 },
        ..flink_job(id, JobState::Running, at(0))
    };
    Snapshot {
        flink: observed(Observed::Present(job), at(99)),
        fleet: Fleet { targets: 1, dark: 0 },
        ..testing::snapshot(record, at(100))
    }
}

/// The same job when a look has just failed.
pub(crate) fn silent() -> Snapshot {
    let mut snapshot = running();
    let fault = Fault::new(FaultKind::Timeout, "no answer within 3 s");
    if let Some(flink) = &mut snapshot.flink {
        flink.accept(Observation::new(Observed::Unknown(fault), at(100), at(100)));
    }
    snapshot
}

/// A job whose two JobManager pods crash, with everything that can be known about it.
pub(crate) fn crash_looping() -> Snapshot {
    let mut snapshot = silent();
    let uid = Uid::new("5b1c2f0e-0000-4000-8000-000000000001");
    let deployment = Deployment {
        created_at: Some(at(0)),
        ready: 0,
        native: Some(Mode::Application),
        owner: Some("FlinkDeployment".into()),
        trouble: Some("MinimumReplicasUnavailable: Deployment does not have minimum availability.".into()),
        ..testing::deployment(uid.as_str())
    };
    let pod = |n: i64| Pod {
        uid: Uid::new(format!("5b1c2f0e-0000-4000-8000-00000000001{n}")),
        created_at: Some(at(n)),
        ip: Some("10.0.0.7".to_owned()),
        ready: Readiness::NotReady,
        container: Some(Container {
            name: "flink-main-container".into(),
            restarts: 5,
            waiting: Some(Waiting {
                reason: "CrashLoopBackOff".into(),
                message: "back-off 2m40s restarting failed container=flink-main-container".into(),
            }),
            terminated: Some(Termination {
                reason: "Error".into(),
                exit_code: 1,
                at: Some(at(90)),
            }),
        }),
        ..testing::pod(&format!("orders-5d9c-{n}"))
    };
    snapshot.record.incarnation.see_deployment(&uid, None, at(2), at(2));
    snapshot.deployment = observed(Observed::Present(deployment), at(99));
    snapshot.pods = observed(Observed::Present(vec![pod(2), pod(1)]), at(99));
    snapshot
}
