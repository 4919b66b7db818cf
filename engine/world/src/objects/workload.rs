//! The Deployment of a target, and what Flink's native integration puts beside it.

use serde_json::{Value, json};
use steadfast_core::state::Mode;

use super::{Builder, Kind, Meta, Owner};
use crate::identity::uid;
use crate::story::DeploymentSpec;

impl Builder<'_> {
    /// The Deployment, its ReplicaSet, Service and configuration, and its pods.
    pub(super) fn workload(&mut self, deployment: &DeploymentSpec) {
        let set_uid = uid(&["rs", &self.uid]);
        self.deployment(deployment);
        self.replica_set(deployment, set_uid.clone());
        self.rest_service();
        self.configuration();
        let target = self.target;
        for (index, pod) in target.pods.iter().enumerate() {
            self.job_manager(index, pod, &set_uid);
        }
        for (index, pod) in target.task_managers.iter().enumerate() {
            self.task_manager(index, pod);
        }
    }

    fn deployment(&mut self, deployment: &DeploymentSpec) {
        let target = self.target;
        let (ready, wanted) = (deployment.ready.min(deployment.replicas), deployment.replicas);
        let mut spec = self.replicas_spec(wanted);
        spec["strategy"] = json!({ "type": "Recreate" });
        let changed = self.born(format!("available {} {ready}", self.uid));
        let available = json!({
            "type": "Available", "status": if ready >= wanted { "True" } else { "False" }, "reason": "MinimumReplicas",
            "message": "", "lastTransitionTime": changed, "lastUpdateTime": changed,
        });
        let mut status = json!({ "observedGeneration": 1, "replicas": wanted, "updatedReplicas": wanted, "conditions": [available] });
        // Kubernetes leaves counts of zero out.
        if ready > 0 {
            status["readyReplicas"] = json!(ready);
            status["availableReplicas"] = json!(ready);
        }
        if wanted > ready {
            status["unavailableReplicas"] = json!(wanted - ready);
        }
        let owner_uid = self.resource_uid();
        let meta = Meta {
            uid: self.uid.clone(),
            owner: deployment.owner.as_ref().map(|_| Owner {
                kind: Kind::FlinkDeployment,
                name: &target.name,
                uid: &owner_uid,
            }),
            labels: self.with_owners(&self.jobmanager),
            deleting: deployment.deleting,
            created: None,
        };
        self.add(
            Kind::Deployment,
            &target.name,
            meta,
            json!({ "spec": spec, "status": status }),
        );
    }

    fn replica_set(&mut self, deployment: &DeploymentSpec, set_uid: String) {
        let (ready, wanted) = (deployment.ready.min(deployment.replicas), deployment.replicas);
        let mut status = json!({ "replicas": wanted });
        if ready > 0 {
            status["readyReplicas"] = json!(ready);
        }
        let body = json!({ "spec": self.replicas_spec(wanted), "status": status });
        let (name, labels) = (self.replicaset.clone(), self.jobmanager.clone());
        self.add_owned(Kind::ReplicaSet, &name, (set_uid, labels), body);
    }

    fn rest_service(&mut self) {
        let port = self.target.rest_port;
        let body = json!({ "spec": {
            "type": "ClusterIP", "clusterIP": "10.0.0.1", "selector": self.jobmanager,
            "ports": [{ "name": "rest", "port": port, "protocol": "TCP", "targetPort": port }],
        } });
        let (name, service_uid) = (format!("{}-rest", self.target.name), uid(&["svc", &self.uid]));
        self.add_owned(Kind::Service, &name, (service_uid, self.labels.clone()), body);
    }

    fn configuration(&mut self) {
        let cluster_id = &self.target.name;
        let body = json!({ "data": { "config.yaml": format!("kubernetes.cluster-id: {cluster_id}\n") } });
        let (name, map_uid) = (format!("flink-config-{cluster_id}"), uid(&["cm", &self.uid]));
        self.add_owned(Kind::ConfigMap, &name, (map_uid, self.labels.clone()), body);
    }

    /// Adds an object of that UID, with those labels, which the Deployment owns.
    fn add_owned(&mut self, kind: Kind, name: &str, (uid, labels): (String, Value), body: Value) {
        let (target, deployment_uid) = (self.target, self.uid.clone());
        let meta = Meta {
            uid,
            labels,
            owner: Some(Owner {
                kind: Kind::Deployment,
                name: &target.name,
                uid: &deployment_uid,
            }),
            ..Meta::default()
        };
        self.add(kind, name, meta, body);
    }

    /// The part of the specification that Deployment and ReplicaSet share.
    fn replicas_spec(&self, wanted: u32) -> Value {
        json!({
            "replicas": wanted, "selector": { "matchLabels": self.jobmanager },
            "template": {
                "metadata": { "labels": self.jobmanager },
                "spec": { "containers": [self.container()], "restartPolicy": "Always" },
            },
        })
    }

    pub(super) fn container(&self) -> Value {
        let entry = if self.target.mode == Mode::Session {
            "kubernetes-session"
        } else {
            "kubernetes-application"
        };
        json!({
            "name": "flink-main-container", "image": format!("{}-job:v7", self.target.name),
            "command": ["/docker-entrypoint.sh"], "args": ["kubernetes-jobmanager.sh", entry],
            "ports": [{ "name": "rest", "containerPort": self.target.rest_port, "protocol": "TCP" }],
        })
    }
}
