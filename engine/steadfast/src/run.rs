//! Wires a configuration to a running engine: the one place that knows all parts.

mod access;
mod assemble;
mod clock;
mod engine_api;
mod keeper;
mod locate;
mod modules;
mod open_files;
mod particulars;
mod preparing;
mod process_metrics;
mod reload;
mod signals;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prometheus_client::registry::Registry;
use steadfast_core::journal::Store;
use steadfast_core::shadow::ShadowBoard;
use steadfast_core::time::Clock;
use steadfast_host::PolicyEngine;
use steadfast_job_statuses as job_statuses;
use steadfast_reconcile::{ClusterSetup, Engine, Judging, Setup, SteadyClock, on_record};
use steadfast_server::sinks::{Courier, Following, SinkBoard};
use steadfast_server::{
    Access, Api, Limits, LinkTemplate, ListenerMetrics, ReloadError, Reloaded, Serving, Tls, router, serve,
};
use steadfast_sources::budget::limit_connections;
use steadfast_sources::transport::HttpTransport;
use steadfast_tasks::{STOP_DEADLINE, StillRunning, Tasks};
use tokio::time::Instant;

use crate::cli::log::DroppedLines;
use crate::config::{Config, ConfigError};

use assemble::{Keepers, Posting};
use engine_api::{CallLimits, EngineApi, Parts};
use keeper::Keeper;
use open_files::OpenFiles;
use preparing::{Choices, Prepared};
use reload::{Reloader, StartedWith};

#[cfg(feature = "author")]
pub(crate) use assemble::load_as;
pub use assemble::{
    COMPILE, LoadedPolicy, MisplacedCluster, compile_in_processes, compile_policies, load_policies, policy_cache,
};
pub(crate) use assemble::{Way, cluster_setup, targets, way_of, writer_once};
pub use clock::SystemClock;
pub use locate::locate_in_config;
pub use modules::{RefusedModule, known, resolve_modules, resolve_modules_now};
#[cfg(feature = "author")]
pub(crate) use reload::{Files, digest};
pub(crate) use signals::{ShutdownSignals, survive_limits_of_files};

/// A running engine with its API and its sinks.
pub struct Running {
    /// Where the API listens.
    pub address: SocketAddr,
    /// The committed records.
    pub projection: Arc<steadfast_core::projection::Projection>,
    /// What shadow policies would show.
    pub shadows: ShadowBoard,
    reloader: Arc<Reloader>,
    engine: Engine,
    /// What serves and tells of what the engine commits.
    tasks: Tasks,
    /// What tells of how it came to be.
    telemetry: Posting,
}

/// Starts everything a configuration asks for. On an error nothing is left running. `file` is where it came from, and
/// where a reload reads it again.
pub async fn start(config: Config, file: Option<PathBuf>) -> anyhow::Result<Running> {
    let files = file
        .as_deref()
        .map(|file| reload::FileSnapshot::starting(file, &config));
    let clock: Arc<dyn Clock> = Arc::new(SteadyClock::start(SystemClock));
    let open_files = guarded(&config);
    let found = look(&config, file.as_deref()).await?;
    let clusters = assemble::clusters(&config).await?;
    let http_of_targets = assemble::ways(&config).await?;
    let shown = (
        access::of(&config.server, config.timing, &clusters)?,
        config.links.clone(),
    );
    let tls = access::tls(&config.server)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let store = assemble::open_store(&config.store).await?;
    let policies = choose(found, &config, &store, &clock).await?;
    let listener = assemble::listen(config.server.listen).await?;
    let address = listener.local_addr()?;

    let mut registry = registry(&config.store);
    let timing = config.timing;
    let sinks = SinkBoard::default();
    let telemetry = assemble::telemetry(&config, store.store_id(), &mut registry)?;
    let shared = assemble::Shared::new((&store, &clock), &sinks, telemetry.tracer());
    let couriers = assemble::couriers(&config, &clusters, shared, &mut registry).await?;
    let Keepers { keepers, standings } =
        assemble::keepers(&config, (&clusters, store.store_id()), &clock, &mut registry);
    let setup = Setup {
        http_of_targets,
        tracing: telemetry.tracing(),
        ..setup(&config, clusters, &policies.running, &store, &clock)?
    };
    let engine = Engine::start(setup, &mut registry).await?;

    let tasks = Tasks::default();
    tell((couriers, keepers), &engine, &tasks);
    let control = engine.control.clone();
    let reloader = Arc::new(Reloader::new(
        file,
        config,
        policies,
        control,
        (Arc::clone(&clock), tasks.token().clone()),
        &mut registry,
    ));
    let following = reload::follow(Arc::clone(&reloader), files.unwrap_or_default(), tasks.token().clone());
    tasks.spawn("reload", following);
    let engine_api = EngineApi {
        engine: Parts::of(&engine),
        clock,
        reloader: Arc::clone(&reloader),
        limits: CallLimits::of(timing),
        tasks: tasks.clone(),
        sinks,
        job_statuses: standings,
    };
    let how = listening(open_files, (&shown.0, tls), &mut registry);
    let routes = router(api(&engine, store, engine_api, registry, shown));
    let serving = serve(listener, routes, how, tasks.token().clone());
    tasks.spawn("server", served(serving));
    tracing::info!("the API and the dashboard are at {scheme}://{address}/");
    Ok(Running {
        address,
        projection: Arc::clone(&engine.projection),
        shadows: engine.shadows.clone(),
        reloader,
        engine,
        tasks,
        telemetry: telemetry.start(),
    })
}

