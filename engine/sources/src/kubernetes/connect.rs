//! Sets up a client for a cluster, from a kubeconfig or from within.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt as _;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig, KubeconfigError};
use secrecy::ExposeSecret;
use steadfast_core::loopback::is_loopback;
use tokio::time::Instant;

use super::credentials::Credentials;
use super::plugin::{self, PluginError};
use super::words;

use crate::transport::shown;

/// A client, and whether it runs inside the cluster.
pub struct Connected {
    /// The client. It has no deadlines of its own; every call sets one.
    pub client: kube::Client,
    /// The address of the API server, without credentials.
    pub server: String,
    /// From where the cluster is watched.
    pub location: Location,
    /// What renews the client's credentials, once it runs.
    pub credentials: Credentials,
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
    #[error("the kubeconfig {path} cannot be used: {why}")]
    Kubeconfig {
        /// The file, as the configuration names it.
        path: PathBuf,
        /// What is wrong with it, without anything of what it holds.
        why: String,
    },
    /// None was named, and none was found.
    #[error("no cluster: not inside one, and neither KUBECONFIG nor ~/.kube/config leads to one: {0}")]
    Nowhere(String),
    /// What a pod is given cannot be used any more.
    #[error("what this pod was given to reach its cluster cannot be used")]
    InCluster(#[source] kube::config::InClusterError),
    /// The credential plugin of the kubeconfig gave none.
    #[error("no credentials from the kubeconfig")]
    Plugin(#[from] PluginError),
    /// What it says of its user cannot be sent.
    #[error("{0}")]
    Unsendable(&'static str),
    /// The client cannot be set up from it.
    #[error("no client can be set up from the kubeconfig: {0}")]
    Client(&'static str),
}

/// A client for a kubeconfig; without one: in-cluster, then `KUBECONFIG`, then `~/.kube/config`. Fails if
/// none of them can be read, or none makes a client; the cluster itself is not asked. A credential plugin is run, for at most a
/// minute. While the credentials' task runs, they are renewed when they are refused, at most once in `renew_every`.
pub async fn connect(kubeconfig: Option<&Path>, renew_every: Duration) -> Result<Connected, ConnectError> {
    let source = match kubeconfig {
        Some(path) => Source::File(path.to_owned()),
        None if kube::Config::incluster().is_ok() => Source::InCluster,
        None => Source::Inferred,
    };
    let location = match source {
        Source::InCluster => Location::Inside,
        Source::File(_) | Source::Inferred => Location::Outside,
    };
    let made = source.client().await?;
    let (client, credentials) = Credentials::of(made.client, made.expires, source, renew_every);
    Ok(Connected {
        client,
        server: made.server,
        location,
        credentials,
    })
}

/// Where a client's configuration is read, at the start and again when its credentials are renewed.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A kubeconfig.
    File(PathBuf),
    /// What every pod is given.
    InCluster,
    /// `KUBECONFIG`, then `~/.kube/config`.
    Inferred,
}

/// A client as it was made.
pub(super) struct Made {
    pub(super) client: kube::Client,
    /// When its credentials expire, if a plugin gave them and says so.
    pub(super) expires: Option<Instant>,
    /// The address of the API server, without credentials.
    server: String,
}

impl Source {
    /// A client made of what stands there now.
    pub(super) async fn client(&self) -> Result<Made, ConnectError> {
        let mut config = self.read().await?;
        let expires = plugin::replace(&mut config.auth_info).await?;
        let server = shown(&config.cluster_url.to_string());
        Ok(Made {
            server: server.trim_end_matches('/').to_owned(),
            client: connect_to(config)?,
            expires,
        })
    }

    async fn read(&self) -> Result<kube::Config, ConnectError> {
        match self {
            Self::File(path) => {
                let broken = |error| broken(path, &error);
                let kubeconfig = Kubeconfig::read_from(path).map_err(broken)?;
                kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                    .await
                    .map_err(broken)
            }
            Self::InCluster => kube::Config::incluster().map_err(ConnectError::InCluster),
            // Not by `infer`, whose error quotes what it read.
            Self::Inferred => kube::Config::from_kubeconfig(&KubeConfigOptions::default())
                .await
                .map_err(|error| ConnectError::Nowhere(words::of_kubeconfig(&error))),
        }
    }
}

/// A client for a configuration that is at hand. Fails if its certificates or its address cannot be used.
pub fn connect_to(config: kube::Config) -> Result<kube::Client, ConnectError> {
    sendable(&config.auth_info)?;
    kube::Client::try_from(without_retry_and_proxy(config))
        .map_err(|error| ConnectError::Client(words::of_client(&error)))
}

/// Whether a kubeconfig can be read and used, as far as can be told without running its plugin or asking its cluster.
pub fn check_kubeconfig(path: &Path) -> Result<(), ConnectError> {
    let read = Source::File(path.to_owned()).read().now_or_never();
    // Nothing in it waits.
    read.map_or(Ok(()), |config| sendable(&config?.auth_info))
}

fn broken(path: &Path, error: &KubeconfigError) -> ConnectError {
    ConnectError::Kubeconfig {
        path: path.to_owned(),
        why: words::of_kubeconfig(error),
    }
}

/// That a token can stand in a header: the client would panic over one that cannot.
fn sendable(user: &AuthInfo) -> Result<(), ConnectError> {
    const UNSENDABLE: &str = "the token of its user holds a line feed or another character that cannot be sent";
    let provided = user.auth_provider.iter().flat_map(|provider| provider.config.iter());
    let provided = provided
        .filter(|(name, _)| name.ends_with("-token"))
        .map(|(_, token)| token.as_str());
    let own = user.token.as_ref().map(ExposeSecret::expose_secret);
    let is_sendable = |token: &str| http::HeaderValue::try_from(format!("Bearer {token}")).is_ok();
    if own.into_iter().chain(provided).all(is_sendable) {
        Ok(())
    } else {
        Err(ConnectError::Unsendable(UNSENDABLE))
    }
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
