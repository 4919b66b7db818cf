//! Carries out looks: the only part of the loop that touches the network.

mod look_up;

use std::collections::BTreeMap;
use std::sync::Arc;

use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::facts::FlinkOverview;
use steadfast_core::id::ClusterName;
use steadfast_core::snapshot::Timing;
use steadfast_core::time::Clock;
use steadfast_sources::flink;
use steadfast_sources::job_results::ResultSources;
use steadfast_sources::kubernetes::KubeCluster;
use steadfast_sources::last_words::Pattern;
use steadfast_sources::route::{FlinkRoute, base_url};
use steadfast_sources::transport::{Limits, MAX_BODY, ProxyTransport, Transport};
use tokio::sync::Semaphore;

use crate::looks::{Answer, Class, Endpoint, Look, Wanted};

/// Polls under way at once to Flinks that answer.
const ANSWERING_PLACES: usize = 1024;
/// And to those that do not: they wait for their timeouts, and must not take the others' places.
const FAILING_PLACES: usize = 128;
/// Look-ups on request under way at once.
const WANTED_PLACES: usize = 64;

/// The ways out into the world.
pub(crate) struct Looker {
    http: Arc<dyn Transport>,
    clusters: BTreeMap<ClusterName, Way>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    answering: Semaphore,
    failing: Semaphore,
    wanted: Semaphore,
}

/// The ways to one cluster, and to what tells of its ended jobs.
pub(crate) struct Way {
    pub(crate) cluster: Arc<KubeCluster>,
    pub(crate) proxy: ProxyTransport,
    pub(crate) ends: ResultSources,
    pub(crate) last_words: Option<Pattern>,
}

impl Looker {
    pub(crate) fn new(http: Arc<dyn Transport>, ways: Vec<Way>, clock: Arc<dyn Clock>, timing: Timing) -> Self {
        Self {
            http,
            clusters: ways.into_iter().map(|way| (way.cluster.name().clone(), way)).collect(),
            clock,
            limits: Limits {
                deadline: timing.timeout,
                max_bytes: MAX_BODY,
            },
            answering: Semaphore::new(ANSWERING_PLACES),
            failing: Semaphore::new(FAILING_PLACES),
            wanted: Semaphore::new(WANTED_PLACES),
        }
    }

    /// Takes one look; `None` if its answer comes by another way (lists come as news).
    pub(crate) async fn take(&self, look: Look) -> Option<Answer> {
        match look {
            Look::Overview { endpoint, class } => {
                let places = match class {
                    Class::Answering => &self.answering,
                    Class::Failing => &self.failing,
                };
                let _place = places.acquire().await.ok()?;
                let asked = self.clock.now();
                let answer = self
                    .overview(&endpoint)
                    .await
                    .map_or_else(Observed::Unknown, Observed::Present);
                Some(Answer::Overview {
                    target: endpoint.target,
                    asked,
                    at: self.clock.now(),
                    answer,
                })
            }
            Look::Lists { cluster, after } => {
                if let Some(way) = self.clusters.get(&cluster) {
                    way.cluster.request_relist(after);
                }
                None
            }
            Look::Wanted { key, what } => {
                // Last words are gone within a second: they do not queue.
                let _place = match what {
                    Wanted::LastWords { .. } => None,
                    Wanted::Exceptions { .. }
                    | Wanted::Checkpoints { .. }
                    | Wanted::HaData { .. }
                    | Wanted::Events { .. }
                    | Wanted::TaskManagers { .. }
                    | Wanted::Archive { .. } => Some(self.wanted.acquire().await.ok()?),
                };
                let asked = self.clock.now();
                let answer = self.look_up(what).await;
                Some(Answer::Wanted {
                    key,
                    asked,
                    at: self.clock.now(),
                    answer,
                })
            }
        }
    }

    async fn overview(&self, endpoint: &Endpoint) -> Result<FlinkOverview, Fault> {
        let (transport, base) = self.way_to(endpoint)?;
        if !endpoint.route.is_by_address() {
            return flink::overview(transport, &base, self.limits).await;
        }
        let identity = flink::Identity {
            namespace: endpoint.target.namespace.clone(),
            cluster_id: endpoint.deployment.clone(),
            runs: endpoint.runs.clone(),
        };
        flink::verified_overview(transport, &base, &identity, self.limits).await
    }

    fn way_to(&self, endpoint: &Endpoint) -> Result<(&dyn Transport, String), Fault> {
        let base = base_url(
            &endpoint.route,
            &endpoint.target,
            &endpoint.deployment,
            endpoint.pod_ip.as_deref(),
        )?;
        match endpoint.route {
            FlinkRoute::Proxy => Ok((&self.way(&endpoint.target.cluster)?.proxy, base)),
            FlinkRoute::Service | FlinkRoute::Pod | FlinkRoute::Template(_) => Ok((self.http.as_ref(), base)),
        }
    }

    fn way(&self, cluster: &ClusterName) -> Result<&Way, Fault> {
        self.clusters.get(cluster).ok_or_else(|| {
            Fault::new(
                FaultKind::Address,
                format!("no [[kubernetes]] entry is named {cluster}"),
            )
        })
    }
}
