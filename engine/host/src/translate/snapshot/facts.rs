//! What the sources said.

use steadfast_core::evidence::Evidence;
use steadfast_core::facts::{
    Checkpoints, Container, Deployment, Desired, EndSource, FlinkJob, FlinkResource, HaData, JobEnd, KubeEvent, Pod,
    Readiness, ResourceKind, Rollout, RootException,
};

use super::record::state;
use super::{at, evidence, types};

pub(super) fn flink(source: &Evidence<FlinkJob>) -> types::FlinkEvidence {
    let present = |job: &FlinkJob| {
        types::FlinkAnswer::Present(types::FlinkJob {
            id: job.id.to_string(),
            state: state(job.state),
            started_at: at(job.started_at),
            ended_at: job.ended_at.map(at),
            tasks: types::Tasks {
                total: job.tasks.total,
                running: job.tasks.running,
            },
        })
    };
    let (looks, answer) = evidence(source, present, types::FlinkAnswer::Absent, types::FlinkAnswer::Unknown);
    types::FlinkEvidence { looks, answer }
}

pub(super) fn exceptions(source: &Evidence<RootException>) -> types::ExceptionsEvidence {
    let present = |exception: &RootException| {
        types::ExceptionsAnswer::Present(types::RootException {
            headline: exception.headline.clone().into(),
            at: exception.at.map(at),
        })
    };
    let (absent, unknown) = (types::ExceptionsAnswer::Absent, types::ExceptionsAnswer::Unknown);
    let (looks, answer) = evidence(source, present, absent, unknown);
    types::ExceptionsEvidence { looks, answer }
}

pub(super) fn checkpoints(source: &Evidence<Checkpoints>) -> types::CheckpointsEvidence {
    let present = |checkpoints: &Checkpoints| {
        types::CheckpointsAnswer::Present(types::Checkpoints {
            completed: checkpoints.completed,
            failed: checkpoints.failed,
        })
    };
    let (absent, unknown) = (types::CheckpointsAnswer::Absent, types::CheckpointsAnswer::Unknown);
    let (looks, answer) = evidence(source, present, absent, unknown);
    types::CheckpointsEvidence { looks, answer }
}

pub(super) fn deployment(source: &Evidence<Deployment>) -> types::DeploymentEvidence {
    let present = |deployment: &Deployment| {
        types::DeploymentAnswer::Present(types::Deployment {
            uid: deployment.uid.as_str().to_owned(),
            created_at: deployment.created_at.map(at),
            deleting_since: deployment.deleting_since.map(at),
            replicas: deployment.replicas,
            ready: deployment.ready,
            owner: deployment.owner.clone().map(Into::into),
            trouble: deployment.trouble.clone().map(Into::into),
            rollout: rollout(deployment.rollout),
        })
    };
    let (absent, unknown) = (types::DeploymentAnswer::Absent, types::DeploymentAnswer::Unknown);
    let (looks, answer) = evidence(source, present, absent, unknown);
    types::DeploymentEvidence { looks, answer }
}

fn rollout(rollout: Rollout) -> types::Rollout {
    match rollout {
        Rollout::Settled => types::Rollout::Settled,
        Rollout::InProgress => types::Rollout::InProgress,
    }
}

pub(super) fn pods(source: &Evidence<Vec<Pod>>) -> types::PodsEvidence {
    let present = |pods: &Vec<Pod>| types::PodsAnswer::Present(pods.iter().map(pod).collect());
    let (looks, answer) = evidence(source, present, types::PodsAnswer::Absent, types::PodsAnswer::Unknown);
    types::PodsEvidence { looks, answer }
}

fn pod(pod: &Pod) -> types::Pod {
    types::Pod {
        name: pod.name.clone(),
        uid: pod.uid.as_str().to_owned(),
        created_at: pod.created_at.map(at),
        deleting_since: pod.deleting_since.map(at),
        phase: pod.phase.clone().into(),
        reason: pod.reason.clone().map(Into::into),
        readiness: match pod.ready {
            Readiness::Ready => types::Readiness::Ready,
            Readiness::NotReady => types::Readiness::NotReady,
        },
        unschedulable: pod.unschedulable.clone().map(Into::into),
        container: pod.container.as_ref().map(container),
    }
}

