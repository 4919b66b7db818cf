//! The world's servers on loopback sockets, each behind a port of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use steadfast_sources::kubernetes::connect_to;
use steadfast_world::World;
use steadfast_world::loopback::{Gateway, Port};
use steadfast_world::reply::Serve;
use steadfast_world::story::TargetSpec;

/// The open ports.
pub(super) struct Sockets {
    /// The API servers, by cluster.
    clusters: BTreeMap<String, Port>,
    /// A gateway to the Flinks of each cluster, for those that are discovered.
    gateways: BTreeMap<String, Port>,
    /// The Flinks, by target.
    flinks: BTreeMap<String, Port>,
    /// The HistoryServer.
    history: Option<Port>,
}

impl Sockets {
    pub(super) fn open(world: &World) -> anyhow::Result<Self> {
        let mut sockets = Self {
            clusters: BTreeMap::new(),
            gateways: BTreeMap::new(),
            flinks: BTreeMap::new(),
            history: world
                .history()
                .map(|server| port(Arc::clone(server) as _))
                .transpose()?,
        };
        for (name, server) in world.clusters() {
            sockets.clusters.insert(name.clone(), port(Arc::clone(server) as _)?);
            let gateway = Arc::new(Gateway::to(world, name));
            sockets.gateways.insert(name.clone(), port(gateway)?);
        }
        for (name, flink) in world.flinks() {
            sockets.flinks.insert(name.clone(), port(Arc::clone(flink) as _)?);
        }
        Ok(sockets)
    }

    pub(super) fn client(&self, cluster: &str) -> anyhow::Result<kube::Client> {
        let port = self
            .clusters
            .get(cluster)
            .with_context(|| format!("no API server for cluster {cluster}"))?;
        let url = format!("http://{}", port.address()).parse()?;
        Ok(connect_to(kube::Config::new(url))?)
    }

    pub(super) fn template(&self, cluster: &str) -> String {
        format!("{}/{{namespace}}/{{name}}", url(self.gateways.get(cluster)))
    }

    pub(super) fn address(&self, target: &TargetSpec) -> String {
        url(self.flinks.get(&target.handle))
    }

    pub(super) fn history(&self) -> String {
        url(self.history.as_ref())
    }

    pub(super) async fn close(self) {
        let ports = [self.clusters, self.gateways, self.flinks]
            .into_iter()
            .flat_map(BTreeMap::into_values);
        for port in ports.chain(self.history) {
            port.close().await;
        }
    }
}

fn port(server: Arc<dyn Serve>) -> anyhow::Result<Port> {
    Port::open(server).context("no port on 127.0.0.1 can be opened")
}

/// Where a port is; an address that leads nowhere if there is none.
fn url(port: Option<&Port>) -> String {
    port.map_or_else(
        || "http://invalid.".to_owned(),
        |port| format!("http://{}", port.address()),
    )
}
