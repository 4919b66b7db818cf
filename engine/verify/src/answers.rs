//! What the world of an exploration answers when it is asked: the scene, in the facts that sources make of real answers.

use std::time::Duration;

use steadfast_core::board::ObjectRef;
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::facts::{
    Checkpoints, Container, Deployment, EndSource, FlinkJob, FlinkOverview, HaData, JobEnd, Pod, Readiness, Rollout,
    RootException, Tasks, Termination, Untold, Waiting,
};
use steadfast_core::id::{FlinkJobId, Uid};
use steadfast_core::kube_update::{Completeness, KubeChange, Object, ObjectKind};
use steadfast_core::labels::Labels;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;

use crate::step::{EndsStep, Explanation, KubernetesStep};
use crate::world::{ApiModel, Existence, FlinkModel, Health, PodModel, Pods, World};

/// The job whose end an archive of another job names.
const ANOTHER: u16 = u16::MAX;

/// What lists and the watch say, in order. `step` is what has just happened, if it happened in Kubernetes.
pub(crate) fn kubernetes(
    world: &World,
    object: &ObjectRef,
    labels: &Labels,
    step: Option<KubernetesStep>,
) -> Vec<(ObjectKind, KubeChange)> {
    if let ApiModel::Silent(kind) = world.kubernetes {
        return vec![
            (ObjectKind::Deployment, KubeChange::Failed(fault(kind))),
            (ObjectKind::Pod, KubeChange::Failed(fault(kind))),
        ];
    }
    let deployment = Object::Deployment(deployment(world, object, labels));
    let pods = pods(world, object).into_iter().map(Object::Pod);
    if step == Some(KubernetesStep::Deleted) {
        // Only the watch says that it was deleted; the next list confirms that it is gone.
        return pods
            .map(|pod| (ObjectKind::Pod, KubeChange::Deleted(pod)))
            .chain([(ObjectKind::Deployment, KubeChange::Deleted(deployment))])
            .collect();
    }
    let (deployments, pods) = match world.deployment.there {
        Existence::Up | Existence::Going { .. } => (vec![deployment], pods.collect()),
        Existence::Gone => (Vec::new(), Vec::new()),
    };
    let complete = Completeness::Complete;
    vec![
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

/// What explains a failure, asked for by its job's id.
pub(crate) fn exceptions(world: &World) -> Observed<RootException> {
    match world.run.state {
        JobState::Failing | JobState::Failed | JobState::Restarting => Observed::Present(RootException {
            headline: "java.lang.IllegalStateException: it fails".into(),
            at: None,
        }),
        JobState::Created
        | JobState::Initializing
        | JobState::Running
        | JobState::Cancelling
        | JobState::Canceled
        | JobState::Finished
        | JobState::Suspended
        | JobState::Reconciling
        | JobState::Unknown
        | JobState::Starting
        | JobState::Savepointing
        | JobState::Lost
        | JobState::Terminated => Observed::Absent,
    }
}

/// What Flink says of the job's checkpoints.
pub(crate) fn checkpoints(explanation: Explanation) -> Observed<Checkpoints> {
    let failed = match explanation {
        Explanation::Calm => 0,
        Explanation::CheckpointsFail => 1_000,
    };
    Observed::Present(Checkpoints {
        completed: 0,
        failed,
        ..Checkpoints::default()
    })
}

fn deployment(world: &World, object: &ObjectRef, labels: &Labels) -> Deployment {
    let body = world.deployment;
    let (replicas, ready) = match world.pod.count {
        Pods::One | Pods::Two => (1, u32::from(world.pod.health == Health::Ready)),
        Pods::None => (1, 0),
        Pods::ScaledToZero => (0, 0),
    };
    Deployment {
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        uid: Uid::new(format!("u{}", body.uid)),
        created_at: Some(body.created_at),
        deleting_since: deleting_since(world),
        replicas,
        ready,
        native: None,
        owner: None,
        trouble: None,
        rollout: Rollout::Settled,
        labels: labels.clone(),
    }
}

/// The pods there are, the newest first.
fn pods(world: &World, object: &ObjectRef) -> Vec<Pod> {
    let newest = world.pod;
    let before = PodModel {
        number: newest.number.saturating_sub(1),
        restarts: 0,
        health: Health::Ready,
        ..newest
    };
    match newest.count {
        Pods::One => vec![pod(world, newest, object)],
        Pods::Two => vec![pod(world, newest, object), pod(world, before, object)],
        Pods::None | Pods::ScaledToZero => Vec::new(),
    }
}

fn pod(world: &World, model: PodModel, object: &ObjectRef) -> Pod {
    let body = world.deployment;
    let name = match model.number {
        0 => format!("orders-jm-{}", body.uid),
        number => format!("orders-jm-{}-{number}", body.uid),
    };
    let crashes = model.health == Health::CrashLoop;
    Pod {
        namespace: object.namespace.clone(),
        uid: Uid::new(&name),
        name,
        app: object.name.clone(),
        // The newest comes first.
        created_at: Some(body.created_at.after(Duration::from_millis(u64::from(model.number)))),
        deleting_since: deleting_since(world),
        phase: "Running".into(),
        reason: None,
        ip: None,
        rest_port: None,
        ready: if crashes { Readiness::NotReady } else { Readiness::Ready },
        unschedulable: None,
        container: Some(Container {
            name: "flink-main-container".into(),
            restarts: u32::from(model.restarts),
            waiting: crashes.then(|| Waiting {
                reason: "CrashLoopBackOff".into(),
                message: "back-off".into(),
            }),
            terminated: (model.restarts > 0).then(|| Termination {
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

pub(crate) fn job_id(number: u16) -> Option<FlinkJobId> {
    FlinkJobId::parse(&format!("{number:032x}"))
}

fn unreadable() -> Fault {
    fault(FaultKind::Timeout)
}

/// The same words for every kind, so that only the kind can make a difference.
fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "no usable answer")
}
