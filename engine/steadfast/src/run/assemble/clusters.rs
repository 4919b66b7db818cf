//! Clusters, with what tells of their jobs.

use std::sync::Arc;

use anyhow::Context;
use steadfast_core::id::{ClusterName, Namespace};
use steadfast_reconcile::ClusterSetup;
use steadfast_sources::authorized::{AuthorizedTransport, FlinkAccess};
use steadfast_sources::job_results::{self, Files, ResultSources};
use steadfast_sources::kubernetes::{KubeSettings, Location, Selector, connect};
use steadfast_sources::route::FlinkRoute;
use steadfast_sources::transport::Transport;

use crate::config::{Config, EndedJobs, FlinkRest};

/// The clusters, with clients but not yet connected.
pub(in crate::run) async fn clusters(config: &Config) -> anyhow::Result<Vec<ClusterSetup>> {
    let mut clusters = Vec::new();
    for cluster in &config.clusters {
        let connected = connect(cluster.kubeconfig.as_deref(), config.timing.retry_max)
            .await
            .with_context(|| format!("[[kubernetes]] `{}` cannot be used", cluster.name))?;
        let has_explicit_jobs = config
            .jobs
            .iter()
            .any(|job| job.kubernetes.as_deref() == Some(&cluster.name));
        let flink_rest = route(&cluster.flink_rest, connected.location);
        anyhow::ensure!(
            cluster.flink_access.is_plain() || flink_rest != FlinkRoute::Proxy,
            "[[kubernetes]] `{}` reaches its Flinks through the API server's proxy, which passes no flink_auth on and uses no \
             flink_ca_file; set flink_rest to \"service\", \"pod\" or a URL, or remove them",
            cluster.name
        );
        let http = way(&cluster.flink_access)
            .await
            .with_context(|| format!("[[kubernetes]] `{}` cannot be used", cluster.name))?;
        clusters.push(ClusterSetup {
            settings: KubeSettings {
                name: ClusterName::new(&cluster.name),
                namespaces: cluster.namespaces.iter().map(Namespace::new).collect(),
                timing: config.timing,
                // An explicit job's Deployment may carry no label: what a selector leaves out would look absent.
                deployments: if has_explicit_jobs {
                    Selector::All
                } else {
                    Selector::Flink
                },
            },
            client: connected.client,
            server: connected.server,
            credentials: Some(connected.credentials),
            http,
            discover: cluster.discover.clone(),
            flink_rest,
            job_results: result_sources(&cluster.ended_jobs)
                .with_context(|| format!("[[kubernetes]] `{}` cannot be used", cluster.name))?,
            last_words: cluster.ended_jobs.last_words.clone(),
        });
    }
    Ok(clusters)
}

/// The way to Flinks that want access of their own; `None` where everybody's will do.
pub(super) async fn way(access: &FlinkAccess) -> anyhow::Result<Option<Arc<dyn Transport>>> {
    if access.is_plain() {
        return Ok(None);
    }
    let way = AuthorizedTransport::open(access.clone()).await;
    let way = way.map_err(|fault| anyhow::anyhow!("flink_auth or flink_ca_file: {}", fault.message))?;
    Ok(Some(Arc::new(way)))
}

/// The places that tell of ended jobs; none is looked at yet.
fn result_sources(ended: &EndedJobs) -> anyhow::Result<ResultSources> {
    let open = |location: &job_results::Location| -> anyhow::Result<Arc<dyn Files>> {
        job_results::open(location).with_context(|| format!("{location} cannot be read"))
    };
    Ok(ResultSources {
        archives: ended.archive.iter().map(open).collect::<Result<_, _>>()?,
        history_server: ended.history_server.clone(),
        result_store: ended.job_result_store.as_ref().map(open).transpose()?,
    })
}

/// How Flink is reached where an entry says nothing else.
pub(super) fn route(rest: &FlinkRest, location: Location) -> FlinkRoute {
    match (rest, location) {
        (FlinkRest::Auto, Location::Inside) | (FlinkRest::Service, _) => FlinkRoute::Service,
        (FlinkRest::Auto, Location::Outside) | (FlinkRest::Proxy, _) => FlinkRoute::Proxy,
        (FlinkRest::Pod, _) => FlinkRoute::Pod,
        (FlinkRest::Url(url), _) => FlinkRoute::Template(url.clone()),
    }
}
