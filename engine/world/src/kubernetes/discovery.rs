//! What an API server says about itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use strum::VariantArray;

use crate::objects::Kind;

/// The body for a path, if there is one.
pub(super) fn answer(path: &str) -> Option<Value> {
    match path {
        "/version" => Some(json!({
            "major": "1", "minor": "33", "gitVersion": "v1.33.0", "gitCommit": "0", "gitTreeState": "clean",
            "buildDate": "2025-01-01T00:00:00Z", "goVersion": "go1.24", "compiler": "gc", "platform": "linux/amd64",
        })),
        "/api" => Some(json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })),
        "/apis" => {
            let groups: BTreeSet<&str> = Kind::VARIANTS
                .iter()
                .map(|kind| kind.group_version())
                .filter(|gv| gv.contains('/'))
                .collect();
            let groups: Vec<Value> = groups.into_iter().map(group).collect();
            Some(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }))
        }
        _ => {
            let wanted = path.strip_prefix("/apis/").or_else(|| path.strip_prefix("/api/"))?;
            let of_group = Kind::VARIANTS.iter().find(|kind| {
                kind.group_version()
                    .split_once('/')
                    .is_some_and(|(name, _)| name == wanted)
            });
            if let Some(kind) = of_group {
                let mut body = group(kind.group_version());
                body["kind"] = json!("APIGroup");
                body["apiVersion"] = json!("v1");
                return Some(body);
            }
            resources(wanted)
        }
    }
}

fn group(group_version: &str) -> Value {
    let (name, version) = group_version.split_once('/').unwrap_or((group_version, group_version));
    let version = json!({ "groupVersion": group_version, "version": version });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

fn resources(group_version: &str) -> Option<Value> {
    let kinds = Kind::VARIANTS
        .iter()
        .filter(|kind| kind.group_version() == group_version);
    let resources: Vec<Value> = kinds
        .map(|kind| {
            let short: &[&str] = match kind {
                Kind::Deployment => &["deploy"],
                Kind::Pod => &["po"],
                Kind::FlinkDeployment => &["flinkdep"],
                Kind::Service => &["svc"],
                Kind::ConfigMap => &["cm"],
                Kind::Namespace | Kind::Event | Kind::NewEvent | Kind::ReplicaSet | Kind::FlinkSessionJob => &[],
            };
            json!({
                "name": kind.plural(), "singularName": kind.name().to_lowercase(), "namespaced": *kind != Kind::Namespace,
                "kind": kind.name(), "verbs": ["get", "list", "watch"], "shortNames": short,
            })
        })
        .collect();
    (!resources.is_empty())
        .then(|| json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources }))
}
