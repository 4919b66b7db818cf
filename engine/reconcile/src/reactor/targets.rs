//! The Flink clusters under watch, by their id and by the Kubernetes object they stand for.

use std::collections::{BTreeMap, BTreeSet};

use steadfast_core::board::ObjectRef;
use steadfast_core::id::{ClusterName, FlinkJobId, TargetId};
use steadfast_core::record::Origin;
use steadfast_core::state::Mode;
use steadfast_sources::route::{FlinkRoute, base_url};

/// A Flink cluster, as it was configured or discovered.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) mode: Mode,
    pub(super) origin: Origin,
    /// Its Deployment; `None` for standalone ones.
    pub(super) object: Option<ObjectRef>,
    pub(super) route: FlinkRoute,
    /// The job the record is about, where the operator says so.
    pub(super) pinned: Option<FlinkJobId>,
}

impl Target {
    /// The name of its Deployment; of a standalone one its own.
    pub(super) fn deployment<'a>(&'a self, id: &'a TargetId) -> &'a str {
        self.object.as_ref().map_or(&id.name, |object| &object.name)
    }
}

/// Targets that stand for the same, in their order: mostly one.
type Together = Vec<TargetId>;

fn join(together: &mut Together, id: &TargetId) {
    if let Err(place) = together.binary_search(id) {
        together.reserve_exact(1);
        together.insert(place, id.clone());
    }
}

fn leave(together: &mut Together, id: &TargetId) {
    together.retain(|other| other != id);
}

/// All of them. Several may stand for one object: a `[[job]]` may name a Deployment that was discovered before.
#[derive(Debug, Default)]
pub(super) struct Targets {
    by_id: BTreeMap<TargetId, Target>,
    by_object: BTreeMap<(ClusterName, ObjectRef), Together>,
    /// Standalone ones by the address of their Flink.
    by_address: BTreeMap<String, Together>,
    /// Objects whose last target was dropped. While they do not change no update is about them, so the next list takes
    /// them up again.
    dropped: BTreeSet<(ClusterName, ObjectRef)>,
}

impl Targets {
    pub(super) fn insert(&mut self, id: TargetId, target: Target) {
        if let Some(object) = &target.object {
            let object = (id.cluster.clone(), object.clone());
            self.dropped.remove(&object);
            join(self.by_object.entry(object).or_default(), &id);
        } else if let Some(address) = address(&id, &target.route) {
            join(self.by_address.entry(address).or_default(), &id);
        }
        self.by_id.insert(id, target);
    }

    /// Drops a target. Others that stand for the same object stay.
    pub(super) fn remove(&mut self, id: &TargetId) {
        let Some(target) = self.by_id.remove(id) else { return };
        let Some(object) = target.object else {
            if let Some(address) = address(id, &target.route)
                && let Some(ids) = self.by_address.get_mut(&address)
            {
                leave(ids, id);
                if ids.is_empty() {
                    self.by_address.remove(&address);
                }
            }
            return;
        };
        let object = (id.cluster.clone(), object);
        if let Some(ids) = self.by_object.get_mut(&object) {
            leave(ids, id);
            if ids.is_empty() {
                self.by_object.remove(&object);
                self.dropped.insert(object);
            }
        }
    }

    /// It is another Deployment's from now on.
    pub(super) fn move_to(&mut self, id: &TargetId, object: ObjectRef) {
        if let Some(target) = self.by_id.get(id).cloned() {
            self.remove(id);
            let target = Target {
                object: Some(object),
                ..target
            };
            self.insert(id.clone(), target);
        }
    }

    /// It turned out to be of another mode.
    pub(super) fn set_mode(&mut self, id: &TargetId, mode: Mode) {
        if let Some(target) = self.by_id.get_mut(id) {
            target.mode = mode;
        }
    }

    pub(super) fn get(&self, id: &TargetId) -> Option<&Target> {
        self.by_id.get(id)
    }

    pub(super) fn contains(&self, id: &TargetId) -> bool {
        self.by_id.contains_key(id)
    }

    pub(super) fn of_cluster(&self, cluster: &ClusterName) -> Vec<TargetId> {
        let ids = self.by_id.keys().filter(|id| id.cluster == *cluster);
        ids.cloned().collect()
    }

