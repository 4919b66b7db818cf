//! Looks on request, each with a deadline and a size limit.

use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::KubeEvent;
use steadfast_core::id::Namespace;
use steadfast_core::time::Timestamp;

use super::KubeCluster;
use super::list::success;
use crate::transport::{MAX_BODY, fetch, within};

/// How much of a log is read: a long stack trace may follow the line that counts.
const LOG_LINES: u32 = 800;
const LOG_BYTES: usize = 1 << 20;
/// How many events are kept.
const EVENTS: usize = 20;

#[derive(Deserialize)]
struct Items<T> {
    items: Option<Vec<T>>,
}

impl KubeCluster {
    /// The last lines of a pod's log.
    pub async fn pod_log(&self, namespace: &Namespace, pod: &str) -> Result<String, Fault> {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?tailLines={LOG_LINES}&limitBytes={LOG_BYTES}");
        let body = self.get(&path, LOG_BYTES * 2).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// The names of the ConfigMaps that Flink's HA services keep for a cluster id, sorted. Flink 2 labels them no
    /// longer, so they are told by their names.
    pub async fn ha_config_maps(&self, namespace: &Namespace, cluster_id: &str) -> Result<Vec<String>, Fault> {
        let path = format!("/api/v1/namespaces/{namespace}/configmaps?labelSelector=app%3D{cluster_id}&limit=500");
        let maps: Items<core::ConfigMap> = self.json(&path).await?;
        let names = maps.items.unwrap_or_default().into_iter().filter_map(|map| map.metadata.name);
        let mut names: Vec<String> = names.filter(|name| is_ha_map(name, cluster_id)).collect();
        names.sort();
        Ok(names)
    }

    /// Warning events about a Deployment, its ReplicaSets and its pods, the newest first.
    pub async fn events(&self, namespace: &Namespace, deployment: &str) -> Result<Vec<KubeEvent>, Fault> {
        let path = format!("/api/v1/namespaces/{namespace}/events?fieldSelector=type%3DWarning&limit=500");
        let events: Items<core::Event> = self.json(&path).await?;
        let mut events: Vec<KubeEvent> =
            events.items.unwrap_or_default().into_iter().filter_map(|event| event_about(event, deployment)).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        events.truncate(EVENTS);
        Ok(events)
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let body = self.get(path, MAX_BODY).await?;
        serde_json::from_slice(&body).map_err(|error| {
            Fault::new(FaultKind::Malformed, format!("{}: not what Kubernetes answers: {error}", path.split('?').next().unwrap_or(path)))
        })
    }

    async fn get(&self, path: &str, max_bytes: usize) -> Result<bytes::Bytes, Fault> {
        within(self.settings.timeout, path, async { success(path, fetch(&self.client, path, max_bytes).await?) }).await
    }
}

fn is_ha_map(name: &str, cluster_id: &str) -> bool {
    let part = name.strip_prefix(cluster_id).and_then(|rest| rest.strip_prefix('-')).and_then(|rest| rest.strip_suffix("-config-map"));
    part.is_some_and(|part| part == "cluster" || (part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit())))
}

fn event_about(event: core::Event, deployment: &str) -> Option<KubeEvent> {
    let (kind, name) = (event.involved_object.kind?, event.involved_object.name?);
    let behind = || name.strip_prefix(deployment).and_then(|rest| rest.strip_prefix('-'));
    let is_ours = match kind.as_str() {
        "Deployment" => name == deployment,
        // A ReplicaSet adds one part to the Deployment's name; another Deployment's name would add more.
        "ReplicaSet" => behind().is_some_and(|rest| !rest.contains('-')),
        "Pod" => behind().is_some(),
        _ => false,
    };
    let at = event.last_timestamp.map(|time| time.0.as_millisecond());
    let at = at.or(event.event_time.map(|time| time.0.as_millisecond()));
    is_ours.then(|| KubeEvent {
        object: format!("{kind}/{name}"),
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        at: at.map(Timestamp::from_millis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ha_config_maps_are_told_by_their_names() {
        assert!(is_ha_map("orders-cluster-config-map", "orders"));
        assert!(is_ha_map("orders-ffffffffc92beb7b0000000000000000-config-map", "orders"));
        assert!(!is_ha_map("flink-config-orders", "orders"));
        assert!(!is_ha_map("orders-v2-cluster-config-map", "orders"));
    }
}
