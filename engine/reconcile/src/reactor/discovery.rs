//! Takes up Flink clusters that nobody configured.

use steadfast_core::board::Place;
use steadfast_core::facts::Deployment;
use steadfast_core::id::{ClusterName, JobKey, TargetId};
use steadfast_core::journal::Change;
use steadfast_core::record::Origin;
use steadfast_core::state::Mode;
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::setup::{Discover, TargetSetup};

impl Reactor {
    /// Takes up what stands at a place if it is Flink's and its kind is discovered. Returns its first record.
    pub(super) fn discover(&mut self, cluster: &ClusterName, place: &Place, now: Timestamp) -> Option<Change> {
        if self.by_place.contains_key(&(cluster.clone(), place.clone())) {
            return None;
        }
        let mode = self.discovered_mode(cluster, place)?;
        let id = TargetId::new(cluster, &place.namespace, &place.name);
        if self.targets.contains_key(&id) {
            return None;
        }
        let key = JobKey::application(id.clone());
        let is_recorded = !self.jobs_of(&id).is_empty();
        let setup = TargetSetup {
            id,
            mode,
            place: Some(place.clone()),
            flink_rest: None,
            pinned: None,
        };
        self.add_target(setup, Origin::Discovered, now);
        (mode != Mode::Session && !is_recorded).then(|| self.new_record(key, mode, Origin::Discovered, now))
    }

    /// The mode of the Flink cluster at a place, if its kind is discovered: by its Deployment where Flink's native
    /// integration made it; else by its FlinkDeployment, whose Deployment may not be there yet or is of the operator's
    /// standalone mode, which shows no mode of its own.
    pub(super) fn discovered_mode(&self, cluster: &ClusterName, place: &Place) -> Option<Mode> {
        let rules = self.clusters.get(cluster)?;
        let board = self.board.kubernetes(cluster)?;
        let deployment = board.deployment(place);
        let deployment = deployment.as_ref().and_then(|evidence| evidence.latest.present());
        if let Some(deployment) = deployment
            && let Some(mode) = deployment.native
        {
            return rules.discover.contains(&kind_of(deployment)).then_some(mode);
        }
        let resource = board.flink_deployment(place)?;
        let resource = resource.latest.present()?;
        rules
            .discover
            .contains(&Discover::FlinkDeployment)
            .then_some(resource.mode)
    }

    /// Takes up again the targets of discovered records: their Deployments may be gone, their records are not.
    pub(crate) fn resume_discovered(&mut self, now: Timestamp) {
        let known: Vec<(TargetId, Mode)> = self
            .records
            .values()
            .filter(|record| record.origin == Origin::Discovered && !self.targets.contains_key(&record.key.target))
            .map(|record| (record.key.target.clone(), record.mode))
            .collect();
        for (id, mode) in known {
            if self.targets.contains_key(&id) {
                continue;
            }
            let place = Place::new(&id.namespace, &id.name);
            self.add_target(
                TargetSetup {
                    id,
                    mode,
                    place: Some(place),
                    flink_rest: None,
                    pinned: None,
                },
                Origin::Discovered,
                now,
            );
        }
    }
}

fn kind_of(deployment: &Deployment) -> Discover {
    match deployment.owner.as_deref() {
        Some("FlinkDeployment") => Discover::FlinkDeployment,
        Some(_) | None => Discover::Native,
    }
}
