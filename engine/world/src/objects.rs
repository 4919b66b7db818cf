//! The Kubernetes objects of a target, as Flink's native integration (and its operator) leaves them.

mod events;
mod kind;
mod log;
mod operator;
mod pod;
mod workload;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use steadfast_core::state::Mode;

use crate::clock::whole_seconds;
use crate::identity::uid;
use crate::model::{Births, Target};
use crate::story::Moment;

pub use kind::Kind;

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
    /// What the pods' JobManagers printed, whole.
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
    /// The labels as the Deployment and its pods carry them now: somebody may have taken `type` away.
    fn shown(&self, labels: &Value) -> Value {
        let mut shown = labels.clone();
        let is_typed = self
            .target
            .deployment
            .as_ref()
            .is_none_or(|deployment| deployment.type_label);
        if let (false, Some(shown)) = (is_typed, shown.as_object_mut()) {
            shown.remove("type");
        }
        shown
    }

    /// The Deployment's own labels: those, and beside them what its owner gave it.
    fn with_owners(&self, labels: &Value) -> Value {
        let mut all = self.shown(labels);
        let said = self
            .target
            .deployment
            .as_ref()
            .and_then(|deployment| deployment.labels.as_ref());
        for (name, value) in said.unwrap_or(&self.target.labels) {
            all[name] = json!(value);
        }
        all
    }

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
                "apiVersion": owner.kind.group_version(), "kind": owner.kind.name(), "name": owner.name, "uid": owner.uid,
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
        body["kind"] = json!(kind.name());
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

    /// Sets a key of an object's metadata, such as the generation, which each change of its specification raises.
    fn set_metadata(&mut self, kind: Kind, name: &str, metadata: &str, value: Value) {
        let key = Key {
            kind,
            namespace: self.target.namespace.clone(),
            name: name.to_owned(),
        };
        if let Some(object) = self.to.objects.get_mut(&key) {
            object["metadata"][metadata] = value;
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
}