/// Serves until it is told to end; that it ended by itself is said.
async fn served(serving: impl Future<Output = std::io::Result<()>>) {
    if let Err(error) = serving.await {
        tracing::error!("the API has ended: {error}");
    }
}

/// Warns of secrets that lie open, and divides the files that may be open.
fn guarded(config: &Config) -> OpenFiles {
    for warning in config.exposed_files() {
        tracing::warn!("{warning}");
    }
    let open_files = OpenFiles::of_process(watches(config));
    // A second engine of the process shares what the first one has.
    limit_connections(open_files.outbound);
    open_files
}

fn tell((couriers, keepers): (Vec<Courier>, Vec<job_statuses::Keeper>), engine: &Engine, tasks: &Tasks) {
    for (number, courier) in (0_u64..).zip(couriers) {
        let name = format!("sink {}", number + 1);
        let following = Following {
            entries: engine.entries.clone(),
            records: Arc::clone(&engine.projection),
        };
        tasks.spawn(
            name,
            courier.run(following, tasks.token().clone(), assemble::rng(number)),
        );
    }
    for (number, keeper) in (0_u64..).zip(keepers) {
        let following = job_statuses::Following {
            entries: engine.entries.clone(),
            records: Arc::clone(&engine.projection),
        };
        let work = keeper.run(following, tasks.token().clone(), assemble::rng(number));
        tasks.spawn(format!("job statuses {}", number + 1), work);
    }
}

/// The metrics of what there is one of in a process.
fn registry(store: &str) -> Registry {
    let mut registry = Registry::default();
    process_metrics::register(&mut registry, store);
    registry.register_collector(Box::new(DroppedLines));
    registry
}

/// How clients are served.
fn listening(open_files: OpenFiles, (access, tls): (&Access, Option<Tls>), registry: &mut Registry) -> Serving {
    let metrics = ListenerMetrics::default();
    metrics.register(registry);
    access.register(registry);
    Serving {
        limits: Limits::of(open_files.clients),
        access: access.clone(),
        tls,
        metrics,
    }
}

/// How many connections to API servers stay open: one for each kind that is watched, in each namespace.
fn watches(config: &Config) -> usize {
    const KINDS: usize = 5;
    let of_cluster = |cluster: &crate::config::Cluster| cluster.namespaces.len().max(1) * KINDS;
    config.clusters.iter().map(of_cluster).sum()
}

