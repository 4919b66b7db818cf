//! What the engine can see of its clusters.

use serde::{Deserialize, Serialize};
use steadfast_core::cluster_lists::ClusterLists;
use steadfast_core::id::ClusterName;
use utoipa::ToSchema;

/// A Kubernetes cluster of the configuration, and what of it can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterReading {
    /// Its name in the configuration.
    pub name: ClusterName,
    /// The address of its API server.
    pub server: String,
    /// How its lists stand.
    pub lists: ClusterLists,
    /// Whether a place is configured that tells how its jobs ended: archive, history_server or job_result_store.
    pub tells_of_ends: bool,
    /// Deployments with Flink's labels, as `namespace/name`, that nothing watches.
    pub unwatched: Vec<String>,
}

/// The Flinks of a cluster that should answer: those that were polled, and whose jobs have not all ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlinkCounts {
    /// How many there are.
    #[schema(example = 12)]
    pub watched: u64,
    /// How many of them did not answer their last poll.
    #[schema(example = 1)]
    pub silent: u64,
}
