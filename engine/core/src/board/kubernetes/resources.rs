//! Resources of the Flink Kubernetes Operator.

use std::collections::BTreeMap;

use super::cache::{Objects, Referenced, absent_from};
use super::{Accepted, ObjectRef};
use crate::evidence::{Evidence, Observed};
use crate::facts::FlinkResource;
use crate::id::{FlinkJobId, Namespace};
use crate::kube_update::{Completeness, Object};
use crate::time::Timestamp;

/// The FlinkDeployments of a cluster, or its FlinkSessionJobs.
#[derive(Clone, Debug, Default)]
pub(super) struct Resources {
    pub(super) objects: Objects<FlinkResource>,
    /// Which resource last named a job as its own. An entry may be out of date: the resource has the last word.
    by_job: BTreeMap<FlinkJobId, ObjectRef>,
}

impl Resources {
    /// The resource whose `status.jobStatus.jobId` is the job. The operator names a job before it is submitted, so a
    /// complete list without it says that no resource stands for the job.
    pub(super) fn of_job(&self, job: FlinkJobId, list: &Evidence<Completeness>) -> Evidence<FlinkResource> {
        let object = self.by_job.get(&job);
        let resource = object.map(|object| self.objects.evidence(object, list));
        match resource {
            Some(evidence) if names(&evidence, job) => evidence,
            Some(_) | None => list.clone().map(|answer| match answer {
                Observed::Unknown(fault) => Observed::Unknown(fault),
                Observed::Absent => Observed::Absent,
                Observed::Present(completeness) => absent_from(completeness),
            }),
        }
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
        let objects = &self.objects;
        self.by_job.retain(|_, object| objects.get(object).is_some());
    }

    pub(super) fn see(&mut self, object: Object, at: Timestamp, accepted: &mut Accepted) {
        let touched = match object {
            Object::FlinkResource(resource) => {
                if let Some(job) = resource.flink_job_id {
                    self.by_job.insert(job, resource.object_ref());
                }
                // Made again under its name, it may be about another cluster.
                let before = self.objects.get(&resource.object_ref()).map(Referenced::cluster_ref);
                accepted
                    .touched
                    .extend(before.filter(|before| *before != resource.cluster_ref()));
                self.objects.see(resource, at)
            }
            Object::Undecodable { namespace, name, error } => {
                self.objects
                    .see_undecodable(ObjectRef::new(&namespace, &name), error, at)
            }
            Object::Unanswered { namespace, name, fault } => {
                self.objects
                    .see_unanswered(ObjectRef::new(&namespace, &name), fault, at)
            }
            Object::Deployment(_) | Object::Pod(_) | Object::StateSnapshot(_) => None,
        };
        accepted.touched.extend(touched);
    }

    pub(super) fn see_deleted(&mut self, object: &Object, at: Timestamp, accepted: &mut Accepted) {
        let (namespace, name) = object.namespaced_name();
        accepted
            .touched
            .push(self.objects.see_deleted(ObjectRef::new(namespace, name), at));
    }
}

/// Whether the evidence is of a resource that stands for the job, or leaves open whether it does.
fn names(evidence: &Evidence<FlinkResource>, job: FlinkJobId) -> bool {
    match &evidence.latest {
        Observed::Present(resource) => resource.flink_job_id == Some(job),
        Observed::Absent | Observed::Unknown(_) => true,
    }
}
