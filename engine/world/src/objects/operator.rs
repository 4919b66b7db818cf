//! The resources of the Flink Kubernetes Operator, as it leaves them.

use serde_json::{Value, json};
use steadfast_core::state::{JobState, Mode};

use super::{Builder, Kind, Meta};
use crate::identity::uid;
use crate::story::{JobSpec, Moment, ResourceSpec, SessionJobSpec};

impl Builder<'_> {
    /// The FlinkDeployment and the FlinkSessionJobs of the target, with or without their Deployment.
    pub(super) fn resources(&mut self) {
        if let Some(resource) = self.target.resource() {
            self.flink_deployment(&resource);
        }
        for job in &self.target.session_jobs {
            self.session_job(job);
        }
    }

    /// The FlinkDeployment's UID: it stays when the Deployment is replaced.
    pub(super) fn resource_uid(&self) -> String {
        let target = self.target;
        let which = target.resources.to_string();
        uid(&["fd", &target.cluster, &target.namespace, &target.name, &which])
    }

    fn flink_deployment(&mut self, resource: &ResourceSpec) {
        let target = self.target;
        let mut spec = json!({
            "image": format!("{}-job:v7", target.name), "flinkVersion": "v1_20", "serviceAccount": "flink", "mode": "native",
        });
        let mut status = json!({ "lifecycleState": resource.lifecycle, "observedGeneration": resource.generation });
        if target.mode != Mode::Session {
            spec["job"] = json!({
                "jarURI": "local:///opt/job.jar", "parallelism": 1, "upgradeMode": "stateless",
                "state": asked_for(resource.suspended),
            });
            status["jobStatus"] = self.job_status(target.jobs.first(), "j1");
        }
        let ready = target.deployment.as_ref().map(|deployment| deployment.ready > 0);
        let shown = match ready {
            Some(true) => "READY",
            Some(false) => "DEPLOYING",
            None => "MISSING",
        };
        status["jobManagerDeploymentStatus"] = json!(resource.status.as_deref().unwrap_or(shown));
        if let Some(error) = &resource.error {
            status["error"] = error_json(error);
        }
        let meta = Meta {
            uid: self.resource_uid(),
            deleting: resource.deleting,
            ..Meta::default()
        };
        let body = json!({ "spec": spec, "status": status });
        self.add(Kind::FlinkDeployment, &target.name, meta, body);
        let kind = Kind::FlinkDeployment;
        self.set_metadata(kind, &target.name, "generation", json!(resource.generation));
        if let Some(blue_green) = &resource.blue_green {
            let owner = json!([{
                "apiVersion": kind.group_version(), "kind": "FlinkBlueGreenDeployment", "name": blue_green,
                "uid": uid(&["fbgd", &target.cluster, &target.namespace, blue_green]), "controller": false,
                "blockOwnerDeletion": true,
            }]);
            self.set_metadata(kind, &target.name, "ownerReferences", owner);
        }
    }

    fn session_job(&mut self, job: &SessionJobSpec) {
        let target = self.target;
        let mut status = json!({ "lifecycleState": job.lifecycle, "observedGeneration": 1 });
        if let Some(named) = &job.job {
            let listed = target.jobs.iter().find(|listed| listed.id == *named);
            status["jobStatus"] = self.job_status(listed, named);
        }
        if let Some(error) = &job.error {
            status["error"] = error_json(error);
        }
        let spec = json!({
            "deploymentName": target.name,
            "job": {
                "jarURI": "https://repo/job.jar", "parallelism": 1, "upgradeMode": "stateless",
                "state": asked_for(job.suspended),
            },
        });
        let meta = Meta {
            uid: uid(&["fsj", &target.cluster, &target.namespace, &job.name, &job.uid]),
            deleting: job.deleting,
            ..Meta::default()
        };
        self.add(
            Kind::FlinkSessionJob,
            &job.name,
            meta,
            json!({ "spec": spec, "status": status }),
        );
    }

    /// What the operator last saw of a job; of one that nobody lists it says RECONCILING.
    fn job_status(&self, listed: Option<&JobSpec>, id: &str) -> Value {
        let (id, state, start) = match listed {
            Some(job) => (job.id.as_str(), job.state, job.start),
            None => (id, JobState::Reconciling, Moment::default()),
        };
        json!({
            "jobId": self.target.flink_id(id), "state": state, "jobName": self.target.name,
            "startTime": self.births.clock.at(start).as_millis().to_string(),
        })
    }
}

fn asked_for(suspended: bool) -> &'static str {
    if suspended { "suspended" } else { "running" }
}

/// The operator writes an error as JSON in a string.
fn error_json(message: &str) -> Value {
    let error = json!({
        "type": "org.apache.flink.kubernetes.operator.exception.ReconciliationException", "message": message,
        "additionalMetadata": {}, "throwableList": [],
    });
    json!(error.to_string())
}
