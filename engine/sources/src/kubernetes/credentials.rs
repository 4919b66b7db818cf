//! Credentials that are renewed while a cluster is watched.
//!
//! An API server that answers 401 no longer accepts what the client shows: a token in the kubeconfig was rewritten, a plugin's
//! token has been revoked, a mounted token has changed. Then, and a minute before a plugin's credentials expire, the kubeconfig
//! is read again as at the start, its plugin run again, and a new client takes the place of the old one; so it is after a
//! TLS handshake that failed, since certificates are renewed too. Between two such attempts lies `every`, however many
//! requests are refused. Meanwhile requests go on with what there is, and none waits for a plugin.
//!
//! Token files need no 401: they are read again once a minute.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Request, StatusCode};
use kube::client::Body;
use steadfast_core::error_chain::error_chain;
use steadfast_core::evidence::FaultKind;
use tokio::sync::watch;
use tokio::time::Instant;

use super::connect::Source;
use crate::transport::connection_fault;

/// How long before a plugin's credentials expire they are renewed.
const AHEAD: Duration = Duration::from_secs(60);

/// The clients in use, each by its number.
struct Shared {
    current: RwLock<(u64, kube::Client)>,
    /// The number of the newest client that was refused.
    refused: watch::Sender<u64>,
}

impl Shared {
    fn current(&self) -> (u64, kube::Client) {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The credentials of one cluster's client, and where they are from.
pub struct Credentials {
    shared: Arc<Shared>,
    source: Source,
    expires: Option<Instant>,
    every: Duration,
}

impl Credentials {
    /// A client that takes up new credentials while [`Self::renew`] runs, at most once in `every`.
    pub(super) fn of(
        client: kube::Client,
        expires: Option<Instant>,
        source: Source,
        every: Duration,
    ) -> (kube::Client, Self) {
        let namespace = client.default_namespace().to_owned();
        let shared = Arc::new(Shared {
            current: RwLock::new((1, client)),
            refused: watch::Sender::new(0),
        });
        let credentials = Self {
            shared: Arc::clone(&shared),
            source,
            expires,
            every,
        };
        let service = tower::service_fn(move |request: Request<Body>| send(Arc::clone(&shared), request));
        (kube::Client::new(service, namespace), credentials)
    }

    /// Renews them when they are refused or about to expire, for ever.
    pub async fn renew(mut self) {
        let mut refused = self.shared.refused.subscribe();
        loop {
            let (number, _) = self.shared.current();
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
            tokio::time::sleep_until(began + self.every).await;
        }
    }

    async fn renew_once(&mut self, number: u64) {
        match self.source.client().await {
            Ok(made) => {
                tracing::info!("the credentials were read again");
                self.expires = made.expires;
                *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = (number + 1, made.client);
            }
            Err(error) => tracing::warn!("the credentials cannot be renewed: {}", error_chain(&error)),
        }
    }
}

async fn send(shared: Arc<Shared>, request: Request<Body>) -> Result<http::Response<Body>, kube::Error> {
    let (number, client) = shared.current();
    let answer = client.send(request).await;
    let is_refused = match &answer {
        Ok(response) => response.status() == StatusCode::UNAUTHORIZED,
        Err(error) => connection_fault("", error).kind == FaultKind::Tls,
    };
    if is_refused {
        shared.refused.send_if_modified(|newest| {
            let is_news = number > *newest;
            *newest = number.max(*newest);
            is_news
        });
    }
    answer
}
