//! Lookups on request, each with a deadline and a size limit. Any answer but a complete success is a fault.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1 as core;
use steadfast_core::board::ObjectRef;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::{KubeEvent, Pod};
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::id::{Namespace, Uid};
use steadfast_core::kube_update::{KubeChange, Object, ObjectKind, ResourceVersion};
use steadfast_core::lookup::{ContainerRun, ObjectQuestion};
use steadfast_core::time::Timestamp;

use super::KubeCluster;
use super::decode::{self, FLINK_CONTAINER};
use super::list::{self, Lister, Path, success};
use super::selection;
use crate::json;
use crate::transport::{Answer, fetch, within};

/// How much of a log is read: a long stack trace may follow the line that counts.
const LOG_LINES: u32 = 800;
const LOG_BYTES: usize = 1 << 20;
/// How many events are kept.
const EVENTS: usize = 20;
/// What the controller of volumes says of a claim that is not bound, and does not call a warning
/// (pkg/controller/volume/persistentvolume/pv_controller.go); `ProvisioningFailed` is one.
const CLAIM_WAITS: [&str; 4] = [
    "FailedBinding",
    "ExternalProvisioning",
    "WaitForFirstConsumer",
    "WaitForPodScheduled",
];

/// What one question is answered with.
#[derive(Debug)]
pub struct Answered {
    /// What the API server said.
    pub change: KubeChange,
    /// The version of the object, or of the list of pods, if there is one that can be compared.
    pub version: Option<ResourceVersion>,
}

impl KubeCluster {
    /// The last 800 lines of a pod's log, at most 1 MiB: of Flink's container, or of the only one there is. `None` if
    /// the container of which it is asked never was.
    pub async fn pod_log(&self, namespace: &Namespace, pod: &str, run: ContainerRun) -> Result<Option<String>, Fault> {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log");
        let which = match run {
            ContainerRun::Current => String::new(),
            ContainerRun::Previous { since: None } => "&previous=true".to_owned(),
            ContainerRun::Previous { since: Some(since) } => format!("&previous=true&sinceTime={since}"),
        };
        let query = format!("tailLines={LOG_LINES}&limitBytes={LOG_BYTES}{which}");
        // With a sidecar beside it, the container must be named; without, a container of another name will do.
        let mut answer = self.log(&path, &format!("{query}&container={FLINK_CONTAINER}")).await?;
        if answer.status == 400 && !has_no_previous(&answer.body) {
            answer = self.log(&path, &query).await?;
        }
        if answer.status == 400 && has_no_previous(&answer.body) {
            return Ok(None);
        }
        success(&path, answer).map(|body| Some(String::from_utf8_lossy(&body).into_owned()))
    }

    async fn log(&self, path: &str, query: &str) -> Result<Answer, Fault> {
        let url = format!("{path}?{query}");
        within(
            self.settings.timing.timeout,
            path,
            fetch(&self.client, &url, LOG_BYTES * 2),
        )
        .await
    }

    /// One object by its name: that it is there, or [`KubeChange::NotFound`] by the API server's own word. Fails for any
    /// other answer. So it does where another object has the name and a list would leave it out if its labels were others:
    /// whether it is one of ours only the list says.
    pub async fn ask_for(&self, question: &ObjectQuestion) -> Result<Answered, Fault> {
        let (kind, object, uid) = match question {
            ObjectQuestion::Named { kind, object, uid } => (kind, object, uid),
            ObjectQuestion::PodsOf { object, known } => return self.pods_of(object, known).await,
        };
        let key = (object.namespace.clone(), object.name.clone());
        let Some(found) = self.getter.get(*kind, &key).await? else {
            return Ok(Answered {
                change: KubeChange::NotFound(object.clone()),
                version: None,
            });
        };
        let is_listed = !list::selects(*kind, self.settings.deployments);
        if is_listed || (uid.is_some() && selection::uid(&found.object) == uid.as_ref()) {
            return Ok(Answered {
                change: KubeChange::Applied(found.object),
                version: found.version,
            });
        }
        let (kind, ObjectRef { namespace, name }) = (kind.as_str(), object);
        let message = format!("get {kind} {namespace}/{name}: another one has the name now; a list is to say which");
        Err(Fault::new(FaultKind::Other, message))
    }

