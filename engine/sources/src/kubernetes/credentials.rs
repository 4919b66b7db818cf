//! Credentials that come, and are renewed, while a cluster is watched.
//!
//! A plugin is run when its cluster is watched, and not before: one that fails or hangs costs its own cluster, and nothing else. Until
//! it has given credentials each request fails and says why; it is run again after a delay that doubles, without an end.
//!
//! An API server that answers 401 no longer accepts what the client shows: a token in the kubeconfig was rewritten, a plugin's
//! token has been revoked, a mounted token has changed. Then, and a minute before a plugin's credentials expire, the kubeconfig
//! is read again as at the start, its plugin run again, and a new client takes the place of the old one; so it is after a
//! TLS handshake that failed, since certificates are renewed too. Between two such attempts lies `retry.max`, however many
//! requests are refused. Meanwhile requests go on with what there is, and none waits for a plugin.
//!
//! Token files need no 401: they are read again once a minute.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Request, StatusCode};
use kube::client::Body;
use rand::rngs::StdRng;
use steadfast_core::backoff::Backoff;
use steadfast_core::error_chain::error_chain;
use steadfast_core::evidence::FaultKind;
use tokio::sync::watch;
use tokio::time::Instant;

use super::connect::{ConnectError, Source};
use crate::transport::connection_fault;

/// How long before a plugin's credentials expire they are renewed.
const AHEAD: Duration = Duration::from_secs(60);

/// There were no credentials yet to ask with.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no credentials yet: {0}")]
pub(crate) struct NoCredentialsYet(Arc<str>);

/// What requests are sent with.
#[derive(Clone)]
enum Current {
    /// Nothing, and why.
    Awaited(NoCredentialsYet),
    /// A client, and its number.
    Client(u64, kube::Client),
}

struct Shared {
    current: RwLock<Current>,
    /// The number of the newest client that was refused.
    refused: watch::Sender<u64>,
    /// The number of the newest client that was answered otherwise.
    accepted: AtomicU64,
}

impl Shared {
    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, current: Current) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }
}

/// The credentials of one cluster's client, and where they are from.
pub struct Credentials {
    shared: Arc<Shared>,
    source: Source,
    expires: Option<Instant>,
    /// The log has said that they are read again, and none was accepted since.
    is_told: bool,
    retry: Backoff,
    /// The address of the API server, for people.
    server: String,
    /// Why the last attempt failed, so that it is told once.
    told: Option<String>,
}

/// Where credentials are from, and for whom.
pub(super) struct Whence {
    pub(super) source: Source,
    /// The address of the API server, without credentials.
    pub(super) server: String,
    pub(super) retry: Backoff,
}

impl Credentials {
    /// A client that takes up new credentials while [`Self::renew`] runs.
    pub(super) fn of(client: kube::Client, whence: Whence) -> (kube::Client, Self) {
        let namespace = client.default_namespace().to_owned();
        Self::with(Current::Client(1, client), &namespace, whence)
    }

    /// A client that has none before [`Self::renew`] has got some.
    pub(super) fn to_come(namespace: &str, whence: Whence) -> (kube::Client, Self) {
        let why = "the credential plugin has not answered yet";
        Self::with(Current::Awaited(NoCredentialsYet(why.into())), namespace, whence)
    }

    fn with(current: Current, namespace: &str, whence: Whence) -> (kube::Client, Self) {
        let shared = Arc::new(Shared {
            current: RwLock::new(current),
            refused: watch::Sender::new(0),
            accepted: AtomicU64::new(0),
        });
        let credentials = Self {
            shared: Arc::clone(&shared),
            source: whence.source,
            expires: None,
            retry: whence.retry,
            server: whence.server,
            told: None,
            is_told: false,
        };
        let service = tower::service_fn(move |request: Request<Body>| send(Arc::clone(&shared), request));
        (kube::Client::new(service, namespace), credentials)
    }

    /// Gets the first ones, where they are still to come: tried once.
    ///
    /// # Errors
    /// Why there are none yet, which each request says too from now on.
    pub async fn get(&mut self) -> Result<(), ConnectError> {
        let Current::Awaited(_) = self.shared.current() else {
            return Ok(());
        };
        match self.source.client().await {
            Ok(made) => {
                self.expires = made.expires;
                self.shared.put(Current::Client(1, made.client));
                Ok(())
            }
            Err(error) => {
                let why = if let ConnectError::Plugin(plugin) = &error {
                    error_chain(plugin)
                } else {
                    error_chain(&error)
                };
                let why = NoCredentialsYet(why.into());
                self.shared.put(Current::Awaited(why));
                Err(error)
            }
        }
    }

    /// Gets them, and renews them when they are refused or about to expire, for ever.
    pub async fn renew(mut self, mut rng: StdRng) {
        let mut failures = 0_u32;
        while let Err(error) = self.get().await {
            self.tell("there are no credentials yet", &error);
            failures = failures.saturating_add(1);
            tokio::time::sleep(self.retry.delay(failures, None, &mut rng)).await;
        }
        let mut refused = self.shared.refused.subscribe();
        while let Current::Client(number, _) = self.shared.current() {
            let expired = async {
                match self.expires {
                    Some(at) => tokio::time::sleep_until(at.checked_sub(AHEAD).unwrap_or(at)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                // The sender is in what this shares.
                _ = refused.wait_for(|refused| *refused >= number) => {}
                () = expired => {}
            }
            let began = Instant::now();
            self.renew_once(number).await;
            tokio::time::sleep_until(began + self.retry.max).await;
        }
    }

    async fn renew_once(&mut self, number: u64) {
        // While they are refused they are read again and again, and each time would be a line.
        let was_accepted = self.shared.accepted.load(Ordering::Relaxed) >= number;
        let is_told = std::mem::replace(&mut self.is_told, true) && !was_accepted;
        match self.source.client().await {
            Ok(made) => {
                if is_told {
                    tracing::debug!("the credentials were read again, for {}", self.server);
                } else {
                    tracing::info!(
                        "the credentials were read again, for {}, as they were refused or about to expire",
                        self.server
                    );
                }
                self.told = None;
                self.expires = made.expires;
                self.shared.put(Current::Client(number + 1, made.client));
            }
            Err(error) => self.tell("the credentials cannot be renewed", &error),
        }
    }

    /// Says once what goes wrong again and again.
    fn tell(&mut self, what: &str, error: &ConnectError) {
        let why = error_chain(error);
        if self.told.as_deref() != Some(&why) {
            tracing::warn!("{what} for {}: {why}", self.server);
            self.told = Some(why);
        }
    }
}

async fn send(shared: Arc<Shared>, request: Request<Body>) -> Result<http::Response<Body>, kube::Error> {
    let (number, client) = match shared.current() {
        Current::Awaited(why) => return Err(kube::Error::Service(why.into())),
        Current::Client(number, client) => (number, client),
    };
    let answer = client.send(request).await;
    let is_refused = match &answer {
        Ok(response) => response.status() == StatusCode::UNAUTHORIZED,
        Err(error) => connection_fault("", error).kind == FaultKind::Tls,
    };
    if answer.is_ok() && !is_refused {
        shared.accepted.fetch_max(number, Ordering::Relaxed);
    }
    if is_refused {
        shared.refused.send_if_modified(|newest| {
            let is_news = number > *newest;
            *newest = number.max(*newest);
            is_news
        });
    }
    answer
}
