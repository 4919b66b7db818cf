//! The parts of an engine, made from the configuration.

mod clusters;
mod event_post;
mod job_statuses;
mod policies;
mod sinks;
mod targets;
mod telemetry;

use std::net::SocketAddr;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use steadfast_core::journal::Store;
use tokio::net::TcpListener;

pub use clusters::MisplacedCluster;
pub(super) use clusters::clusters;
pub(crate) use clusters::{cluster_setup, writer_once};
pub(super) use job_statuses::{Keepers, keepers};
#[cfg(feature = "author")]
pub(crate) use policies::load_as;
pub use policies::{COMPILE, LoadedPolicy, compile_in_processes, compile_policies, load_policies, policy_cache};
pub(super) use policies::{load, policy_engine};
pub(crate) use sinks::Way;
pub(super) use sinks::{Shared, couriers};
pub(super) use targets::ways;
pub(crate) use targets::{targets, way_of};
pub(super) use telemetry::{Posting, telemetry};

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

/// A seed that differs from run to run.
pub(super) fn seed() -> u64 {
    rand::random()
}

/// A source of jitter, for the part with this number.
pub(super) fn rng(number: u64) -> StdRng {
    StdRng::seed_from_u64(seed().wrapping_add(number))
}
