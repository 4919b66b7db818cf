//! Whose turn it is to look closely.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use steadfast_core::id::ClusterName;

/// How many are under way at a time. Each may hold three answers of a few MiB.
const OF_ALL: usize = 8;
/// Of them, so many at the jobs of one cluster. Those outside of Kubernetes count as one.
const OF_A_CLUSTER: usize = 4;

/// Those that are under way, by cluster.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<BTreeMap<ClusterName, usize>>);

/// That one is under way, for as long as it is kept.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    cluster: ClusterName,
}

impl Turns {
    /// A turn at a job of that cluster, if there is room for one. Nobody waits: a person can try again.
    pub(super) fn take(self: &Arc<Self>, cluster: &ClusterName) -> Option<Turn> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.values().sum::<usize>() >= OF_ALL {
            return None;
        }
        let of_cluster = under_way.entry(cluster.clone()).or_default();
        if *of_cluster >= OF_A_CLUSTER {
            return None;
        }
        *of_cluster += 1;
        Some(Turn {
            turns: Arc::clone(self),
            cluster: cluster.clone(),
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut under_way = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.cluster) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.cluster);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cluster_that_hangs_leaves_room_for_the_others() {
        let turns = Arc::new(Turns::default());
        let [a, b, c] = ["a", "b", "c"].map(ClusterName::new);
        let mut held: Vec<Turn> = (0..4).filter_map(|_| turns.take(&a)).collect();
        assert!(held.len() == 4 && turns.take(&a).is_none());
        held.extend((0..4).filter_map(|_| turns.take(&b)));
        assert!(held.len() == 8 && turns.take(&c).is_none(), "all places are taken");
        drop(held.remove(0));
        assert!(turns.take(&a).is_some() && turns.take(&c).is_some());
        drop(held);
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
