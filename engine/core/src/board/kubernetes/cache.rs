//! The objects of one kind by namespace and name, as lists and watches last showed them.

use std::collections::btree_map::Entry as Place;
use std::collections::{BTreeMap, BTreeSet};

use super::ObjectRef;
use super::told::{Teller, Told};
use crate::evidence::{Evidence, Fault, FaultKind, Observation, Observed};
use crate::facts::{Deployment, FlinkResource};
use crate::foreign_text::ForeignText;
use crate::id::{Namespace, Uid};
use crate::kube_update::{Completeness, Object};
use crate::time::Timestamp;

/// An object with a namespace and a name of its own.
pub(super) trait Referenced: Clone + PartialEq {
    /// Its own namespace and name.
    fn object_ref(&self) -> ObjectRef;

    /// `metadata.uid`.
    fn uid(&self) -> &Uid;

    /// Those of the Flink cluster it is about, by its Deployment.
    fn cluster_ref(&self) -> ObjectRef;
}

impl Referenced for Deployment {
    fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(&self.namespace, &self.name)
    }

    fn uid(&self) -> &Uid {
        &self.uid
    }

    fn cluster_ref(&self) -> ObjectRef {
        self.object_ref()
    }
}

impl Referenced for FlinkResource {
    fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(&self.namespace, &self.name)
    }

    fn uid(&self) -> &Uid {
        &self.uid
    }

    fn cluster_ref(&self) -> ObjectRef {
        ObjectRef::new(&self.namespace, &self.deployment)
    }
}

/// All objects of one kind.
#[derive(Clone, Debug)]
pub(super) struct Objects<T> {
    seen: BTreeMap<ObjectRef, Entry<T>>,
    /// The last list of each scope, by its namespace.
    listed: BTreeMap<Option<Namespace>, Told>,
}

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self {
            seen: BTreeMap::new(),
            listed: BTreeMap::new(),
        }
    }
}

/// What was last seen under a name, and when.
#[derive(Clone, Debug)]
struct Entry<T> {
    change: Cached<T>,
    told: Told,
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
    Missing,
}

/// What became of something that was told.
#[derive(Debug)]
pub(super) enum Heard {
    /// What is known is newer, and stands.
    Older,
    /// It was known.
    Known,
    /// It is news about this Flink cluster.
    News(ObjectRef),
}

impl Heard {
    /// The Flink cluster about which it is news.
    pub(super) fn news(self) -> Option<ObjectRef> {
        match self {
            Self::Older | Self::Known => None,
            Self::News(about) => Some(about),
        }
    }
}

/// What came of putting something in its place.
enum Put<T> {
    Older,
    Same,
    /// It stands where this stood.
    Instead(Option<Cached<T>>),
}

impl<T: Referenced> Objects<T> {
    /// Takes in an object that is there.
    pub(super) fn see(&mut self, object: T, told: Told) -> Heard {
        let about = object.cluster_ref();
        match self.put(object.object_ref(), Cached::Live(object), told) {
            Put::Older => Heard::Older,
            Put::Same => Heard::Known,
            Put::Instead(_) => Heard::News(about),
        }
    }

    /// Takes in an object that is there and does not decode.
    pub(super) fn see_undecodable(&mut self, object: ObjectRef, error: ForeignText, told: Told) -> Heard {
        match self.put(object.clone(), Cached::Undecodable(error), told) {
            Put::Older => Heard::Older,
            Put::Same => Heard::Known,
            Put::Instead(before) => Heard::News(about(before, object)),
        }
    }

    /// Takes in that nobody said whether an object is there.
    pub(super) fn see_unanswered(&mut self, object: ObjectRef, fault: Fault, told: Told) -> Heard {
        let since = match self.seen.get(&object).map(|seen| &seen.change) {
            Some(Cached::Unanswered { since, .. }) => *since,
            Some(Cached::Live(_) | Cached::Undecodable(_) | Cached::Tombstone | Cached::Missing) | None => told.at,
        };
        match self.put(object.clone(), Cached::Unanswered { fault, since }, told) {
            Put::Older => Heard::Older,
            Put::Same | Put::Instead(Some(Cached::Unanswered { .. })) => Heard::Known,
            Put::Instead(before) => Heard::News(about(before, object)),
        }
    }

