//! The engine as a whole: started, asked, stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prometheus_client::registry::Registry;
use rand::SeedableRng;
use rand::rngs::StdRng;
use steadfast_core::cluster_lists::ClusterLists;
use steadfast_core::id::{ClusterName, PolicyName, TargetId, Uid};
use steadfast_core::journal::{Journal, JournalError, Loaded, Sequence};
use steadfast_core::kube_update::KubeUpdate;
use steadfast_core::projection::Projection;
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::recording::Sampler;
use steadfast_core::shadow::ShadowBoard;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_sources::kubernetes::{KnownDeployment, KubeCluster, KubePorts, OperatorResources, scopes};
use steadfast_sources::transport::ProxyTransport;
use steadfast_tasks::{STOP_DEADLINE, StillRunning, Tasks};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::closeup::Closeups;
use crate::control::Control;
use crate::driver::{Driver, Ports, Readers, log_loaded};
use crate::fetcher::{ClusterClients, Fetcher, Ways};
use crate::judging::Bench;
use crate::metrics::{Metrics, Shown};
use crate::policies::Policies;
use crate::reactor::{ClusterRules, Reactor};
use crate::setup::{ClusterSetup, Discover, JobSeries, Setup};
use crate::source_log::SourceLog;
use crate::status::{ClusterStatus, StatusBoard};
use crate::times::Times;
use crate::turn::Turn;

/// How much evidence may wait for the loop before its sources do.
const WAITING: usize = 4096;

/// The name of the task that decides.
const LOOP: &str = "reconcile loop";

/// A running engine.
pub struct Engine {
    /// The committed records, as they are shown.
    pub projection: Arc<Projection>,
    /// The newest committed journal entry.
    pub entries: watch::Receiver<Sequence>,
    /// The way to ask the loop.
    pub control: Control,
    /// The way to look at one job for a person, beside the loop.
    pub closeups: Closeups,
    /// How the engine itself is.
    pub status: StatusBoard,
    /// What shadow policies would show.
    pub shadows: ShadowBoard,
    tasks: Tasks,
}

/// Why the engine could not be started. Nothing is running then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store could not be read or written.
    #[error("the records could not be taken up from the store")]
    Store(#[from] JournalError),
}

/// What is on record, before an engine takes it up. Whatever is wrong with it is logged: it is set aside, and [`Engine::start`]
/// finds nothing wrong any more.
///
/// # Errors
/// If the store cannot be read.
pub async fn on_record(journal: &dyn Journal, clock: &dyn Clock) -> Result<Vec<JobRecord>, JournalError> {
    let (loaded, _) = load(journal, clock).await?;
    log_loaded(&loaded);
    Ok(loaded.records)
}

/// Loads the records. Returns the moment as well.
async fn load(journal: &dyn Journal, clock: &dyn Clock) -> Result<(Loaded, Timestamp), JournalError> {
    let newest = journal.newest().await?;
    if let Some(on_record) = Times::on_record(journal, newest).await? {
        // What is decided from now on comes later than all that is on record, be the system's clock set back or not.
        clock.go_on_from(on_record.newest, on_record.settled);
    }
    let now = clock.now();
    Ok((journal.load(now).await?, now))
}

