mod closeup;
mod decoding;
mod fake;
mod lists;
mod lookups;
mod operator;
mod outages;
mod selection;
mod watched;
mod watches;

use std::time::Duration;

use steadfast_core::evidence::FaultKind;
use steadfast_core::kube_update::{Completeness, KubeChange, Object};

use super::*;
use fake::{Gets, Lists, Network, Server, Watches, deployment};
use watched::{Watched, settings};

/// A body that a real API server sent.
fn recorded(path: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    std::fs::read_to_string(root.join(path)).unwrap()
}

fn is_list(update: &KubeUpdate, kind: ObjectKind) -> bool {
    update.scope.kind == kind && matches!(update.change, KubeChange::Relisted(..))
}

/// The names of what a list holds.
fn names(update: &KubeUpdate) -> Vec<&str> {
    match &update.change {
        KubeChange::Relisted(objects, _) | KubeChange::PodsOf(_, objects) => {
            objects.iter().map(|object| object.namespaced_name().1).collect()
        }
        KubeChange::Applied(object) | KubeChange::Deleted(object) => vec![object.namespaced_name().1],
        KubeChange::NotFound(_) | KubeChange::Failed(_) => Vec::new(),
    }
}
