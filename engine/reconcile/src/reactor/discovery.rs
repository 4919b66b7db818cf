//! Takes up Flink clusters that nobody configured.

use steadfast_core::board::ObjectRef;
use steadfast_core::evidence::Observed;
use steadfast_core::id::{ClusterName, JobKey, TargetId};
use steadfast_core::record::Origin;
use steadfast_core::state::Mode;
use steadfast_core::time::Timestamp;

use super::Reactor;
use super::targets::Target;
use crate::setup::{Discover, TargetSetup};

impl Reactor {
    /// Takes up what stands at an object if it is Flink's, its kind is discovered, and nothing watches it.
    pub(super) fn discover(&mut self, cluster: &ClusterName, object: &ObjectRef, now: Timestamp) {
        for id in self.targets.of_object(cluster, object) {
            self.follow_side(&id, now);
        }
        let is_configured = |id: &TargetId| {
            self.targets
                .get(id)
                .is_some_and(|target| target.origin == Origin::Configured)
        };
        let has_entry = self.targets.of_object(cluster, object).iter().any(is_configured);
        if let Some(blue_green) = self.blue_green_of(cluster, object).filter(|_| !has_entry) {
            self.begin_blue_green(&blue_green, now);
            return;
        }
        let id = TargetId::new(cluster, &object.namespace, &object.name);
        if self.is_presumed(&id) && self.discovered_mode(cluster, object) == Some(Mode::Application) {
            // A FlinkSessionJob named it before it was there, and it is no session.
            self.targets.set_mode(&id, Mode::Application);
            let key = JobKey::application(id.clone());
            if !self.is_on_record(&key) {
                let change = self.first_commit(key.clone(), Mode::Application, Origin::Discovered, now);
                self.begun.insert(key, change);
            }
        }
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
    pub(super) fn is_known(&self, cluster: &ClusterName, object: &ObjectRef) -> bool {
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
    /// shows no mode of its own. Where neither is there, a FlinkSessionJob may name it as its session cluster.
    pub(super) fn discovered_mode(&self, cluster: &ClusterName, object: &ObjectRef) -> Option<Mode> {
        let rules = self.clusters.get(cluster)?;
        let board = self.board.kubernetes(cluster)?;
        let deployment = board.deployment(object);
        let deployment = deployment.as_ref().and_then(|evidence| evidence.latest.present());
        if let Some(deployment) = deployment
            && let Some(mode) = deployment.native
        {
            let kind = Discover::of(deployment);
            let resource = board.flink_deployment(object);
            // Whose FlinkDeployment is gone is going itself.
            let is_left_behind = kind == Discover::FlinkDeployment
                && resource.is_some_and(|evidence| matches!(evidence.latest, Observed::Absent));
            return (rules.discover.contains(&kind) && !is_left_behind).then_some(mode);
        }
        if !rules.discover.contains(&Discover::FlinkDeployment) {
            return None;
        }
        if let Some(resource) = board.flink_deployment(object)?.latest.present() {
            return Some(resource.mode);
        }
        let is_named = board.last_flink_session_jobs(object).next().is_some();
        (is_named && self.is_known(cluster, object)).then_some(Mode::Session)
    }

    /// Whether nothing watches what stands at an object, although its kind is discovered.
    pub(crate) fn is_unwatched(&self, cluster: &ClusterName, object: &ObjectRef) -> bool {
        let rules = self.clusters.get(cluster);
        rules.is_some_and(|rules| rules.discover.contains(&Discover::Native))
            && self.targets.of_object(cluster, object).is_empty()
    }

    /// Whether a target may be watched as a session cluster only because a FlinkSessionJob names it.
    fn is_presumed(&self, id: &TargetId) -> bool {
        let is_session = |target: &Target| target.mode == Mode::Session && target.origin == Origin::Discovered;
        self.targets.get(id).is_some_and(is_session)
            && self.jobs_of(id).iter().all(|key| key.flink_session_job().is_some())
    }
}
