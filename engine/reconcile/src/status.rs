//! How the engine itself is, and what it can see: for `/livez`, `/readyz` and `/api/v1/clusters`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use steadfast_core::cluster_lists::ClusterLists;
use steadfast_core::id::{ClusterName, JobKey, Namespace, PolicyName, TargetId};
use steadfast_core::journal::Quarantined;
use steadfast_core::snapshot::Fleet;
use steadfast_core::time::Timestamp;

use crate::flinks::{FlinkCounts, Flinks};
use crate::setup::{Identity, Role, Share, Standing};

/// The engine's own state, written by the loop once a turn.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// When the loop last turned.
    pub turned_at: Timestamp,
    /// Why the last commit failed, while it is being retried.
    pub store_error: Option<String>,
    /// Rows of records that did not read and were set aside.
    pub quarantined: Arc<[Quarantined]>,
    /// Jobs of which the store does not take what is decided, and why not.
    pub unwritten: BTreeMap<JobKey, String>,
    /// The loaded policies, in the order of the configuration.
    pub policies: Vec<PolicyStatus>,
    /// What the fleet guard counts in each cluster.
    pub fleets: BTreeMap<ClusterName, Fleet>,
    /// Every Kubernetes cluster of the configuration.
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
    /// Whether that is what the configuration asks for.
    pub standing: Standing,
    /// Since when this module has this role.
    pub since: Timestamp,
    /// Since when it is asked about one job at a time, as it ran out of time again and again.
    pub suspended_since: Option<Timestamp>,
}

/// A Kubernetes cluster of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterStatus {
    /// The address of its API server.
    pub server: String,
    /// What of it can be read.
    pub lists: ClusterLists,
    /// Whether a place is configured that tells how its jobs ended: archive, history_server or job_result_store.
    pub tells_of_ends: bool,
    /// By what was listed, the Deployments with Flink's labels, as `namespace/name`, that nothing watches: they do not show what
    /// they run, and no `[[job]]` names them. As of the last complete list.
    pub unwatched: BTreeMap<Option<Namespace>, Vec<String>>,
}

/// The status of the loop, shared: it writes, readers of the API read. No reader waits for the loop.
#[derive(Clone, Debug, Default)]
pub struct StatusBoard {
    status: Arc<Mutex<Status>>,
    /// By themselves: there may be thousands of them, and a probe reads none.
    flinks: Arc<Mutex<Flinks>>,
}

impl StatusBoard {
    /// The status as last written.
    pub fn read(&self) -> Status {
        lock(&self.status).clone()
    }

    /// By cluster (`-`: outside of Kubernetes), how many Flinks there are that should answer, and how many are silent.
    pub fn flinks(&self, is_expected: impl Fn(&TargetId) -> bool) -> BTreeMap<ClusterName, FlinkCounts> {
        lock(&self.flinks).counts(is_expected)
    }

    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Status) -> T) -> T {
        change(&mut lock(&self.status))
    }

    pub(crate) fn write_flinks<T>(&self, change: impl FnOnce(&mut Flinks) -> T) -> T {
        change(&mut lock(&self.flinks))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
