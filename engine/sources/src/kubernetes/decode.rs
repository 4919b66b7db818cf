//! From Kubernetes' objects to the few facts that decisions need.

use std::net::IpAddr;

use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;
use steadfast_core::facts::{Container, Deployment, Pod, Readiness, ResourceKind, Rollout, Termination, Waiting};
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::kube_update::{Object, ObjectKind};
use steadfast_core::state::Mode;

use super::metadata::{identity, labels, namespaced_name, timestamp};
use super::operator::{Resource, Snapshot};
use crate::json;

/// What Flink calls the container that runs it (`Constants.MAIN_CONTAINER_NAME`), in a pod template too.
pub(super) const FLINK_CONTAINER: &str = "flink-main-container";

/// Decodes one object. What does not decode is named all the same; an error means that not even its name can be read.
pub(super) fn object(kind: ObjectKind, json: &str) -> Result<Object, ForeignText> {
    let decoded = match kind {
        ObjectKind::Deployment => json::from_str(json).map(|it| deployment(it).map(Object::Deployment)),
        ObjectKind::Pod => json::from_str(json).map(|it| pod(it).map(Object::Pod)),
        ObjectKind::FlinkDeployment => resource(ResourceKind::FlinkDeployment, json),
        ObjectKind::FlinkSessionJob => resource(ResourceKind::FlinkSessionJob, json),
        ObjectKind::FlinkStateSnapshot => {
            json::from_str::<Snapshot>(json).map(|it| it.facts().map(Object::StateSnapshot))
        }
    };
    let error: ForeignText = match decoded {
        Ok(Some(object)) => return Ok(object),
        Ok(None) => {
            "it lacks its name, its uid, or the name of its Deployment or its job, or one of them, or one of its \
                     labels, is none that Kubernetes has"
                .into()
        }
        Err(error) => error.to_string().into(),
    };
    let named = json::from_str::<Named>(json).ok();
    let named = named.and_then(|Named { metadata }| namespaced_name(metadata.namespace.as_deref(), &metadata.name));
    match named {
        Some((namespace, name)) => Ok(Object::Undecodable { namespace, name, error }),
        None => Err(error),
    }
}

fn resource(kind: ResourceKind, json: &str) -> Result<Option<Object>, serde_json::Error> {
    json::from_str::<Resource>(json).map(|it| it.facts(kind).map(Object::FlinkResource))
}

#[derive(Deserialize)]
struct Named {
    metadata: NamedMetadata,
}

#[derive(Deserialize)]
struct NamedMetadata {
    name: String,
    namespace: Option<String>,
}

fn deployment(object: apps::Deployment) -> Option<Deployment> {
    let metadata = object.metadata;
    let (namespace, name, uid) = identity(&metadata)?;
    let spec = object.spec.unwrap_or_default();
    let status = object.status.unwrap_or_default();
    let count = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    // The Flink operator names its FlinkDeployment as an owner that does not control.
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    let owner = owners
        .iter()
        .find(|owner| owner.controller == Some(true))
        .or(owners.first());
    let trouble = status.conditions.iter().flatten().find(|condition| {
        (condition.type_ == "ReplicaFailure" && condition.status == "True")
            || (condition.type_ == "Progressing" && condition.status == "False")
    });
    let wanted = count(spec.replicas).unwrap_or(1);
    let is_seen = status.observed_generation.unwrap_or(0) >= metadata.generation.unwrap_or(0);
    let is_newest = count(status.updated_replicas).unwrap_or(0) >= wanted
        && count(status.replicas).unwrap_or(0) <= count(status.updated_replicas).unwrap_or(0);
    let labels = labels(metadata.labels)?;
    let is_native = labels.get("type") == Some("flink-native-kubernetes");
    Some(Deployment {
        namespace,
        name,
        uid,
        created_at: timestamp(metadata.creation_timestamp.as_ref()),
        deleting_since: timestamp(metadata.deletion_timestamp.as_ref()),
        replicas: wanted,
        ready: count(status.ready_replicas).unwrap_or(0),
        native: if is_native {
            native_mode(spec.template.spec.as_ref())
        } else {
            None
        },
        owner: owner.map(|owner| owner.kind.as_str().into()),
        trouble: trouble.map(|condition| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            format!("{}: {}", text(&condition.reason), text(&condition.message)).into()
        }),
        rollout: if is_seen && is_newest {
            Rollout::Settled
        } else {
            Rollout::InProgress
        },
        labels,
    })
}

