//! The pods of JobManagers and TaskManagers.

use serde_json::{Value, json};

use super::{Builder, Key, Kind, Meta, Owner, log};
use crate::identity::uid;
use crate::story::PodSpec;

impl Builder<'_> {
    pub(super) fn job_manager(&mut self, place: usize, pod: &PodSpec, set_uid: &str) {
        let short = pod.name.clone().unwrap_or_else(|| format!("jm-{}", place + 1));
        // A ReplicaSet adds one part to its pods' names, by which their events are told from another Deployment's.
        let name = format!("{}-{}", self.replicaset, short.replace('-', ""));
        let set = self.replicaset.clone();
        let owner = Owner {
            kind: Kind::ReplicaSet,
            name: &set,
            uid: set_uid,
        };
        self.pod(&short, &name, pod, owner, self.jobmanager.clone(), "Always");
        let log = log::of(self.target, pod, &self.births.clock);
        self.to.logs.insert((self.target.namespace.clone(), name), log);
    }

    /// Flink's native integration makes these itself, and wants no ended one to begin again.
    pub(super) fn task_manager(&mut self, place: usize, pod: &PodSpec) {
        let short = pod.name.clone().unwrap_or_else(|| format!("1-{}", place + 1));
        let (target, owner_uid) = (self.target, self.uid.clone());
        let owner = Owner {
            kind: Kind::Deployment,
            name: &target.name,
            uid: &owner_uid,
        };
        let mut labels = self.labels.clone();
        labels["component"] = json!("taskmanager");
        let name = format!("{}-taskmanager-{short}", target.name);
        self.pod(&format!("taskmanager {short}"), &name, pod, owner, labels, "Never");
    }

    fn pod(&mut self, short: &str, name: &str, pod: &PodSpec, owner: Owner<'_>, labels: Value, restart_policy: &str) {
        let unique = uid(&["pod", &self.uid, short]);
        let started = self.born(unique.clone());
        let is_running = pod.phase == "Running";
        let finished = self.born(format!("ended {unique} {}", pod.restarts));
        let ended = json!({ "terminated": {
            "exitCode": pod.exit_code, "reason": pod.terminated.as_deref().unwrap_or("Error"),
            "startedAt": started, "finishedAt": finished,
        } });
        let state = match &pod.waiting {
            Some(reason) => json!({ "waiting": { "reason": reason, "message": pod.message } }),
            None if pod.phase == "Failed" || pod.phase == "Succeeded" => ended.clone(),
            None if is_running => json!({ "running": { "startedAt": started } }),
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
        let spec = json!({
            "containers": [self.container()], "restartPolicy": restart_policy, "nodeName": "node-1", "serviceAccountName": "flink",
        });
        let meta = Meta {
            uid: unique,
            owner: Some(owner),
            labels,
            created: pod.created,
            deleting: pod.deleting,
        };
        self.add(Kind::Pod, name, meta, json!({ "spec": spec, "status": status }));
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
