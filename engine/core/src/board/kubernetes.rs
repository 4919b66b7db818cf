//! What lists and watches of one Kubernetes cluster add up to.

mod cache;
mod deployments;
mod pods;
mod resources;
mod told;

use std::collections::BTreeMap;

use crate::evidence::{Evidence, Observation, Observed, accept};
use crate::facts::{Deletion, Deployment, FlinkResource, Pod, SnapshotPhase, StateSnapshot};
use crate::id::{FlinkJobId, JobKey, Namespace, SessionJob};
use crate::kube_update::{Completeness, KindOrigin, KubeChange, KubeUpdate, Object, ObjectKind};
use crate::time::Timestamp;

use deployments::Deployments;
use pods::Pods;
use resources::Resources;
use told::{Teller, Told};

/// Where an object lives: namespace and name (for pods, the Deployment's they belong to).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `metadata.namespace`.
    pub namespace: Namespace,
    /// The Deployment's `metadata.name`.
    pub name: String,
}

impl ObjectRef {
    /// Joins the two.
    pub fn new(namespace: &Namespace, name: &str) -> Self {
        Self {
            namespace: namespace.clone(),
            name: name.to_owned(),
        }
    }
}

/// What an update changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Flink clusters about which a Deployment, a pod or an operator's resource said something new.
    pub touched: Vec<ObjectRef>,
    /// Pods whose deletion this update showed first: their logs can still be read.
    pub terminating_pods: Vec<Pod>,
    /// Savepoints that somebody asked for and that are under way.
    pub savepoints: Vec<StateSnapshot>,
    /// Whether a list of Kubernetes' own kinds turned from known to unknown or back: this bears on every target of
    /// the scope. A cluster that lacks the operator's kinds is reachable all the same.
    pub reachability_changed: bool,
    /// How many differences a list found that no watch event had shown; 0 for the first list of a scope.
    pub repaired: u32,
}

/// One Kubernetes cluster as last seen.
#[derive(Clone, Debug, Default)]
pub struct KubernetesBoard {
    lists: BTreeMap<(ObjectKind, Option<Namespace>), Evidence<Completeness>>,
    deployments: Deployments,
    pods: Pods,
    flink_deployments: Resources,
    session_jobs: Resources,
}

impl KubernetesBoard {
    /// Takes in one list, watch event, failure or answer about one object.
    pub fn accept(&mut self, update: KubeUpdate) -> Accepted {
        let KubeUpdate {
            scope,
            asked_at,
            at,
            version,
            change,
        } = update;
        let kind = scope.kind;
        let told = |by| Told {
            by,
            asked_at,
            at,
            version,
        };
        let mut accepted = Accepted::default();
        match change {
            KubeChange::Failed(fault) => {
                let failed = Observation::new(Observed::Unknown(fault), asked_at, at);
                let changed = self.note_list(kind, scope.namespace, failed);
                accepted.reachability_changed = changed && kind.origin() == KindOrigin::Kubernetes;
            }
            KubeChange::Relisted(objects, completeness) => {
                let namespace = scope.namespace;
                let listed_before = self
                    .lists
                    .get(&(kind, namespace.clone()))
                    .is_some_and(|list| list.known_at.is_some());
                let answered = Observation::new(Observed::Present(completeness), asked_at, at);
                let changed = self.note_list(kind, namespace.clone(), answered);
                accepted.reachability_changed = changed && kind.origin() == KindOrigin::Kubernetes;
                self.see_list(kind, namespace.as_ref(), objects, told(Teller::List), &mut accepted);
                if listed_before {
                    accepted.repaired = u32::try_from(accepted.touched.len()).unwrap_or(u32::MAX);
                }
            }
            KubeChange::Applied(object) => {
                let by = if asked_at < at { Teller::Name } else { Teller::Watch };
                self.see(kind, object, told(by), &mut accepted);
            }
            KubeChange::Deleted(object) => self.see_deleted(kind, &object, told(Teller::Watch), &mut accepted),
            KubeChange::PodsOf(object, pods) => self.pods.list_of(object, pods, told(Teller::Name), &mut accepted),
            KubeChange::NotFound(object) => self.see_missing(kind, object, told(Teller::Name), &mut accepted),
        }
        accepted
    }

    fn see_list(
        &mut self,
        kind: ObjectKind,
        namespace: Option<&Namespace>,
        objects: Vec<Object>,
        told: Told,
        accepted: &mut Accepted,
    ) {
        match kind {
            ObjectKind::Deployment => self.deployments.list(namespace, objects, told, accepted),
            ObjectKind::Pod => self.pods.list(namespace, objects, told, accepted),
            ObjectKind::FlinkDeployment => self.flink_deployments.list(namespace, objects, told, accepted),
            ObjectKind::FlinkSessionJob => self.session_jobs.list(namespace, objects, told, accepted),
            ObjectKind::FlinkStateSnapshot => {
                accepted.savepoints = objects.into_iter().filter_map(savepoint_under_way).collect();
            }
        }
    }

