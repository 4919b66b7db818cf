//! How many targets of each cluster are dark, counted as they change.

use std::collections::BTreeMap;

use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::snapshot::Fleet;

use super::Reactor;
use crate::target::Light;

/// The health of each cluster.
#[derive(Debug, Default)]
pub(super) struct Fleets {
    by_cluster: BTreeMap<ClusterName, Fleet>,
}

impl Fleets {
    pub(super) fn of(&self, cluster: &ClusterName) -> Fleet {
        self.by_cluster.get(cluster).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, cluster: &ClusterName, light: Light) {
        let fleet = self.by_cluster.entry(cluster.clone()).or_default();
        fleet.targets += 1;
        fleet.dark += u32::from(light == Light::Dark);
    }

    pub(super) fn remove(&mut self, cluster: &ClusterName, light: Light) {
        if let Some(fleet) = self.by_cluster.get_mut(cluster) {
            fleet.targets = fleet.targets.saturating_sub(1);
            fleet.dark = fleet.dark.saturating_sub(u32::from(light == Light::Dark));
        }
    }
}

impl Reactor {
    /// Looks again whether a target can be seen.
    pub(super) fn refresh_light(&mut self, id: &TargetId) {
        let Some(target) = self.targets.get_mut(id) else { return };
        let light = if self.board.is_dark(id, target.place.as_ref()) {
            Light::Dark
        } else {
            Light::Seen
        };
        if light != target.light {
            self.fleets.remove(&id.cluster, target.light);
            self.fleets.add(&id.cluster, light);
            target.light = light;
        }
    }
}
