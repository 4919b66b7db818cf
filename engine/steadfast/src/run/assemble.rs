//! The parts of an engine, made from the configuration.

mod clusters;
mod policies;
mod targets;

use std::net::SocketAddr;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use rand::SeedableRng;
use rand::rngs::StdRng;
use steadfast_core::backoff::Backoff;
use steadfast_core::journal::Store;
use steadfast_core::time::Clock;
use steadfast_server::sinks::{self, HttpPost, SinkBoard, SinkMetrics, SinkPorts, Webhook, cursor_name};
use tokio::net::TcpListener;

use crate::config::Sink;

pub(super) use clusters::clusters;
pub use policies::{COMPILE, LoadedPolicy, compile_in_processes, compile_policies, load_policies, policy_cache};
pub(super) use policies::{load, policy_engine};
pub(super) use targets::{targets, ways};

/// Opens the store off the async threads: it may wait for a disk.
pub(super) async fn open_store(url: &str) -> anyhow::Result<Arc<dyn Store>> {
    let url = url.to_owned();
    Ok(tokio::task::spawn_blocking(move || steadfast_store::open(&url)).await??)
}

/// Takes the address at which the API is going to answer.
pub(super) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        anyhow::Error::new(error).context(format!("cannot listen on {address}; is another process there?"))
    })
}

/// The webhooks, each at its place in the journal, and none yet at work.
pub(super) async fn webhooks(
    sinks: &[Sink],
    (store, clock, board): (&Arc<dyn Store>, &Arc<dyn Clock>, &SinkBoard),
    retry: Backoff,
    registry: &mut Registry,
) -> anyhow::Result<Vec<Webhook>> {
    let metrics = SinkMetrics::default();
    if !sinks.is_empty() {
        metrics.register(registry);
    }
    let mut webhooks = Vec::new();
    for sink in sinks {
        let to = Arc::new(HttpPost::new(sink.url.expose().parse()?)?);
        let formerly = cursor_name(&sink.url);
        let ports = SinkPorts {
            store: Arc::clone(store),
            to,
            clock: Arc::clone(clock),
            metrics: metrics.clone(),
            board: board.clone(),
        };
        let settings = sinks::Sink {
            name: sink.name.clone(),
            formerly: (formerly != sink.name).then_some(formerly),
            retry,
            max_age: sink.max_age,
        };
        webhooks.push(Webhook::begin(settings, ports).await?);
    }
    Ok(webhooks)
}

/// A seed that differs from run to run.
pub(super) fn seed() -> u64 {
    rand::random()
}

/// A source of jitter, for the part with this number.
pub(super) fn rng(number: u64) -> StdRng {
    StdRng::seed_from_u64(seed().wrapping_add(number))
}
