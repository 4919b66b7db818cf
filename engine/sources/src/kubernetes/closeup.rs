//! What Kubernetes says of one Flink cluster, for a person who asks: its pods, what was told of them, and the end of a log.
//!
//! Pods are those that carry Flink's labels with the cluster's id, as everywhere. A log is read of these alone: whoever may ask for a
//! job's log may not ask for any other pod's.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1 as core;
use steadfast_core::closeup::{
    ContainerDetail, ContainerState, EventDetail, LOG_TEXT, LogQuestion, LogTail, MOST_CONTAINERS, MOST_EVENTS,
    PodDetail, PodRole,
};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::foreign_lines::ForeignLines;
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::id::Namespace;

use super::KubeCluster;
use super::decode::FLINK_CONTAINER;
use super::list::{Path, success};
use super::lookups::{AtHand, event_time, has_no_previous, is_about};
use super::metadata::{identity, timestamp};
use crate::transport::{fetch, within};

/// The most of a log that is read to show its end, in bytes.
const LOG_READ: usize = 4 << 20;

impl KubeCluster {
    /// All pods of a Flink cluster, however many: JobManagers before TaskManagers, the newest first. A pod that cannot be told fails it.
    /// All of it within one deadline.
    pub async fn pod_details(&self, namespace: &Namespace, cluster_id: &str) -> Result<Vec<PodDetail>, Fault> {
        let path = Path::new(
            format!("/api/v1/namespaces/{namespace}/pods"),
            format!("labelSelector=app%3D{cluster_id},component%20in%20(jobmanager,taskmanager)&"),
            "PodList",
        );
        let reading = self.read_all(&path, |pods: &mut Vec<Option<PodDetail>>, pod: core::Pod| {
            pods.push(detail(pod))
        });
        let pods = within(self.settings.timing.timeout, "list pods", reading).await?;
        let pods: Option<Vec<PodDetail>> = pods.into_iter().collect();
        let mut pods = pods.ok_or_else(|| {
            Fault::new(
                FaultKind::Malformed,
                "list pods: one of them has a name or a label that Kubernetes has not",
            )
        })?;
        pods.sort_by_key(|pod| (pod.role, Reverse(pod.created_at), pod.name.clone()));
        Ok(pods)
    }

    /// What was told of a Flink cluster's objects, warnings or not: the newest [`MOST_EVENTS`], the newest first. All of it within one
    /// deadline: a namespace may have very many.
    pub async fn event_details(&self, namespace: &Namespace, cluster_id: &str) -> Result<Vec<EventDetail>, Fault> {
        let reading = async {
            let at_hand = self.at_hand(namespace, cluster_id).await?;
            let path = Path::new(
                format!("/api/v1/namespaces/{namespace}/events"),
                String::new(),
                "EventList",
            );
            let take = |events: &mut Vec<EventDetail>, event: core::Event| {
                events.extend(told(event, cluster_id, &at_hand));
            };
            self.read_all(&path, take).await
        };
        let mut events = within(self.settings.timing.timeout, "list events", reading).await?;
        events.sort_by_key(|event| Reverse(event.at));
        events.truncate(MOST_EVENTS);
        Ok(events)
    }

    /// The end of a log of one of the cluster's pods. `None`: it has no such pod, or the container's run of which it is asked never was.
    pub async fn log_tail(
        &self,
        namespace: &Namespace,
        cluster_id: &str,
        question: &LogQuestion,
    ) -> Result<Option<LogTail>, Fault> {
        let pods = self.pod_details(namespace, cluster_id).await?;
        let asked = |pod: &PodDetail| match &question.pod {
            Some(name) => pod.name == *name,
            None => pod.role == PodRole::JobManager,
        };
        let Some(pod) = pods.into_iter().find(asked) else {
            return Ok(None);
        };
        let Some(container) = pod.main_container else {
            let why = format!("pod {}: it names no container whose log could be read", pod.name);
            return Err(Fault::new(FaultKind::Malformed, why));
        };
        let path = format!("/api/v1/namespaces/{namespace}/pods/{}/log", pod.name);
        let previous = if question.previous { "&previous=true" } else { "" };
        let url = format!("{path}?container={container}&tailLines={}{previous}", question.lines);
        let reading = fetch(&self.client, &url, LOG_READ);
        let answer = within(self.settings.timing.timeout, &path, reading).await;
        let answer = answer.map_err(|fault| {
            if fault.kind == FaultKind::TooLarge {
                return Fault::new(fault.kind, format!("{}; ask for fewer lines", fault.message));
            }
            fault
        })?;
        if answer.status == 400 && has_no_previous(&answer.body) {
            return Ok(None);
        }
        let body = success(&path, answer)?;
        Ok(Some(LogTail {
            pod: pod.name,
            container,
            text: ForeignLines::last(&String::from_utf8_lossy(&body), LOG_TEXT),
        }))
    }
}

