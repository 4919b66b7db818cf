//! The Kubernetes objects of a target, as Flink's native integration (and its operator) leaves them.

mod events;
mod log;
mod operator;
mod pod;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use steadfast_core::state::Mode;

use crate::clock::whole_seconds;
use crate::identity::uid;
use crate::model::{Births, Target};
use crate::story::{DeploymentSpec, Moment};

/// A kind of object that the API server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the kinds' own names")]
pub enum Kind {
    Namespace,
    Pod,
    Service,
    ConfigMap,
    Event,
    /// The same events under `events.k8s.io`.
    NewEvent,
    Deployment,
    ReplicaSet,
    FlinkDeployment,
    FlinkSessionJob,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Namespace,
        Self::Pod,
        Self::Service,
        Self::ConfigMap,
        Self::Event,
        Self::NewEvent,
        Self::Deployment,
        Self::ReplicaSet,
        Self::FlinkDeployment,
        Self::FlinkSessionJob,
    ];

    /// `v1`, `apps/v1`, ...
    pub const fn group_version(self) -> &'static str {
        match self {
            Self::Namespace | Self::Pod | Self::Service | Self::ConfigMap | Self::Event => "v1",
            Self::NewEvent => "events.k8s.io/v1",
            Self::Deployment | Self::ReplicaSet => "apps/v1",
            Self::FlinkDeployment | Self::FlinkSessionJob => "flink.apache.org/v1beta1",
        }
    }

    /// As it stands in paths.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::Pod => "pods",
            Self::Service => "services",
            Self::ConfigMap => "configmaps",
            Self::Event | Self::NewEvent => "events",
            Self::Deployment => "deployments",
            Self::ReplicaSet => "replicasets",
            Self::FlinkDeployment => "flinkdeployments",
            Self::FlinkSessionJob => "flinksessionjobs",
        }
    }

    /// As it stands in objects.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::Pod => "Pod",
            Self::Service => "Service",
            Self::ConfigMap => "ConfigMap",
            Self::Event | Self::NewEvent => "Event",
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::FlinkDeployment => "FlinkDeployment",
            Self::FlinkSessionJob => "FlinkSessionJob",
        }
    }

    /// Whether its objects carry a generation: those whose spec somebody carries out.
    const fn counts_generations(self) -> bool {
        match self {
            Self::Pod | Self::Deployment | Self::ReplicaSet | Self::FlinkDeployment | Self::FlinkSessionJob => true,
            Self::Namespace | Self::Service | Self::ConfigMap | Self::Event | Self::NewEvent => false,
        }
    }

    /// The kind behind a path.
    pub fn find(group_version: &str, plural: &str) -> Option<Self> {
        let of_path = |kind: &&Self| kind.group_version() == group_version && kind.plural() == plural;
        Self::ALL.iter().find(of_path).copied()
    }

    /// Whether lists leave `kind` and `apiVersion` out of their items, as those of Kubernetes' own kinds do.
    pub const fn is_builtin(self) -> bool {
        !matches!(self, Self::FlinkDeployment | Self::FlinkSessionJob)
    }
}

/// Where an object stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for what has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Objects, and the logs of pods by namespace and name.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Whole objects, without resource versions.
    pub objects: BTreeMap<Key, Value>,
    /// Logs.
    pub logs: BTreeMap<(String, String), String>,
}

/// The owner of an object.
struct Owner<'a> {
    kind: Kind,
    name: &'a str,
    uid: &'a str,
}

/// What an object's metadata say beside its name.
#[derive(Default)]
struct Meta<'a> {
    uid: String,
    owner: Option<Owner<'a>>,
    labels: Value,
    created: Option<Moment>,
    deleting: bool,
}

