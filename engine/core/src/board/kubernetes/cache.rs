//! The objects of one kind by namespace and name, as lists and watches last showed them.

use std::collections::{BTreeMap, BTreeSet};

use super::ObjectRef;
use crate::evidence::{Evidence, Fault, FaultKind, Observation, Observed};
use crate::facts::{Deployment, FlinkResource};
use crate::foreign_text::ForeignText;
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
    Undecodable(ForeignText),
    /// Its list does not select it any more, and nobody said since then whether it is there.
    Unanswered {
        fault: Fault,
        since: Timestamp,
    },
    /// The watch said DELETED; no list has been read since.
    Tombstone,
    /// Asked for by name, it was not there; no later list has been read since.
    Missing {
        asked_at: Timestamp,
    },
}

/// The times of a question about one object, and of its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) asked_at: Timestamp,
    pub(super) at: Timestamp,
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
    pub(super) fn see_undecodable(
        &mut self,
        object: ObjectRef,
        error: ForeignText,
        at: Timestamp,
    ) -> Option<ObjectRef> {
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
            Some(Cached::Undecodable(_) | Cached::Unanswered { .. } | Cached::Tombstone | Cached::Missing { .. })
            | None => Some(object),
        }
    }

    /// Takes in that nobody said whether an object is there. Returns the Flink cluster it is about if that is new.
    pub(super) fn see_unanswered(&mut self, object: ObjectRef, fault: Fault, at: Timestamp) -> Option<ObjectRef> {
        let since = match self.0.get(&object).map(|seen| &seen.change) {
            Some(Cached::Unanswered { since, .. }) => *since,
            Some(Cached::Live(_) | Cached::Undecodable(_) | Cached::Tombstone | Cached::Missing { .. }) | None => at,
        };
        let change = Cached::Unanswered { fault, since };
        let before = self.0.insert(object.clone(), Entry { change, at });
        match before.map(|seen| seen.change) {
            Some(Cached::Live(object)) => Some(object.cluster_ref()),
            Some(Cached::Unanswered { .. }) => None,
            Some(Cached::Undecodable(_) | Cached::Tombstone | Cached::Missing { .. }) | None => Some(object),
        }
    }

    /// Takes in DELETED on the watch. Returns the Flink cluster it is about.
    pub(super) fn see_deleted(&mut self, object: ObjectRef, at: Timestamp) -> ObjectRef {
        let change = Cached::Tombstone;
        let before = self.0.insert(object.clone(), Entry { change, at });
        match before.map(|seen| seen.change) {
            Some(Cached::Live(object)) => object.cluster_ref(),
            Some(Cached::Undecodable(_) | Cached::Unanswered { .. } | Cached::Tombstone | Cached::Missing { .. })
            | None => object,
        }
    }

    /// Takes in that an object is not there, by an answer about it alone. What was heard of it after it was asked for stands.
    /// Returns the Flink cluster it is about if that is new.
    pub(super) fn see_missing(
        &mut self,
        object: ObjectRef,
        Asked { asked_at, at }: Asked,
        list: &Evidence<Completeness>,
    ) -> Option<ObjectRef> {
        let was_absent = self.evidence(&object, list).latest == Observed::Absent;
        if self.was_heard_since((&object.namespace, &object.name), asked_at) {
            return None;
        }
        let change = Cached::Missing { asked_at };
        let before = self.0.insert(object.clone(), Entry { change, at });
        let about = match before.map(|seen| seen.change) {
            Some(Cached::Live(before)) => before.cluster_ref(),
            Some(Cached::Undecodable(_) | Cached::Unanswered { .. } | Cached::Tombstone | Cached::Missing { .. })
            | None => object,
        };
        (!was_absent).then_some(about)
    }

    /// Whether a list or the watch told of an object, or it was asked for by name, after that moment.
    pub(super) fn was_heard_since(&self, object: (&Namespace, &str), moment: Timestamp) -> bool {
        let seen = self.0.get(&ObjectRef::new(object.0, object.1));
        seen.is_some_and(|seen| seen.heard_at() > moment)
    }

    /// Whether an object was asked for by name after that moment and was not there, and nothing was heard of it since.
    pub(super) fn is_missing_since(&self, object: (&Namespace, &str), moment: Timestamp) -> bool {
        let seen = self.0.get(&ObjectRef::new(object.0, object.1));
        seen.is_some_and(|seen| matches!(seen.change, Cached::Missing { asked_at } if asked_at > moment))
    }

    /// Forgets what a list's scope held and the list does not name. A deletion seen after the list was asked for
    /// stays seen, and so does what was asked for after it and was not there. Returns the Flink clusters for which this is new.
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
                && match &seen.change {
                    Cached::Tombstone | Cached::Missing { .. } => asked_at >= seen.heard_at(),
                    Cached::Live(_) | Cached::Undecodable(_) | Cached::Unanswered { .. } => true,
                }
        };
        let dropped = self.0.extract_if(.., is_dropped);
        dropped
            .filter_map(|(object, seen)| match seen.change {
                Cached::Live(object) => Some(object.cluster_ref()),
                Cached::Undecodable(_) | Cached::Unanswered { .. } => Some(object),
                Cached::Tombstone | Cached::Missing { .. } => None,
            })
            .collect()
    }

    /// What is known of an object, given how its list stands.
    pub(super) fn evidence(&self, object: &ObjectRef, list: &Evidence<Completeness>) -> Evidence<T> {
        let seen = self.0.get(object);
        if let Some(asked) = seen.and_then(Entry::missing) {
            return missing(list, asked);
        }
        let evidence = list.clone().map(|answer| match answer {
            Observed::Unknown(fault) => Observed::Unknown(fault),
            Observed::Absent => Observed::Absent,
            Observed::Present(completeness) => match seen.map(|s| &s.change) {
                Some(Cached::Live(object)) => Observed::Present(object.clone()),
                Some(Cached::Undecodable(error)) => Observed::Unknown(Fault::new(FaultKind::Malformed, error.clone())),
                Some(Cached::Unanswered { fault, .. }) => Observed::Unknown(fault.clone()),
                Some(Cached::Tombstone) => Observed::Absent,
                Some(Cached::Missing { .. }) | None => absent_from(completeness),
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
            Some(
                Cached::Live(_)
                | Cached::Undecodable(_)
                | Cached::Unanswered { .. }
                | Cached::Tombstone
                | Cached::Missing { .. },
            )
            | None => freshened(evidence, seen.map(|seen| seen.at)),
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
            Self::Undecodable(_) | Self::Unanswered { .. } | Self::Tombstone | Self::Missing { .. } => None,
        }
    }
}

impl<T> Entry<T> {
    /// When it was told, or asked for: what is asked for later replaces it.
    fn heard_at(&self) -> Timestamp {
        self.missing().map_or(self.at, |asked| asked.asked_at)
    }

    /// When it was asked for by name, if it was not there.
    fn missing(&self) -> Option<Asked> {
        match &self.change {
            Cached::Missing { asked_at } => Some(Asked {
                asked_at: *asked_at,
                at: self.at,
            }),
            Cached::Live(_) | Cached::Undecodable(_) | Cached::Unanswered { .. } | Cached::Tombstone => None,
        }
    }
}

/// What is known of an object that was not there when it was asked for by name: the later of that answer and the list counts.
fn missing<T>(list: &Evidence<Completeness>, asked: Asked) -> Evidence<T> {
    let answer = Observation::new(Observed::Absent, asked.asked_at, asked.at);
    let mut evidence = list.clone().map(|answer| match answer {
        Observed::Unknown(fault) => Observed::Unknown(fault),
        Observed::Absent => Observed::Absent,
        Observed::Present(completeness) => absent_from(completeness),
    });
    if !evidence.accept(answer) {
        evidence.known_at = evidence.known_at.max(Some(asked.at));
    }
    evidence
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
