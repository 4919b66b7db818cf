//! Deployments, and the deletions of them that were seen.

use std::collections::BTreeMap;

use super::cache::{Objects, Referenced};
use super::{Accepted, ObjectRef};
use crate::facts::{Deletion, Deployment};
use crate::id::Namespace;
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
        asked_at: Timestamp,
        at: Timestamp,
        accepted: &mut Accepted,
    ) {
        accepted
            .touched
            .extend(self.objects.drop_unlisted(namespace, &objects, asked_at));
        for object in objects {
            if !self.objects.is_missing_since(object.namespaced_name(), asked_at) {
                self.see(object, at, accepted);
            }
        }
    }

    pub(super) fn see(&mut self, object: Object, at: Timestamp, accepted: &mut Accepted) {
        let touched = match object {
            Object::Deployment(deployment) => {
                let object = deployment.object_ref();
                let is_new_deletion = self.deletions.get(&object).is_none_or(|d| d.uid != deployment.uid);
                if deployment.deleting_since.is_some() && is_new_deletion {
                    self.note_deletion(&deployment, at);
                }
                self.objects.see(deployment, at)
            }
            Object::Undecodable { namespace, name, error } => {
                self.objects
                    .see_undecodable(ObjectRef::new(&namespace, &name), error, at)
            }
            Object::Unanswered { namespace, name, fault } => {
                self.objects
                    .see_unanswered(ObjectRef::new(&namespace, &name), fault, at)
            }
            Object::Pod(_) | Object::FlinkResource(_) | Object::StateSnapshot(_) => None,
        };
        accepted.touched.extend(touched);
    }

    pub(super) fn see_deleted(&mut self, object: &Object, at: Timestamp, accepted: &mut Accepted) {
        if let Object::Deployment(deployment) = object {
            // Even if a deletionTimestamp was seen before: what confirms the end must be asked after the end.
            self.note_deletion(deployment, at);
        }
        let (namespace, name) = object.namespaced_name();
        accepted
            .touched
            .push(self.objects.see_deleted(ObjectRef::new(namespace, name), at));
    }

    fn note_deletion(&mut self, deployment: &Deployment, at: Timestamp) {
        let deletion = Deletion {
            uid: deployment.uid.clone(),
            seen_at: at,
        };
        self.deletions.insert(deployment.object_ref(), deletion);
    }
}
