//! Sets up a client for a cluster, from a kubeconfig or from within.

use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};
use steadfast_core::loopback::is_loopback;

use crate::transport::shown;

/// A client, and whether it runs inside the cluster.
pub struct Connected {
    /// The client. It has no deadlines of its own; every call sets one.
    pub client: kube::Client,
    /// The address of the API server, without credentials.
    pub server: String,
    /// From where the cluster is watched.
    pub location: Location,
}

/// From where a cluster is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// In one of its pods: cluster DNS works.
    Inside,
    /// From elsewhere: only the API server is known to be reachable.
    Outside,
}

/// Why no client for a cluster can be set up. No connection was tried yet.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig {path} cannot be used")]
    Kubeconfig {
        /// The file, as the configuration names it.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: kube::config::KubeconfigError,
    },
    /// None was named, and none was found.
    #[error("no cluster: not inside one, and neither KUBECONFIG nor ~/.kube/config leads to one")]
    Nowhere(#[source] kube::config::InferConfigError),
    /// The client cannot be set up from it.
    #[error("no client can be set up from the kubeconfig")]
    Client(#[source] kube::Error),
}

/// A client for a kubeconfig; without one: in-cluster, then `KUBECONFIG`, then `~/.kube/config`. Fails if
/// none of them can be read, or none makes a client; the cluster itself is not asked.
pub async fn connect(kubeconfig: Option<&Path>) -> Result<Connected, ConnectError> {
    let (config, location) = match kubeconfig {
        Some(path) => {
            let broken = |source| ConnectError::Kubeconfig {
                path: path.to_owned(),
                source,
            };
            let kubeconfig = Kubeconfig::read_from(path).map_err(broken)?;
            let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                .await
                .map_err(broken)?;
            (config, Location::Outside)
        }
        None => match kube::Config::incluster() {
            Ok(config) => (config, Location::Inside),
            Err(_) => (
                kube::Config::infer().await.map_err(ConnectError::Nowhere)?,
                Location::Outside,
            ),
        },
    };
    let server = shown(&config.cluster_url.to_string());
    let client = connect_to(config)?;
    Ok(Connected {
        client,
        server: server.trim_end_matches('/').to_owned(),
        location,
    })
}

/// A client for a configuration that is at hand. Fails if its certificates or its address cannot be used.
pub fn connect_to(config: kube::Config) -> Result<kube::Client, ConnectError> {
    kube::Client::try_from(without_retry_and_proxy(config)).map_err(ConnectError::Client)
}

/// Without what would stand between the engine and what really happened.
fn without_retry_and_proxy(mut config: kube::Config) -> kube::Config {
    // kube would repeat what is answered with 429, 503 or 504 up to 15 times, for as long as `Retry-After` says: the
    // engine must see each answer, and has a retry of its own.
    config.default_retry = false;
    // A proxy of the environment does not lead back to this machine.
    if config.cluster_url.host().is_some_and(is_loopback) {
        config.proxy_url = None;
    }
    config
}