fn container(container: &Container) -> types::Container {
    types::Container {
        name: container.name.clone().into(),
        restarts: container.restarts,
        waiting: container.waiting.as_ref().map(|waiting| types::Waiting {
            reason: waiting.reason.clone().into(),
            message: waiting.message.clone().into(),
        }),
        terminated: container.terminated.as_ref().map(|ended| types::Termination {
            reason: ended.reason.clone().into(),
            exit_code: ended.exit_code,
            at: ended.at.map(at),
        }),
    }
}

pub(super) fn events(source: &Evidence<Vec<KubeEvent>>) -> types::EventsEvidence {
    let event = |event: &KubeEvent| types::KubeEvent {
        object: event.object.clone().into(),
        reason: event.reason.clone().into(),
        message: event.message.clone().into(),
        at: event.at.map(at),
    };
    let present = |events: &Vec<KubeEvent>| types::EventsAnswer::Present(events.iter().map(event).collect());
    let (absent, unknown) = (types::EventsAnswer::Absent, types::EventsAnswer::Unknown);
    let (looks, answer) = evidence(source, present, absent, unknown);
    types::EventsEvidence { looks, answer }
}

pub(super) fn ha_data(source: &Evidence<HaData>) -> types::HaDataEvidence {
    let present =
        |data: &HaData| types::HaDataAnswer::Present(data.config_maps.iter().cloned().map(Into::into).collect());
    let (absent, unknown) = (types::HaDataAnswer::Absent, types::HaDataAnswer::Unknown);
    let (looks, answer) = evidence(source, present, absent, unknown);
    types::HaDataEvidence { looks, answer }
}

pub(super) fn job_end(source: &Evidence<JobEnd>) -> types::JobEndEvidence {
    let present = |end: &JobEnd| {
        types::JobEndAnswer::Present(types::JobEnd {
            job: end.job.to_string(),
            state: state(end.state),
            cause: end.cause.clone().map(Into::into),
            ended_at: end.ended_at.map(at),
            told_by: match end.told_by {
                EndSource::LastWords => types::EndSource::LastWords,
                EndSource::Archive => types::EndSource::Archive,
                EndSource::HistoryServer => types::EndSource::HistoryServer,
                EndSource::JobResultStore => types::EndSource::JobResultStore,
            },
        })
    };
    let (absent, unknown) = (types::JobEndAnswer::Absent, types::JobEndAnswer::Unknown);
    let (looks, answer) = evidence(source, present, absent, unknown);
    types::JobEndEvidence { looks, answer }
}

pub(super) fn flink_resource(source: &Evidence<FlinkResource>) -> types::FlinkResourceEvidence {
    let present = |resource: &FlinkResource| {
        types::FlinkResourceAnswer::Present(types::FlinkResource {
            kind: match resource.kind {
                ResourceKind::FlinkDeployment => types::FlinkResourceKind::FlinkDeployment,
                ResourceKind::FlinkSessionJob => types::FlinkResourceKind::FlinkSessionJob,
            },
            name: resource.name.clone(),
            uid: resource.uid.as_str().to_owned(),
            created_at: resource.created_at.map(at),
            deleting_since: resource.deleting_since.map(at),
            desired: match resource.desired {
                Desired::Running => types::DesiredState::Running,
                Desired::Suspended => types::DesiredState::Suspended,
            },
            rollout: rollout(resource.rollout),
            flink_job_id: resource.flink_job_id.map(|id| id.to_string()),
            reported_state: resource.reported_state.map(state),
            lifecycle: resource.lifecycle.clone().map(Into::into),
            job_manager_status: resource.job_manager_status.clone().map(Into::into),
            error: resource.error.clone().map(Into::into),
        })
    };
    let (absent, unknown) = (types::FlinkResourceAnswer::Absent, types::FlinkResourceAnswer::Unknown);
    let (looks, answer) = evidence(source, present, absent, unknown);
    types::FlinkResourceEvidence { looks, answer }
}
