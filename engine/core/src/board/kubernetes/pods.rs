//! JobManager pods, by the Deployment they belong to.

use std::collections::{BTreeMap, BTreeSet};

use super::cache::absent_from;
use super::told::{Teller, Told};
use super::{Accepted, ObjectRef};
use crate::evidence::{Evidence, Observation, Observed};
use crate::facts::Pod;
use crate::id::Namespace;
use crate::kube_update::{Completeness, Object};

/// The pods of a cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Pods {
    by_object: BTreeMap<ObjectRef, OfDeployment>,
    /// The last list of each scope, by its namespace.
    listed: BTreeMap<Option<Namespace>, Told>,
}

/// The pods of one Deployment.
#[derive(Clone, Debug, Default)]
struct OfDeployment {
    /// By their names. Most have one, and a map has room for eleven: what it holds is elsewhere.
    pods: BTreeMap<String, Box<Seen>>,
    /// What last changed one of them: an event, a list, or an answer about them alone.
    changed: Option<Told>,
    /// The last answer about them alone, until a later list of all pods.
    asked: Option<Told>,
}

#[derive(Clone, Debug)]
struct Seen {
    pod: Pod,
    told: Told,
}

impl Pods {
    /// The pods of a Deployment: those that are being deleted last, else the newest first.
    pub(super) fn evidence(&self, object: &ObjectRef, list: &Evidence<Completeness>) -> Evidence<Vec<Pod>> {
        let mut evidence = list.clone().map(|answer| match answer {
            Observed::Unknown(fault) => Observed::Unknown(fault),
            Observed::Absent => Observed::Absent,
            Observed::Present(completeness) => self.there(object, completeness),
        });
        let Some(known) = self.by_object.get(object) else {
            return evidence;
        };
        if let Some(Told { asked_at, at, .. }) = known.asked {
            evidence.accept(Observation::new(
                self.there(object, Completeness::Complete),
                asked_at,
                at,
            ));
        }
        match known.changed {
            Some(changed) => changed.freshen(evidence),
            None => evidence,
        }
    }

    fn there(&self, object: &ObjectRef, completeness: Completeness) -> Observed<Vec<Pod>> {
        match self.last(object) {
            pods if pods.is_empty() => absent_from(completeness),
            pods => Observed::Present(pods.into_iter().cloned().collect()),
        }
    }

    /// The pods as last seen, whether or not they can be seen now; in the order of [`Self::evidence`].
    pub(super) fn last(&self, object: &ObjectRef) -> Vec<&Pod> {
        let known = self.by_object.get(object).into_iter();
        let mut pods: Vec<&Pod> = known
            .flat_map(|known| known.pods.values())
            .map(|seen| &seen.pod)
            .collect();
        pods.sort_by_key(|p| (p.deleting_since.is_some(), std::cmp::Reverse(p.created_at)));
        pods
    }

    /// Takes in all pods of a scope. Where those of one Deployment were read later, they stay as they are.
    pub(super) fn list(
        &mut self,
        namespace: Option<&Namespace>,
        objects: Vec<Object>,
        told: Told,
        accepted: &mut Accepted,
    ) {
        self.listed.insert(namespace.cloned(), told);
        // What is there and does not decode, or may be there, is no pod that is gone.
        let names: BTreeSet<(&Namespace, &str)> = objects.iter().map(Object::namespaced_name).collect();
        let mut read_later = BTreeSet::new();
        for (object, known) in &mut self.by_object {
            if namespace.is_some_and(|namespace| *namespace != object.namespace) {
                continue;
            }
            if known.are_asked_for_after(told) {
                read_later.insert(object.clone());
            } else if known.drop_unnamed(told, |name| names.contains(&(&object.namespace, name))) {
                accepted.touched.push(object.clone());
            }
        }
        for pod in objects.into_iter().filter_map(pod) {
            if !read_later.contains(&object_of(&pod)) {
                self.see_pod(pod, told, accepted);
            }
        }
        // Where there are none, and nothing was heard since it was asked for, the list says all there is to know.
        let is_out_of_scope = |object: &ObjectRef| namespace.is_some_and(|namespace| *namespace != object.namespace);
        self.by_object
            .retain(|object, known| is_out_of_scope(object) || known.is_worth_keeping(told));
    }

    /// Takes in all pods of one Deployment, unless something newer was heard of them.
    pub(super) fn list_of(&mut self, object: ObjectRef, objects: Vec<Object>, told: Told, accepted: &mut Accepted) {
        let of_namespace = self.listed.get(&Some(object.namespace.clone()));
        let listed = of_namespace.or_else(|| self.listed.get(&None));
        let is_listed_since = listed.is_some_and(|listed| {
            let is_before = told.is_before(*listed);
            is_before.unwrap_or(listed.asked_at > told.asked_at)
        });
        let is_changed_since = |known: &OfDeployment| known.changed_after(told);
        if is_listed_since || self.by_object.get(&object).is_some_and(is_changed_since) {
            return;
        }
        let known = self.by_object.entry(object.clone()).or_default();
        let names: BTreeSet<&str> = objects.iter().map(|object| object.namespaced_name().1).collect();
        if known.drop_unnamed(told, |name| names.contains(name)) {
            accepted.touched.push(object.clone());
        }
        known.asked = Some(told);
        for pod in objects.into_iter().filter_map(pod) {
            self.see_pod(pod, told, accepted);
        }
    }

