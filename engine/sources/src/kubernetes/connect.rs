//! Sets up a client for a cluster, from a kubeconfig or from within.

use futures::FutureExt as _;
use kube::client::ConfigExt as _;
use kube::config::{AuthInfo, KubeconfigError};
use secrecy::ExposeSecret;
use std::path::{Path, PathBuf};
use steadfast_core::backoff::Backoff;
use steadfast_core::loopback::is_loopback;
use tokio::time::Instant;

use super::credentials::{Credentials, Whence};
use super::plugin::{self, PluginError};
use super::token_file::{self, TokenFileError};
use super::{kubeconfig, words};

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
    #[error("what this pod was given to reach its cluster cannot be used: {0}")]
    InCluster(String),
    /// There is no token in the file that it names.
    #[error(transparent)]
    Token(#[from] TokenFileError),
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
/// none of them can be read, or none makes a client; the cluster itself is not asked, and nobody is waited for. Credentials that a
/// plugin gives are still to come: until the credentials' task has got some, each request fails and says why. It tries again as
/// `retry` says, and then renews them when they are refused, at most once in `retry.max`.
pub async fn connect(named: Option<&Path>, retry: Backoff) -> Result<Connected, ConnectError> {
    let source = match named {
        Some(path) => Source::File(path.to_owned()),
        None if kubeconfig::in_cluster().await.is_some_and(|found| found.is_ok()) => Source::InCluster,
        None => Source::Inferred,
    };
    let location = match source {
        Source::InCluster => Location::Inside,
        Source::File(_) | Source::Inferred => Location::Outside,
    };
    let mut config = source.read().await?;
    let server = shown(&config.cluster_url.to_string()).trim_end_matches('/').to_owned();
    let needs_plugin = plugin::check(&config.auth_info)?;
    config.auth_info.exec = None;
    // Of all but the plugin's part it is told now whether it can be used.
    let client = connect_to(config)?;
    let whence = Whence {
        source,
        server: server.clone(),
        retry,
    };
    let (client, credentials) = if needs_plugin {
        Credentials::to_come(client.default_namespace(), whence)
    } else {
        Credentials::of(client, whence)
    };
    Ok(Connected {
        client,
        server,
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
}

impl Source {
    /// A client made of what stands there now.
    pub(super) async fn client(&self) -> Result<Made, ConnectError> {
        let mut config = self.read().await?;
        let expires = plugin::replace(&mut config.auth_info).await?;
        Ok(Made {
            client: connect_to(config)?,
            expires,
        })
    }

    async fn read(&self) -> Result<kube::Config, ConnectError> {
        match self {
            Self::File(path) => kubeconfig::of_file(path).await.map_err(|error| broken(path, &error)),
            Self::InCluster => match kubeconfig::in_cluster().await {
                Some(read) => read.map_err(|error| ConnectError::InCluster(words::of_kubeconfig(&error))),
                None => Err(ConnectError::InCluster("its files are not there any more".to_owned())),
            },
            // Not by `infer`, whose error quotes what it read.
            Self::Inferred => kubeconfig::inferred()
                .await
                .map_err(|error| ConnectError::Nowhere(words::of_kubeconfig(&error))),
        }
    }
}

/// A client for a configuration that is at hand. Fails if its certificates or its address cannot be used.
pub fn connect_to(mut config: kube::Config) -> Result<kube::Client, ConnectError> {
    sendable(&config.auth_info)?;
    let token_file = followed(&config.auth_info).map(Path::to_owned);
    // The library would read them again by itself, whatever they are by then.
    config.auth_info.token_file = None;
    config.root_cert_file = None;
    let client = kube::Client::try_from(without_retry_and_proxy(config))
        .map_err(|error| ConnectError::Client(words::of_client(&error)))?;
    match token_file {
        Some(path) => Ok(token_file::showing(client, &path)?),
        None => Ok(client),
    }
}

/// Whether a kubeconfig can be read and used, as far as can be told without running its plugin or asking its cluster.
pub fn check_kubeconfig(path: &Path) -> Result<(), ConnectError> {
    let read = Source::File(path.to_owned()).read().now_or_never();
    // Nothing in it waits.
    read.map_or(Ok(()), |config| {
        let mut config = config?;
        let user = &config.auth_info;
        sendable(user)?;
        plugin::check(user)?;
        followed(user).map_or(Ok(()), token_file::check)?;
        // The library would run the plugin for its certificate.
        config.auth_info.exec = None;
        // Whom the system trusts is the machine's affair.
        config.root_cert.get_or_insert_default();
        let tls = config.rustls_client_config();
        tls.map(drop)
            .map_err(|error| ConnectError::Client(words::of_client(&error)))
    })
}

/// Whether a client finds on this machine what it needs: a cluster at all, where no kubeconfig is named, and the program of a
/// credential plugin. Neither is asked or run.
pub fn look_around(named: Option<&Path>) -> Result<Location, Lacking> {
    let source = match named {
        Some(path) => Source::File(path.to_owned()),
        // Nothing in it waits, here as in `check_kubeconfig`.
        None if kubeconfig::in_cluster().now_or_never().flatten().is_some() => return Ok(Location::Inside),
        None => Source::Inferred,
    };
    match source.read().now_or_never() {
        Some(Ok(config)) => {
            plugin::missing(&config.auth_info).map_or(Ok(Location::Outside), |command| Err(Lacking::Plugin(command)))
        }
        Some(Err(error)) => Err(Lacking::Cluster(error)),
        None => Ok(Location::Outside),
    }
}

/// What a machine lacks to reach a cluster.
#[derive(Debug, thiserror::Error)]
pub enum Lacking {
    /// No kubeconfig leads to one.
    #[error(transparent)]
    Cluster(ConnectError),
    /// The program of the kubeconfig's credential plugin.
    #[error("there is no program `{0}`, the credential plugin of the kubeconfig")]
    Plugin(String),
}

/// The file whose token is shown, if the user has nothing else that goes before it.
fn followed(user: &AuthInfo) -> Option<&Path> {
    let has_password = user.username.is_some() && user.password.is_some();
    let goes_before = user.auth_provider.is_some() || has_password || user.token.is_some();
    user.token_file.as_deref().filter(|_| !goes_before).map(Path::new)
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
