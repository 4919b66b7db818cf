//! JobManager pods, by the Deployment they belong to.

use std::collections::{BTreeMap, BTreeSet};

use super::cache::{Asked, absent_from, freshened};
use super::{Accepted, ObjectRef};
use crate::evidence::{Evidence, Observation, Observed};
use crate::facts::Pod;
use crate::id::Namespace;
use crate::kube_update::{Completeness, Object};
use crate::time::Timestamp;

/// The pods of a cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Pods {
    by_object: BTreeMap<ObjectRef, BTreeMap<String, Pod>>,
    /// When the pods of a Deployment last changed, by an event or a list.
    changed: BTreeMap<ObjectRef, Timestamp>,
    /// When those of a Deployment were asked for alone, until a later list of them all.
    asked: BTreeMap<ObjectRef, Asked>,
}

impl Pods {
    /// The pods of a Deployment: those that are being deleted last, else the newest first.
    pub(super) fn evidence(&self, object: &ObjectRef, list: &Evidence<Completeness>) -> Evidence<Vec<Pod>> {
        let mut evidence = list.clone().map(|answer| match answer {
            Observed::Unknown(fault) => Observed::Unknown(fault),
            Observed::Absent => Observed::Absent,
            Observed::Present(completeness) => self.there(object, completeness),
        });
        if let Some(Asked { asked_at, at }) = self.asked.get(object).copied() {
            evidence.accept(Observation::new(
                self.there(object, Completeness::Complete),
                asked_at,
                at,
            ));
        }
        freshened(evidence, self.changed.get(object).copied())
    }

    fn there(&self, object: &ObjectRef, completeness: Completeness) -> Observed<Vec<Pod>> {
        match self.last(object) {
            pods if pods.is_empty() => absent_from(completeness),
            pods => Observed::Present(pods.into_iter().cloned().collect()),
        }
    }

    /// The pods as last seen, whether or not they can be seen now; in the order of [`Self::evidence`].
    pub(super) fn last(&self, object: &ObjectRef) -> Vec<&Pod> {
        let mut pods: Vec<&Pod> = self
            .by_object
            .get(object)
            .into_iter()
            .flat_map(BTreeMap::values)
            .collect();
        pods.sort_by_key(|p| (p.deleting_since.is_some(), std::cmp::Reverse(p.created_at)));
        pods
    }

    pub(super) fn list(
        &mut self,
        namespace: Option<&Namespace>,
        objects: Vec<Object>,
        Asked { asked_at, at }: Asked,
        accepted: &mut Accepted,
    ) {
        self.asked.retain(|object, asked| {
            asked.asked_at > asked_at || namespace.is_some_and(|namespace| *namespace != object.namespace)
        });
        // What is there and does not decode, or may be there, is no pod that is gone.
        let names: BTreeSet<(&Namespace, &str)> = objects.iter().map(Object::namespaced_name).collect();
        for (object, pods) in &mut self.by_object {
            if namespace.is_none_or(|n| *n == object.namespace) {
                let before = pods.len();
                pods.retain(|name, _| names.contains(&(&object.namespace, name.as_str())));
                if pods.len() != before {
                    self.changed.insert(object.clone(), at);
                    accepted.touched.push(object.clone());
                }
            }
        }
        self.by_object.retain(|_, pods| !pods.is_empty());
        for pod in objects.into_iter().filter_map(pod) {
            self.see_pod(pod, at, accepted);
        }
    }

    /// Takes in all pods of one Deployment. What was heard of them after they were asked for is newer.
    pub(super) fn list_of(&mut self, object: ObjectRef, objects: Vec<Object>, asked: Asked, accepted: &mut Accepted) {
        let was_heard_since = self
            .changed
            .get(&object)
            .is_some_and(|changed| *changed > asked.asked_at);
        if was_heard_since {
            return;
        }
        let names: BTreeSet<&str> = objects.iter().map(|object| object.namespaced_name().1).collect();
        if let Some(pods) = self.by_object.get_mut(&object) {
            let before = pods.len();
            pods.retain(|name, _| names.contains(name.as_str()));
            if pods.len() != before {
                self.changed.insert(object.clone(), asked.at);
                accepted.touched.push(object.clone());
            }
            if pods.is_empty() {
                self.by_object.remove(&object);
            }
        }
        for pod in objects.into_iter().filter_map(pod) {
            self.see_pod(pod, asked.at, accepted);
        }
        self.asked.insert(object, asked);
    }

    pub(super) fn see(&mut self, object: Object, at: Timestamp, accepted: &mut Accepted) {
        if let Some(pod) = pod(object) {
            self.see_pod(pod, at, accepted);
        }
    }

    fn see_pod(&mut self, pod: Pod, at: Timestamp, accepted: &mut Accepted) {
        let object = object_of(&pod);
        let pods = self.by_object.entry(object.clone()).or_default();
        let before = pods.get(&pod.name);
        if before == Some(&pod) {
            return;
        }
        if pod.deleting_since.is_some() && before.is_none_or(|b| b.deleting_since.is_none()) {
            accepted.terminating_pods.push(pod.clone());
        }
        pods.insert(pod.name.clone(), pod);
        self.changed.insert(object.clone(), at);
        accepted.touched.push(object);
    }

    pub(super) fn see_deleted(&mut self, object: &Object, at: Timestamp, accepted: &mut Accepted) {
        // Which Deployment a pod belongs to is not known if it does not decode; the next list lacks it.
        let Object::Pod(pod) = object else { return };
        let object = object_of(pod);
        if let Some(pods) = self.by_object.get_mut(&object) {
            pods.remove(&pod.name);
            if pods.is_empty() {
                self.by_object.remove(&object);
            }
        }
        self.changed.insert(object.clone(), at);
        accepted.touched.push(object);
    }
}

fn object_of(pod: &Pod) -> ObjectRef {
    ObjectRef::new(&pod.namespace, &pod.app)
}

fn pod(object: Object) -> Option<Pod> {
    match object {
        Object::Pod(pod) => Some(pod),
        Object::Deployment(_)
        | Object::FlinkResource(_)
        | Object::StateSnapshot(_)
        | Object::Undecodable { .. }
        | Object::Unanswered { .. } => None,
    }
}
