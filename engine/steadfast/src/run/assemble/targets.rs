//! The jobs that the configuration names.

use steadfast_core::board::ObjectRef;
use steadfast_core::id::{ClusterName, Namespace, TargetId};
use steadfast_reconcile::TargetSetup;
use steadfast_sources::kubernetes::Location;

use super::clusters::route;
use crate::config::{Config, FlinkRest};

/// The targets of `[[job]]` entries.
pub(in crate::run) fn targets(config: &Config) -> Vec<TargetSetup> {
    config
        .jobs
        .iter()
        .map(|job| {
            let namespace = Namespace::new(&job.namespace);
            let id = match &job.kubernetes {
                Some(cluster) => TargetId::new(&ClusterName::new(cluster), &namespace, &job.name),
                None => TargetId::standalone(&job.name),
            };
            let flink_rest = match &job.flink_rest {
                None | Some(FlinkRest::Auto) => None,
                Some(rest) => Some(route(rest, Location::Outside)),
            };
            let object = job
                .kubernetes
                .is_some()
                .then(|| ObjectRef::new(&namespace, &job.deployment));
            TargetSetup {
                id,
                mode: job.mode,
                object,
                flink_rest,
                pinned: job.flink_job_id,
            }
        })
        .collect()
}