    /// Takes in DELETED on the watch, of the object with that UID if it is known.
    pub(super) fn see_deleted(&mut self, object: ObjectRef, uid: Option<&Uid>, told: Told) -> Heard {
        let there = self.get(&object);
        if there.zip(uid).is_some_and(|(there, uid)| there.uid() != uid) {
            // The next one of that name was asked for, and seen first.
            return Heard::Older;
        }
        match self.put(object.clone(), Cached::Tombstone, told) {
            Put::Older => Heard::Older,
            Put::Same => Heard::News(object),
            Put::Instead(before) => Heard::News(about(before, object)),
        }
    }

    /// Takes in that an object is not there, by an answer about it alone.
    pub(super) fn see_missing(&mut self, object: ObjectRef, told: Told, list: &Evidence<Completeness>) -> Heard {
        let was_absent = self.evidence(&object, list).latest == Observed::Absent;
        match self.put(object.clone(), Cached::Missing, told) {
            Put::Older => Heard::Older,
            Put::Same => Heard::Known,
            Put::Instead(_) if was_absent => Heard::Known,
            Put::Instead(before) => Heard::News(about(before, object)),
        }
    }

    /// Puts what is told of an object in the place of what was told before, unless that is newer.
    fn put(&mut self, object: ObjectRef, change: Cached<T>, told: Told) -> Put<T> {
        let is_unlisted_since = change.is_there() && self.is_unlisted_since(&object.namespace, told);
        match self.seen.entry(object) {
            Place::Vacant(_) if is_unlisted_since => Put::Older,
            Place::Vacant(place) => {
                place.insert(Entry { change, told });
                Put::Instead(None)
            }
            Place::Occupied(mut place) => {
                let seen = place.get_mut();
                if seen.change == change {
                    seen.told = seen.told.told_again(told);
                    return Put::Same;
                }
                if seen.stands_against(told) {
                    return Put::Older;
                }
                let told = told.in_place_of(seen.told);
                Put::Instead(Some(place.insert(Entry { change, told }).change))
            }
        }
    }

    /// Whether something that was asked for by name, and that no list shows, was there before the last list was read.
    fn is_unlisted_since(&self, namespace: &Namespace, told: Told) -> bool {
        let of_namespace = self.listed.get(&Some(namespace.clone()));
        let listed = of_namespace.or_else(|| self.listed.get(&None));
        let is_before = |listed: &Told| {
            let is_before = told.is_before(*listed);
            is_before.unwrap_or(listed.asked_at > told.asked_at)
        };
        told.by == Teller::Name && listed.is_some_and(is_before)
    }

    /// Takes in that a list of a scope was answered, and forgets what the scope held and the list does not name. What is known of a
    /// later version than the list's stays. So does a deletion that was seen after the list was asked for, and what was asked for
    /// after it and was not there. Returns the Flink clusters for which this is new.
    pub(super) fn drop_unlisted(
        &mut self,
        namespace: Option<&Namespace>,
        listed: &[Object],
        told: Told,
    ) -> Vec<ObjectRef> {
        self.listed.insert(namespace.cloned(), told);
        let listed: BTreeSet<(&Namespace, &str)> = listed.iter().map(Object::namespaced_name).collect();
        let is_dropped = |object: &ObjectRef, seen: &mut Entry<T>| {
            namespace.is_none_or(|n| *n == object.namespace)
                && !listed.contains(&(&object.namespace, object.name.as_str()))
                && !seen.stands_against(told)
                && match &seen.change {
                    Cached::Tombstone | Cached::Missing => told.asked_at >= seen.heard_at(),
                    Cached::Live(_) | Cached::Undecodable(_) | Cached::Unanswered { .. } => true,
                }
        };
        let dropped = self.seen.extract_if(.., is_dropped);
        dropped
            .filter_map(|(object, seen)| match seen.change {
                Cached::Live(object) => Some(object.cluster_ref()),
                Cached::Undecodable(_) | Cached::Unanswered { .. } => Some(object),
                Cached::Tombstone | Cached::Missing => None,
            })
            .collect()
    }

