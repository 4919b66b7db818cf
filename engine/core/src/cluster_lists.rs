//! How the lists of a Kubernetes cluster stand: which collections can be read and since when, which cannot and why, and what
//! each last showed.
//!
//! A cluster that cannot be seen is not an empty cluster. Whoever shows jobs, or that there are none, shows this beside them.

use std::collections::BTreeMap;

use crate::evidence::{Fault, FaultKind};
use crate::id::Namespace;
use crate::kube_update::{Completeness, KindOrigin, KubeChange, KubeUpdate, ObjectKind, Scope};
use crate::time::Timestamp;

/// A kind, in one namespace or in all (`None`), within a cluster.
pub type Collection = (ObjectKind, Option<Namespace>);

/// Whether a collection can be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Reading {
    /// No list of it has ended yet.
    #[default]
    Pending,
    /// Its last list was answered.
    Readable {
        /// When the first of the answers in a row arrived.
        since: Timestamp,
    },
    /// Its last list failed. What is there now is not known.
    Unreadable {
        /// When the first of the lists that failed in a row was asked for. That a kind is not served is another failure than an outage.
        since: Timestamp,
        /// Why the last of them failed.
        fault: Fault,
    },
}

/// A list that was answered whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompleteList {
    /// When its last page arrived.
    pub at: Timestamp,
    /// How many objects it has.
    pub objects: u64,
}

/// How the list of one collection stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListStatus {
    /// Whether it can be read.
    pub reading: Reading,
    /// The last list of which every object could be named; `None`: there was none.
    pub last_complete: Option<CompleteList>,
}

impl ListStatus {
    /// The fault, while it cannot be read.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.reading {
            Reading::Unreadable { fault, .. } => Some(fault),
            Reading::Pending | Reading::Readable { .. } => None,
        }
    }

    /// Whether anything of it was ever read.
    pub fn was_read(&self) -> bool {
        self.last_complete.is_some() || matches!(self.reading, Reading::Readable { .. })
    }

    fn note(&mut self, update: &KubeUpdate) {
        match &update.change {
            KubeChange::Failed(fault) => {
                let is_served = |fault: &Fault| !is_not_served(update.scope.kind, fault);
                let since = match &self.reading {
                    // An outage does not begin where a kind was found not to be served.
                    Reading::Unreadable { since, fault: before } if is_served(before) == is_served(fault) => *since,
                    Reading::Unreadable { .. } | Reading::Pending | Reading::Readable { .. } => update.asked_at,
                };
                let fault = fault.clone();
                self.reading = Reading::Unreadable { since, fault };
            }
            KubeChange::Relisted(objects, completeness) => {
                if !matches!(self.reading, Reading::Readable { .. }) {
                    self.reading = Reading::Readable { since: update.at };
                }
                if *completeness == Completeness::Complete {
                    self.last_complete = Some(CompleteList {
                        at: update.at,
                        objects: u64::try_from(objects.len()).unwrap_or(u64::MAX),
                    });
                }
            }
            // A watch's event, or a GET, is about one object, and says nothing of the others.
            KubeChange::Applied(_) | KubeChange::Deleted(_) | KubeChange::NotFound(_) | KubeChange::PodsOf(..) => {}
        }
    }
}

/// The lists of one cluster. All of them are there from the start, so that one that was never answered is not missed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterLists {
    lists: BTreeMap<Collection, ListStatus>,
}

