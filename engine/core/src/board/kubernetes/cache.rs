//! The objects of one kind by namespace and name, as lists and watches last showed them.

use std::collections::{BTreeMap, BTreeSet};

use super::ObjectRef;
use crate::evidence::{Evidence, Fault, FaultKind, Observed};
use crate::facts::{Deployment, FlinkResource};
use crate::id::Namespace;
use crate::kube_update::{Completeness, Object};
use crate::time::Timestamp;

/// An object with a namespace and a name of its own.
pub(super) trait Referenced: Clone + PartialEq {
    /// Its own namespace and name.
    fn object_ref(&self) -> ObjectRef;

    /// Those of the Flink cluster it is about, by its Deployment.
    fn cluster_ref(&self) -> ObjectRef;
}

impl Referenced for Deployment {
    fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(&self.namespace, &self.name)
    }

    fn cluster_ref(&self) -> ObjectRef {
        self.object_ref()
    }
}

impl Referenced for FlinkResource {
    fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(&self.namespace, &self.name)
    }

    fn cluster_ref(&self) -> ObjectRef {
        ObjectRef::new(&self.namespace, &self.deployment)
    }
}

/// All objects of one kind.
#[derive(Clone, Debug)]
pub(super) struct Objects<T>(BTreeMap<ObjectRef, Entry<T>>);

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// What was last seen under a name, and when.
#[derive(Clone, Debug)]
struct Entry<T> {
    change: Cached<T>,
    at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
enum Cached<T> {
    Live(T),
    /// It exists, its body does not decode.
    Undecodable(String),
    /// Its list does not select it any more, and nobody said since then whether it is there.
    Unanswered {
        fault: Fault,
        since: Timestamp,
    },
    /// The watch said DELETED; no list has been read since.
    Tombstone,
}

impl<T: Referenced> Objects<T> {
    /// Takes in an object that is there. Returns the Flink cluster it is about if it changed.
    pub(super) fn see(&mut self, object: T, at: Timestamp) -> Option<ObjectRef> {
        let about = object.cluster_ref();
        let change = Cached::Live(object.clone());
        let before = self.0.insert(
            object.object_ref(),
            Entry {
                change: change.clone(),
                at,
            },
        );
        before.is_none_or(|seen| seen.change != change).then_some(about)
    }

    /// Takes in an object that is there and does not decode. Returns the Flink cluster it is about if that is new.
    pub(super) fn see_undecodable(&mut self, object: ObjectRef, error: String, at: Timestamp) -> Option<ObjectRef> {
        let change = Cached::Undecodable(error);
        let before = self.0.insert(
            object.clone(),
            Entry {
                change: change.clone(),
                at,
            },
        );
        match before.map(|seen| seen.change) {
            Some(Cached::Live(object)) => Some(object.cluster_ref()),
            Some(same) if same == change => None,
            Some(Cached::Undecodable(_) | Cached::Unanswered { .. } | Cached::Tombstone) | None => Some(object),
        }
    }

    /// Takes in that nobody said whether an object is there. Returns the Flink cluster it is about if that is new.
    pub(super) fn see_unanswered(&mut self, object: ObjectRef, fault: Fault, at: Timestamp) -> Option<ObjectRef> {
        let since = match self.0.get(&object).map(|seen| &seen.change) {
            Some(Cached::Unanswered { since, .. }) => *since,
            Some(Cached::Live(_) | Cached::Undecodable(_) | Cached::Tombstone) | None => at,
        };
        let change = Cached::Unanswered { fault, since };
        let before = self.0.insert(object.clone(), Entry { change, at });
        match before.map(|seen| seen.change) {
            Some(Cached::Live(object)) => Some(object.cluster_ref()),
            Some(Cached::Unanswered { .. }) => None,
            Some(Cached::Undecodable(_) | Cached::Tombstone) | None => Some(object),
        }
    }

    /// Takes in DELETED on the watch. Returns the Flink cluster it is about.
    pub(super) fn see_deleted(&mut self, object: ObjectRef, at: Timestamp) -> ObjectRef {
        let change = Cached::Tombstone;
        let before = self.0.insert(object.clone(), Entry { change, at });
        match before.map(|seen| seen.change) {
            Some(Cached::Live(object)) => object.cluster_ref(),
            Some(Cached::Undecodable(_) | Cached::Unanswered { .. } | Cached::Tombstone) | None => object,
        }
    }

