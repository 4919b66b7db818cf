//! The jobs that the configuration names.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use steadfast_core::board::ObjectRef;
use steadfast_core::id::{ClusterName, Namespace, TargetId};
use steadfast_reconcile::TargetSetup;
use steadfast_sources::kubernetes::Location;
use steadfast_sources::transport::Transport;

use super::clusters::{route, way};
use crate::config::{Config, FlinkRest, Job};

/// The targets of `[[job]]` entries.
pub(crate) fn targets(config: &Config) -> Vec<TargetSetup> {
    config
        .jobs
        .iter()
        .map(|job| {
            let namespace = Namespace::new(&job.namespace);
            let flink_rest = match &job.flink_rest {
                None | Some(FlinkRest::Auto) => None,
                Some(rest) => Some(route(rest, Location::Outside)),
            };
            let object = job
                .kubernetes
                .is_some()
                .then(|| ObjectRef::new(&namespace, &job.deployment));
            TargetSetup {
                id: id(job),
                mode: job.mode,
                object,
                flink_rest,
                pinned: job.flink_job_id,
            }
        })
        .collect()
}

fn id(job: &Job) -> TargetId {
    match &job.kubernetes {
        Some(cluster) => TargetId::new(&ClusterName::new(cluster), &Namespace::new(&job.namespace), &job.name),
        None => TargetId::standalone(&job.name),
    }
}

/// The ways to the Flinks of `[[job]]` entries with access of their own.
pub(in crate::run) async fn ways(config: &Config) -> anyhow::Result<BTreeMap<TargetId, Arc<dyn Transport>>> {
    let mut ways = BTreeMap::new();
    for job in &config.jobs {
        ways.extend(own_way(job).await?.map(|way| (id(job), way)));
    }
    Ok(ways)
}

/// The same for one target.
pub(crate) async fn way_of(config: &Config, target: &TargetId) -> anyhow::Result<Option<Arc<dyn Transport>>> {
    match config.jobs.iter().find(|job| id(job) == *target) {
        Some(job) => own_way(job).await,
        None => Ok(None),
    }
}

async fn own_way(job: &Job) -> anyhow::Result<Option<Arc<dyn Transport>>> {
    way(&job.flink_access)
        .await
        .with_context(|| format!("[[job]] `{}` cannot be used", job.name))
}
