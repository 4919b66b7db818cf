//! Resources of the Flink Kubernetes Operator.

use std::collections::BTreeMap;

use super::cache::{Heard, Objects, Referenced, absent_from};
use super::told::Told;
use super::{Accepted, ObjectRef};
use crate::evidence::{Evidence, Observed};
use crate::facts::FlinkResource;
use crate::id::{FlinkJobId, Namespace};
use crate::kube_update::{Completeness, Object};

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
        told: Told,
        accepted: &mut Accepted,
    ) {
        let unlisted = self.objects.drop_unlisted(namespace, &objects, told);
        accepted.touched.extend(unlisted);
        for object in objects {
            self.see(object, told, accepted);
        }
        let objects = &self.objects;
        self.by_job.retain(|_, object| objects.get(object).is_some());
    }

    pub(super) fn see(&mut self, object: Object, told: Told, accepted: &mut Accepted) {
        let heard = match object {
            Object::FlinkResource(resource) => self.see_resource(resource, told, accepted),
            Object::Undecodable { namespace, name, error } => {
                self.objects
                    .see_undecodable(ObjectRef::new(&namespace, &name), error, told)
            }
            Object::Unanswered { namespace, name, fault } => {
                self.objects
                    .see_unanswered(ObjectRef::new(&namespace, &name), fault, told)
            }
            Object::Deployment(_) | Object::Pod(_) | Object::StateSnapshot(_) => return,
        };
        accepted.touched.extend(heard.news());
    }

    fn see_resource(&mut self, resource: FlinkResource, told: Told, accepted: &mut Accepted) -> Heard {
        let (object, cluster, job) = (resource.object_ref(), resource.cluster_ref(), resource.flink_job_id);
        let before = self.objects.get(&object).map(Referenced::cluster_ref);
        let heard = self.objects.see(resource, told);
        match heard {
            Heard::Older => {}
            Heard::Known | Heard::News(_) => {
                if let Some(job) = job {
                    self.by_job.insert(job, object);
                }
                // Made again under its name, it may be about another cluster.
                accepted.touched.extend(before.filter(|before| *before != cluster));
            }
        }
        heard
    }

    pub(super) fn see_deleted(&mut self, object: &Object, told: Told, accepted: &mut Accepted) {
        let (namespace, name) = object.namespaced_name();
        let uid = match object {
            Object::FlinkResource(resource) => Some(&resource.uid),
            Object::Deployment(_)
            | Object::Pod(_)
            | Object::StateSnapshot(_)
            | Object::Undecodable { .. }
            | Object::Unanswered { .. } => None,
        };
        let heard = self.objects.see_deleted(ObjectRef::new(namespace, name), uid, told);
        accepted.touched.extend(heard.news());
    }
}

/// Whether the evidence is of a resource that stands for the job, or leaves open whether it does.
fn names(evidence: &Evidence<FlinkResource>, job: FlinkJobId) -> bool {
    match &evidence.latest {
        Observed::Present(resource) => resource.flink_job_id == Some(job),
        Observed::Absent | Observed::Unknown(_) => true,
    }
}
