//! Finds the way to a cluster.

use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};

/// A client, and whether it runs inside the cluster.
pub struct Connected {
    /// The client. It has no deadlines of its own; every call sets one.
    pub client: kube::Client,
    /// From where.
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

/// Why there is no way to a cluster. No connection was tried yet.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig {path} cannot be used")]
    Kubeconfig {
        /// Which.
        path: PathBuf,
        /// Why.
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

/// A client for a kubeconfig; without one: in-cluster, then `KUBECONFIG`, then `~/.kube/config`.
pub async fn connect(kubeconfig: Option<&Path>) -> Result<Connected, ConnectError> {
    let (config, location) = match kubeconfig {
        Some(path) => {
            let broken = |source| ConnectError::Kubeconfig { path: path.to_owned(), source };
            let kubeconfig = Kubeconfig::read_from(path).map_err(broken)?;
            let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(broken)?;
            (config, Location::Outside)
        }
        None => match kube::Config::incluster() {
            Ok(config) => (config, Location::Inside),
            Err(_) => (kube::Config::infer().await.map_err(ConnectError::Nowhere)?, Location::Outside),
        },
    };
    let client = kube::Client::try_from(config).map_err(ConnectError::Client)?;
    Ok(Connected { client, location })
}
