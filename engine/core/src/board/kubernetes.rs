//! What lists and watches of one Kubernetes cluster add up to.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{Evidence, Fault, FaultKind, Observed, accept};
use crate::facts::{Deletion, Deployment, Pod};
use crate::id::Namespace;
use crate::news::{Completeness, KubeNews, Object, ObjectKind, What};
use crate::time::Timestamp;

/// Where an object lives: namespace and name (for pods, the Deployment's they belong to).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// `metadata.namespace`.
    pub namespace: Namespace,
    /// The Deployment's `metadata.name`.
    pub name: String,
}

impl Place {
    /// Joins the two.
    pub fn new(namespace: &Namespace, name: &str) -> Self {
        Self {
            namespace: namespace.clone(),
            name: name.to_owned(),
        }
    }
}

/// What a piece of news changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Deployments whose own facts, or whose pods', changed.
    pub touched: Vec<Place>,
    /// Pods that have begun to go with this news: their last words can still be read.
    pub going: Vec<Pod>,
    /// Whether the list turned from known to unknown or back: this bears on every place of the scope.
    pub reachability_changed: bool,
    /// Differences a list found that no watch event had told.
    pub repaired: u32,
}

/// One Kubernetes cluster as last seen.
#[derive(Debug, Default)]
pub struct KubernetesBoard {
    lists: BTreeMap<(ObjectKind, Option<Namespace>), Evidence<Completeness>>,
    deployments: BTreeMap<Place, Seen<Deployment>>,
    pods: BTreeMap<Place, BTreeMap<String, Pod>>,
    /// When the pods of a place last changed, by an event or a list.
    pods_changed: BTreeMap<Place, Timestamp>,
    deletions: BTreeMap<Place, Deletion>,
}

/// What was last seen at a place.
#[derive(Clone, Debug, PartialEq)]
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

impl KubernetesBoard {
    /// Takes in one piece of news.
    pub fn accept(&mut self, news: KubeNews) -> Accepted {
        let KubeNews {
            scope,
            asked_at,
            at,
            what,
        } = news;
        let mut accepted = Accepted::default();
        match what {
            What::Failed(fault) => {
                accepted.reachability_changed =
                    self.note_list(scope.kind, scope.namespace, Observed::Unknown(fault), asked_at, at);
            }
            What::Listed(objects, completeness) => {
                let namespace = scope.namespace.clone();
                accepted.reachability_changed = self.note_list(
                    scope.kind,
                    scope.namespace,
                    Observed::Present(completeness),
                    asked_at,
                    at,
                );
                match scope.kind {
                    ObjectKind::Deployment => {
                        self.list_deployments(namespace.as_ref(), objects, asked_at, at, &mut accepted)
                    }
                    ObjectKind::Pod => self.list_pods(namespace.as_ref(), objects, &mut accepted),
                }
                accepted.repaired = u32::try_from(accepted.touched.len()).unwrap_or(u32::MAX);
            }
            What::Changed(Object::Deployment(deployment)) => self.see_deployment(deployment, at, &mut accepted),
            What::Changed(Object::Pod(pod)) => self.see_pod(pod, &mut accepted),
            What::Changed(Object::Undecodable { namespace, name, error }) => {
                if scope.kind == ObjectKind::Deployment {
                    let place = Place::new(&namespace, &name);
                    self.deployments.insert(
                        place.clone(),
                        Seen {
                            what: Sight::Undecodable(error),
                            at,
                        },
                    );
                    accepted.touched.push(place);
                }
            }
            What::Deleted(object) => self.see_deletion(scope.kind, &object, at, &mut accepted),
        }
        if scope.kind == ObjectKind::Pod {
            let changed = accepted.touched.iter().map(|place| (place.clone(), at));
            self.pods_changed.extend(changed);
        }
        accepted
    }

