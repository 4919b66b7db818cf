//! Clusters, with what tells of their jobs.

use std::sync::Arc;

use anyhow::Context;
use steadfast_core::id::{ClusterName, Namespace};
use steadfast_reconcile::ClusterSetup;
use steadfast_server::sinks::Receiver;
use steadfast_sources::authorized::{AuthorizedTransport, FlinkAccess};
use steadfast_sources::job_results::{self, Files, ResultSources};
use steadfast_sources::kubernetes::{ConnectError, KubeSettings, Location, Selector, Writer, connect};
use steadfast_sources::route::FlinkRoute;
use steadfast_sources::transport::Transport;

use crate::config::{Cluster, Config, EndedJobs, FlinkRest};

/// The clusters, with clients but not yet connected.
pub(in crate::run) async fn clusters(config: &Config) -> anyhow::Result<Vec<ClusterSetup>> {
    let mut clusters = Vec::new();
    for cluster in &config.clusters {
        clusters.push(cluster_setup(config, cluster).await?);
    }
    Ok(clusters)
}

/// One of them.
pub(crate) async fn cluster_setup(config: &Config, cluster: &Cluster) -> anyhow::Result<ClusterSetup> {
    let unusable = || format!("[[kubernetes]] `{}` cannot be used", cluster.name);
    let connected = match connect(cluster.kubeconfig.as_deref(), config.timing.backoff()).await {
        Ok(connected) => connected,
        Err(error @ ConnectError::Nowhere(_)) => return Err(MisplacedCluster::nowhere(cluster, &error).into()),
        Err(error) => return Err(anyhow::Error::new(error).context(unusable())),
    };
    let has_explicit_jobs = config
        .jobs
        .iter()
        .any(|job| job.kubernetes.as_deref() == Some(&cluster.name));
    let flink_rest = route(&cluster.flink_rest, connected.location);
    if !cluster.flink_access.is_plain() && flink_rest == FlinkRoute::Proxy {
        return Err(MisplacedCluster::proxied(cluster).into());
    }
    let http = way(&cluster.flink_access).await.with_context(unusable)?;
    Ok(ClusterSetup {
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
        job_results: result_sources(&cluster.ended_jobs).with_context(unusable)?,
        last_words: cluster.ended_jobs.last_words.clone(),
    })
}

/// What writes to the cluster that a receiver is told in, for whoever asks once; `None` for receivers elsewhere.
///
/// Fails if there is no client for it, or no credentials.
pub(crate) async fn writer_once(config: &Config, receiver: &Receiver) -> anyhow::Result<Option<Writer>> {
    let named = |cluster: &&Cluster| receiver.cluster().is_some_and(|name| name.as_str() == cluster.name);
    let Some(cluster) = config.clusters.iter().find(named) else {
        return Ok(None);
    };
    let mut setup = cluster_setup(config, cluster).await?;
    if let Some(credentials) = &mut setup.credentials {
        credentials.get().await?;
    }
    Ok(Some(Writer::new(setup.client, config.timing.timeout)))
}

/// A `[[kubernetes]]` entry that says too little, or too much, for where the engine runs. The entry is what mends it.
#[derive(Debug, thiserror::Error)]
#[error("[[kubernetes]] `{cluster}`: {rule}; {fix}")]
pub struct MisplacedCluster {
    /// The entry's name.
    pub cluster: String,
    /// The key that is wrong, or is missing.
    pub key: &'static str,
    /// What is wrong.
    pub rule: String,
    /// What mends it.
    pub fix: &'static str,
}

impl MisplacedCluster {
    fn nowhere(cluster: &Cluster, error: &ConnectError) -> Self {
        Self {
            cluster: cluster.name.clone(),
            key: "kubeconfig",
            rule: error.to_string(),
            fix: "add kubeconfig = \"FILE\", set KUBECONFIG, or run the engine in the cluster",
        }
    }

    fn proxied(cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.name.clone(),
            key: if cluster.flink_access.auth.is_some() { "flink_auth" } else { "flink_ca_file" },
            rule: "from outside of the cluster its Flinks are reached through the API server's proxy, which passes no flink_auth \
                   on and uses no flink_ca_file"
                .to_owned(),
            fix: "set flink_rest to \"service\", \"pod\" or a URL, or remove them",
        }
    }
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