    fn see(&mut self, kind: ObjectKind, object: Object, told: Told, accepted: &mut Accepted) {
        match kind {
            ObjectKind::Deployment => self.deployments.see(object, told, accepted),
            ObjectKind::Pod => self.pods.see(object, told, accepted),
            ObjectKind::FlinkDeployment => self.flink_deployments.see(object, told, accepted),
            ObjectKind::FlinkSessionJob => self.session_jobs.see(object, told, accepted),
            ObjectKind::FlinkStateSnapshot => accepted.savepoints.extend(savepoint_under_way(object)),
        }
    }

    fn see_deleted(&mut self, kind: ObjectKind, object: &Object, told: Told, accepted: &mut Accepted) {
        match kind {
            ObjectKind::Deployment => self.deployments.see_deleted(object, told, accepted),
            ObjectKind::Pod => self.pods.see_deleted(object, told, accepted),
            ObjectKind::FlinkDeployment => self.flink_deployments.see_deleted(object, told, accepted),
            ObjectKind::FlinkSessionJob => self.session_jobs.see_deleted(object, told, accepted),
            // Nothing of them is kept.
            ObjectKind::FlinkStateSnapshot => {}
        }
    }

    fn see_missing(&mut self, kind: ObjectKind, object: ObjectRef, told: Told, accepted: &mut Accepted) {
        // Nothing is known of a kind that was never listed.
        let Some(list) = self.list(kind, &object.namespace).cloned() else {
            return;
        };
        let heard = match kind {
            ObjectKind::Deployment => self.deployments.objects.see_missing(object, told, &list),
            ObjectKind::FlinkDeployment => self.flink_deployments.objects.see_missing(object, told, &list),
            ObjectKind::FlinkSessionJob => self.session_jobs.objects.see_missing(object, told, &list),
            // They are never asked for one by one: pods are by their Deployment.
            ObjectKind::Pod | ObjectKind::FlinkStateSnapshot => return,
        };
        accepted.touched.extend(heard.news());
    }

    /// A Deployment; `None` while its list was never asked for.
    pub fn deployment(&self, object: &ObjectRef) -> Option<Evidence<Deployment>> {
        let list = self.list(ObjectKind::Deployment, &object.namespace)?;
        Some(self.deployments.objects.evidence(object, list))
    }

    /// The last deletion of a Deployment of that name that was seen.
    pub fn deletion(&self, object: &ObjectRef) -> Option<&Deletion> {
        self.deployments.deletion(object)
    }

    /// Forgets deletions that were seen before a complete list of that scope was asked for, of Deployments that are not there and
    /// of which nobody needs to know any more.
    pub fn forget_deletions(
        &mut self,
        namespace: Option<&Namespace>,
        asked_at: Timestamp,
        is_needed: impl Fn(&ObjectRef) -> bool,
    ) {
        self.deployments.forget_deletions(namespace, asked_at, is_needed);
    }

    /// The pods of a Deployment: those that are being deleted last, else the newest first.
    pub fn pods(&self, object: &ObjectRef) -> Option<Evidence<Vec<Pod>>> {
        let list = self.list(ObjectKind::Pod, &object.namespace)?;
        Some(self.pods.evidence(object, list))
    }

    /// Whether the last list of a namespace's pods was answered; `None` while it was never asked for.
    pub fn are_pods_listed(&self, namespace: &Namespace) -> Option<bool> {
        let list = self.list(ObjectKind::Pod, namespace)?;
        Some(list.latest.is_known())
    }

    /// The pods of a Deployment as last seen, in the same order. They are no evidence of what is there now.
    pub fn last_pods(&self, object: &ObjectRef) -> Vec<&Pod> {
        self.pods.last(object)
    }

    /// A FlinkDeployment; `None` where they are not watched.
    pub fn flink_deployment(&self, object: &ObjectRef) -> Option<Evidence<FlinkResource>> {
        let list = self.list(ObjectKind::FlinkDeployment, &object.namespace)?;
        Some(self.flink_deployments.objects.evidence(object, list))
    }

    /// A FlinkDeployment as last seen, be its list known or not. It is no evidence of what is there now.
    pub fn last_flink_deployment(&self, object: &ObjectRef) -> Option<&FlinkResource> {
        self.flink_deployments.objects.get(object)
    }

