//! What the probes ask of the engine.

use serde::Serialize;
use utoipa::ToSchema;

/// How the engine itself is.
pub trait Health: Send + Sync {
    /// Whether the loop turns. Answers at once, also when the loop does not.
    fn live(&self) -> Liveness;

    /// Whether the engine can do its work, by what the loop met last. `/readyz` also tries the store itself.
    fn ready(&self) -> Readiness;
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
    /// True when the store can be written, policies are loaded, and each cluster was reached or is being retried.
    pub ready: bool,
    /// Why the store cannot be written; null while it can.
    pub store: Option<String>,
    /// The loaded policies; none is not ready.
    pub policies: Vec<String>,
    /// Every Kubernetes cluster of the configuration.
    pub clusters: Vec<ClusterHealth>,
}

/// One Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterHealth {
    /// Its name in the configuration.
    pub name: String,
    /// How its API server answers.
    pub state: Reach,
    /// What the last failed look met, while it is being retried.
    pub fault: Option<String>,
}

/// How a cluster's API server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// No look has ended yet.
    Pending,
    /// It answers.
    Reached,
    /// It does not, and is being retried.
    Retrying,
}
