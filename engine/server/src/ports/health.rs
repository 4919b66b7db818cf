//! What the probes ask of the engine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use steadfast_core::cluster_lists::Reading;
use steadfast_core::id::ClusterName;
use utoipa::ToSchema;

use super::{ClusterReading, FlinkCounts, RecordFaults};

/// How the engine itself is, and what it can see. Nothing here waits for the loop.
pub trait Health: Send + Sync {
    /// Whether the loop turns. Answers at once, also when the loop does not.
    fn live(&self) -> Liveness;

    /// Whether the engine can do its work, by what the loop met last. `/readyz` also tries the store itself.
    fn ready(&self) -> Readiness;

    /// What of the record could not be read or written. The engine is ready all the same: it costs those jobs alone.
    fn records(&self) -> RecordFaults;

    /// Every Kubernetes cluster of the configuration, and what of it can be read.
    fn clusters(&self) -> Vec<ClusterReading>;

    /// By cluster (`-`: outside of Kubernetes), how many Flinks should answer, and how many do not.
    fn flinks(&self) -> BTreeMap<ClusterName, FlinkCounts>;
}

/// Whether the loop turns.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Liveness {
    /// False when the loop has not turned for 10 polls.
    pub live: bool,
    /// How long ago it last turned, in seconds.
    pub turned_seconds_ago: f64,
}

/// Whether the engine can do its work.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// True when the store can be written, policies are loaded, and each cluster was reached or is being retried. A cluster
    /// that cannot be read does not make the engine unready: it serves what is on record, says what of it is stale, and a
    /// restart would read no more. `clusters` tells, and `neverRead` whether jobs may be missing.
    pub ready: bool,
    /// Why the store cannot be written; null while it can.
    #[schema(required)]
    pub store: Option<String>,
    /// The loaded policies; none is not ready.
    pub policies: Vec<String>,
    /// Every Kubernetes cluster of the configuration.
    pub clusters: Vec<ClusterHealth>,
    /// Every sink; absent if there is none. One whose receiver fails does not make the engine unready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sinks: Vec<SinkHealth>,
    /// How many records did not read and were set aside; absent: none. `/api/v1/store` names them.
    #[serde(skip_serializing_if = "is_none")]
    pub quarantined_records: usize,
    /// Of how many jobs the store does not take what is decided; absent: of none. `/api/v1/store` names them.
    #[serde(skip_serializing_if = "is_none")]
    pub unwritten_jobs: usize,
}

/// One sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SinkHealth {
    /// Its name in the configuration, or the one derived from its URL.
    pub name: String,
    /// Since when its receiver takes nothing; absent while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub failing_since: Option<String>,
    /// When the oldest event was decided that it has not delivered; absent while none waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub waiting_since: Option<String>,
    /// How many events it gave up since the start. They stay in the journal, and so in `/api/v1/events` and the jobs'
    /// `transitions`.
    pub dead_letters: u64,
    /// The last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_dead_letter: Option<DeadLetter>,
}

/// An event that a sink gave up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeadLetter {
    /// Its position in the journal.
    pub sequence: u64,
    /// When it was given up.
    #[schema(format = DateTime)]
    pub at: String,
    /// What the receiver said last, or why it was not reached.
    pub why: String,
}

impl SinkHealth {
    /// One of which nothing is known yet.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            failing_since: None,
            waiting_since: None,
            dead_letters: 0,
            last_dead_letter: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// One Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterHealth {
    /// Its name in the configuration.
    pub name: String,
    /// How its API server answers for Kubernetes' own kinds.
    pub state: Reach,
    /// What the last failed look met, while it is being retried.
    #[schema(required)]
    pub fault: Option<String>,
    /// Since when all of Kubernetes' own kinds can be read.
    #[schema(required, format = DateTime)]
    pub reachable_since: Option<String>,
    /// Since when one of them cannot be.
    #[schema(required, format = DateTime)]
    pub unknown_since: Option<String>,
    /// Whether its Deployments, or those of one of its namespaces, were never read: jobs may be missing from the record.
    pub never_read: bool,
}

impl ClusterHealth {
    /// What is known of a cluster, in the terms of `/api/v1/clusters`.
    pub fn of(cluster: &ClusterReading) -> Self {
        let reading = cluster.lists.reading();
        let (reachable_since, unknown_since) = match &reading {
            Reading::Pending => (None, None),
            Reading::Readable { since } => (Some(since.to_string()), None),
            Reading::Unreadable { since, .. } => (None, Some(since.to_string())),
        };
        let (state, fault) = match reading {
            Reading::Pending => (Reach::Pending, None),
            Reading::Readable { .. } => (Reach::Reached, None),
            Reading::Unreadable { fault, .. } => (Reach::Retrying, Some(fault.to_string())),
        };
        Self {
            name: cluster.name.to_string(),
            state,
            fault,
            reachable_since,
            unknown_since,
            never_read: cluster.lists.is_never_read(None),
        }
    }
}

/// How a cluster's API server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Some list has not ended yet, and none has failed.
    Pending,
    /// It answers.
    Reached,
    /// It does not, and is being retried.
    Retrying,
}