    /// The FlinkDeployments that a FlinkBlueGreenDeployment owns, as last seen.
    pub fn last_sides<'a>(
        &'a self,
        namespace: &'a Namespace,
        blue_green: &'a str,
    ) -> impl Iterator<Item = &'a FlinkResource> {
        let in_namespace = self.flink_deployments.objects.in_namespace(namespace);
        in_namespace.filter(move |resource| resource.blue_green.as_deref() == Some(blue_green))
    }

    /// A FlinkSessionJob by its name; `None` where they are not watched.
    pub fn flink_session_job(&self, object: &ObjectRef) -> Option<Evidence<FlinkResource>> {
        let list = self.list(ObjectKind::FlinkSessionJob, &object.namespace)?;
        Some(self.session_jobs.objects.evidence(object, list))
    }

    /// The FlinkSessionJob that a record of a session cluster goes by, as last seen, be its list known or not. It is no evidence
    /// of what is there now.
    pub fn last_request(&self, key: &JobKey, session: &ObjectRef) -> Option<&FlinkResource> {
        let object = ObjectRef::new(&session.namespace, key.flink_session_job()?);
        let resource = self.session_jobs.objects.get(&object)?;
        (resource.deployment == session.name).then_some(resource)
    }

    /// The FlinkSessionJobs of a session cluster, as last seen.
    pub fn last_flink_session_jobs<'a>(&'a self, session: &'a ObjectRef) -> impl Iterator<Item = &'a FlinkResource> {
        let in_namespace = self.session_jobs.objects.in_namespace(&session.namespace);
        in_namespace.filter(|resource| resource.deployment == session.name)
    }

    /// Every FlinkSessionJob, as last seen.
    pub fn all_last_flink_session_jobs(&self) -> impl Iterator<Item = &FlinkResource> {
        self.session_jobs.objects.iter()
    }

    /// Whether the list of FlinkSessionJobs was asked for and an answer, or a fault, came of it.
    pub fn has_looked_at_session_jobs(&self, namespace: &Namespace) -> bool {
        self.list(ObjectKind::FlinkSessionJob, namespace).is_some()
    }

    /// The operator's resource that stands for a job on a Flink cluster, by its Deployment; `None` where its kind is not watched.
    pub fn resource_of(&self, key: &JobKey, object: &ObjectRef) -> Option<Evidence<FlinkResource>> {
        match &key.session_job {
            None => self.flink_deployment(object),
            Some(SessionJob::Submitted(id)) => self.flink_session_job_naming(&object.namespace, *id),
            Some(SessionJob::Requested(name)) => {
                let evidence = self.flink_session_job(&ObjectRef::new(&object.namespace, name))?;
                // Made again under its name, it may be another session's.
                Some(evidence.map(|answer| match answer {
                    Observed::Present(resource) if resource.deployment != object.name => Observed::Absent,
                    Observed::Present(_) | Observed::Absent | Observed::Unknown(_) => answer,
                }))
            }
        }
    }

    /// The FlinkSessionJob whose status names a job of a session cluster; `None` where they are not watched.
    pub fn flink_session_job_naming(&self, namespace: &Namespace, job: FlinkJobId) -> Option<Evidence<FlinkResource>> {
        let list = self.list(ObjectKind::FlinkSessionJob, namespace)?;
        Some(self.session_jobs.of_job(job, list))
    }

    fn list(&self, kind: ObjectKind, namespace: &Namespace) -> Option<&Evidence<Completeness>> {
        self.lists
            .get(&(kind, Some(namespace.clone())))
            .or_else(|| self.lists.get(&(kind, None)))
    }

    /// Notes a list's outcome; says whether the scope became known or unknown with it.
    fn note_list(&mut self, kind: ObjectKind, namespace: Option<Namespace>, list: Observation<Completeness>) -> bool {
        let known = list.answer.is_known();
        let mut slot = self.lists.remove(&(kind, namespace.clone()));
        let was = slot.as_ref().map(|evidence| evidence.latest.is_known());
        accept(&mut slot, list);
        if let Some(evidence) = slot {
            self.lists.insert((kind, namespace), evidence);
        }
        was != Some(known)
    }
}

fn savepoint_under_way(object: Object) -> Option<StateSnapshot> {
    match object {
        Object::StateSnapshot(snapshot) => (snapshot.phase == SnapshotPhase::SavepointUnderWay).then_some(snapshot),
        Object::Deployment(_)
        | Object::Pod(_)
        | Object::FlinkResource(_)
        | Object::Undecodable { .. }
        | Object::Unanswered { .. } => None,
    }
}

#[cfg(test)]
mod tests;
