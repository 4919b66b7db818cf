//! `GET /api/v1/clusters`: what can be read of each cluster, since when not, and why. A cluster that cannot be seen is not an
//! empty cluster.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use steadfast_core::cluster_lists::{Collection, ListStatus, Reading, is_not_served};
use steadfast_core::id::{ClusterName, JobKey, Namespace};
use steadfast_core::projection::JobCounts;
use utoipa::ToSchema;

use crate::ports::{ClusterHealth, ClusterReading, FlinkCounts, Reach};
use crate::state::Api;

/// The clusters of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterList {
    /// Each `[[kubernetes]]` entry, by name.
    pub items: Vec<Cluster>,
    /// What is outside of Kubernetes; null if nothing is.
    #[schema(required)]
    pub standalone: Option<Standalone>,
}

/// A Kubernetes cluster: what of it can be read, and what is on record of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its name in the configuration.
    #[schema(example = "prod")]
    pub name: String,
    /// The address of its API server.
    #[schema(example = "https://10.0.0.1:6443")]
    pub server: String,
    /// How its API server answers for Kubernetes' own kinds (Deployments and pods).
    pub state: Reach,
    /// Since when all of Kubernetes' own kinds can be read; null while one cannot.
    #[schema(required, format = DateTime)]
    pub reachable_since: Option<String>,
    /// Since when one of them cannot be; null while all can.
    #[schema(required, format = DateTime)]
    pub unknown_since: Option<String>,
    /// Why, in the API server's own words where it answers: a 403 names verb and resource.
    #[schema(required)]
    pub fault: Option<String>,
    /// Whether its Deployments, or those of one of its namespaces, were never read since the engine started: jobs may be missing
    /// from the record.
    pub never_read: bool,
    /// What is listed and watched, one by one.
    pub kinds: Vec<Kind>,
    /// How many of its jobs are on record.
    #[schema(example = 12)]
    pub jobs: u64,
    /// How many of those are not confirmed: their state is inferred, or as last known.
    #[schema(example = 12)]
    pub unconfirmed: u64,
    /// How its Flinks answer.
    pub flinks: FlinkCounts,
    /// Deployments with Flink's labels that nothing watches, as `namespace/name`, at most 100 of them: their arguments do not show
    /// whether they run an application or a session, and no `[[job]]` names them. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwatched: Vec<String>,
    /// How many more there are; absent if these are all.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unwatched_omitted: usize,
}

/// How many Deployments that nothing watches are named.
const UNWATCHED: usize = 100;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// How the list of a kind stands, in one namespace or in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// Deployment, Pod, FlinkDeployment or FlinkSessionJob.
    #[schema(example = "Deployment")]
    pub kind: String,
    /// The namespace; null: all of them at once.
    #[schema(required)]
    pub namespace: Option<String>,
    /// Whether it can be read.
    pub state: KindState,
    /// Since when it can be read; null while it cannot.
    #[schema(required, format = DateTime)]
    pub reachable_since: Option<String>,
    /// Since when it cannot be; null while it can.
    #[schema(required, format = DateTime)]
    pub unknown_since: Option<String>,
    /// Why it cannot be.
    #[schema(required)]
    pub fault: Option<String>,
    /// When the last complete list of it arrived; null if there was none since the engine started.
    #[schema(required, format = DateTime)]
    pub last_list_at: Option<String>,
    /// How many objects that list has.
    #[schema(required)]
    pub last_list_objects: Option<u64>,
}

/// Whether the list of a kind can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum KindState {
    /// No list of it has ended yet.
    Pending,
    /// Its last list was answered.
    Reached,
    /// Its last list failed; it is being retried.
    Retrying,
    /// A kind of the Flink Kubernetes Operator's that the API server answers with 404: most likely it is not installed.
    NotServed,
}

/// Jobs outside of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standalone {
    /// How many are on record.
    pub jobs: u64,
    /// How many of those are not confirmed.
    pub unconfirmed: u64,
    /// How their Flinks answer.
    pub flinks: FlinkCounts,
}

/// What can be read of each cluster, and how many jobs of it are on record.
#[utoipa::path(get, path = "/api/v1/clusters", operation_id = "listClusters", tag = "engine", responses(
    (status = 200, description = "The clusters of the configuration", body = ClusterList, example = json!({
        "items": [{
            "name": "prod", "server": "https://10.0.0.1:6443", "state": "retrying",
            "reachableSince": null, "unknownSince": "2026-11-28T03:31:07.120Z",
            "fault": "forbidden: /apis/apps/v1/deployments: HTTP 403: deployments.apps is forbidden: User \"steadfast\" cannot list resource \"deployments\" in API group \"apps\" at the cluster scope",
            "neverRead": true,
            "kinds": [
                {"kind": "Deployment", "namespace": null, "state": "retrying", "reachableSince": null,
                 "unknownSince": "2026-11-28T03:31:07.120Z", "fault": "forbidden: /apis/apps/v1/deployments: HTTP 403: deployments.apps is forbidden: User \"steadfast\" cannot list resource \"deployments\" in API group \"apps\" at the cluster scope",
                 "lastListAt": null, "lastListObjects": null},
                {"kind": "Pod", "namespace": null, "state": "reached", "reachableSince": "2026-11-28T03:31:07.150Z",
                 "unknownSince": null, "fault": null, "lastListAt": "2026-11-28T03:32:07.180Z", "lastListObjects": 12}],
            "jobs": 12, "unconfirmed": 12, "flinks": {"watched": 12, "silent": 1}}],
        "standalone": null}))))]
