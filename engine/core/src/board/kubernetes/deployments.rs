//! Deployments, and the deletions of them that were seen.

use std::collections::BTreeMap;

use super::cache::{Heard, Objects, Referenced};
use super::told::Told;
use super::{Accepted, ObjectRef};
use crate::facts::{Deletion, Deployment};
use crate::id::{Namespace, Uid};
use crate::kube_update::Object;
use crate::time::Timestamp;

/// The Deployments of a cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Deployments {
    pub(super) objects: Objects<Deployment>,
    deletions: BTreeMap<ObjectRef, Deletion>,
}

impl Deployments {
    /// The last deletion of a Deployment of that name that was seen.
    pub(super) fn deletion(&self, object: &ObjectRef) -> Option<&Deletion> {
        self.deletions.get(object)
    }

    pub(super) fn list(
        &mut self,
        namespace: Option<&Namespace>,
        objects: Vec<Object>,
        told: Told,
        accepted: &mut Accepted,
    ) {
        let unlisted = self.objects.drop_unlisted(namespace, &objects, told);
        accepted.touched.extend(unlisted);
        for object in objects {
            self.see(object, told, accepted);
        }
    }

    pub(super) fn see(&mut self, object: Object, told: Told, accepted: &mut Accepted) {
        let heard = match object {
            Object::Deployment(deployment) => {
                let deleting = deployment.deleting_since.map(|_| deployment.uid.clone());
                let object = deployment.object_ref();
                let heard = self.objects.see(deployment, told);
                match (&heard, deleting) {
                    (Heard::Known | Heard::News(_), Some(uid)) => self.note_deletion(object, uid, told.at),
                    (Heard::Older, _) | (Heard::Known | Heard::News(_), None) => {}
                }
                heard
            }
            Object::Undecodable { namespace, name, error } => {
                self.objects
                    .see_undecodable(ObjectRef::new(&namespace, &name), error, told)
            }
            Object::Unanswered { namespace, name, fault } => {
                self.objects
                    .see_unanswered(ObjectRef::new(&namespace, &name), fault, told)
            }
            Object::Pod(_) | Object::FlinkResource(_) | Object::StateSnapshot(_) => return,
        };
        accepted.touched.extend(heard.news());
    }

    pub(super) fn see_deleted(&mut self, object: &Object, told: Told, accepted: &mut Accepted) {
        let (namespace, name) = object.namespaced_name();
        let reference = ObjectRef::new(namespace, name);
        let uid = object.deployment().map(|deployment| &deployment.uid);
        let heard = self.objects.see_deleted(reference.clone(), uid, told);
        match (&heard, uid) {
            (Heard::Known | Heard::News(_), Some(uid)) => {
                // Even if a deletionTimestamp was seen before: what confirms the end must be asked after the end.
                self.deletions.remove(&reference);
                self.note_deletion(reference, uid.clone(), told.at);
            }
            // The next one of that name is there, or nobody knows whose deletion it was.
            (Heard::Older, _) | (Heard::Known | Heard::News(_), None) => {}
        }
        accepted.touched.extend(heard.news());
    }

    /// Forgets deletions of Deployments that are not there, if they were seen before a complete list of that scope was asked for and
    /// nobody needs to know of them any more.
    pub(super) fn forget_deletions(
        &mut self,
        namespace: Option<&Namespace>,
        asked_at: Timestamp,
        is_needed: impl Fn(&ObjectRef) -> bool,
    ) {
        let Self { objects, deletions } = self;
        deletions.retain(|object, deletion| {
            namespace.is_some_and(|namespace| *namespace != object.namespace)
                || deletion.seen_at >= asked_at
                || objects.is_known(object)
                || is_needed(object)
        });
    }

    /// Notes when the deletion of one was first seen.
    fn note_deletion(&mut self, object: ObjectRef, uid: Uid, seen_at: Timestamp) {
        let is_noted = self.deletions.get(&object).is_some_and(|noted| noted.uid == uid);
        if !is_noted {
            self.deletions.insert(object, Deletion { uid, seen_at });
        }
    }
}
