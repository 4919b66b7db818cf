//! Where the engine finds the world's servers, and how it reaches them.

use std::sync::Arc;

use steadfast_sources::transport::{HttpTransport, Transport};
use steadfast_world::World;
use steadfast_world::kubernetes::Kubernetes;
use steadfast_world::memory::InMemory;
use steadfast_world::story::TargetSpec;

use super::network::{self, Network};
use super::sockets::Sockets;
use crate::harness::Environment;

/// The servers of a world, as the engine reaches them.
pub(super) enum Endpoints {
    /// Within the process.
    Memory(Arc<Network>),
    /// Over loopback sockets.
    Sockets(Sockets),
}

impl Endpoints {
    pub(super) fn open(world: &World, environment: Environment) -> anyhow::Result<Self> {
        Ok(match environment {
            Environment::InProcess => Self::Memory(Arc::new(Network::of(world))),
            Environment::Loopback(_) => Self::Sockets(Sockets::open(world)?),
        })
    }

    /// The network to the Flinks.
    pub(super) fn http(&self) -> anyhow::Result<Arc<dyn Transport>> {
        Ok(match self {
            Self::Memory(network) => Arc::clone(network) as Arc<dyn Transport>,
            Self::Sockets(_) => Arc::new(HttpTransport::new().map_err(|fault| anyhow::anyhow!("{fault}"))?),
        })
    }

    /// A new client for a cluster's API server.
    pub(super) fn client(&self, cluster: &str, server: &Arc<Kubernetes>) -> anyhow::Result<kube::Client> {
        match self {
            Self::Memory(_) => Ok(kube::Client::new(
                InMemory::new(Arc::clone(server) as Arc<_>),
                "default",
            )),
            Self::Sockets(sockets) => sockets.client(cluster),
        }
    }

    /// Where the Flinks of a cluster are.
    pub(super) fn template(&self, cluster: &str) -> String {
        match self {
            Self::Memory(_) => network::template(cluster),
            Self::Sockets(sockets) => sockets.template(cluster),
        }
    }

    /// Where one Flink is.
    pub(super) fn address(&self, target: &TargetSpec) -> String {
        match self {
            Self::Memory(_) => network::address(target),
            Self::Sockets(sockets) => sockets.address(target),
        }
    }

    /// Where the HistoryServer is.
    pub(super) fn history(&self) -> String {
        match self {
            Self::Memory(_) => network::HISTORY.to_owned(),
            Self::Sockets(sockets) => sockets.history(),
        }
    }

    pub(super) async fn close(self) {
        match self {
            Self::Memory(_) => {}
            Self::Sockets(sockets) => sockets.close().await,
        }
    }
}
