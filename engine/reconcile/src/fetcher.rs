//! Makes requests: the only part of the loop that touches the network.
//!
//! How many polls are in flight at once is the scheduler's to say (`reactor/poll_scheduler.rs`); look-ups on request are bounded here.
//! Each request has an outcome, or what waits for it would wait for ever: a panic over an answer is a fault of the engine's own.

mod closeup;
mod lookup;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use steadfast_core::evidence::{Fault, FaultKind, OWN_LACK, Observation, Observed};
use steadfast_core::facts::FlinkOverview;
use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::time::Clock;
use steadfast_core::timing::Timing;
use steadfast_sources::flink::{self, Expected, NoLook, Vouched};
use steadfast_sources::job_results::ResultSources;
use steadfast_sources::kubernetes::KubeCluster;
use steadfast_sources::last_words::Pattern;
use steadfast_sources::route::{FlinkRoute, base_url};
use steadfast_sources::transport::{Limits, MAX_BODY, ProxyTransport, Transport};
use tokio::sync::Semaphore;

use crate::fetch::{Endpoint, Fetch, Fetched, Provenance};

/// Look-ups on request under way at once.
const LOOKUP_LIMIT: usize = 64;

/// The ways to Flinks that are reached directly.
pub(crate) struct Ways {
    /// Everybody's.
    pub(crate) http: Arc<dyn Transport>,
    /// Those of single targets.
    pub(crate) of_targets: BTreeMap<TargetId, Arc<dyn Transport>>,
}

/// The clients of every cluster, and the ways to Flinks that are reached directly.
pub(crate) struct Fetcher {
    ways: Ways,
    clusters: BTreeMap<ClusterName, ClusterClients>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    lookups: Semaphore,
}

/// The clients of one cluster, and of the sources that say how its jobs ended.
pub(crate) struct ClusterClients {
    pub(crate) cluster: Arc<KubeCluster>,
    pub(crate) proxy: ProxyTransport,
    /// The way to its Flinks, if it is another than everybody's.
    pub(crate) http: Option<Arc<dyn Transport>>,
    pub(crate) job_results: ResultSources,
    pub(crate) last_words: Option<Pattern>,
}

impl Fetcher {
    pub(crate) fn new(ways: Ways, clients: Vec<ClusterClients>, clock: Arc<dyn Clock>, timing: Timing) -> Self {
        Self {
            ways,
            clusters: clients
                .into_iter()
                .map(|clients| (clients.cluster.name().clone(), clients))
                .collect(),
            clock,
            limits: Limits {
                deadline: timing.timeout,
                max_bytes: MAX_BODY,
            },
            lookups: Semaphore::new(LOOKUP_LIMIT),
        }
    }

    /// Makes one request; `None` if its answer comes by another way (lists arrive as updates).
    pub(crate) async fn fetch(&self, fetch: Fetch) -> Option<Fetched> {
        match fetch {
            Fetch::Overview { endpoint, expected } => {
                let asked_at = self.clock.now();
                let (answer, provenance) = match self.overview(&endpoint, &expected).await {
                    Ok((overview, Vouched::Yes)) => (Observed::Present(overview), Provenance::Vouched),
                    Ok((overview, Vouched::ByLasting)) => (Observed::Present(overview), Provenance::Open),
                    Err(NoLook::Fault(fault)) => (Observed::Unknown(fault), Provenance::Silent),
                    Err(NoLook::Unvouched(fault)) => (Observed::Unknown(fault), Provenance::Open),
                };
                Some(Fetched::Overview {
                    target: endpoint.target,
                    deployment: Some(endpoint.deployment),
                    observation: Observation::new(answer, asked_at, self.clock.now()),
                    provenance,
                })
            }
            Fetch::Objects {
                target,
                questions,
                after,
            } => {
                let _permit = self.lookups.acquire().await.ok()?;
                let mut answers = Vec::with_capacity(questions.len());
                for question in &questions {
                    answers.push(self.ask_for(&target.cluster, question).await);
                }
                Some(Fetched::Objects { target, after, answers })
            }
            Fetch::Relist { cluster, after } => {
                if let Some(clients) = self.clusters.get(&cluster) {
                    clients.cluster.request_relist(after);
                }
                None
            }
            Fetch::Lookup { key, query, endpoint } => {
                // What is fleeting does not queue.
                let _permit = if query.source().is_fleeting() {
                    None
                } else {
                    Some(self.lookups.acquire().await.ok()?)
                };
                let finding = self.look_up(&key, query, &endpoint).await;
                Some(Fetched::Lookup { key, finding })
            }
        }
    }

    async fn overview(&self, endpoint: &Endpoint, expected: &Expected) -> Result<(FlinkOverview, Vouched), NoLook> {
        let (transport, base) = self.connect(endpoint)?;
        guarded(flink::look(transport, &base, expected, self.limits)).await?
    }

    fn connect(&self, endpoint: &Endpoint) -> Result<(&dyn Transport, String), Fault> {
        let base = base_url(
            &endpoint.route,
            &endpoint.target,
            &endpoint.deployment,
            endpoint.pod_ip.as_deref(),
            endpoint.rest_port,
        )?;
        match endpoint.route {
            FlinkRoute::Proxy => Ok((&self.clients(&endpoint.target.cluster)?.proxy, base)),
            FlinkRoute::Service | FlinkRoute::Pod | FlinkRoute::Template(_) => {
                Ok((self.way_to(&endpoint.target), base))
            }
        }
    }

    /// A target's own way to its Flink, else its cluster's, else everybody's.
    fn way_to(&self, target: &TargetId) -> &dyn Transport {
        let of_cluster = || self.clusters.get(&target.cluster)?.http.as_ref();
        let own = self.ways.of_targets.get(target).or_else(of_cluster);
        own.unwrap_or(&self.ways.http).as_ref()
    }

    fn clients(&self, cluster: &ClusterName) -> Result<&ClusterClients, Fault> {
        self.clusters.get(cluster).ok_or_else(|| {
            Fault::new(
                FaultKind::Address,
                format!("no [[kubernetes]] entry is named {cluster}"),
            )
        })
    }
}

/// What comes of a request, or a fault if the engine panics over its answer.
async fn guarded<T>(request: impl Future<Output = T>) -> Result<T, Fault> {
    // What a panic leaves behind of a request is dropped with it.
    let outcome = AssertUnwindSafe(request).catch_unwind().await;
    outcome.map_err(|_| {
        let message = format!("{OWN_LACK}failed over what was answered; its log says how");
        Fault::new(FaultKind::Other, message)
    })
}

#[cfg(test)]
mod tests;
