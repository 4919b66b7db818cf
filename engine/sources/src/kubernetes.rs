//! Kubernetes: one LIST+WATCH for each kind and namespace of a cluster, and a few looks on request.
//!
//! It is written on `kube`'s client alone, since what its watcher abstracts away is what this product is about:
//! every call has a deadline and a size limit, an undecodable object is named and skipped, an error is told as
//! such, and what a broken watch may have missed counts as not seen.

mod connect;
mod decode;
mod list;
mod live;
mod lookups;
mod operator;
mod recovery;
mod reflector;
mod telling;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::SeedableRng;
use rand::rngs::StdRng;
use steadfast_core::id::{ClusterName, Namespace};
use steadfast_core::news::{KubeNews, ObjectKind, Scope};
use steadfast_core::time::{Clock, Timestamp};
use steadfast_core::timing::Timing;
use steadfast_tasks::Tasks;
use tokio::sync::mpsc;
use tracing::Instrument;

pub use connect::{ConnectError, Connected, Location, connect, connect_to};
pub use lookups::LogOf;

use recovery::Recovery;
use reflector::Reflector;
use telling::Telling;

/// How a cluster is watched.
#[derive(Clone, Debug)]
pub struct KubeSettings {
    /// Its name.
    pub name: ClusterName,
    /// The namespaces to list and watch one by one; none: all of them at once.
    pub namespaces: Vec<Namespace>,
    /// `timeout` bounds every call but the watch's stream, `validate` is how often everything is listed afresh, `poll`
    /// the pace of the canary while lists fail, and `retry_initial` to `retry_max` the bounds of the other retries.
    pub timing: Timing,
    /// Which Deployments are listed.
    pub deployments: Selector,
}

/// Which Deployments are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// All: an explicit target's Deployment may carry no label of Flink's.
    All,
    /// Those labelled by Flink's native integration or the operator's standalone mode.
    Flink,
}

/// Whether the Flink Kubernetes Operator's resources are listed and watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorResources {
    /// FlinkDeployments and FlinkSessionJobs are. Where the cluster lacks them, nothing is known of them.
    Watched,
    /// They are not.
    Ignored,
}

impl OperatorResources {
    /// The kinds of the scopes.
    fn kinds(self) -> &'static [ObjectKind] {
        match self {
            Self::Ignored => &[ObjectKind::Deployment, ObjectKind::Pod],
            Self::Watched => &[
                ObjectKind::Deployment,
                ObjectKind::Pod,
                ObjectKind::FlinkDeployment,
                ObjectKind::FlinkSessionJob,
            ],
        }
    }
}

/// A cluster under watch.
pub struct KubeCluster {
    settings: KubeSettings,
    client: kube::Client,
    wanted: tokio::sync::watch::Sender<Timestamp>,
    undecodable: Arc<AtomicU64>,
}

impl KubeCluster {
    /// Starts to list and watch; what is learned goes to `news`. It is done by `tasks`, and ends with them.
    pub fn start(
        client: kube::Client,
        settings: KubeSettings,
        operator: OperatorResources,
        clock: Arc<dyn Clock>,
        seed: u64,
        news: mpsc::Sender<KubeNews>,
        tasks: &Tasks,
    ) -> Self {
        let (wanted, wants) = tokio::sync::watch::channel(Timestamp::default());
        let recovery = Arc::new(Recovery::default());
        let undecodable = Arc::new(AtomicU64::new(0));
        let namespaces: Vec<Option<Namespace>> = match settings.namespaces.as_slice() {
            [] => vec![None],
            named => named.iter().cloned().map(Some).collect(),
        };
        let scopes = namespaces.iter().flat_map(|namespace| {
            operator.kinds().iter().map(|kind| Scope {
                cluster: settings.name.clone(),
                kind: *kind,
                namespace: namespace.clone(),
            })
        });
        for (place, scope) in (0_u64..).zip(scopes) {
            let namespace = scope.namespace.as_ref().map_or("*", Namespace::as_str);
            let name = format!("watch of {:?} in {}/{namespace}", scope.kind, scope.cluster);
            let span = tracing::info_span!("reflector", cluster = %scope.cluster, kind = ?scope.kind, namespace);
            let reflector = Reflector {
                path: list::path(&scope, settings.deployments),
                id: place,
                client: client.clone(),
                settings: settings.clone(),
                backoff: settings.timing.backoff(),
                rng: StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(place)),
                wants: wants.clone(),
                recovery: Arc::clone(&recovery),
                telling: Telling {
                    scope,
                    clock: Arc::clone(&clock),
                    news: news.clone(),
                    undecodable: Arc::clone(&undecodable),
                },
                not_served: None,
                page: list::PAGE,
            };
            let cancel = tasks.token().clone();
            let work = async move {
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => {}
                    () = reflector.run() => {}
                }
            };
            tasks.spawn(name, work.instrument(span));
        }
        Self {
            settings,
            client,
            wanted,
            undecodable,
        }
    }

    /// The cluster's name.
    pub fn name(&self) -> &ClusterName {
        &self.settings.name
    }

    /// Asks for lists begun after that moment. Wishes are merged, and a list is not begun sooner than half a poll,
    /// or five times as long as the last one took, after the last one began.
    pub fn want_fresh(&self, after: Timestamp) {
        self.wanted.send_if_modified(|wanted| {
            let later = after > *wanted;
            *wanted = after.max(*wanted);
            later
        });
    }

    /// How many objects could not be decoded so far; one that stays is counted in each list.
    pub fn undecodable(&self) -> u64 {
        self.undecodable.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
