//! What the world of an exploration answers when it is asked: the scene, in the facts that sources make of real answers.

use steadfast_core::board::ObjectRef;
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::facts::{
    Container, Deployment, EndSource, FlinkJob, FlinkOverview, HaData, JobEnd, Pod, Readiness, Rollout, Tasks,
    Termination, Untold, Waiting,
};
use steadfast_core::id::{FlinkJobId, Uid};
use steadfast_core::kube_update::{Completeness, KubeChange, Object, ObjectKind};
use steadfast_core::labels::Labels;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;

use crate::step::{EndsStep, KubernetesStep};
use crate::world::{ApiModel, Existence, FlinkModel, Health, World};

/// The job whose end an archive of another job names.
const ANOTHER: u8 = 0xff;

/// What lists and the watch say, in order. `step` is what has just happened, if it happened in Kubernetes.
pub(crate) fn kubernetes(
    world: &World,
    object: &ObjectRef,
    step: Option<KubernetesStep>,
) -> [(ObjectKind, KubeChange); 2] {
    if let ApiModel::Silent(kind) = world.kubernetes {
        return [
            (ObjectKind::Deployment, KubeChange::Failed(fault(kind))),
            (ObjectKind::Pod, KubeChange::Failed(fault(kind))),
        ];
    }
    let (deployment, pod) = (
        Object::Deployment(deployment(world, object)),
        Object::Pod(pod(world, object)),
    );
    if step == Some(KubernetesStep::Deleted) {
        // Only the watch says that it was deleted; the next list confirms that it is gone.
        return [
            (ObjectKind::Pod, KubeChange::Deleted(pod)),
            (ObjectKind::Deployment, KubeChange::Deleted(deployment)),
        ];
    }
    let (deployments, pods) = match world.deployment.there {
        Existence::Up | Existence::Going { .. } => (vec![deployment], vec![pod]),
        Existence::Gone => (Vec::new(), Vec::new()),
    };
    let complete = Completeness::Complete;
    [
        (ObjectKind::Deployment, KubeChange::Relisted(deployments, complete)),
        (ObjectKind::Pod, KubeChange::Relisted(pods, complete)),
    ]
}

/// What Flink says of its jobs, and of the one that is followed.
pub(crate) fn overview(world: &World, followed: Option<FlinkJobId>) -> Observed<FlinkOverview> {
    match world.flink {
        FlinkModel::Silent(kind) => Observed::Unknown(fault(kind)),
        FlinkModel::Lacks => Observed::Present(FlinkOverview::without(followed)),
        FlinkModel::LeavesOut => {
            let untold = followed.map(|id| (id, Untold::Unknown(fault(FaultKind::Other))));
            Observed::Present(FlinkOverview {
                untold: untold.into_iter().collect(),
                ..FlinkOverview::default()
            })
        }
        FlinkModel::Lists => {
            let running = u32::from(world.run.state == JobState::Running);
            let jobs = job_id(world.run.job)
                .into_iter()
                .map(|id| FlinkJob {
                    id,
                    state: world.run.state,
                    started_at: world.run.started_at,
                    ended_at: None,
                    tasks: Tasks { total: 1, running },
                })
                .collect();
            let mut overview = FlinkOverview::listing(jobs);
            let gone = followed.filter(|id| overview.job(*id).is_none());
            overview.untold.extend(gone.map(|id| (id, Untold::Gone)));
            Observed::Present(overview)
        }
    }
}

/// What the JobManager's log says of the job while its pod is being deleted.
pub(crate) fn parting_words(words: Option<JobState>, job: FlinkJobId) -> Observed<JobEnd> {
    words.map_or(Observed::Absent, |state| {
        Observed::Present(end(job, state, EndSource::LastWords))
    })
}

/// What a log says that is read later: the job's end has scrolled by, or the pod is gone.
pub(crate) fn last_words(ends: EndsStep) -> Observed<JobEnd> {
    match ends {
        EndsStep::Unreadable => Observed::Unknown(unreadable()),
        EndsStep::Nothing | EndsStep::Archive(_) | EndsStep::OfAnotherJob(_) | EndsStep::RecoveryData => {
            Observed::Absent
        }
    }
}

/// What the archive says.
pub(crate) fn archive(ends: EndsStep, job: Option<FlinkJobId>) -> Observed<JobEnd> {
    match (ends, job) {
        (EndsStep::Unreadable, _) => Observed::Unknown(unreadable()),
        (EndsStep::Archive(state), Some(job)) => Observed::Present(end(job, state, EndSource::Archive)),
        (EndsStep::OfAnotherJob(state), _) => job_id(ANOTHER).map_or(Observed::Absent, |job| {
            Observed::Present(end(job, state, EndSource::Archive))
        }),
        (EndsStep::Archive(_), None) | (EndsStep::Nothing | EndsStep::RecoveryData, _) => Observed::Absent,
    }
}

/// Whether Flink's recovery data is there.
pub(crate) fn ha_data(ends: EndsStep) -> Observed<HaData> {
    match ends {
        EndsStep::Unreadable => Observed::Unknown(unreadable()),
        EndsStep::RecoveryData => Observed::Present(HaData {
            config_maps: vec!["orders-cluster-config-map".into()],
        }),
        EndsStep::Nothing | EndsStep::Archive(_) | EndsStep::OfAnotherJob(_) => Observed::Absent,
    }
}

fn deployment(world: &World, object: &ObjectRef) -> Deployment {
    let body = world.deployment;
    Deployment {
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        uid: Uid::new(format!("u{}", body.uid)),
        created_at: Some(body.created_at),
        deleting_since: deleting_since(world),
        replicas: 1,
        ready: u32::from(world.pod.health == Health::Ready),
        native: None,
        owner: None,
        trouble: None,
        rollout: Rollout::Settled,
        labels: Labels::default(),
    }
}

pub(crate) fn pod(world: &World, object: &ObjectRef) -> Pod {
    let body = world.deployment;
    let name = format!("orders-jm-{}", body.uid);
    let crashes = world.pod.health == Health::CrashLoop;
    Pod {
        namespace: object.namespace.clone(),
        uid: Uid::new(&name),
        name,
        app: object.name.clone(),
        created_at: Some(body.created_at),
        deleting_since: deleting_since(world),
        phase: "Running".into(),
        reason: None,
        ip: None,
        rest_port: None,
        ready: if crashes { Readiness::NotReady } else { Readiness::Ready },
        unschedulable: None,
        container: Some(Container {
            name: "flink-main-container".into(),
            restarts: u32::from(world.pod.restarts),
            waiting: crashes.then(|| Waiting {
                reason: "CrashLoopBackOff".into(),
                message: "back-off".into(),
            }),
            terminated: (world.pod.restarts > 0).then(|| Termination {
                reason: "Error".into(),
                exit_code: 1,
                at: None,
            }),
        }),
    }
}

fn deleting_since(world: &World) -> Option<Timestamp> {
    match world.deployment.there {
        Existence::Going { since } => Some(since),
        Existence::Up | Existence::Gone => None,
    }
}

fn end(job: FlinkJobId, state: JobState, told_by: EndSource) -> JobEnd {
    JobEnd {
        job,
        state,
        cause: None,
        ended_at: None,
        told_by,
    }
}

fn job_id(number: u8) -> Option<FlinkJobId> {
    FlinkJobId::parse(&format!("{number:032x}"))
}

fn unreadable() -> Fault {
    fault(FaultKind::Timeout)
}

/// The same words for every kind, so that only the kind can make a difference.
fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "no usable answer")
}
