//! Events of Kubernetes: in which cluster.

use steadfast_core::id::{ClusterName, Namespace};
use steadfast_server::sinks::Receiver;

use super::super::{Checker, file};

impl Checker<'_> {
    pub(super) fn event_receiver(&mut self, entry: &file::Sink, clusters: &[file::Kubernetes]) -> Option<Receiver> {
        let Some(name) = &entry.kubernetes else {
            self.refuse(
                entry.kind.span(),
                "a sink of kind `kubernetes-event` does not say in which cluster",
                "add kubernetes = \"...\": the name of a [[kubernetes]] entry, about whose jobs it is told",
            );
            return None;
        };
        let Some(cluster) = clusters.iter().find(|cluster| cluster.name.get_ref() == name.get_ref()) else {
            self.refuse(
                name.span(),
                format!("sink.kubernetes: no [[kubernetes]] entry is named `{}`", name.get_ref()),
                "write the name of one; a sink is told of one cluster's jobs",
            );
            return None;
        };
        let first = cluster.namespaces.first();
        Some(Receiver::KubernetesEvent {
            cluster: ClusterName::new(name.get_ref()),
            namespace: Namespace::new(first.map_or("default", |namespace| namespace.get_ref())),
        })
    }
}
