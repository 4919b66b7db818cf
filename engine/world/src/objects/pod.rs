//! The pods of JobManagers and TaskManagers.

use serde_json::{Value, json};

use super::{Builder, Key, Kind, Meta, Owner, log};
use crate::identity::uid;
use crate::story::PodSpec;

/// What a pod is of its target, beside what the story says of it.
struct Role<'a> {
    /// The story's name for it, which makes its UID.
    short: String,
    /// `metadata.name`.
    name: String,
    owner: Owner<'a>,
    labels: Value,
    restart_policy: &'static str,
}

impl Builder<'_> {
    pub(super) fn job_manager(&mut self, index: usize, pod: &PodSpec, set_uid: &str) {
        let short = pod.name.clone().unwrap_or_else(|| format!("jm-{}", index + 1));
        // A ReplicaSet adds one part to its pods' names, by which their events are distinguished from another
        // Deployment's.
        let name = format!("{}-{}", self.replicaset, short.replace('-', ""));
        let set = self.replicaset.clone();
        let owner = Owner {
            kind: Kind::ReplicaSet,
            name: &set,
            uid: set_uid,
        };
        let role = Role {
            short,
            name: name.clone(),
            owner,
            labels: self.shown(&self.jobmanager),
            restart_policy: "Always",
        };
        self.pod(pod, role);
        let log = log::of(self.target, pod, &self.births.clock);
        self.to.logs.insert((self.target.namespace.clone(), name), log);
    }

    /// Flink's native integration makes these itself, and wants no ended one to begin again.
    pub(super) fn task_manager(&mut self, index: usize, pod: &PodSpec) {
        let short = pod.name.clone().unwrap_or_else(|| format!("1-{}", index + 1));
        let (target, owner_uid) = (self.target, self.uid.clone());
        let owner = Owner {
            kind: Kind::Deployment,
            name: &target.name,
            uid: &owner_uid,
        };
        let mut labels = self.shown(&self.labels);
        labels["component"] = json!("taskmanager");
        let role = Role {
            name: format!("{}-taskmanager-{short}", target.name),
            short: format!("taskmanager {short}"),
            owner,
            labels,
            restart_policy: "Never",
        };
        self.pod(pod, role);
    }

    fn pod(&mut self, pod: &PodSpec, role: Role<'_>) {
        let unique = uid(&["pod", &self.uid, &role.short]);
        let started = self.born(unique.clone());
        let is_running = pod.phase == "Running";
        let finished = self.born(format!("ended {unique} {}", pod.restarts));
        let began = match pod.restarts {
            0 => started.clone(),
            restarts => self.born(format!("began {unique} {restarts}")),
        };
        let ended = json!({ "terminated": {
            "exitCode": pod.exit_code, "reason": pod.terminated.as_deref().unwrap_or("Error"),
            "startedAt": started, "finishedAt": finished,
        } });
        let state = match &pod.waiting {
            Some(reason) => json!({ "waiting": { "reason": reason, "message": pod.message } }),
            None if pod.phase == "Failed" || pod.phase == "Succeeded" => ended.clone(),
            None if is_running => json!({ "running": { "startedAt": began } }),
            None => json!({ "waiting": { "reason": "ContainerCreating" } }),
        };
        let last = if is_running && pod.terminated.is_some() {
            ended
        } else {
            json!({})
        };
        let mut status = json!({
            "phase": pod.phase, "podIP": "127.0.0.1", "hostIP": "127.0.0.1", "startTime": started,
            "containerStatuses": [{
                "name": "flink-main-container", "image": format!("{}-job:v7", self.target.name), "imageID": "",
                "ready": pod.ready, "restartCount": pod.restarts, "state": state, "lastState": last,
            }],
            "conditions": [{
                "type": "Ready", "status": if pod.ready { "True" } else { "False" }, "lastTransitionTime": started,
            }],
        });
        if let Some(reason) = &pod.reason {
            status["reason"] = json!(reason);
            status["message"] = json!(format!("The pod was {}", reason.to_lowercase()));
        }
        let mut spec = json!({
            "containers": [self.container()], "restartPolicy": role.restart_policy, "nodeName": "node-1", "serviceAccountName": "flink",
        });
        if !pod.claims.is_empty() {
            wait_for(&pod.claims, &mut spec, &mut status);
        }
        let meta = Meta {
            uid: unique,
            owner: Some(role.owner),
            labels: role.labels,
            created: pod.created,
            deleting: pod.deleting,
        };
        self.add(Kind::Pod, &role.name, meta, json!({ "spec": spec, "status": status }));
    }

    /// The name of the JobManager's pod that the story calls so.
    pub(super) fn pod_called(&self, short: &str) -> Option<String> {
        let name = format!("{}-{}", self.replicaset, short.replace('-', ""));
        let mut pods = self.to.objects.keys();
        pods.any(|key| key.kind == Kind::Pod && key.name == name)
            .then_some(name)
    }

    /// The name of the target's first pod.
    pub(super) fn first_pod(&self) -> Option<String> {
        let mut pods = self
            .to
            .objects
            .keys()
            .filter(|key: &&Key| key.kind == Kind::Pod && key.name.starts_with(&self.replicaset));
        pods.next().map(|key| key.name.clone())
    }
}

/// Makes it a pod that no node takes, since the claims of its volumes are not bound.
fn wait_for(claims: &[String], spec: &mut Value, status: &mut Value) {
    let volume = |claim: &String| json!({ "name": claim, "persistentVolumeClaim": { "claimName": claim } });
    spec["volumes"] = claims.iter().map(volume).collect();
    spec["nodeName"] = Value::Null;
    for set_by_the_kubelet in ["podIP", "hostIP", "startTime", "containerStatuses"] {
        status[set_by_the_kubelet] = Value::Null;
    }
    status["conditions"] = json!([{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
    }]);
}
