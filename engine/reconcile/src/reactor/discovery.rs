//! Takes up Flink clusters that nobody configured.

use steadfast_core::board::ObjectRef;
use steadfast_core::facts::Deployment;
use steadfast_core::id::{ClusterName, JobKey, TargetId};
use steadfast_core::record::Origin;
use steadfast_core::state::Mode;
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::setup::{Discover, TargetSetup};

impl Reactor {
    /// Takes up what stands at an object if it is Flink's, its kind is discovered, and nothing watches it.
    pub(super) fn discover(&mut self, cluster: &ClusterName, object: &ObjectRef, now: Timestamp) {
        let id = TargetId::new(cluster, &object.namespace, &object.name);
        if self.targets.contains(&id) || !self.targets.of_object(cluster, object).is_empty() {
            return;
        }
        let Some(mode) = self.discovered_mode(cluster, object) else {
            return;
        };
        let key = JobKey::application(id.clone());
        if mode != Mode::Session && self.jobs_of(&id).is_empty() {
            let change = self.first_commit(key.clone(), mode, Origin::Discovered, now);
            self.begun.insert(key, change);
        }
        let setup = TargetSetup {
            id,
            mode,
            object: Some(object.clone()),
            flink_rest: None,
            pinned: None,
        };
        self.watch(setup, Origin::Discovered, now);
    }

    /// Takes up again what lost its last target, if it is still there. Nothing tells of it anew while it stays as it is, so
    /// it is not let out of mind before its lists are known: one that failed says nothing.
    pub(super) fn rediscover(&mut self, cluster: &ClusterName, object: &ObjectRef, now: Timestamp) {
        self.discover(cluster, object, now);
        if self.is_known(cluster, object) {
            self.targets.settle_dropped(cluster, object);
        }
    }

    /// Whether it is known what is there to discover. A kind that is watched and cannot be listed leaves it open, and be it by
    /// a 404: that may be a proxy's.
    fn is_known(&self, cluster: &ClusterName, object: &ObjectRef) -> bool {
        let Some(board) = self.board.kubernetes(cluster) else {
            return false;
        };
        let deployment = board.deployment(object);
        let resource = board.flink_deployment(object);
        deployment.is_some_and(|evidence| evidence.latest.is_known())
            && resource.is_none_or(|evidence| evidence.latest.is_known())
    }

    /// The mode of a Flink cluster, if its kind is discovered: by its Deployment where Flink's native integration made it;
    /// else by its FlinkDeployment, whose Deployment may not be there yet or is of the operator's standalone mode, which
    /// shows no mode of its own.
    pub(super) fn discovered_mode(&self, cluster: &ClusterName, object: &ObjectRef) -> Option<Mode> {
        let rules = self.clusters.get(cluster)?;
        let board = self.board.kubernetes(cluster)?;
        let deployment = board.deployment(object);
        let deployment = deployment.as_ref().and_then(|evidence| evidence.latest.present());
        if let Some(deployment) = deployment
            && let Some(mode) = deployment.native
        {
            return rules.discover.contains(&kind_of(deployment)).then_some(mode);
        }
        let resource = board.flink_deployment(object)?;
        let resource = resource.latest.present()?;
        rules
            .discover
            .contains(&Discover::FlinkDeployment)
            .then_some(resource.mode)
    }
}

fn kind_of(deployment: &Deployment) -> Discover {
    match deployment.owner.as_deref() {
        Some("FlinkDeployment") => Discover::FlinkDeployment,
        Some(_) | None => Discover::Native,
    }
}
