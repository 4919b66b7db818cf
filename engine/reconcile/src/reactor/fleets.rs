//! How many targets of each cluster are dark, counted as they change.

use std::collections::BTreeMap;

use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::snapshot::Fleet;

use super::Reactor;

impl Reactor {
    /// How many targets of each cluster there are, and how many of them are dark.
    pub fn fleets(&self) -> &BTreeMap<ClusterName, Fleet> {
        &self.fleets.by_cluster
    }
}

/// Whether some source has a fresh answer for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reachability {
    /// At least one source has a fresh answer.
    Reachable,
    /// None has: the target is dark.
    Dark,
}

/// The health of each cluster.
#[derive(Debug, Default)]
pub(super) struct Fleets {
    by_cluster: BTreeMap<ClusterName, Fleet>,
    targets: BTreeMap<TargetId, Reachability>,
}

impl Fleets {
    pub(super) fn of(&self, cluster: &ClusterName) -> Fleet {
        self.by_cluster.get(cluster).copied().unwrap_or_default()
    }

    /// Notes how a target is seen now. The first time counts it in.
    pub(super) fn observe(&mut self, id: &TargetId, reachability: Reachability) {
        let before = self.targets.insert(id.clone(), reachability);
        let fleet = self.by_cluster.entry(id.cluster.clone()).or_default();
        fleet.targets += u32::from(before.is_none());
        fleet.dark -= u32::from(before == Some(Reachability::Dark));
        fleet.dark += u32::from(reachability == Reachability::Dark);
    }

    pub(super) fn remove(&mut self, id: &TargetId) {
        let Some(before) = self.targets.remove(id) else { return };
        if let Some(fleet) = self.by_cluster.get_mut(&id.cluster) {
            fleet.targets -= 1;
            fleet.dark -= u32::from(before == Reachability::Dark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_counts_once_whatever_is_seen_of_it_and_however_often() {
        let mut fleets = Fleets::default();
        let [a, b] = ["a", "b"].map(TargetId::standalone);
        let counts = |fleets: &Fleets| {
            let fleet = fleets.of(&a.cluster);
            (fleet.targets, fleet.dark)
        };
        for id in [&a, &b, &b] {
            fleets.observe(id, Reachability::Dark);
        }
        assert_eq!(counts(&fleets), (2, 2));
        fleets.observe(&a, Reachability::Reachable);
        fleets.observe(&a, Reachability::Reachable);
        assert_eq!(counts(&fleets), (2, 1));
        fleets.remove(&b);
        fleets.remove(&b);
        assert_eq!(counts(&fleets), (1, 0));
    }
}