    /// The JobManager pods of a Deployment. One that was known and is not selected any more is asked for by its name before it is
    /// left out, as for a list.
    async fn pods_of(&self, object: &ObjectRef, known: &[(String, Uid)]) -> Result<Answered, Fault> {
        let ObjectRef { namespace, name } = object;
        let path = list::pods_of(namespace, name);
        let (pods, version) = self
            .read_version(&path, |pods: &mut Vec<Option<Object>>, pod: core::Pod| {
                pods.push(decode::pod(pod).map(Object::Pod))
            })
            .await?;
        let mut pods = pods.into_iter().collect::<Option<Vec<Object>>>().ok_or_else(|| {
            Fault::new(
                FaultKind::Malformed,
                format!("a pod of {namespace}/{name} lacks its name or its uid"),
            )
        })?;
        for (pod, uid) in known {
            let is_listed = pods.iter().any(|listed| selection::uid(listed) == Some(uid));
            if is_listed {
                continue;
            }
            let found = self
                .getter
                .get(ObjectKind::Pod, &(namespace.clone(), pod.clone()))
                .await?;
            let there = found.map(|found| found.object);
            // One that cannot be read is there, and may be the one that was known.
            pods.extend(there.filter(|there| selection::uid(there).is_none_or(|it| it == uid)));
        }
        Ok(Answered {
            change: KubeChange::PodsOf(object.clone(), pods),
            version: ResourceVersion::read(&version),
        })
    }

    /// The names of the ConfigMaps that Flink's HA services keep for a cluster id, sorted. Flink up to 1.20 labels
    /// them; Flink 2 does not, so they are known by their names.
    pub async fn ha_config_maps(&self, namespace: &Namespace, cluster_id: &str) -> Result<Vec<ForeignText>, Fault> {
        let path = Path::new(
            format!("/api/v1/namespaces/{namespace}/configmaps"),
            format!("labelSelector=app%3D{cluster_id}&"),
            "ConfigMapList",
        );
        let mut names = self
            .read_all(&path, |names: &mut Vec<ForeignText>, map: core::ConfigMap| {
                let is_labelled = map
                    .metadata
                    .labels
                    .iter()
                    .flatten()
                    .any(|(key, value)| key == "configmap-type" && value == "high-availability");
                names.extend(
                    map.metadata
                        .name
                        .filter(|name| is_labelled || is_ha_map(name, cluster_id))
                        .map(Into::into),
                );
            })
            .await?;
        names.sort();
        Ok(names)
    }

    /// Warning events about a Deployment, its ReplicaSets, its pods and the claims of volumes that its JobManager's pods name,
    /// and of these claims also what they wait for: the newest 20, the newest first.
    pub async fn events(&self, namespace: &Namespace, deployment: &str) -> Result<Vec<KubeEvent>, Fault> {
        let at_hand = self.at_hand(namespace, deployment).await?;
        let told = |fields: &str| {
            Path::new(
                format!("/api/v1/namespaces/{namespace}/events"),
                format!("fieldSelector={fields}&"),
                "EventList",
            )
        };
        let take =
            |events: &mut Vec<KubeEvent>, event: core::Event| events.extend(event_about(event, deployment, &at_hand));
        let mut events = self.read_all(&told("type%3DWarning"), take).await?;
        if !at_hand.claims.is_empty() {
            let of_claims = told("type%3DNormal,involvedObject.kind%3DPersistentVolumeClaim");
            let waiting = self.read_all(&of_claims, take).await?;
            let is_telling = |event: &KubeEvent| CLAIM_WAITS.contains(&event.reason.as_str());
            events.extend(waiting.into_iter().filter(is_telling));
        }
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        events.truncate(EVENTS);
        Ok(events)
    }

    /// The JobManager's pods at this moment, and the claims that they name.
    pub(super) async fn at_hand(&self, namespace: &Namespace, deployment: &str) -> Result<AtHand, Fault> {
        let path = Path::new(
            format!("/api/v1/namespaces/{namespace}/pods"),
            format!("labelSelector=app%3D{deployment},component%3Djobmanager&"),
            "PodList",
        );
        let pods = self
            .read_all(&path, |pods: &mut Vec<core::Pod>, pod| pods.push(pod))
            .await?;
        Ok(AtHand {
            pods: pods.iter().filter_map(|pod| pod.metadata.name.clone()).collect(),
            claims: pods.into_iter().flat_map(claims_of).collect(),
        })
    }

    /// The TaskManagers' pods of a Flink cluster, the newest first.
    pub async fn task_managers(&self, namespace: &Namespace, cluster_id: &str) -> Result<Vec<Pod>, Fault> {
        let path = Path::new(
            format!("/api/v1/namespaces/{namespace}/pods"),
            format!("labelSelector=app%3D{cluster_id},component%3Dtaskmanager&"),
            "PodList",
        );
        let mut pods = self
            .read_all(&path, |pods: &mut Vec<Pod>, pod: core::Pod| {
                pods.extend(decode::pod(pod))
            })
            .await?;
        pods.sort_by_key(|pod| std::cmp::Reverse(pod.created_at));
        Ok(pods)
    }

    /// Reads a whole collection: what only its first pages lack is not absent. One undecodable item fails it, since
    /// it may be the one that is asked for.
    pub(super) async fn read_all<T: serde::de::DeserializeOwned, O>(
        &self,
        path: &Path,
        take: impl Fn(&mut Vec<O>, T),
    ) -> Result<Vec<O>, Fault> {
        let (gathered, _version) = self.read_version(path, take).await?;
        Ok(gathered)
    }

