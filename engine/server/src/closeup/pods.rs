//! A job's pods, what was told of them, and the end of a log.

use serde::Serialize;
use steadfast_core::closeup;
use steadfast_core::foreign_text::ForeignText;
use utoipa::ToSchema;

use super::Part;
use crate::words::schema;

/// A job's pods now, and what Kubernetes tells of its objects.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodsCloseup {
    /// When it was asked, by Steadfast's clock.
    #[schema(format = DateTime)]
    asked_at: String,
    /// At most 200: JobManagers first, then the newest. Absent: there are none.
    pods: Part<Vec<Pod>>,
    /// How many pods there are besides; 0: these are all.
    #[schema(example = 0)]
    pods_omitted: usize,
    /// At most 50, the newest first. Absent: there are none.
    events: Part<Vec<KubernetesEvent>>,
}

/// A pod.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pod {
    name: String,
    /// What runs in it.
    #[schema(value_type = schema::PodRole, example = "jobmanager")]
    role: &'static str,
    /// Pending, Running, Succeeded, Failed or Unknown.
    #[schema(example = "Running")]
    phase: String,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    /// Those of all its containers.
    restarts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// Why it is as it is: that it is being deleted, cannot be scheduled, was evicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// At most 20.
    containers: Vec<Container>,
}

/// A container of a pod.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container {
    name: String,
    restarts: u32,
    /// What it does.
    #[schema(value_type = schema::ContainerState, example = "running")]
    state: &'static str,
    /// Why it waits or has ended; of one that runs, why it ended before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "OOMKilled")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// With what it ended, now or before.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
}

/// What was told of one of the job's objects.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KubernetesEvent {
    #[schema(example = "Pod/orders-6b97bc96b8-72rv8")]
    object: String,
    reason: String,
    message: String,
    /// When it was last seen; absent where that is not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    /// Normal or Warning.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

/// The end of a log.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogCloseup {
    /// When it was asked, by Steadfast's clock.
    #[schema(format = DateTime)]
    asked_at: String,
    log: Part<Log>,
}

/// The last lines of a container's log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Log {
    pod: String,
    container: String,
    /// At most 1 MiB; one that was cut begins with a line `…`.
    text: String,
}

fn text(text: Option<&ForeignText>) -> Option<String> {
    text.map(ToString::to_string)
}

impl From<&closeup::PodsCloseup> for PodsCloseup {
    fn from(found: &closeup::PodsCloseup) -> Self {
        Self {
            asked_at: found.asked_at.to_string(),
            pods: Part::of(&found.pods, |pods| pods.iter().map(Pod::from).collect()),
            pods_omitted: found.pods_omitted,
            events: Part::of(&found.events, |events| {
                events.iter().map(KubernetesEvent::from).collect()
            }),
        }
    }
}

impl From<&closeup::PodDetail> for Pod {
    fn from(pod: &closeup::PodDetail) -> Self {
        Self {
            name: pod.name.clone(),
            role: pod.role.as_str(),
            phase: pod.phase.to_string(),
            ready: pod.ready,
            node: text(pod.node.as_ref()),
            restarts: pod.restarts,
            started_at: pod.started_at.map(|at| at.to_string()),
            reason: text(pod.reason.as_ref()),
            containers: pod.containers.iter().map(Container::from).collect(),
        }
    }
}

impl From<&closeup::ContainerDetail> for Container {
    fn from(container: &closeup::ContainerDetail) -> Self {
        Self {
            name: container.name.to_string(),
            restarts: container.restarts,
            state: container.state.as_str(),
            reason: text(container.reason.as_ref()),
            message: text(container.message.as_ref()),
            exit_code: container.exit_code,
        }
    }
}

impl From<&closeup::EventDetail> for KubernetesEvent {
    fn from(event: &closeup::EventDetail) -> Self {
        Self {
            object: event.object.to_string(),
            reason: event.reason.to_string(),
            message: event.message.to_string(),
            at: event.at.map(|at| at.to_string()),
            count: event.count,
            kind: text(event.kind.as_ref()),
        }
    }
}

impl From<&closeup::LogCloseup> for LogCloseup {
    fn from(found: &closeup::LogCloseup) -> Self {
        Self {
            asked_at: found.asked_at.to_string(),
            log: Part::of(&found.log, |log| Log {
                pod: log.pod.clone(),
                container: log.container.clone(),
                text: log.text.to_string(),
            }),
        }
    }
}