/// What Flink's entry point was started as, by its arguments (`KubernetesSessionClusterEntrypoint` and
/// `KubernetesApplicationClusterEntrypoint` behind `kubernetes-jobmanager.sh`).
fn native_mode(spec: Option<&core::PodSpec>) -> Option<Mode> {
    let arguments = spec?
        .containers
        .iter()
        .flat_map(|container| container.args.iter().chain(&container.command).flatten());
    arguments.into_iter().find_map(|argument| {
        if argument.contains("kubernetes-session") {
            Some(Mode::Session)
        } else if argument.contains("kubernetes-application") {
            Some(Mode::Application)
        } else {
            None
        }
    })
}

pub(super) fn pod(object: core::Pod) -> Option<Pod> {
    let metadata = object.metadata;
    let (namespace, name, uid) = identity(&metadata)?;
    let labels = labels(metadata.labels)?;
    let rest_port = object.spec.as_ref().and_then(rest_port);
    let status = object.status.unwrap_or_default();
    let condition = |kind: &str| {
        status
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == kind)
    };
    let ready = condition("Ready").is_some_and(|condition| condition.status == "True");
    let unschedulable = condition("PodScheduled")
        .filter(|condition| condition.status == "False")
        .map(|condition| {
            format!(
                "{}: {}",
                condition.reason.as_deref().unwrap_or_default(),
                condition.message.as_deref().unwrap_or_default()
            )
            .into()
        });
    let reason = status.reason.map(|reason| match &status.message {
        Some(message) => format!("{reason}: {message}").into(),
        None => reason.into(),
    });
    let statuses = status.container_statuses.unwrap_or_default();
    let first_ones = status.init_container_statuses.unwrap_or_default();
    Some(Pod {
        namespace,
        name,
        uid,
        app: labels.get("app").unwrap_or_default().to_owned(),
        created_at: timestamp(metadata.creation_timestamp.as_ref()),
        deleting_since: timestamp(metadata.deletion_timestamp.as_ref()),
        phase: status.phase.unwrap_or_default().into(),
        reason,
        // It becomes part of a URL.
        ip: status.pod_ip.filter(|ip| ip.parse::<IpAddr>().is_ok()),
        rest_port,
        ready: if ready { Readiness::Ready } else { Readiness::NotReady },
        unschedulable,
        container: main_container(&statuses, &first_ones),
    })
}

/// The container port named `rest` (Flink's `Constants.REST_PORT_NAME`): Flink's own container's, else any other's.
fn rest_port(spec: &core::PodSpec) -> Option<u16> {
    let (flinks, others): (Vec<_>, Vec<_>) = spec
        .containers
        .iter()
        .partition(|container| container.name == FLINK_CONTAINER);
    let ports = flinks
        .into_iter()
        .chain(others)
        .flat_map(|container| container.ports.iter().flatten());
    let mut rest = ports.filter(|port| port.name.as_deref() == Some("rest"));
    rest.find_map(|port| u16::try_from(port.container_port).ok())
}

/// Flink's own container, unless another is in trouble; an init container in trouble keeps Flink's from starting.
fn main_container(statuses: &[core::ContainerStatus], first_ones: &[core::ContainerStatus]) -> Option<Container> {
    let in_trouble = statuses.iter().chain(first_ones).find(|status| {
        status
            .state
            .as_ref()
            .and_then(|state| state.waiting.as_ref())
            .is_some_and(|waiting| {
                !matches!(
                    waiting.reason.as_deref(),
                    None | Some("ContainerCreating" | "PodInitializing")
                )
            })
    });
    let flinks = statuses.iter().find(|status| status.name == FLINK_CONTAINER);
    in_trouble.or(flinks).or(statuses.first()).map(container)
}

fn container(status: &core::ContainerStatus) -> Container {
    let state = status.state.as_ref();
    let terminated = state.and_then(|state| state.terminated.as_ref());
    let last = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    Container {
        name: status.name.as_str().into(),
        restarts: u32::try_from(status.restart_count).unwrap_or(0),
        waiting: state.and_then(|state| state.waiting.as_ref()).map(|waiting| Waiting {
            reason: waiting.reason.as_deref().unwrap_or_default().into(),
            message: waiting.message.as_deref().unwrap_or_default().into(),
        }),
        terminated: terminated.or(last).map(|terminated| Termination {
            reason: terminated.reason.as_deref().unwrap_or_default().into(),
            exit_code: terminated.exit_code,
            at: timestamp(terminated.finished_at.as_ref()),
        }),
    }
}