/// Adds the objects of a target.
pub fn add(target: &Target, births: &mut Births, to: &mut Objects) {
    if target.mode == Mode::Standalone {
        return;
    }
    let deployment_uid = uid(&[&target.cluster, &target.namespace, &target.name, &target.uid]);
    let mut builder = Builder {
        replicaset: format!("{}-{}", target.name, deployment_uid.get(..8).unwrap_or_default()),
        labels: json!({ "app": target.name, "type": "flink-native-kubernetes" }),
        jobmanager: json!({ "app": target.name, "type": "flink-native-kubernetes", "component": "jobmanager" }),
        uid: deployment_uid,
        target,
        births,
        to,
    };
    if target.ha {
        builder.ha_config_maps();
    }
    if let Some(deployment) = &target.deployment {
        builder.workload(deployment);
    }
    builder.resources();
    builder.events();
}

/// Builds the objects of one target.
struct Builder<'a> {
    target: &'a Target,
    uid: String,
    replicaset: String,
    labels: Value,
    jobmanager: Value,
    births: &'a mut Births,
    to: &'a mut Objects,
}

impl Builder<'_> {
    fn born(&mut self, what: String) -> String {
        whole_seconds(self.births.of(what))
    }

    fn metadata(&mut self, name: &str, meta: Meta<'_>) -> Value {
        let created = match meta.created {
            Some(moment) => whole_seconds(self.births.clock.at(moment)),
            None => self.born(meta.uid.clone()),
        };
        let labels = if meta.labels.is_null() { json!({}) } else { meta.labels };
        let mut metadata = json!({
            "name": name, "namespace": self.target.namespace, "uid": meta.uid, "labels": labels,
            "creationTimestamp": created,
        });
        if let Some(owner) = meta.owner {
            metadata["ownerReferences"] = json!([{
                "apiVersion": owner.kind.group_version(), "kind": owner.kind.word(), "name": owner.name, "uid": owner.uid,
                "controller": true, "blockOwnerDeletion": true,
            }]);
        }
        if meta.deleting {
            metadata["deletionTimestamp"] = json!(self.born(format!("deleting {}", meta.uid)));
            metadata["deletionGracePeriodSeconds"] = json!(30);
            metadata["finalizers"] = json!(["foregroundDeletion"]);
        }
        metadata
    }

    fn add(&mut self, kind: Kind, name: &str, meta: Meta<'_>, mut body: Value) {
        body["kind"] = json!(kind.word());
        body["apiVersion"] = json!(kind.group_version());
        body["metadata"] = self.metadata(name, meta);
        if kind.counts_generations() {
            body["metadata"]["generation"] = json!(1);
        }
        let key = Key {
            kind,
            namespace: self.target.namespace.clone(),
            name: name.to_owned(),
        };
        self.to.objects.insert(key, body);
    }

    /// Raises an object's generation, as each change of its specification does.
    fn set_generation(&mut self, kind: Kind, name: &str, generation: u32) {
        let key = Key {
            kind,
            namespace: self.target.namespace.clone(),
            name: name.to_owned(),
        };
        if let Some(object) = self.to.objects.get_mut(&key) {
            object["metadata"]["generation"] = json!(generation);
        }
    }

    fn ha_config_maps(&mut self) {
        let name = self.target.name.clone();
        let listed = self.target.jobs.iter().map(|job| job.id.clone());
        let mut jobs: Vec<String> = listed.collect();
        if jobs.is_empty() {
            jobs.push("j1".into());
        }
        let suffixes = jobs.iter().map(|job| self.target.flink_id(job));
        for suffix in std::iter::once("cluster".to_owned()).chain(suffixes) {
            let mut labels = self.labels.clone();
            labels["configmap-type"] = json!("high-availability");
            let meta = Meta {
                uid: uid(&["ha", &name, &suffix]),
                labels,
                ..Meta::default()
            };
            self.add(
                Kind::ConfigMap,
                &format!("{name}-{suffix}-config-map"),
                meta,
                json!({ "data": {} }),
            );
        }
    }

    fn workload(&mut self, deployment: &DeploymentSpec) {
        let (name, uid_of) = (self.target.name.clone(), self.uid.clone());
        let owner_uid = self.resource_uid();
        let target = self.target;
        let owner = deployment.owner.as_ref().map(|_| Owner {
            kind: Kind::FlinkDeployment,
            name: &target.name,
            uid: &owner_uid,
        });
        let (ready, wanted) = (deployment.ready.min(deployment.replicas), deployment.replicas);
        let container = self.container();
        let spec = json!({
            "replicas": wanted, "selector": { "matchLabels": self.jobmanager },
            "template": {
                "metadata": { "labels": self.jobmanager },
                "spec": { "containers": [container], "restartPolicy": "Always" },
            },
        });
        let mut deployment_spec = spec.clone();
        deployment_spec["strategy"] = json!({ "type": "Recreate" });
        let changed = self.born(format!("available {uid_of} {ready}"));
        let available = json!({
            "type": "Available", "status": if ready >= wanted { "True" } else { "False" }, "reason": "MinimumReplicas",
            "message": "", "lastTransitionTime": changed, "lastUpdateTime": changed,
        });
        let mut status = json!({ "observedGeneration": 1, "replicas": wanted, "updatedReplicas": wanted, "conditions": [available] });
        let mut set_status = json!({ "replicas": wanted });
        // Kubernetes leaves counts of zero out.
        if ready > 0 {
            status["readyReplicas"] = json!(ready);
            status["availableReplicas"] = json!(ready);
            set_status["readyReplicas"] = json!(ready);
        }
        if wanted > ready {
            status["unavailableReplicas"] = json!(wanted - ready);
        }
        let jobmanager = self.jobmanager.clone();
        let meta = Meta {
            uid: uid_of.clone(),
            owner,
            labels: jobmanager.clone(),
            deleting: deployment.deleting,
            created: None,
        };
        self.add(
            Kind::Deployment,
            &name,
            meta,
            json!({ "spec": deployment_spec, "status": status }),
        );

        let mine = |uid, labels| Meta {
            uid,
            labels,
            owner: Some(Owner {
                kind: Kind::Deployment,
                name: &name,
                uid: &uid_of,
            }),
            ..Meta::default()
        };
        let (set, set_uid) = (self.replicaset.clone(), uid(&["rs", &uid_of]));
        let body = json!({ "spec": spec, "status": set_status });
        self.add(Kind::ReplicaSet, &set, mine(set_uid.clone(), jobmanager.clone()), body);
        let service = json!({ "spec": {
            "type": "ClusterIP", "clusterIP": "10.0.0.1", "selector": jobmanager,
            "ports": [{ "name": "rest", "port": 8081, "protocol": "TCP", "targetPort": 8081 }],
        } });
        let labels = self.labels.clone();
        self.add(
            Kind::Service,
            &format!("{name}-rest"),
            mine(uid(&["svc", &uid_of]), labels.clone()),
            service,
        );
        let config = json!({ "data": { "config.yaml": format!("kubernetes.cluster-id: {name}\n") } });
        self.add(
            Kind::ConfigMap,
            &format!("flink-config-{name}"),
            mine(uid(&["cm", &uid_of]), labels),
            config,
        );
        for (place, pod) in target.pods.iter().enumerate() {
            self.job_manager(place, pod, &set_uid);
        }
        for (place, pod) in target.task_managers.iter().enumerate() {
            self.task_manager(place, pod);
        }
    }

    fn container(&self) -> Value {
        let entry = if self.target.mode == Mode::Session {
            "kubernetes-session"
        } else {
            "kubernetes-application"
        };
        json!({
            "name": "flink-main-container", "image": format!("{}-job:v7", self.target.name),
            "command": ["/docker-entrypoint.sh"], "args": ["kubernetes-jobmanager.sh", entry],
            "ports": [{ "name": "rest", "containerPort": 8081, "protocol": "TCP" }],
        })
    }
}