/// What the engine is started with.
fn setup(
    config: &Config,
    clusters: Vec<ClusterSetup>,
    policies: &[Prepared],
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Setup> {
    let http = HttpTransport::new().map_err(|fault| anyhow::anyhow!("{fault}"))?;
    Ok(Setup {
        timing: config.timing,
        clusters,
        targets: assemble::targets(config),
        policies: policies.iter().map(Prepared::another_setup).collect(),
        judging: Judging::Threads,
        recording: config.recording,
        keeping: config.keeping,
        series: config.series,
        journal: Arc::clone(store) as Arc<_>,
        clock: Arc::clone(clock),
        seed: assemble::seed(),
        http: Arc::new(http),
        http_of_targets: BTreeMap::new(),
        tracing: None,
    })
}

/// What the API answers from.
fn api(
    engine: &Engine,
    store: Arc<dyn Store>,
    engine_api: EngineApi,
    registry: Registry,
    (access, links): (Access, Vec<LinkTemplate>),
) -> Api {
    let clock = Arc::clone(&engine_api.clock);
    let engine_api = Arc::new(engine_api);
    Api {
        clock,
        jobs: Arc::clone(&engine.projection),
        journal: store as Arc<_>,
        entries: engine.entries.clone(),
        shadows: engine.shadows.clone(),
        policies: Arc::clone(&engine_api) as Arc<_>,
        control: Arc::clone(&engine_api) as Arc<_>,
        closeup: Arc::clone(&engine_api) as Arc<_>,
        health: engine_api,
        metrics: Arc::new(registry),
        links: links.into(),
        access,
    }
}

/// Reads the configuration with which an engine is to be started. Where it has a record already, it goes on without the modules
/// whose files are gone: those who look after other policies' jobs must not be kept from it.
pub fn config_to_run(file: &Path) -> Result<Config, ConfigError> {
    Config::load(file).or_else(|mistake| match Config::load_without_modules(file) {
        Ok(config) if has_record(&config) => Ok(config),
        Ok(_) | Err(_) => Err(mistake),
    })
}

/// Whether the engine has run before.
fn has_record(config: &Config) -> bool {
    config
        .store
        .strip_prefix("sqlite://")
        .is_some_and(|path| Path::new(path).exists())
}

/// What there is to choose from for each policy.
struct Found {
    host: PolicyEngine,
    keeper: Keeper,
    choices: Choices,
}

/// Looks for the modules of all policies. Fails if none of them can decide and the engine has never run.
async fn look(config: &Config, file: Option<&Path>) -> anyhow::Result<Found> {
    let (host, keeper) = (assemble::policy_engine()?, Keeper::of(file));
    let choices = Choices::look(config, &host, &keeper).await?;
    let choices = if has_record(config) {
        choices
    } else {
        choices.with_a_decider()?
    };
    Ok(Found { host, keeper, choices })
}

/// The policies that decide from now on.
async fn choose(
    found: Found,
    config: &Config,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<StartedWith> {
    let Found { host, keeper, choices } = found;
    let tries_again = choices.are_looked_for_again();
    let records = if choices.have_to_be_tried() {
        on_record(&**store, &**clock).await?
    } else {
        Vec::new()
    };
    let chosen = choices.tried_on(records, config.timing, clock.now()).await?;
    let loaded = chosen.iter().filter_map(|policy| policy.loaded.as_ref());
    for LoadedPolicy { config, provenance, .. } in loaded {
        tracing::info!(policy = %config.name, module = %provenance.reference, sha256 = %provenance.sha256, from = %provenance.from, trust = %provenance.trust(), "a policy was loaded");
    }
    Ok(StartedWith {
        host,
        running: chosen,
        keeper,
        tries_again,
    })
}

impl Running {
    /// Reads the configuration and its modules again, as `POST /api/v1/reload` does.
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        self.reloader.reload().await
    }

    /// Stops looking, answers what is under way, and waits for every task, all within [`STOP_DEADLINE`].
    ///
    /// # Errors
    /// If some had not ended by then. They are cut off, and the error names them.
    pub async fn stop(self) -> anyhow::Result<()> {
        let by = Instant::now() + STOP_DEADLINE;
        // At the same time, so that one who is slow takes nothing from the others. What the engine still commits is told
        // after the next start: streams and sinks go on where they were.
        let (engine, others) = tokio::join!(self.engine.stop(by), self.tasks.stop(by));
        self.telemetry.stop(by).await;
        let late = [engine, others].into_iter().filter_map(Result::err);
        let tasks: Vec<String> = late.flat_map(|late| late.tasks).collect();
        if tasks.is_empty() {
            return Ok(());
        }
        Err(StillRunning { tasks }.into())
    }
}

/// `steadfast run`: until SIGINT, SIGTERM or SIGQUIT. A second of them does not wait for the stop.
///
/// # Errors
/// What kept it from starting; the tasks that a stop had to cut off; or that it was ended at once.
pub async fn run_until_signal(config: Config, file: PathBuf) -> anyhow::Result<()> {
    let mut signals = ShutdownSignals::new()?;
    let running = tokio::select! {
        running = start(config, Some(file)) => running?,
        name = signals.next() => {
            tracing::info!("ended by {name} while it started");
            return Ok(());
        }
    };
    let name = signals.next().await;
    tracing::info!("stopping, as {name} says; a second signal ends at once");
    signals.wait_for(running.stop()).await
}