    /// Reads a whole collection, as [`Self::read_all`] does, and says of which version it is.
    async fn read_version<T: serde::de::DeserializeOwned, O>(
        &self,
        path: &Path,
        take: impl Fn(&mut Vec<O>, T),
    ) -> Result<(Vec<O>, String), Fault> {
        let mut page = list::PAGE;
        let take = |gathered: &mut Vec<O>, item: &str| {
            take(gathered, json::from_str(item)?);
            Ok(())
        };
        let lister = Lister {
            client: &self.client,
            path,
            deadline: self.settings.timing.timeout,
        };
        lister.read(&mut page, Vec::new, take).await
    }
}

/// Whether a 400 says, in the kubelet's words, that the container has not begun anew yet.
pub(super) fn has_no_previous(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("previous terminated container")
}

fn is_ha_map(name: &str, cluster_id: &str) -> bool {
    let part = name
        .strip_prefix(cluster_id)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_suffix("-config-map"));
    part.is_some_and(|part| {
        part == "cluster" || (part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

/// The claims of a pod's volumes. That of an ephemeral volume has a name made of both.
fn claims_of(pod: core::Pod) -> impl Iterator<Item = String> {
    let name = pod.metadata.name.unwrap_or_default();
    let volumes = pod.spec.and_then(|spec| spec.volumes).unwrap_or_default();
    volumes.into_iter().filter_map(move |volume| {
        let named = volume.persistent_volume_claim.map(|claim| claim.claim_name);
        named.or_else(|| volume.ephemeral.map(|_| format!("{name}-{}", volume.name)))
    })
}

/// Names of what there is of a JobManager.
pub(super) struct AtHand {
    pods: BTreeSet<String>,
    claims: BTreeSet<String>,
}

fn event_about(event: core::Event, deployment: &str, at_hand: &AtHand) -> Option<KubeEvent> {
    let at = event_time(&event);
    let (kind, name) = (event.involved_object.kind?, event.involved_object.name?);
    is_about(&kind, &name, deployment, at_hand).then(|| KubeEvent {
        object: format!("{kind}/{name}").into(),
        reason: event.reason.unwrap_or_default().into(),
        message: event.message.unwrap_or_default().into(),
        at,
    })
}

/// Whether an object is one of a Flink cluster's.
pub(super) fn is_about(kind: &str, name: &str, deployment: &str, at_hand: &AtHand) -> bool {
    let behind = || name.strip_prefix(deployment).and_then(|rest| rest.strip_prefix('-'));
    match kind {
        "Deployment" => name == deployment,
        // A ReplicaSet adds one part to the Deployment's name; another Deployment's name would add more.
        "ReplicaSet" => behind().is_some_and(|rest| !rest.contains('-')),
        // One that is gone, or that was never made, is known by how the controllers name pods.
        "Pod" => at_hand.pods.contains(name) || behind().is_some_and(is_pod_suffix),
        "PersistentVolumeClaim" => at_hand.claims.contains(name),
        _ => false,
    }
}

/// When an event was last seen.
pub(super) fn event_time(event: &core::Event) -> Option<Timestamp> {
    let at = event.last_timestamp.as_ref().map(|time| time.0.as_millisecond());
    let series = event
        .series
        .as_ref()
        .and_then(|series| series.last_observed_time.as_ref());
    let at = at
        .or(series.map(|time| time.0.as_millisecond()))
        .or(event.event_time.as_ref().map(|time| time.0.as_millisecond()));
    at.and_then(Timestamp::written)
}

/// What a pod's name adds to its Deployment's: `-<hash>-<random>` for a JobManager, `-taskmanager-<n>-<m>` for a
/// TaskManager. Another Deployment whose name only begins alike adds more.
fn is_pod_suffix(rest: &str) -> bool {
    rest.strip_prefix("taskmanager-").unwrap_or(rest).split('-').count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ha_config_maps_are_known_by_their_names() {
        assert!(is_ha_map("orders-cluster-config-map", "orders"));
        assert!(is_ha_map(
            "orders-ffffffffc92beb7b0000000000000000-config-map",
            "orders"
        ));
        assert!(!is_ha_map("flink-config-orders", "orders"));
        assert!(!is_ha_map("orders-v2-cluster-config-map", "orders"));
    }

    #[test]
    fn pods_of_a_deployment_whose_name_begins_alike_are_anothers() {
        assert!(is_pod_suffix("5fcc5cc494-qflb6") && is_pod_suffix("taskmanager-1-1"));
        assert!(!is_pod_suffix("v2-5fcc5cc494-qflb6") && !is_pod_suffix("v2-taskmanager-1-1"));
    }
}
