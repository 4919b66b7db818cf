//! How one event reaches its receiver.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use steadfast_core::error_chain::error_chain;

use super::cloud_event::FORMAT;

/// The way to a receiver: HTTP in production, memory in simulations.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Delivers one event, a CloudEvent as JSON. The caller sets the deadline, and may drop the call.
    ///
    /// Fails whenever the receiver did not say that it took the event.
    async fn deliver(&self, event: &str) -> Result<(), DeliveryError>;
}

/// The receiver did not take it; it is offered again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeliveryError {
    /// What came back, without the URL's secrets.
    pub message: String,
    /// How long the receiver asked us to wait.
    pub retry_after: Option<Duration>,
}

/// Posts to a URL. Only a 2xx answer counts as delivered; redirects are not followed, since they may turn a POST
/// into something else.
#[derive(Clone, Debug)]
pub struct HttpPost {
    client: Client,
    url: Url,
}

impl HttpPost {
    /// Posts to that URL. A TLS provider must have been installed for the process.
    ///
    /// Fails if no TLS client can be set up.
    pub fn new(url: Url) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("steadfast/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, url })
    }
}

#[async_trait]
impl Deliver for HttpPost {
    async fn deliver(&self, event: &str) -> Result<(), DeliveryError> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, FORMAT);
        let answer = request
            .body(event.to_owned())
            .send()
            .await
            .map_err(|error| DeliveryError {
                // A webhook's path or query is often its password.
                message: error_chain(&error.without_url()),
                retry_after: None,
            })?;
        if answer.status().is_success() {
            return Ok(());
        }
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Err(DeliveryError {
            message: format!("the receiver answered {}", answer.status()),
            retry_after: retry_after
                .and_then(|text| text.trim().parse().ok())
                .map(Duration::from_secs),
        })
    }
}