    pub(super) fn see(&mut self, object: Object, told: Told, accepted: &mut Accepted) {
        if let Some(pod) = pod(object) {
            self.see_pod(pod, told, accepted);
        }
    }

    /// How many Deployments something is kept of.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.by_object.len()
    }

    fn see_pod(&mut self, pod: Pod, told: Told, accepted: &mut Accepted) {
        let object = object_of(&pod);
        let known = self.by_object.entry(object.clone()).or_default();
        let is_going = pod.deleting_since.is_some();
        let is_gone = known.lacks_since(told);
        let was_going = match known.pods.get_mut(&pod.name) {
            Some(seen) if seen.pod == pod => {
                seen.told = seen.told.told_again(told);
                return;
            }
            Some(seen) if seen.is_newer_than(told) => return,
            Some(seen) => seen.pod.deleting_since.is_some(),
            None if is_gone => return,
            None => false,
        };
        if is_going && !was_going {
            accepted.terminating_pods.push(pod.clone());
        }
        known.pods.insert(pod.name.clone(), Box::new(Seen { pod, told }));
        known.note_change(told);
        accepted.touched.push(object);
    }

    pub(super) fn see_deleted(&mut self, object: &Object, told: Told, accepted: &mut Accepted) {
        // Which Deployment a pod belongs to is not known if it does not decode; the next list lacks it.
        let Object::Pod(pod) = object else { return };
        let object = object_of(pod);
        let known = self.by_object.entry(object.clone()).or_default();
        let is_no_news = match known.pods.get(&pod.name) {
            Some(seen) => seen.pod.uid != pod.uid || seen.is_newer_than(told),
            None => known.lacks_since(told),
        };
        if is_no_news {
            return;
        }
        known.pods.remove(&pod.name);
        known.note_change(told);
        accepted.touched.push(object);
    }
}

impl OfDeployment {
    /// Whether they were asked for alone, and read after that list. If not, the list has the last word.
    fn are_asked_for_after(&mut self, list: Told) -> bool {
        let Some(asked) = self.asked else { return false };
        let is_before = list.is_before(asked);
        // A list that was asked for before them and read after them answers their question as well.
        self.asked = match is_before {
            Some(true) => Some(asked),
            Some(false) if list.asked_at < asked.asked_at => Some(list.in_place_of(asked)),
            Some(false) | None => None,
        };
        is_before == Some(true)
    }

    /// Whether what was asked for about them alone was read before they last changed, or before they were asked for once more.
    /// Where no version says it, what changed meanwhile counts as newer.
    fn changed_after(&self, told: Told) -> bool {
        let is_before = |changed: Told| told.is_before(changed).unwrap_or(changed.at > told.asked_at);
        self.changed.is_some_and(is_before) || self.asked.is_some_and(|asked| told.is_before(asked) == Some(true))
    }

    /// Whether an answer about all of them, read after what is told now of one, did not contain it.
    fn lacks_since(&self, told: Told) -> bool {
        self.asked.is_some_and(|asked| told.is_before(asked) == Some(true))
    }

    /// Drops those that a complete answer does not name; says whether there are such.
    fn drop_unnamed(&mut self, told: Told, is_named: impl Fn(&str) -> bool) -> bool {
        let before = self.pods.len();
        self.pods
            .retain(|name, seen| is_named(name) || told.is_before(seen.told) == Some(true));
        let are_fewer = self.pods.len() != before;
        if are_fewer {
            self.note_change(told);
        }
        are_fewer
    }

    /// Whether there are any, or something was heard of them after that list was asked for.
    fn is_worth_keeping(&self, list: Told) -> bool {
        let heard = self.changed.into_iter().chain(self.asked);
        !self.pods.is_empty() || heard.map(|heard| heard.at).any(|at| at >= list.asked_at)
    }

    fn note_change(&mut self, told: Told) {
        self.changed = Some(self.changed.map_or(told, |before| told.in_place_of(before)));
    }
}

impl Seen {
    /// Whether it shows what is so since something else that is told now. Where no version says it, what was asked for by name
    /// stands back behind what was heard meanwhile.
    fn is_newer_than(&self, told: Told) -> bool {
        let was_heard_since = told.by == Teller::Name && self.told.at > told.asked_at;
        told.is_before(self.told).unwrap_or(was_heard_since)
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
