//! Snapshots to judge.

use steadfast_core::evidence::{Evidence, Fault, FaultKind, Observed};
use steadfast_core::facts::{Container, Deployment, FlinkJob, Pod, Readiness, Rollout, Tasks, Termination, Waiting};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, Namespace, PolicyName, TargetId, Uid};
use steadfast_core::labels::Labels;
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::state::{JobState, Mode};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// A job that runs, as Flink said a second ago.
pub(crate) fn running() -> Snapshot {
    let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "orders");
    let key = JobKey::application(target);
    let mut record = JobRecord::unseen(
        key,
        Mode::Application,
        Origin::Discovered,
        PolicyName::new("default"),
        at(0),
    );
    let id = FlinkJobId::parse("00000000000000000000000000000001").unwrap();
    record.state = JobState::Running;
    record.incarnation.see_job(id, at(0), at(1));
    let job = FlinkJob {
        id,
        state: JobState::Running,
        started_at: at(0),
        ended_at: None,
        tasks: Tasks { total: 2, running: 2 },
    };
    Snapshot {
        now: at(100),
        engine_since: at(0),
        record,
        flink: Some(Evidence::first(Observed::Present(job), at(99), at(99))),
        exceptions: None,
        checkpoints: None,
        deployment: None,
        deletion: None,
        pods: None,
        events: None,
        ha_data: None,
        last_words: None,
        archive: None,
        flink_resource: None,
        task_managers: None,
        fleet: Fleet { targets: 1, dark: 0 },
        timing: Timing::default(),
    }
}

/// The same job when a look has just failed.
pub(crate) fn silent() -> Snapshot {
    let mut snapshot = running();
    let fault = Fault::new(FaultKind::Timeout, "no answer within 3 s");
    if let Some(flink) = &mut snapshot.flink {
        flink.accept(Observed::Unknown(fault), at(100), at(100));
    }
    snapshot
}

/// A job whose two JobManager pods crash, with everything that can be known about it.
pub(crate) fn crash_looping() -> Snapshot {
    let mut snapshot = silent();
    let uid = Uid::new("5b1c2f0e-0000-4000-8000-000000000001");
    let deployment = Deployment {
        namespace: Namespace::new("default"),
        name: "orders".to_owned(),
        uid: uid.clone(),
        created_at: Some(at(0)),
        deleting_since: None,
        replicas: 1,
        ready: 0,
        native: Some(Mode::Application),
        owner: Some("FlinkDeployment".to_owned()),
        trouble: Some("MinimumReplicasUnavailable: Deployment does not have minimum availability.".to_owned()),
        rollout: Rollout::Settled,
        labels: Labels::default(),
    };
    let pod = |n: i64| Pod {
        namespace: Namespace::new("default"),
        name: format!("orders-5d9c-{n}"),
        uid: Uid::new(format!("5b1c2f0e-0000-4000-8000-00000000001{n}")),
        app: "orders".to_owned(),
        created_at: Some(at(n)),
        deleting_since: None,
        phase: "Running".to_owned(),
        reason: None,
        ip: Some("10.0.0.7".to_owned()),
        ready: Readiness::NotReady,
        unschedulable: None,
        container: Some(Container {
            name: "flink-main-container".to_owned(),
            restarts: 5,
            waiting: Some(Waiting {
                reason: "CrashLoopBackOff".to_owned(),
                message: "back-off 2m40s restarting failed container=flink-main-container".to_owned(),
            }),
            terminated: Some(Termination {
                reason: "Error".to_owned(),
                exit_code: 1,
                at: Some(at(90)),
            }),
        }),
    };
    snapshot.record.incarnation.see_deployment(&uid, None, at(2), at(2));
    snapshot.deployment = Some(Evidence::first(Observed::Present(deployment), at(99), at(99)));
    snapshot.pods = Some(Evidence::first(Observed::Present(vec![pod(2), pod(1)]), at(99), at(99)));
    snapshot
}
