//! How one event reaches its receiver.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url};
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

/// The receiver did not take it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeliveryError {
    /// What came back, without the URL's secrets.
    pub message: String,
    /// How long the receiver asked us to wait.
    pub retry_after: Option<Duration>,
    /// Whether it may take it another time.
    pub refusal: Refusal,
}

/// Whether a receiver may take an event another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It may: it was not reached, has trouble of its own, or knows neither us nor the address, which somebody mends.
    ForNow,
    /// By its own word it will not, for what the event is: too large, not understood.
    OfTheEvent,
}

impl Refusal {
    fn of(status: StatusCode) -> Self {
        if matches!(
            status,
            StatusCode::BAD_REQUEST
                | StatusCode::NOT_ACCEPTABLE
                | StatusCode::CONFLICT
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::UNPROCESSABLE_ENTITY
        ) {
            Self::OfTheEvent
        } else {
            Self::ForNow
        }
    }
}

/// Posts to a URL. Only a 2xx answer counts as delivered; redirects are not followed, since they may turn a POST
/// into something else.
#[derive(Clone)]
pub struct HttpPost {
    client: Client,
    url: Url,
}

impl fmt::Debug for HttpPost {
    /// Without the URL, which is often a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpPost").finish_non_exhaustive()
    }
}

impl HttpPost {
    /// Posts to that URL. A TLS provider must have been installed for the process.
    ///
    /// Fails if no TLS client can be set up.
    pub fn new(url: Url) -> Result<Self, reqwest::Error> {
        let client = steadfast_http::client()
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
                refusal: Refusal::ForNow,
            })?;
        if answer.status().is_success() {
            return Ok(());
        }
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Err(DeliveryError {
            refusal: Refusal::of(answer.status()),
            message: format!("the receiver answered {}", answer.status()),
            retry_after: retry_after
                .and_then(|text| text.trim().parse().ok())
                .map(Duration::from_secs),
        })
    }
}