    /// The Deployment at a place; `None` while its list was never asked for.
    pub fn deployment(&self, place: &Place) -> Option<Evidence<Deployment>> {
        let list = self.list(ObjectKind::Deployment, &place.namespace)?;
        let seen = self.deployments.get(place);
        let mut evidence = list.clone().map(|answer| match answer {
            Observed::Unknown(fault) => Observed::Unknown(fault),
            Observed::Absent => Observed::Absent,
            Observed::Present(completeness) => match seen.map(|s| &s.what) {
                Some(Sight::There(deployment)) => Observed::Present(deployment.clone()),
                Some(Sight::Undecodable(error)) => Observed::Unknown(Fault::new(FaultKind::Malformed, error.clone())),
                Some(Sight::Deleted) => Observed::Absent,
                None => absent_from(completeness),
            },
        });
        if evidence.latest.is_known()
            && let Some(at) = seen.map(|s| s.at).filter(|at| *at > evidence.observed_at)
        {
            (evidence.asked_at, evidence.observed_at, evidence.known_at) = (at, at, Some(at));
        }
        Some(evidence)
    }

    /// The deletion last seen at a place.
    pub fn deletion(&self, place: &Place) -> Option<&Deletion> {
        self.deletions.get(place)
    }

    /// The pods of a Deployment, those that are not going first, then the newest first.
    pub fn pods(&self, place: &Place) -> Option<Evidence<Vec<Pod>>> {
        let list = self.list(ObjectKind::Pod, &place.namespace)?;
        let mut evidence = list.clone().map(|answer| match answer {
            Observed::Unknown(fault) => Observed::Unknown(fault),
            Observed::Absent => Observed::Absent,
            Observed::Present(completeness) => match self.pods.get(place) {
                Some(pods) => {
                    let mut pods: Vec<Pod> = pods.values().cloned().collect();
                    pods.sort_by_key(|p| (p.deleting_since.is_some(), std::cmp::Reverse(p.created_at)));
                    Observed::Present(pods)
                }
                None => absent_from(completeness),
            },
        });
        if evidence.latest.is_known()
            && let Some(at) = self
                .pods_changed
                .get(place)
                .copied()
                .filter(|at| *at > evidence.observed_at)
        {
            (evidence.asked_at, evidence.observed_at, evidence.known_at) = (at, at, Some(at));
        }
        Some(evidence)
    }

    /// Every Deployment that is there, for discovery.
    pub fn deployments(&self) -> impl Iterator<Item = &Deployment> {
        self.deployments.values().filter_map(|seen| match &seen.what {
            Sight::There(deployment) => Some(deployment),
            Sight::Undecodable(_) | Sight::Deleted => None,
        })
    }

    /// How the lists stand, for health and metrics.
    pub fn lists(&self) -> impl Iterator<Item = (ObjectKind, Option<&Namespace>, &Evidence<Completeness>)> {
        self.lists
            .iter()
            .map(|((kind, namespace), evidence)| (*kind, namespace.as_ref(), evidence))
    }

    fn list(&self, kind: ObjectKind, namespace: &Namespace) -> Option<&Evidence<Completeness>> {
        self.lists
            .get(&(kind, Some(namespace.clone())))
            .or_else(|| self.lists.get(&(kind, None)))
    }

    /// Notes a list's outcome; says whether the scope became known or unknown with it.
    fn note_list(
        &mut self,
        kind: ObjectKind,
        namespace: Option<Namespace>,
        answer: Observed<Completeness>,
        asked_at: Timestamp,
        at: Timestamp,
    ) -> bool {
        let known = answer.is_known();
        let mut slot = self.lists.remove(&(kind, namespace.clone()));
        let was = slot.as_ref().map(|evidence| evidence.latest.is_known());
        accept(&mut slot, answer, asked_at, at);
        if let Some(evidence) = slot {
            self.lists.insert((kind, namespace), evidence);
        }
        was != Some(known)
    }

    fn list_deployments(
        &mut self,
        namespace: Option<&Namespace>,
        objects: Vec<Object>,
        asked_at: Timestamp,
        at: Timestamp,
        accepted: &mut Accepted,
    ) {
        let mut left: BTreeSet<Place> = self
            .deployments
            .iter()
            .filter(|(place, seen)| {
                namespace.is_none_or(|n| *n == place.namespace) && (seen.what != Sight::Deleted || asked_at >= seen.at)
            })
            .map(|(place, _)| place.clone())
            .collect();
        for object in objects {
            let (namespace, name) = object.place();
            let place = Place::new(namespace, name);
            left.remove(&place);
            match object {
                Object::Deployment(deployment) => self.see_deployment(deployment, at, accepted),
                Object::Undecodable { error, .. } => {
                    self.deployments.insert(
                        place,
                        Seen {
                            what: Sight::Undecodable(error),
                            at,
                        },
                    );
                }
                Object::Pod(_) => {}
            }
        }
        for place in left {
            if let Some(seen) = self.deployments.remove(&place)
                && seen.what != Sight::Deleted
            {
                accepted.touched.push(place);
            }
        }
    }

