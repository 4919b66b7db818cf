//! One value of each kind of fact.

use steadfast_core::facts::{
    Checkpoints, Container, Deletion, Deployment, Desired, EndSource, FlinkJob, FlinkResource, HaData, JobEnd,
    KubeEvent, Pod, Readiness, ResourceKind, Rollout, RootException, Tasks, Termination, Waiting,
};
use steadfast_core::id::{Namespace, Uid};
use steadfast_core::state::{JobState, Mode};
use steadfast_core::time::Timestamp;

use super::{at, job, labels, pick};

const SOURCES: [EndSource; 4] = [
    EndSource::LastWords,
    EndSource::Archive,
    EndSource::HistoryServer,
    EndSource::JobResultStore,
];
const ROLLOUTS: [Rollout; 2] = [Rollout::Settled, Rollout::InProgress];
const KINDS: [ResourceKind; 2] = [ResourceKind::FlinkDeployment, ResourceKind::FlinkSessionJob];
const DESIRED: [Desired; 2] = [Desired::Running, Desired::Suspended];

/// The facts of the `n`th snapshot: what may be missing is there in every other one.
pub(super) struct Facts {
    pub(super) n: usize,
}

impl Facts {
    fn some<T>(&self, value: T) -> Option<T> {
        (self.n.is_multiple_of(2)).then_some(value)
    }

    fn text(&self, text: &str) -> Option<String> {
        self.some(text.to_owned())
    }

    fn moment(&self, seconds: u64) -> Option<Timestamp> {
        self.some(at(seconds))
    }

    pub(super) fn flink(&self) -> FlinkJob {
        FlinkJob {
            id: job(1),
            state: pick(JobState::ALL, self.n),
            started_at: at(10),
            ended_at: self.moment(20),
            tasks: Tasks { total: 8, running: 7 },
        }
    }

    pub(super) fn exception(&self) -> RootException {
        RootException {
            headline: "java.lang.OutOfMemoryError: Java heap space".into(),
            at: self.moment(21),
        }
    }

    pub(super) fn checkpoints(&self) -> Checkpoints {
        Checkpoints {
            completed: u64::MAX,
            failed: 2,
            ..Checkpoints::default()
        }
    }

    pub(super) fn deployment(&self) -> Deployment {
        Deployment {
            namespace: Namespace::new("default"),
            name: "orders".to_owned(),
            uid: Uid::new("2cf30bb3-bb42-4ea6-9a5f-1f5a7c1b9d61"),
            created_at: self.moment(11),
            deleting_since: self.moment(12),
            replicas: 2,
            ready: 1,
            native: self.some(Mode::Application),
            owner: self.text("FlinkDeployment").map(Into::into),
            trouble: self.text("ProgressDeadlineExceeded: it has timed out").map(Into::into),
            rollout: pick(&ROLLOUTS, self.n),
            labels: self.some(labels()).unwrap_or_default(),
        }
    }

    pub(super) fn deletion(&self) -> Deletion {
        Deletion {
            uid: Uid::new("2cf30bb3-bb42-4ea6-9a5f-1f5a7c1b9d61"),
            seen_at: at(22),
        }
    }

    /// One that is well, without a container; one in trouble.
    pub(super) fn pods(&self) -> Vec<Pod> {
        let well = Pod {
            namespace: Namespace::new("default"),
            name: "orders-5d9c-x1".to_owned(),
            uid: Uid::new("7b0a"),
            app: "orders".to_owned(),
            created_at: None,
            deleting_since: None,
            phase: "Running".into(),
            reason: None,
            ip: Some("10.0.0.7".to_owned()),
            rest_port: None,
            ready: Readiness::Ready,
            unschedulable: None,
            container: None,
        };
        let container = Container {
            name: "flink-main-container".into(),
            restarts: 3,
            waiting: self.some(Waiting {
                reason: "CrashLoopBackOff".into(),
                message: "back-off 10s".into(),
            }),
            terminated: (self.n < 3).then(|| Termination {
                reason: "OOMKilled".into(),
                exit_code: -9,
                at: self.moment(14),
            }),
        };
        let ill = Pod {
            created_at: self.moment(13),
            deleting_since: self.moment(15),
            phase: "Failed".into(),
            reason: self.text("Evicted: the node was low on memory").map(Into::into),
            ip: None,
            ready: Readiness::NotReady,
            unschedulable: self.text("Unschedulable: 0/3 nodes are available").map(Into::into),
            container: Some(container),
            ..well.clone()
        };
        vec![well, ill]
    }

    pub(super) fn events(&self) -> Vec<KubeEvent> {
        vec![KubeEvent {
            object: "ReplicaSet/orders-5d9c".into(),
            reason: "FailedCreate".into(),
            message: "exceeded quota".into(),
            at: self.moment(16),
        }]
    }

    pub(super) fn ha_data(&self) -> HaData {
        HaData {
            config_maps: vec!["orders-cluster-config-map".into()],
        }
    }

    pub(super) fn end(&self) -> JobEnd {
        JobEnd {
            job: job(1),
            state: JobState::Failed,
            cause: self.text("java.lang.RuntimeException").map(Into::into),
            ended_at: self.moment(17),
            told_by: pick(&SOURCES, self.n),
        }
    }

    pub(super) fn resource(&self) -> FlinkResource {
        FlinkResource {
            kind: pick(&KINDS, self.n),
            namespace: Namespace::new("default"),
            name: "orders".to_owned(),
            uid: Uid::new("9c1d"),
            blue_green: None,
            deployment: "orders".to_owned(),
            mode: pick(Mode::ALL, self.n),
            created_at: self.moment(8),
            deleting_since: self.moment(9),
            desired: pick(&DESIRED, self.n),
            rollout: pick(&ROLLOUTS, self.n),
            flink_job_id: self.some(job(1)),
            reported_state: self.some(JobState::Reconciling),
            lifecycle: self.text("STABLE").map(Into::into),
            job_manager_status: self.text("READY").map(Into::into),
            error: self.text("ReconcileException").map(Into::into),
        }
    }
}
