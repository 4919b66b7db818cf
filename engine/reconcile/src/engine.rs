//! The engine as a whole: started, asked, stopped.

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use steadfast_core::id::ClusterName;
use steadfast_core::journal::{JournalError, Sequence};
use steadfast_core::projection::Projection;
use steadfast_core::recording::Selection;
use steadfast_core::shadow::ShadowBoard;
use steadfast_sources::kubernetes::{KubeCluster, KubePorts, OperatorResources};
use steadfast_sources::transport::ProxyTransport;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::control::Control;
use crate::driver::Driver;
use crate::looker::{Looker, Way};
use crate::metrics::Metrics;
use crate::policies::Policies;
use crate::reactor::{ClusterRules, Reactor};
use crate::setup::{Discover, Setup};
use crate::status::{ClusterStatus, StatusBoard};

/// How much evidence may wait for the loop before its sources do.
const WAITING: usize = 4096;

/// A running engine.
pub struct Engine {
    /// The committed records, as they are shown.
    pub projection: Arc<Projection>,
    /// The newest committed journal entry.
    pub entries: watch::Receiver<Sequence>,
    /// The way to ask the loop.
    pub control: Control,
    /// How the engine itself is.
    pub status: StatusBoard,
    /// What shadow policies would show.
    pub shadows: ShadowBoard,
    cancel: CancellationToken,
    run: JoinHandle<()>,
    clusters: Vec<Arc<KubeCluster>>,
}

/// Why the engine could not be started. Nothing is running then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store could not be read or written.
    #[error("the records could not be taken up from the store")]
    Store(#[from] JournalError),
}

impl Engine {
    /// Takes up the records from the store and starts to look. Metrics are registered with `registry`.
    pub async fn start(setup: Setup, registry: &mut Registry) -> Result<Self, StartError> {
        let Setup {
            timing,
            clusters,
            targets,
            policies,
            recording,
            journal,
            clock,
            seed,
            http,
        } = setup;
        let policies = Policies::new(policies);
        let shadows = ShadowBoard::default();
        shadows.begin(&policies.shadows(), |_, _| false);
        let status = StatusBoard::default();
        let metrics = Metrics::default();
        metrics.register(registry);
        let now = clock.now();
        let rules: BTreeMap<ClusterName, ClusterRules> = clusters
            .iter()
            .map(|cluster| {
                let rules = ClusterRules {
                    discover: cluster.discover.clone(),
                    flink_rest: cluster.flink_rest.clone(),
                };
                (cluster.settings.name.clone(), rules)
            })
            .collect();
        status.write(|status| {
            status.turned_at = now;
            status.policies = policies.statuses(&[], now);
            status.clusters = rules
                .keys()
                .map(|name| (name.clone(), ClusterStatus::NotAsked))
                .collect();
        });
        let stored = journal.load().await?;
        let selection = recording.map(|recording| Selection::new(recording.every));
        let mut reactor = Reactor::new(timing, seed, now, rules, policies, selection);
        let first = reactor.begin(stored, targets, now);

        let cancel = CancellationToken::new();
        let (news_to, news) = mpsc::channel(WAITING);
        let (answer_to, answers) = mpsc::channel(WAITING);
        let (requests_to, requests) = mpsc::channel(WAITING);
        let (entries_to, entries) = watch::channel(journal.newest().await?);
        let mut running = Vec::new();
        let mut ways = Vec::new();
        for (place, cluster) in (1_u64..).zip(clusters) {
            let proxy = ProxyTransport::new(cluster.client.clone());
            let seed = seed.wrapping_add(place);
            let operator = if cluster.discover.contains(&Discover::FlinkDeployment) {
                OperatorResources::Watched
            } else {
                OperatorResources::Ignored
            };
            let ports = KubePorts {
                client: cluster.client,
                clock: Arc::clone(&clock),
                updates: news_to.clone(),
                cancel: cancel.child_token(),
                seed,
            };
            let started = KubeCluster::start(cluster.settings, operator, ports);
            let started = Arc::new(started);
            ways.push(Way {
                cluster: Arc::clone(&started),
                proxy,
                ends: cluster.ends,
                last_words: cluster.last_words,
            });
            running.push(started);
        }
        let looker = Arc::new(Looker::new(http, ways, Arc::clone(&clock), timing));
        let projection = Arc::new(Projection::default());
        let mut driver = Driver {
            reactor,
            journal,
            projection: Arc::clone(&projection),
            clock,
            timing,
            looker,
            metrics,
            status: status.clone(),
            shadows: shadows.clone(),
            news,
            answers,
            answer_to,
            requests,
            entries: entries_to,
            looks: TaskTracker::new(),
            cancel: cancel.clone(),
            confirmed: BTreeMap::new(),
            keep: recording.map(|recording| recording.keep),
        };
        if let Err(error) = driver.begin(first, now).await {
            cancel.cancel();
            for cluster in running {
                cluster.stop().await;
            }
            return Err(error.into());
        }
        let run = tokio::spawn(driver.run());
        Ok(Self {
            projection,
            entries,
            control: Control { requests: requests_to },
            status,
            shadows,
            cancel,
            run,
            clusters: running,
        })
    }

    /// Whether the loop has ended, which it does only when it is stopped.
    pub fn has_ended(&self) -> bool {
        self.run.is_finished()
    }

    /// Stops looking and waits until every task has ended. What was decided is committed or will be decided again.
    pub async fn stop(self) {
        self.cancel.cancel();
        for cluster in &self.clusters {
            cluster.stop().await;
        }
        if let Err(error) = self.run.await {
            tracing::error!("the reconcile loop ended abnormally: {error}");
        }
    }
}
