//! Wires a configuration to a running engine: the one place that knows all parts.

mod access;
mod adapter;
mod modules;
mod parts;
mod reload;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use steadfast_core::backoff::Backoff;
use steadfast_core::journal::Store;
use steadfast_core::shadow::ShadowBoard;
use steadfast_core::time::Clock;
use steadfast_host::PolicyEngine;
use steadfast_reconcile::{Engine, Setup};
use steadfast_server::sinks::{HttpPost, SinkMetrics, Webhook, cursor_name};
use steadfast_server::{Api, ReloadError, Reloaded, router, serve};
use steadfast_sources::transport::HttpTransport;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;

use reload::Reloader;

pub use modules::{RefusedModule, known, resolve_modules, resolve_modules_now};
pub use parts::{LoadedPolicy, SystemClock, compile_policies, load_policies, policy_cache};

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
    server: JoinHandle<std::io::Result<()>>,
    tasks: TaskTracker,
    cancel: CancellationToken,
}

/// Starts everything a configuration asks for. On an error nothing is left running. `file` is where it came from, and
/// where a reload reads it again.
pub async fn start(config: Config, file: Option<PathBuf>) -> anyhow::Result<Running> {
    let known = file.as_deref().map(|file| reload::Known::starting(file, &config));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let host = parts::policy_engine()?;
    let policies = policies(&config, &host).await?;
    let clusters = parts::clusters(&config).await?;
    let targets = parts::targets(&config);
    let access = access::of(&config.server)?;
    let store = parts::open_store(&config.store).await?;
    let listener = TcpListener::bind(config.server.listen).await.map_err(|error| {
        anyhow::Error::new(error).context(format!(
            "cannot listen on {}; is another process there?",
            config.server.listen
        ))
    })?;
    let address = listener.local_addr()?;

    let mut registry = Registry::default();
    let cancel = CancellationToken::new();
    let timing = config.timing;
    let webhooks = webhooks(&config, &store, timing.backoff(), &mut registry).await?;
    let http = HttpTransport::new().map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let setup = Setup {
        timing,
        clusters,
        targets,
        policies: policies.iter().map(LoadedPolicy::another_setup).collect(),
        recording: config.recording,
        journal: Arc::clone(&store) as Arc<_>,
        clock: Arc::clone(&clock),
        seed: parts::seed(),
        http: Arc::new(http),
    };
    let engine = Engine::start(setup, &mut registry).await?;

    let reloader = Arc::new(Reloader::new(
        file,
        config,
        (host, policies),
        engine.control.clone(),
        Arc::clone(&clock),
        &mut registry,
    ));
    let tasks = TaskTracker::new();
    tasks.spawn(reload::follow(
        Arc::clone(&reloader),
        known.unwrap_or_default(),
        cancel.clone(),
    ));
    for (place, webhook) in (0_u64..).zip(webhooks) {
        tasks.spawn(webhook.run(engine.entries.clone(), cancel.clone(), parts::rng(place)));
    }
    tasks.close();
    let adapter = Arc::new(adapter::Adapter {
        control: engine.control.clone(),
        status: engine.status.clone(),
        clock,
        reloader: Arc::clone(&reloader),
        patience: timing.poll * 10,
    });
    let api = Api {
        jobs: Arc::clone(&engine.projection),
        journal: store as Arc<_>,
        entries: engine.entries.clone(),
        shadows: engine.shadows.clone(),
        policies: Arc::clone(&adapter) as Arc<_>,
        control: Arc::clone(&adapter) as Arc<_>,
        health: adapter,
        metrics: Arc::new(registry),
        access,
    };
    let server = tokio::spawn(serve(listener, router(api), cancel.clone()));
    tracing::info!("the API and the dashboard are at http://{address}/");
    Ok(Running {
        address,
        projection: Arc::clone(&engine.projection),
        shadows: engine.shadows.clone(),
        reloader,
        engine,
        server,
        tasks,
        cancel,
    })
}

/// The policies, compiled off the async threads.
async fn policies(config: &Config, host: &PolicyEngine) -> anyhow::Result<Vec<LoadedPolicy>> {
    let modules = resolve_modules(&config.policies, &config.registries).await?;
    let (host, policies) = (host.clone(), config.policies.clone());
    let loaded = tokio::task::spawn_blocking(move || parts::compile_into(&host, &policies, &modules)).await??;
    for LoadedPolicy { config, provenance, .. } in &loaded {
        tracing::info!(policy = %config.name, module = %provenance.reference, sha256 = %provenance.sha256, from = %provenance.from, trust = %provenance.trust(), "a policy was loaded");
    }
    Ok(loaded)
}

async fn webhooks(
    config: &Config,
    store: &Arc<dyn Store>,
    retry: Backoff,
    registry: &mut Registry,
) -> anyhow::Result<Vec<Webhook>> {
    let metrics = SinkMetrics::default();
    if !config.sinks.is_empty() {
        metrics.register(registry);
    }
    let mut webhooks = Vec::new();
    for sink in &config.sinks {
        let to = Arc::new(HttpPost::new(sink.url.parse()?)?);
        webhooks.push(Webhook::begin(cursor_name(&sink.url), Arc::clone(store), to, retry, metrics.clone()).await?);
    }
    Ok(webhooks)
}

impl Running {
    /// Reads the configuration and its modules again, as `POST /api/v1/reload` does.
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        self.reloader.reload().await
    }

    /// Stops looking, answers what is under way, and waits for every task.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.engine.stop().await;
        self.cancel.cancel();
        self.tasks.wait().await;
        self.server.await??;
        Ok(())
    }
}

/// `steadfast run`: until the process is told to end.
pub async fn until_told(config: Config, file: PathBuf) -> anyhow::Result<()> {
    let running = start(config, Some(file)).await?;
    told_to_end().await?;
    tracing::info!("stopping");
    running.stop().await
}

/// SIGINT or SIGTERM.
async fn told_to_end() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