pub(crate) async fn list(State(api): State<Api>) -> Json<ClusterList> {
    let (counts, flinks) = (api.jobs.counts(), api.health.flinks());
    let of = |name: &ClusterName| {
        let counts = counts.get(name).copied().unwrap_or_default();
        (counts, flinks.get(name).copied().unwrap_or_default())
    };
    let clusters = api.health.clusters();
    let outside = ClusterName::new("-");
    let is_used = counts.contains_key(&outside) || flinks.contains_key(&outside);
    Json(ClusterList {
        items: clusters
            .iter()
            .map(|cluster| Cluster::new(cluster, of(&cluster.name)))
            .collect(),
        standalone: is_used.then(|| Standalone::new(of(&outside))),
    })
}

impl Cluster {
    fn new(cluster: &ClusterReading, (counts, flinks): (JobCounts, FlinkCounts)) -> Self {
        let ClusterHealth {
            name,
            state,
            fault,
            reachable_since,
            unknown_since,
            never_read,
        } = ClusterHealth::of(cluster);
        Self {
            name,
            server: cluster.server.clone(),
            state,
            reachable_since,
            unknown_since,
            fault,
            never_read,
            kinds: cluster
                .lists
                .iter()
                .map(|(collection, list)| Kind::new(collection, list))
                .collect(),
            jobs: counts.jobs,
            unconfirmed: counts.unconfirmed,
            flinks,
            unwatched: cluster.unwatched.iter().take(UNWATCHED).cloned().collect(),
            unwatched_omitted: cluster.unwatched.len().saturating_sub(UNWATCHED),
        }
    }
}

impl Kind {
    fn new((kind, namespace): &Collection, list: &ListStatus) -> Self {
        let (reachable_since, unknown_since) = match &list.reading {
            Reading::Pending => (None, None),
            Reading::Readable { since } => (Some(since.to_string()), None),
            Reading::Unreadable { since, .. } => (None, Some(since.to_string())),
        };
        Self {
            kind: kind.as_str().to_owned(),
            namespace: namespace.as_ref().map(Namespace::to_string),
            state: match &list.reading {
                Reading::Pending => KindState::Pending,
                Reading::Readable { .. } => KindState::Reached,
                Reading::Unreadable { fault, .. } if is_not_served(*kind, fault) => KindState::NotServed,
                Reading::Unreadable { .. } => KindState::Retrying,
            },
            reachable_since,
            unknown_since,
            fault: list.fault().map(ToString::to_string),
            last_list_at: list.last_complete.map(|last| last.at.to_string()),
            last_list_objects: list.last_complete.map(|last| last.objects),
        }
    }
}

impl Standalone {
    fn new((counts, flinks): (JobCounts, FlinkCounts)) -> Self {
        Self {
            jobs: counts.jobs,
            unconfirmed: counts.unconfirmed,
            flinks,
        }
    }
}

/// Why nothing can be said of a job that is not on record: its cluster, or its namespace there, cannot be read. `None` if it
/// can, or if the job names no cluster of the configuration.
pub(crate) fn unread(api: &Api, job: &JobKey) -> Option<String> {
    let (name, namespace) = (&job.target.cluster, &job.target.namespace);
    let cluster = api
        .health
        .clusters()
        .into_iter()
        .find(|cluster| cluster.name == *name)?;
    let outage = cluster.lists.unreadable_in(namespace);
    let why = outage.and_then(|((kind, _), list)| match &list.reading {
        Reading::Unreadable { since, fault } => Some(format!("{} since {since}: {fault}", kind.plural())),
        Reading::Pending | Reading::Readable { .. } => None,
    });
    match (cluster.lists.is_never_read(Some(namespace)), why) {
        (true, Some(why)) => Some(format!("its cluster {name} could not be read yet ({why})")),
        (true, None) => Some(format!(
            "its cluster {name} was not read yet (the first lists are under way)"
        )),
        (false, Some(why)) => Some(format!("its cluster {name} cannot be read ({why})")),
        (false, None) => None,
    }
}

#[cfg(test)]
mod tests;
