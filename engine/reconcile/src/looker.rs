//! Carries out looks: the only part of the loop that touches the network.

use std::collections::BTreeMap;
use std::sync::Arc;

use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::facts::{FlinkOverview, HaData, JobEnd};
use steadfast_core::id::{ClusterName, FlinkJobId};
use steadfast_core::snapshot::Timing;
use steadfast_core::time::Clock;
use steadfast_sources::flink;
use steadfast_sources::kubernetes::KubeCluster;
use steadfast_sources::last_words;
use steadfast_sources::route::{FlinkRoute, base_url};
use steadfast_sources::transport::{Limits, MAX_BODY, ProxyTransport, Transport};
use tokio::sync::Semaphore;

use crate::looks::{Answer, Class, Endpoint, Look, Wanted, WantedAnswer};

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

/// The way to one cluster.
struct Way {
    cluster: Arc<KubeCluster>,
    proxy: ProxyTransport,
}

impl Looker {
    pub(crate) fn new(
        http: Arc<dyn Transport>,
        clusters: Vec<(Arc<KubeCluster>, kube::Client)>,
        clock: Arc<dyn Clock>,
        timing: Timing,
    ) -> Self {
        let way = |(cluster, client): (Arc<KubeCluster>, kube::Client)| {
            (
                cluster.name().clone(),
                Way {
                    cluster,
                    proxy: ProxyTransport::new(client),
                },
            )
        };
        Self {
            http,
            clusters: clusters.into_iter().map(way).collect(),
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
                    way.cluster.want_fresh(after);
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
                    | Wanted::Archive => Some(self.wanted.acquire().await.ok()?),
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
        flink::vouched_overview(transport, &base, &identity, self.limits).await
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

    async fn look_up(&self, what: Wanted) -> WantedAnswer {
        match what {
            Wanted::Exceptions { endpoint, job } => WantedAnswer::Exceptions(optional(
                async {
                    let (transport, base) = self.way_to(&endpoint)?;
                    flink::exceptions(transport, &base, job, self.limits).await
                }
                .await,
            )),
            Wanted::Checkpoints { endpoint, job } => WantedAnswer::Checkpoints(
                async {
                    let (transport, base) = self.way_to(&endpoint)?;
                    flink::checkpoints(transport, &base, job, self.limits).await
                }
                .await
                .map_or_else(Observed::Unknown, Observed::Present),
            ),
            Wanted::HaData { cluster, place } => WantedAnswer::HaData(optional(
                async {
                    let names = self
                        .way(&cluster)?
                        .cluster
                        .ha_config_maps(&place.namespace, &place.name)
                        .await?;
                    Ok((!names.is_empty()).then_some(HaData { config_maps: names }))
                }
                .await,
            )),
            Wanted::Events { cluster, place } => WantedAnswer::Events(optional(
                async {
                    let events = self
                        .way(&cluster)?
                        .cluster
                        .events(&place.namespace, &place.name)
                        .await?;
                    Ok((!events.is_empty()).then_some(events))
                }
                .await,
            )),
            Wanted::TaskManagers { cluster, place } => WantedAnswer::TaskManagers(optional(
                async {
                    let pods = self
                        .way(&cluster)?
                        .cluster
                        .task_managers(&place.namespace, &place.name)
                        .await?;
                    Ok((!pods.is_empty()).then_some(pods))
                }
                .await,
            )),
            Wanted::LastWords {
                cluster,
                place,
                pods,
                job,
            } => WantedAnswer::LastWords(optional(self.last_words(&cluster, &place, &pods, job).await)),
            // No archive is configured: all of none were read, and none tells of an end.
            Wanted::Archive => WantedAnswer::Archive(Observed::Absent),
        }
    }

    /// The end that any of the pods' logs tells. A log that cannot be read leaves it unknown, unless another tells.
    async fn last_words(
        &self,
        cluster: &ClusterName,
        place: &steadfast_core::board::Place,
        pods: &[String],
        job: FlinkJobId,
    ) -> Result<Option<JobEnd>, Fault> {
        let way = self.way(cluster)?;
        let mut fault = None;
        for pod in pods {
            match way.cluster.pod_log(&place.namespace, pod).await {
                Ok(log) => {
                    if let Some(end) = last_words::find(&log, job) {
                        return Ok(Some(end));
                    }
                }
                Err(error) => fault = Some(error),
            }
        }
        match fault {
            Some(fault) => Err(fault),
            None if pods.is_empty() => Err(Fault::new(
                FaultKind::Address,
                "no JobManager pod is left whose log could be read",
            )),
            None => Ok(None),
        }
    }
}

/// A successful answer that holds nothing is absent; only that.
fn optional<T>(answer: Result<Option<T>, Fault>) -> Observed<T> {
    match answer {
        Ok(Some(value)) => Observed::Present(value),
        Ok(None) => Observed::Absent,
        Err(fault) => Observed::Unknown(fault),
    }
}