impl Engine {
    /// Takes up the records from the store and starts the loop. Metrics are registered with `registry`. Fails if the store
    /// cannot be read, or does not take what the start changes.
    pub async fn start(setup: Setup, registry: &mut Registry) -> Result<Self, StartError> {
        let (loaded, now) = load(&*setup.journal, &*setup.clock).await?;
        // What was set aside just now is in the journal too.
        let newest = setup.journal.newest().await?;
        let (mut bench, rulings) = Bench::new(setup.judging);
        let policies = bench.seat(setup.policies);
        let (entries_to, entries) = watch::channel(newest);
        let readers = Readers {
            tracer: setup.tracing.as_ref().map(|tracing| Arc::clone(&tracing.tracer)),
            unreadable: BTreeSet::new(),
            store_fails: false,
            projection: Arc::default(),
            shadows: ShadowBoard::default(),
            status: StatusBoard::default(),
            metrics: Metrics::default(),
            entries: entries_to,
            source_log: SourceLog::default(),
        };
        register(&readers, &entries, (&setup.clock, setup.series), registry);
        readers.shadows.begin(&shadow_names(&policies), |_, _| false);
        let rules = rules(&setup.clusters);
        readers.loaded(&loaded);
        let stored = loaded.records;
        let known = known_deployments(&stored);
        readers.status.write(|status| {
            status.turned_at = now;
            status.policies = policies.statuses(&[], now);
        });
        readers.begin(statuses(&setup.clusters));
        let sampler = setup.recording.map(|recording| Sampler::new(recording.every));
        let mut reactor = Reactor::new(setup.timing, setup.seed, now, rules, policies, sampler);
        if let Some(tracing) = setup.tracing {
            reactor = reactor.traced(tracing.share, setup.seed);
        }
        let first = reactor.start(stored, setup.targets, now);

        let tasks = Tasks::default();
        let (updates_to, updates) = mpsc::channel(WAITING);
        let (requests_to, requests) = mpsc::channel(WAITING);
        let ways = Ways {
            http: setup.http,
            of_targets: setup.http_of_targets,
        };
        let watched = watch_clusters(setup.clusters, known, &setup.clock, setup.seed, &updates_to, &tasks);
        let fetcher = Arc::new(Fetcher::new(ways, watched, Arc::clone(&setup.clock), setup.timing));
        let control = Control { requests: requests_to };
        let closeups = Closeups::new(Arc::clone(&fetcher), control.clone(), setup.timing.timeout);
        let engine = Self {
            projection: Arc::clone(&readers.projection),
            entries,
            control,
            closeups,
            status: readers.status.clone(),
            shadows: readers.shadows.clone(),
            tasks: tasks.clone(),
        };
        let ports = Ports {
            journal: setup.journal,
            clock: setup.clock,
            fetcher,
            updates,
            requests,
            bench,
            rulings,
            cancel: tasks.token().clone(),
        };
        let keep = setup.recording.map(|recording| recording.keep);
        let driver = Driver::new(reactor, readers, setup.timing, keep, setup.keeping, ports);
        engine.begin(driver, first).await
    }

    /// Commits what the start changes, and lets the loop run.
    async fn begin(self, mut driver: Driver, first: Turn) -> Result<Self, StartError> {
        if let Err(error) = driver.start(first).await {
            // That nothing could be begun says more than who was slow to end.
            drop(self.tasks.stop(Instant::now() + STOP_DEADLINE).await);
            return Err(error.into());
        }
        self.tasks.spawn(LOOP, driver.run());
        Ok(self)
    }

    /// Whether the loop has ended, which it does only when it is stopped.
    pub fn has_ended(&self) -> bool {
        !self.tasks.running().iter().any(|name| name == LOOP)
    }

    /// Stops looking and waits until every task has ended, but not longer than until the moment `by`. What was decided
    /// is committed or will be decided again.
    ///
    /// # Errors
    /// If tasks had to be cut off at that moment: a request, or a commit that the store has not answered.
    pub async fn stop(self, by: Instant) -> Result<(), StillRunning> {
        self.tasks.stop(by).await
    }
}

/// Makes metrics known: what the loop counts, and what is read off what it shows.
fn register(
    readers: &Readers,
    entries: &watch::Receiver<Sequence>,
    (clock, series): (&Arc<dyn Clock>, JobSeries),
    registry: &mut Registry,
) {
    readers.metrics.register(registry);
    let shown = Shown {
        projection: Arc::clone(&readers.projection),
        status: readers.status.clone(),
        entries: entries.clone(),
        clock: Arc::clone(clock),
        series,
    };
    readers.metrics.register_readings(shown, registry);
}

fn shadow_names(policies: &Policies) -> Vec<PolicyName> {
    policies.shadows().map(|seat| seat.name.clone()).collect()
}

