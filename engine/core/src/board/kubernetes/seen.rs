//! The objects of one kind by place, as lists and watches last told of them.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use crate::evidence::{Evidence, Fault, FaultKind, Observed};
use crate::facts::{Deployment, FlinkResource};
use crate::id::Namespace;
use crate::news::{Completeness, Object};
use crate::time::Timestamp;

/// A thing that stands at a place of its own.
pub(super) trait Placed: Clone + PartialEq {
    /// Where it stands.
    fn place(&self) -> Place;

    /// The place of the Flink cluster it is about.
    fn cluster_place(&self) -> Place;
}

impl Placed for Deployment {
    fn place(&self) -> Place {
        Place::new(&self.namespace, &self.name)
    }

    fn cluster_place(&self) -> Place {
        self.place()
    }
}

impl Placed for FlinkResource {
    fn place(&self) -> Place {
        Place::new(&self.namespace, &self.name)
    }

    fn cluster_place(&self) -> Place {
        Place::new(&self.namespace, &self.deployment)
    }
}

/// All objects of one kind.
#[derive(Clone, Debug)]
pub(super) struct Objects<T>(BTreeMap<Place, Seen<T>>);

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// What was last seen at a place.
#[derive(Clone, Debug)]
struct Seen<T> {
    what: Sight<T>,
    at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
enum Sight<T> {
    There(T),
    /// It exists, its body does not decode.
    Undecodable(String),
    /// The watch said DELETED; no list has been read since.
    Deleted,
}

impl<T: Placed> Objects<T> {
    /// Takes in an object that is there. Returns the place it is about if it changed.
    pub(super) fn see(&mut self, object: T, at: Timestamp) -> Option<Place> {
        let about = object.cluster_place();
        let what = Sight::There(object.clone());
        let before = self.0.insert(object.place(), Seen { what: what.clone(), at });
        before.is_none_or(|seen| seen.what != what).then_some(about)
    }

    /// Takes in an object that is there and does not decode. Returns the place it is about if that is news.
    pub(super) fn see_undecodable(&mut self, place: Place, error: String, at: Timestamp) -> Option<Place> {
        let what = Sight::Undecodable(error);
        let before = self.0.insert(place.clone(), Seen { what: what.clone(), at });
        match before.map(|seen| seen.what) {
            Some(Sight::There(object)) => Some(object.cluster_place()),
            Some(same) if same == what => None,
            Some(Sight::Undecodable(_) | Sight::Deleted) | None => Some(place),
        }
    }

    /// Takes in DELETED on the watch. Returns the place it is about.
    pub(super) fn see_deleted(&mut self, place: Place, at: Timestamp) -> Place {
        let what = Sight::Deleted;
        let before = self.0.insert(place.clone(), Seen { what, at });
        match before.map(|seen| seen.what) {
            Some(Sight::There(object)) => object.cluster_place(),
            Some(Sight::Undecodable(_) | Sight::Deleted) | None => place,
        }
    }

    /// Forgets what a list's scope held and the list does not name. A deletion seen after the list was asked for
    /// stays seen. Returns the places that this is news of.
    pub(super) fn drop_unlisted(
        &mut self,
        namespace: Option<&Namespace>,
        listed: &[Object],
        asked_at: Timestamp,
    ) -> Vec<Place> {
        let listed: BTreeSet<(&Namespace, &str)> = listed.iter().map(Object::place).collect();
        let is_dropped = |place: &Place, seen: &mut Seen<T>| {
            namespace.is_none_or(|n| *n == place.namespace)
                && !listed.contains(&(&place.namespace, place.name.as_str()))
                && (seen.what != Sight::Deleted || asked_at >= seen.at)
        };
        let dropped = self.0.extract_if(.., is_dropped);
        dropped
            .filter_map(|(place, seen)| match seen.what {
                Sight::There(object) => Some(object.cluster_place()),
                Sight::Undecodable(_) => Some(place),
                Sight::Deleted => None,
            })
            .collect()
    }

    /// What is known of the object at a place, given how its list stands.
    pub(super) fn evidence(&self, place: &Place, list: &Evidence<Completeness>) -> Evidence<T> {
        let seen = self.0.get(place);
        let evidence = list.clone().map(|answer| match answer {
            Observed::Unknown(fault) => Observed::Unknown(fault),
            Observed::Absent => Observed::Absent,
            Observed::Present(completeness) => match seen.map(|s| &s.what) {
                Some(Sight::There(object)) => Observed::Present(object.clone()),
                Some(Sight::Undecodable(error)) => Observed::Unknown(Fault::new(FaultKind::Malformed, error.clone())),
                Some(Sight::Deleted) => Observed::Absent,
                None => absent_from(completeness),
            },
        });
        freshened(evidence, seen.map(|s| s.at))
    }

    /// The object at a place, if it is there.
    pub(super) fn get(&self, place: &Place) -> Option<&T> {
        match &self.0.get(place)?.what {
            Sight::There(object) => Some(object),
            Sight::Undecodable(_) | Sight::Deleted => None,
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
