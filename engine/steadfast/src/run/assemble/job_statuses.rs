//! The keepers of JobStatuses, one for each cluster that has them.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use steadfast_core::time::Clock;
use steadfast_core::timing::Timing;
use steadfast_job_statuses::{Cluster, Keeper, Metrics, Settings, Standing};
use steadfast_reconcile::ClusterSetup;
use steadfast_sources::kubernetes::Writer;

use crate::config::Config;

/// What keeps JobStatuses, none yet at work, and how they stand, by the names that `/readyz` shows.
#[derive(Default)]
pub(in crate::run) struct Keepers {
    pub(in crate::run) keepers: Vec<Keeper>,
    pub(in crate::run) standings: Vec<(String, Standing)>,
}

/// Those of the clusters that ask for one. `clusters` are made of the same configuration.
pub(in crate::run) fn keepers(
    config: &Config,
    (clusters, store_id): (&[ClusterSetup], &str),
    clock: &Arc<dyn Clock>,
    registry: &mut Registry,
) -> Keepers {
    let asks = |cluster: &&ClusterSetup| {
        let mut entries = config.clusters.iter();
        entries.any(|entry| entry.job_statuses && entry.name == cluster.settings.name.as_str())
    };
    let metrics = Metrics::default();
    let mut all = Keepers::default();
    for cluster in clusters.iter().filter(asks) {
        let standing = Standing::default();
        // No sink can be called so.
        let name = format!("job-statuses/{}", cluster.settings.name);
        let to: Arc<dyn Cluster> = Arc::new(Writer::new(cluster.client.clone(), config.timing.timeout));
        let settings = Settings {
            cluster: cluster.settings.name.clone(),
            store: store_id.to_owned(),
            namespaces: cluster.settings.namespaces.clone(),
            retry: config.timing.backoff(),
            settle: settle(&config.timing),
        };
        let ports = (to, Arc::clone(clock));
        all.keepers
            .push(Keeper::new(settings, ports, &metrics, standing.clone()));
        all.standings.push((name, standing));
    }
    if !all.keepers.is_empty() {
        metrics.register(registry);
    }
    all
}

/// Every source was asked twice by then, and has answered or let its time pass.
fn settle(timing: &Timing) -> Duration {
    timing.startup_grace + 2 * (timing.poll + timing.timeout)
}