    /// The targets that stand for an object.
    pub(super) fn of_object(&self, cluster: &ClusterName, object: &ObjectRef) -> Vec<TargetId> {
        let ids = self.by_object.get(&(cluster.clone(), object.clone()));
        ids.into_iter().flatten().cloned().collect()
    }

    /// The other targets that stand for the same Flink.
    pub(super) fn beside(&self, id: &TargetId) -> Vec<&TargetId> {
        let Some(target) = self.by_id.get(id) else {
            return Vec::new();
        };
        let all = match &target.object {
            Some(object) => self.by_object.get(&(id.cluster.clone(), object.clone())),
            None => address(id, &target.route).and_then(|address| self.by_address.get(&address)),
        };
        all.into_iter().flatten().filter(|other| *other != id).collect()
    }

    /// The objects of a cluster that lost their last target, and of which nothing was said since.
    pub(super) fn dropped(&self, cluster: &ClusterName) -> Vec<ObjectRef> {
        let dropped = self.dropped.iter().filter(|(of, _)| of == cluster);
        dropped.map(|(_, object)| object.clone()).collect()
    }

    /// It is known of an object without a target that there is nothing to take up.
    pub(super) fn settle_dropped(&mut self, cluster: &ClusterName, object: &ObjectRef) {
        self.dropped.remove(&(cluster.clone(), object.clone()));
    }
}

/// Where a standalone Flink is.
fn address(id: &TargetId, route: &FlinkRoute) -> Option<String> {
    base_url(route, id, &id.name, None, None).ok()
}

#[cfg(test)]
mod tests {
    use steadfast_core::id::Namespace;

    use super::*;

    fn cluster() -> ClusterName {
        ClusterName::new("local")
    }

    fn object() -> ObjectRef {
        ObjectRef::new(&Namespace::new("default"), "orders")
    }

    fn insert(targets: &mut Targets, name: &str) -> TargetId {
        let id = TargetId::new(&cluster(), &Namespace::new("default"), name);
        let target = Target {
            mode: Mode::Application,
            origin: Origin::Discovered,
            object: Some(object()),
            route: FlinkRoute::Service,
            pinned: None,
        };
        targets.insert(id.clone(), target);
        id
    }

    #[test]
    fn another_target_of_the_same_object_keeps_its_entry() {
        let mut targets = Targets::default();
        let (discovered, configured) = (insert(&mut targets, "orders"), insert(&mut targets, "billing"));
        targets.remove(&discovered);
        assert_eq!(
            targets.of_object(&cluster(), &object()),
            std::slice::from_ref(&configured)
        );
        assert!(targets.dropped(&cluster()).is_empty(), "it is still watched");
        targets.remove(&configured);
        assert_eq!(targets.of_object(&cluster(), &object()), []);
    }

    #[test]
    fn standalone_targets_of_one_flink_stand_beside_each_other() {
        let mut targets = Targets::default();
        let mut add = |name: &str, url: &str| {
            let id = TargetId::standalone(name);
            let target = Target {
                mode: Mode::Standalone,
                origin: Origin::Configured,
                object: None,
                route: FlinkRoute::Template(url.into()),
                pinned: None,
            };
            targets.insert(id.clone(), target);
            id
        };
        let (a, b) = (add("a", "http://flink:8081"), add("b", "http://flink:8081"));
        let elsewhere = add("c", "http://flink:8082");
        assert_eq!((targets.beside(&a), targets.beside(&elsewhere)), (vec![&b], vec![]));
        targets.remove(&b);
        assert_eq!(targets.beside(&a), Vec::<&TargetId>::new());
    }

    #[test]
    fn what_lost_its_last_target_is_kept_in_mind_until_it_is_settled_or_taken_up() {
        let mut targets = Targets::default();
        let id = insert(&mut targets, "orders");
        targets.remove(&id);
        assert!(targets.dropped(&ClusterName::new("other")).is_empty());
        assert_eq!(targets.dropped(&cluster()), [object()]);
        targets.settle_dropped(&cluster(), &object());
        assert!(targets.dropped(&cluster()).is_empty());
        let id = insert(&mut targets, "orders");
        targets.remove(&id);
        insert(&mut targets, "orders");
        assert!(targets.dropped(&cluster()).is_empty());
    }
}