    /// Forgets what a list's scope held and the list does not name. A deletion seen after the list was asked for
    /// stays seen. Returns the Flink clusters for which this is new.
    pub(super) fn drop_unlisted(
        &mut self,
        namespace: Option<&Namespace>,
        listed: &[Object],
        asked_at: Timestamp,
    ) -> Vec<ObjectRef> {
        let listed: BTreeSet<(&Namespace, &str)> = listed.iter().map(Object::namespaced_name).collect();
        let is_dropped = |object: &ObjectRef, seen: &mut Entry<T>| {
            namespace.is_none_or(|n| *n == object.namespace)
                && !listed.contains(&(&object.namespace, object.name.as_str()))
                && (seen.change != Cached::Tombstone || asked_at >= seen.at)
        };
        let dropped = self.0.extract_if(.., is_dropped);
        dropped
            .filter_map(|(object, seen)| match seen.change {
                Cached::Live(object) => Some(object.cluster_ref()),
                Cached::Undecodable(_) | Cached::Unanswered { .. } => Some(object),
                Cached::Tombstone => None,
            })
            .collect()
    }

    /// What is known of an object, given how its list stands.
    pub(super) fn evidence(&self, object: &ObjectRef, list: &Evidence<Completeness>) -> Evidence<T> {
        let seen = self.0.get(object);
        let evidence = list.clone().map(|answer| match answer {
            Observed::Unknown(fault) => Observed::Unknown(fault),
            Observed::Absent => Observed::Absent,
            Observed::Present(completeness) => match seen.map(|s| &s.change) {
                Some(Cached::Live(object)) => Observed::Present(object.clone()),
                Some(Cached::Undecodable(error)) => Observed::Unknown(Fault::new(FaultKind::Malformed, error.clone())),
                Some(Cached::Unanswered { fault, .. }) => Observed::Unknown(fault.clone()),
                Some(Cached::Tombstone) => Observed::Absent,
                None => absent_from(completeness),
            },
        });
        match seen.map(|seen| &seen.change) {
            // The list was answered; about this one object there is silence.
            Some(Cached::Unanswered { since, .. }) if evidence.unknown_since.is_none() => Evidence {
                known_at: evidence.known_at.map(|known| known.min(*since)),
                unknown_since: Some(*since),
                failures: 1,
                ..evidence
            },
            Some(Cached::Live(_) | Cached::Undecodable(_) | Cached::Unanswered { .. } | Cached::Tombstone) | None => {
                freshened(evidence, seen.map(|seen| seen.at))
            }
        }
    }

    /// The objects of a namespace that are there and decode.
    pub(super) fn in_namespace<'a>(&'a self, namespace: &'a Namespace) -> impl Iterator<Item = &'a T> {
        let first = ObjectRef::new(namespace, "");
        let entries = self.0.range(first..);
        let mine = entries.take_while(|(object, _)| object.namespace == *namespace);
        mine.filter_map(|(_, seen)| seen.change.live())
    }

    /// Every object that is there and decodes.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.values().filter_map(|seen| seen.change.live())
    }

    /// An object, if it is there and decodes.
    pub(super) fn get(&self, object: &ObjectRef) -> Option<&T> {
        self.0.get(object)?.change.live()
    }
}

impl<T> Cached<T> {
    fn live(&self) -> Option<&T> {
        match self {
            Self::Live(object) => Some(object),
            Self::Undecodable(_) | Self::Unanswered { .. } | Self::Tombstone => None,
        }
    }
}

/// Evidence of a list that a later watch event about its object has made fresher.
pub(super) fn freshened<T>(mut evidence: Evidence<T>, event: Option<Timestamp>) -> Evidence<T> {
    if evidence.latest.is_known()
        && let Some(at) = event.filter(|at| *at > evidence.observed_at)
    {
        (evidence.asked_at, evidence.observed_at, evidence.known_at) = (at, at, Some(at));
    }
    evidence
}

/// What a list says of something it does not contain.
pub(super) fn absent_from<T>(completeness: Completeness) -> Observed<T> {
    match completeness {
        Completeness::Complete => Observed::Absent,
        Completeness::Incomplete => Observed::Unknown(Fault::new(
            FaultKind::Malformed,
            "the list holds an object whose name cannot be read, so what it lacks may still be there",
        )),
    }
}
