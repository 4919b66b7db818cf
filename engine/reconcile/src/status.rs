//! How the engine itself is, for `/livez` and `/readyz`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use steadfast_core::evidence::Fault;
use steadfast_core::id::{ClusterName, PolicyName};
use steadfast_core::kube_update::KubeChange;
use steadfast_core::time::Timestamp;

use crate::setup::{Identity, Role, Share};

/// The engine's own state, written by the loop once a turn.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// When the loop last turned.
    pub turned_at: Timestamp,
    /// Why the last commit failed, while it is being retried.
    pub store_error: Option<String>,
    /// The loaded policies, in the order of the configuration.
    pub policies: Vec<PolicyStatus>,
    /// Each cluster's API server.
    pub clusters: BTreeMap<ClusterName, ClusterStatus>,
}

/// A policy of the running engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyStatus {
    /// Its name, unique in the configuration.
    pub name: PolicyName,
    /// Whether its decisions count.
    pub role: Role,
    /// The share of the jobs it selects.
    pub rollout: Share,
    /// Which module it is.
    pub identity: Identity,
    /// Since when this module has this role.
    pub since: Timestamp,
}

/// How a cluster's API server answers.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterStatus {
    /// No list has ended yet.
    NotAsked,
    /// The last lists were answered.
    Reached,
    /// The last list failed; it is being retried.
    Retrying(Fault),
}

impl ClusterStatus {
    /// What a list or watch of Kubernetes' own kinds says of its API server.
    pub(crate) fn after(change: &KubeChange) -> Self {
        match change {
            KubeChange::Failed(fault) => Self::Retrying(fault.clone()),
            KubeChange::Relisted(..) | KubeChange::Applied(_) | KubeChange::Deleted(_) => Self::Reached,
        }
    }
}

/// The status of the loop, shared: it writes, readers of the API read.
#[derive(Clone, Debug, Default)]
pub struct StatusBoard(Arc<Mutex<Status>>);

impl StatusBoard {
    /// The status as last written.
    pub fn read(&self) -> Status {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn write(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