impl ClusterLists {
    /// The lists of these scopes, none of which has been asked for.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Self {
        let pending = |scope: Scope| ((scope.kind, scope.namespace), ListStatus::default());
        Self {
            lists: scopes.into_iter().map(pending).collect(),
        }
    }

    /// Takes in what a list or a watch of the cluster said.
    pub fn note(&mut self, update: &KubeUpdate) {
        let Scope { kind, namespace, .. } = &update.scope;
        self.lists.entry((*kind, namespace.clone())).or_default().note(update);
    }

    /// Each of them, Kubernetes' own kinds first.
    pub fn iter(&self) -> impl Iterator<Item = (&Collection, &ListStatus)> {
        self.lists.iter()
    }

    /// How one of them stands.
    pub fn get(&self, collection: &Collection) -> Option<&ListStatus> {
        self.lists.get(collection)
    }

    /// How Kubernetes' own kinds can be read, all together: not while one of them cannot be, and then with the fault of
    /// the first of them (Deployments before pods). The operator's kinds say nothing of the cluster, which may lack them.
    pub fn reading(&self) -> Reading {
        let own = || {
            let own = self.lists.iter().filter(|((kind, _), _)| is_own(*kind));
            own.map(|(_, list)| &list.reading)
        };
        let outages: Vec<(Timestamp, &Fault)> = own()
            .filter_map(|reading| match reading {
                Reading::Unreadable { since, fault } => Some((*since, fault)),
                Reading::Pending | Reading::Readable { .. } => None,
            })
            .collect();
        let began = outages.iter().map(|(since, _)| *since).min();
        if let Some((since, (_, fault))) = began.zip(outages.first()) {
            let fault = (*fault).clone();
            return Reading::Unreadable { since, fault };
        }
        let since = own().map(|reading| match reading {
            Reading::Readable { since } => Some(*since),
            Reading::Pending | Reading::Unreadable { .. } => None,
        });
        // One that is pending leaves no time from which all are readable.
        let all: Option<Vec<Timestamp>> = since.collect();
        match all.and_then(|all| all.into_iter().max()) {
            Some(since) => Reading::Readable { since },
            None => Reading::Pending,
        }
    }

    /// Whether Deployments of some namespace were never read: jobs that are there may not be on record. With a namespace, only
    /// what covers that one counts.
    pub fn is_never_read(&self, namespace: Option<&Namespace>) -> bool {
        self.lists
            .iter()
            .filter(|((kind, of), _)| *kind == ObjectKind::Deployment && covers(of.as_ref(), namespace))
            .any(|(_, list)| !list.was_read())
    }

    /// The first list that cannot be read, of those that would show that a job of that namespace is there.
    pub fn unreadable_in(&self, namespace: &Namespace) -> Option<(&Collection, &ListStatus)> {
        let mut telling = self.lists.iter().filter(|((kind, of), _)| {
            let tells = matches!(kind, ObjectKind::Deployment | ObjectKind::FlinkDeployment);
            tells && covers(of.as_ref(), Some(namespace))
        });
        telling.find(|((kind, _), list)| list.fault().is_some_and(|fault| !is_not_served(*kind, fault)))
    }
}

fn is_own(kind: ObjectKind) -> bool {
    kind.origin() == KindOrigin::Kubernetes
}

fn covers(of: Option<&Namespace>, namespace: Option<&Namespace>) -> bool {
    of.is_none() || namespace.is_none() || of == namespace
}

