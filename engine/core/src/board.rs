//! The evidence board: the newest evidence of each source about each thing.

mod kubernetes;
pub mod lookups;

use std::collections::BTreeMap;

pub use kubernetes::{Accepted, KubernetesBoard, ObjectRef};

use crate::evidence::{Evidence, Observation, accept};
use crate::facts::FlinkOverview;
use crate::id::{ClusterName, JobKey, TargetId};
use crate::kube_update::KubeUpdate;
use crate::lookup::{AttemptLookups, TargetLookups};
use crate::record::JobRecord;

/// All that is known, by source. It holds evidence only; what it means is the policy's business.
#[derive(Clone, Debug, Default)]
pub struct Board {
    clusters: BTreeMap<ClusterName, KubernetesBoard>,
    targets: BTreeMap<TargetId, TargetEvidence>,
    /// By job, for its present attempt.
    attempts: BTreeMap<JobKey, AttemptLookups>,
}

/// Evidence about one Flink cluster.
#[derive(Clone, Debug, Default)]
struct TargetEvidence {
    /// Its `/jobs/overview`.
    overview: Option<Evidence<FlinkOverview>>,
    lookups: TargetLookups,
}

impl Board {
    /// Takes in what a Kubernetes list or watch said. Returns what it changed.
    pub fn accept_update(&mut self, update: KubeUpdate) -> Accepted {
        self.clusters
            .entry(update.scope.cluster.clone())
            .or_default()
            .accept(update)
    }

    /// Takes in an answer of a Flink cluster. Returns whether it was newer than the last.
    pub fn accept_overview(&mut self, target: &TargetId, observation: Observation<FlinkOverview>) -> bool {
        accept(&mut self.target_mut(target).overview, observation)
    }

    fn target_mut(&mut self, target: &TargetId) -> &mut TargetEvidence {
        self.targets.entry(target.clone()).or_default()
    }

    /// The last overview of a Flink cluster.
    pub fn overview(&self, target: &TargetId) -> Option<&Evidence<FlinkOverview>> {
        self.targets.get(target)?.overview.as_ref()
    }

    /// What is known of a Kubernetes cluster.
    pub fn kubernetes(&self, cluster: &ClusterName) -> Option<&KubernetesBoard> {
        self.clusters.get(cluster)
    }

    /// A record was committed. If it is of a new attempt, what was looked up about the one before is dropped, since it
    /// says nothing of this one.
    pub fn committed(&mut self, before: &JobRecord, after: &JobRecord) {
        if before.incarnation.attempt != after.incarnation.attempt {
            self.attempts.remove(&after.key);
        }
    }

    /// Drops what was looked up about a job whose record was deleted.
    pub fn forget_job(&mut self, key: &JobKey) {
        self.attempts.remove(key);
    }

    /// Drops all evidence about a target that is no longer watched.
    pub fn forget(&mut self, target: &TargetId) {
        self.targets.remove(target);
        self.attempts.retain(|key, _| key.target != *target);
    }

    /// Whether no source has a fresh answer for the target: Flink is unknown, and so is its Deployment's list.
    /// A target of which nothing was ever asked is dark.
    pub fn is_dark(&self, target: &TargetId, object: Option<&ObjectRef>) -> bool {
        let flink = self.overview(target).is_some_and(|o| o.latest.is_known());
        let kubernetes = object
            .and_then(|object| self.kubernetes(&target.cluster)?.deployment(object))
            .is_some_and(|deployment| deployment.latest.is_known());
        !flink && !kubernetes
    }

    /// What was looked up about a job's present attempt.
    pub(crate) fn attempt(&self, key: &JobKey) -> Option<&AttemptLookups> {
        self.attempts.get(key)
    }

    /// What was looked up about a Flink cluster.
    pub(crate) fn target(&self, target: &TargetId) -> Option<&TargetLookups> {
        Some(&self.targets.get(target)?.lookups)
    }
}