    fn list_pods(&mut self, namespace: Option<&Namespace>, objects: Vec<Object>, accepted: &mut Accepted) {
        let listed: Vec<Pod> = objects
            .into_iter()
            .filter_map(|object| match object {
                Object::Pod(pod) => Some(pod),
                Object::Deployment(_) | Object::Undecodable { .. } => None,
            })
            .collect();
        let names: BTreeSet<(&Namespace, &str)> = listed.iter().map(|p| (&p.namespace, p.name.as_str())).collect();
        for (place, pods) in &mut self.pods {
            if namespace.is_none_or(|n| *n == place.namespace) {
                let before = pods.len();
                pods.retain(|name, _| names.contains(&(&place.namespace, name.as_str())));
                if pods.len() != before {
                    accepted.touched.push(place.clone());
                }
            }
        }
        self.pods.retain(|_, pods| !pods.is_empty());
        for pod in listed {
            self.see_pod(pod, accepted);
        }
    }

    fn see_deployment(&mut self, deployment: Deployment, at: Timestamp, accepted: &mut Accepted) {
        let place = Place::new(&deployment.namespace, &deployment.name);
        if deployment.deleting_since.is_some() && self.deletions.get(&place).is_none_or(|d| d.uid != deployment.uid) {
            self.deletions.insert(
                place.clone(),
                Deletion {
                    uid: deployment.uid.clone(),
                    seen_at: at,
                },
            );
        }
        let what = Sight::There(deployment);
        let changed = self.deployments.get(&place).is_none_or(|seen| seen.what != what);
        self.deployments.insert(place.clone(), Seen { what, at });
        if changed {
            accepted.touched.push(place);
        }
    }

    fn see_pod(&mut self, pod: Pod, accepted: &mut Accepted) {
        let place = Place::new(&pod.namespace, &pod.app);
        let pods = self.pods.entry(place.clone()).or_default();
        let before = pods.get(&pod.name);
        if before == Some(&pod) {
            return;
        }
        if pod.deleting_since.is_some() && before.is_none_or(|b| b.deleting_since.is_none()) {
            accepted.going.push(pod.clone());
        }
        pods.insert(pod.name.clone(), pod);
        accepted.touched.push(place);
    }

    fn see_deletion(&mut self, kind: ObjectKind, object: &Object, at: Timestamp, accepted: &mut Accepted) {
        match object {
            Object::Deployment(deployment) => {
                let place = Place::new(&deployment.namespace, &deployment.name);
                // Even if a deletionTimestamp was seen before: what confirms the end must be asked after the end.
                self.deletions.insert(
                    place.clone(),
                    Deletion {
                        uid: deployment.uid.clone(),
                        seen_at: at,
                    },
                );
                self.deployments.insert(
                    place.clone(),
                    Seen {
                        what: Sight::Deleted,
                        at,
                    },
                );
                accepted.touched.push(place);
            }
            Object::Pod(pod) => {
                let place = Place::new(&pod.namespace, &pod.app);
                if let Some(pods) = self.pods.get_mut(&place) {
                    pods.remove(&pod.name);
                    if pods.is_empty() {
                        self.pods.remove(&place);
                    }
                }
                accepted.touched.push(place);
            }
            Object::Undecodable { namespace, name, .. } => {
                if kind == ObjectKind::Deployment {
                    let place = Place::new(namespace, name);
                    self.deployments.insert(
                        place.clone(),
                        Seen {
                            what: Sight::Deleted,
                            at,
                        },
                    );
                    accepted.touched.push(place);
                }
            }
        }
    }
}

/// What a list says of something it does not contain.
fn absent_from<T>(completeness: Completeness) -> Observed<T> {
    match completeness {
        Completeness::Complete => Observed::Absent,
        Completeness::Incomplete => Observed::Unknown(Fault::new(
            FaultKind::Malformed,
            "the list holds an object whose name cannot be read, so what it lacks may still be there",
        )),
    }
}

#[cfg(test)]
mod tests;