/// Whether the fault is that a kind of the Flink operator's is not served: no outage, but most likely a cluster without the
/// operator. It proves nothing absent; it is only no news.
pub fn is_not_served(kind: ObjectKind, fault: &Fault) -> bool {
    kind.origin() == KindOrigin::FlinkOperator && fault.kind == FaultKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ClusterName;
    use crate::kube_update::Object;
    use crate::testing::at;

    fn scope(kind: ObjectKind, namespace: Option<&str>) -> Scope {
        Scope {
            cluster: ClusterName::new("prod"),
            kind,
            namespace: namespace.map(Namespace::new),
        }
    }

    fn update(scope: Scope, asked: i64, change: KubeChange) -> KubeUpdate {
        KubeUpdate {
            scope,
            asked_at: at(asked),
            at: at(asked + 1),
            version: None,
            change,
        }
    }

    fn failed(kind: FaultKind) -> KubeChange {
        KubeChange::Failed(Fault::new(kind, "why"))
    }

    fn object(name: &str) -> Object {
        Object::Undecodable {
            namespace: Namespace::new("default"),
            name: name.to_owned(),
            error: "".into(),
        }
    }

    fn listed(names: &[&str], completeness: Completeness) -> KubeChange {
        KubeChange::Relisted(names.iter().map(|name| object(name)).collect(), completeness)
    }

    fn both() -> [Scope; 2] {
        [scope(ObjectKind::Deployment, None), scope(ObjectKind::Pod, None)]
    }

    #[test]
    fn an_outage_does_not_begin_where_a_kind_was_not_served() {
        let snapshots = scope(ObjectKind::FlinkStateSnapshot, None);
        let collection = (snapshots.kind, None);
        let mut lists = ClusterLists::new([snapshots.clone()]);
        let mut since = |asked: i64, kind: FaultKind| {
            lists.note(&update(snapshots.clone(), asked, failed(kind)));
            match &lists.get(&collection).unwrap().reading {
                Reading::Unreadable { since, .. } => *since,
                Reading::Pending | Reading::Readable { .. } => panic!("it was not answered"),
            }
        };
        assert_eq!(
            (since(1, FaultKind::NotFound), since(500, FaultKind::NotFound)),
            (at(1), at(1))
        );
        assert_eq!(
            (since(900, FaultKind::Timeout), since(910, FaultKind::Refused)),
            (at(900), at(900))
        );
        assert_eq!(since(950, FaultKind::NotFound), at(950));
    }

    #[test]
    fn an_outage_begins_with_the_first_list_that_failed_and_keeps_the_last_complete_list_in_mind() {
        let [deployments, _] = both();
        let mut lists = ClusterLists::new([deployments.clone()]);
        assert_eq!((lists.reading(), lists.is_never_read(None)), (Reading::Pending, true));
        lists.note(&update(
            deployments.clone(),
            10,
            listed(&["a", "b"], Completeness::Complete),
        ));
        lists.note(&update(
            deployments.clone(),
            20,
            listed(&["a"], Completeness::Incomplete),
        ));
        assert_eq!(lists.reading(), Reading::Readable { since: at(11) });
        lists.note(&update(deployments.clone(), 30, failed(FaultKind::Timeout)));
        lists.note(&update(deployments.clone(), 40, failed(FaultKind::Refused)));
        // An event that was still on its way is about one object.
        lists.note(&update(deployments, 50, KubeChange::Applied(object("a"))));
        let fault = Fault::new(FaultKind::Refused, "why");
        assert_eq!(lists.reading(), Reading::Unreadable { since: at(30), fault });
        let (_, list) = lists.iter().next().unwrap();
        assert_eq!(list.last_complete, Some(CompleteList { at: at(11), objects: 2 }));
        assert!(!lists.is_never_read(None));
    }

    #[test]
    fn a_cluster_is_readable_once_all_its_own_kinds_are_and_not_without_one_of_them() {
        let [deployments, pods] = both();
        let operators = scope(ObjectKind::FlinkDeployment, None);
        let mut lists = ClusterLists::new([deployments.clone(), pods.clone(), operators.clone()]);
        lists.note(&update(deployments, 10, listed(&[], Completeness::Complete)));
        assert_eq!(lists.reading(), Reading::Pending, "pods were not answered yet");
        lists.note(&update(operators, 11, failed(FaultKind::NotFound)));
        lists.note(&update(pods.clone(), 12, listed(&[], Completeness::Complete)));
        assert_eq!(lists.reading(), Reading::Readable { since: at(13) });
        lists.note(&update(pods, 20, failed(FaultKind::Forbidden)));
        let fault = Fault::new(FaultKind::Forbidden, "why");
        assert_eq!(lists.reading(), Reading::Unreadable { since: at(20), fault });
        assert!(!lists.is_never_read(None), "pods name no job");
    }

    #[test]
    fn one_namespace_says_nothing_of_another() {
        let [a, b] = ["a", "b"].map(|name| scope(ObjectKind::Deployment, Some(name)));
        let mut lists = ClusterLists::new([a.clone(), b.clone()]);
        lists.note(&update(a, 10, listed(&[], Completeness::Complete)));
        lists.note(&update(b, 10, failed(FaultKind::Forbidden)));
        let [a, b] = ["a", "b"].map(Namespace::new);
        assert!(lists.is_never_read(None) && lists.is_never_read(Some(&b)) && !lists.is_never_read(Some(&a)));
        assert!(lists.unreadable_in(&a).is_none());
        assert_eq!(lists.unreadable_in(&b).unwrap().0.1, Some(b));
    }

    #[test]
    fn an_operators_kind_that_is_not_served_is_no_outage_and_everything_else_is() {
        let is = |kind, fault| is_not_served(kind, &Fault::new(fault, "why"));
        assert!(is(ObjectKind::FlinkDeployment, FaultKind::NotFound));
        assert!(!is(ObjectKind::FlinkDeployment, FaultKind::Forbidden));
        assert!(!is(ObjectKind::Deployment, FaultKind::NotFound));
        let namespace = Namespace::new("default");
        for (kind, fault, is_unreadable) in [
            (ObjectKind::FlinkDeployment, FaultKind::NotFound, false),
            (ObjectKind::FlinkDeployment, FaultKind::Forbidden, true),
            (ObjectKind::Deployment, FaultKind::NotFound, true),
            (ObjectKind::Pod, FaultKind::Forbidden, false),
        ] {
            let mut lists = ClusterLists::new([scope(kind, None)]);
            lists.note(&update(scope(kind, None), 10, failed(fault)));
            assert_eq!(
                lists.unreadable_in(&namespace).is_some(),
                is_unreadable,
                "{kind:?} {fault:?}"
            );
        }
    }
}