fn rules(clusters: &[ClusterSetup]) -> BTreeMap<ClusterName, ClusterRules> {
    let rules = clusters.iter().map(|cluster| {
        let rules = ClusterRules {
            discover: cluster.discover.clone(),
            flink_rest: cluster.flink_rest.clone(),
        };
        (cluster.settings.name.clone(), rules)
    });
    rules.collect()
}

/// The clusters, with what is going to be listed.
fn statuses(clusters: &[ClusterSetup]) -> BTreeMap<ClusterName, ClusterStatus> {
    let statuses = clusters.iter().map(|cluster| {
        let status = ClusterStatus {
            server: cluster.server.clone(),
            lists: ClusterLists::new(scopes(&cluster.settings, operator(cluster))),
            unwatched: BTreeMap::new(),
            tells_of_ends: !cluster.job_results.is_empty(),
        };
        (cluster.settings.name.clone(), status)
    });
    statuses.collect()
}

/// Whether the operator's resources of a cluster are watched.
fn operator(cluster: &ClusterSetup) -> OperatorResources {
    if cluster.discover.contains(&Discover::FlinkDeployment) {
        OperatorResources::Watched
    } else {
        OperatorResources::Ignored
    }
}

/// The Deployments that discovered jobs ran in when last seen: their records would end if they were gone.
fn known_deployments(stored: &[JobRecord]) -> BTreeMap<ClusterName, Vec<KnownDeployment>> {
    let mut known: BTreeMap<(&TargetId, &str), Option<Uid>> = BTreeMap::new();
    let is_open = |record: &&JobRecord| record.origin == Origin::Discovered && !record.state.is_terminal();
    for record in stored.iter().filter(is_open) {
        // The jobs of a session cluster share its Deployment, and do not say which it was.
        let target = &record.key.target;
        let name = record.incarnation.deployment_name.as_deref().unwrap_or(&target.name);
        known.insert((target, name), record.incarnation.deployment_uid.clone());
    }
    let mut by_cluster: BTreeMap<ClusterName, Vec<KnownDeployment>> = BTreeMap::new();
    for ((target, name), uid) in known {
        let deployments = by_cluster.entry(target.cluster.clone()).or_default();
        deployments.push(KnownDeployment {
            namespace: target.namespace.clone(),
            name: name.to_owned(),
            uid,
        });
    }
    by_cluster
}

/// Begins to list and watch every cluster.
fn watch_clusters(
    clusters: Vec<ClusterSetup>,
    mut known: BTreeMap<ClusterName, Vec<KnownDeployment>>,
    clock: &Arc<dyn Clock>,
    seed: u64,
    updates_to: &mpsc::Sender<KubeUpdate>,
    tasks: &Tasks,
) -> Vec<ClusterClients> {
    let watched = (1_u64..).zip(clusters).map(|(number, setup)| {
        let operator = operator(&setup);
        let proxy = ProxyTransport::new(setup.client.clone());
        if let Some(credentials) = setup.credentials {
            let name = format!("credentials of {}", setup.settings.name);
            let span = tracing::info_span!("credentials", cluster = %setup.settings.name);
            let rng = StdRng::seed_from_u64(seed.wrapping_add(number));
            let renewing = credentials.renew(rng).instrument(span);
            let renewing = tasks.token().clone().run_until_cancelled_owned(renewing);
            tasks.spawn(name, async {
                renewing.await;
            });
        }
        let ports = KubePorts {
            client: setup.client,
            clock: Arc::clone(clock),
            updates: updates_to.clone(),
            tasks: tasks.clone(),
            known: known.remove(&setup.settings.name).unwrap_or_default(),
            seed: seed.wrapping_add(number),
        };
        let cluster = KubeCluster::start(setup.settings, operator, ports);
        ClusterClients {
            cluster: Arc::new(cluster),
            proxy,
            http: setup.http,
            job_results: setup.job_results,
            last_words: setup.last_words,
        }
    });
    watched.collect()
}