    /// What is known of an object, given how its list stands.
    pub(super) fn evidence(&self, object: &ObjectRef, list: &Evidence<Completeness>) -> Evidence<T> {
        let seen = self.seen.get(object);
        if let Some(seen) = seen.filter(|seen| seen.change == Cached::Missing) {
            return missing(list, seen.told);
        }
        let evidence = list.clone().map(|answer| match answer {
            Observed::Unknown(fault) => Observed::Unknown(fault),
            Observed::Absent => Observed::Absent,
            Observed::Present(completeness) => match seen.map(|s| &s.change) {
                Some(Cached::Live(object)) => Observed::Present(object.clone()),
                Some(Cached::Undecodable(error)) => Observed::Unknown(Fault::new(FaultKind::Malformed, error.clone())),
                Some(Cached::Unanswered { fault, .. }) => Observed::Unknown(fault.clone()),
                Some(Cached::Tombstone) => Observed::Absent,
                Some(Cached::Missing) | None => absent_from(completeness),
            },
        });
        match seen {
            // The list was answered; about this one object there is silence.
            Some(Entry {
                change: Cached::Unanswered { since, .. },
                ..
            }) if evidence.unknown_since.is_none() => Evidence {
                known_at: evidence.known_at.map(|known| known.min(*since)),
                unknown_since: Some(*since),
                failures: 1,
                ..evidence
            },
            Some(seen) => seen.told.freshen(evidence),
            None => evidence,
        }
    }

    /// The objects of a namespace that are there and decode.
    pub(super) fn in_namespace<'a>(&'a self, namespace: &'a Namespace) -> impl Iterator<Item = &'a T> {
        let first = ObjectRef::new(namespace, "");
        let entries = self.seen.range(first..);
        let mine = entries.take_while(|(object, _)| object.namespace == *namespace);
        mine.filter_map(|(_, seen)| seen.change.live())
    }

    /// Every object that is there and decodes.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.seen.values().filter_map(|seen| seen.change.live())
    }

    /// Whether anything was said of an object that no list has overtaken.
    pub(super) fn is_known(&self, object: &ObjectRef) -> bool {
        self.seen.contains_key(object)
    }

    /// An object, if it is there and decodes.
    pub(super) fn get(&self, object: &ObjectRef) -> Option<&T> {
        self.seen.get(object)?.change.live()
    }
}

/// The Flink cluster about which it is news that an object is no longer what it was.
fn about<T: Referenced>(before: Option<Cached<T>>, object: ObjectRef) -> ObjectRef {
    match before {
        Some(Cached::Live(before)) => before.cluster_ref(),
        Some(Cached::Undecodable(_) | Cached::Unanswered { .. } | Cached::Tombstone | Cached::Missing) | None => object,
    }
}

impl<T> Cached<T> {
    fn live(&self) -> Option<&T> {
        match self {
            Self::Live(object) => Some(object),
            Self::Undecodable(_) | Self::Unanswered { .. } | Self::Tombstone | Self::Missing => None,
        }
    }

    fn is_there(&self) -> bool {
        match self {
            Self::Live(_) | Self::Undecodable(_) => true,
            Self::Unanswered { .. } | Self::Tombstone | Self::Missing => false,
        }
    }
}

impl<T> Entry<T> {
    /// Whether it stands against something else that is told now, which shows what was so before. Where no version says that, what
    /// was asked for by name stands back behind what was heard meanwhile, and a list only behind an absence.
    fn stands_against(&mut self, told: Told) -> bool {
        let is_absence = match self.change {
            // Nothing was said that could stand.
            Cached::Unanswered { .. } => return false,
            Cached::Missing => true,
            Cached::Live(_) | Cached::Undecodable(_) | Cached::Tombstone => false,
        };
        match (told.is_before(self.told), told.by) {
            (Some(true), _) => {
                self.told = self.told.stood_against(told);
                true
            }
            (Some(false), _) | (None, Teller::Watch) => false,
            (None, Teller::Name) => self.heard_at() > told.asked_at,
            (None, Teller::List) => is_absence && self.told.asked_at > told.asked_at,
        }
    }

    /// When it was told, or asked for and was not there: what is asked for later replaces it.
    fn heard_at(&self) -> Timestamp {
        match &self.change {
            Cached::Missing => self.told.asked_at,
            Cached::Live(_) | Cached::Undecodable(_) | Cached::Unanswered { .. } | Cached::Tombstone => self.told.at,
        }
    }
}

/// What is known of an object that was not there when it was asked for by name: the later of that answer and the list counts.
fn missing<T>(list: &Evidence<Completeness>, told: Told) -> Evidence<T> {
    let answer = Observation::new(Observed::Absent, told.asked_at, told.at);
    let mut evidence = list.clone().map(|answer| match answer {
        Observed::Unknown(fault) => Observed::Unknown(fault),
        Observed::Absent => Observed::Absent,
        Observed::Present(completeness) => absent_from(completeness),
    });
    if !evidence.accept(answer) {
        evidence.known_at = evidence.known_at.max(Some(told.at));
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