/// `None` if it cannot be told what it is.
fn detail(pod: core::Pod) -> Option<PodDetail> {
    let metadata = pod.metadata;
    let (_, name, _) = identity(&metadata)?;
    let role = PodRole::parse(metadata.labels.as_ref()?.get("component")?)?;
    let spec = pod.spec.unwrap_or_default();
    let status = pod.status.unwrap_or_default();
    let deleting = timestamp(metadata.deletion_timestamp.as_ref());
    let deleting = deleting.map(|since| ForeignText::from(format!("Terminating: it is being deleted, due {since}")));
    let ready = condition(&status, "Ready").is_some_and(|condition| condition.status == "True");
    let reason = deleting.or_else(|| said(&status)).or_else(|| unscheduled(&status));
    let main = spec
        .containers
        .iter()
        .find(|container| container.name == FLINK_CONTAINER);
    let main = main.or(spec.containers.first());
    let first_ones = status.init_container_statuses.unwrap_or_default();
    let all = first_ones.iter().chain(status.container_statuses.iter().flatten());
    let containers: Vec<ContainerDetail> = all.map(container).collect();
    Some(PodDetail {
        name,
        role,
        phase: status.phase.unwrap_or_default().into(),
        ready,
        node: spec.node_name.map(ForeignText::from),
        restarts: containers.iter().fold(0, |sum, one| sum.saturating_add(one.restarts)),
        created_at: timestamp(metadata.creation_timestamp.as_ref()),
        started_at: timestamp(status.start_time.as_ref()),
        reason,
        containers: containers.into_iter().take(MOST_CONTAINERS).collect(),
        main_container: main
            .map(|container| container.name.clone())
            .filter(|name| is_label(name)),
    })
}

/// Whether it can be the name of a container (RFC 1123, a DNS label). It becomes part of a URL.
fn is_label(name: &str) -> bool {
    let is_of_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(is_of_label)
}

fn condition<'a>(status: &'a core::PodStatus, kind: &str) -> Option<&'a core::PodCondition> {
    status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == kind)
}

/// What the pod's status says of itself, e.g. that it was evicted.
fn said(status: &core::PodStatus) -> Option<ForeignText> {
    joined(status.reason.as_deref()?, status.message.as_deref())
}

/// Why it has no node.
fn unscheduled(status: &core::PodStatus) -> Option<ForeignText> {
    let condition = condition(status, "PodScheduled").filter(|condition| condition.status == "False")?;
    joined(condition.reason.as_deref()?, condition.message.as_deref())
}

fn joined(reason: &str, message: Option<&str>) -> Option<ForeignText> {
    let text = match message {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    };
    Some(text.into())
}

fn container(status: &core::ContainerStatus) -> ContainerDetail {
    let now = status.state.as_ref();
    let waiting = now.and_then(|state| state.waiting.as_ref());
    let ended = now.and_then(|state| state.terminated.as_ref());
    let ended_before = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let end = ended.or(ended_before);
    let (state, reason, message) = match waiting {
        Some(waiting) => (ContainerState::Waiting, &waiting.reason, &waiting.message),
        None => {
            let is_running = now.is_some_and(|state| state.running.is_some());
            let state = match (ended, is_running) {
                (Some(_), _) => ContainerState::Terminated,
                (None, true) => ContainerState::Running,
                // What says nothing waits: the kubelet has not looked at it yet.
                (None, false) => ContainerState::Waiting,
            };
            match end {
                Some(end) => (state, &end.reason, &end.message),
                None => (state, &None, &None),
            }
        }
    };
    let text = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(ForeignText::new);
    ContainerDetail {
        name: status.name.as_str().into(),
        restarts: u32::try_from(status.restart_count).unwrap_or(0),
        state,
        reason: text(reason),
        message: text(message),
        exit_code: end.map(|end| end.exit_code),
    }
}

fn told(event: core::Event, cluster_id: &str, at_hand: &AtHand) -> Option<EventDetail> {
    let at = event_time(&event);
    let (kind, name) = (event.involved_object.kind?, event.involved_object.name?);
    let is_ours = is_about(&kind, &name, cluster_id, at_hand) || (kind == "FlinkDeployment" && name == cluster_id);
    let in_series = event.series.and_then(|series| series.count);
    is_ours.then(|| EventDetail {
        object: format!("{kind}/{name}").into(),
        reason: event.reason.unwrap_or_default().into(),
        message: event.message.unwrap_or_default().into(),
        at,
        count: event
            .count
            .or(in_series)
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| *count > 0),
        kind: event.type_.map(ForeignText::from),
    })
}
