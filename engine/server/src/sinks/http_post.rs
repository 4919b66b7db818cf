//! Messages by HTTP: what each kind's request is, and what its answer means. Both are pure; [`HttpPost`] sends and reads.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Certificate, Client, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use steadfast_core::error_chain::error_chain;
use steadfast_core::foreign_text::harmless;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_http::TlsFault;
use tokio::time::{Instant, timeout_at};

use super::address::{Address, http_url};
use super::chat::Chat;
use super::cloud_event;
use super::deliver::{DELIVERY_DEADLINE, Deliver, DeliveryError, Refusal};
use super::message::Message;
use super::receiver::HttpReceiver;
use super::secrets::{Kept, line_of};
use super::signing;

/// How much of an answer is read, and for how long. What follows says nothing more of the message.
const ANSWER: usize = 64 << 10;
const READING: Duration = Duration::from_secs(2);
/// Before the caller's deadline, so that what a status said is not lost with what follows it.
const MARGIN: Duration = Duration::from_millis(500);
/// How much of what a receiver says is told.
const SAID: usize = 300;
/// Where an Alertmanager takes alerts.
const ALERTS: &str = "/api/v2/alerts";

/// What is spoken with a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A webhook that is sent this media type.
    Webhook(MediaType),
    /// Alertmanager's API v2.
    Alertmanager,
    /// A group chat's robot.
    Chat(Chat),
}

/// What a webhook is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// A CloudEvent, structured, as JSON.
    CloudEvent,
    /// What a template made: JSON, unless `headers` says otherwise.
    Json,
}

impl Protocol {
    fn media_type(self) -> &'static str {
        match self {
            Self::Webhook(MediaType::CloudEvent) => cloud_event::FORMAT,
            Self::Webhook(MediaType::Json) | Self::Alertmanager | Self::Chat(_) => "application/json; charset=utf-8",
        }
    }

    /// Where a message goes at that time.
    fn url(self, url: &Url, secret: Option<&str>, now: Timestamp) -> Url {
        let mut url = url.clone();
        match self {
            Self::Webhook(_) => {}
            Self::Alertmanager => {
                if !url.path().ends_with(ALERTS) {
                    let path = format!("{}{ALERTS}", url.path().trim_end_matches('/'));
                    url.set_path(&path);
                }
            }
            Self::Chat(chat) => {
                let more = chat.query(secret, now.as_millis());
                if !more.is_empty() {
                    url.query_pairs_mut().extend_pairs(more);
                }
            }
        }
        url
    }

    /// The body of a message at that time.
    fn body(self, message: &Message, secret: Option<&str>, now: Timestamp) -> String {
        match self {
            Self::Webhook(_) | Self::Alertmanager => message.body.clone(),
            Self::Chat(chat) => chat.signed(&message.body, secret, now.as_millis()),
        }
    }

    /// What signs a message in its headers.
    fn signature(self, message: &Message, secret: Option<&str>, now: Timestamp) -> Vec<(&'static str, String)> {
        match (self, secret) {
            (Self::Webhook(_), Some(secret)) => {
                let seconds = now.as_millis().div_euclid(1000);
                let signature = signing::standard_webhooks(secret, &message.id, seconds, &message.body);
                vec![
                    ("webhook-id", message.id.clone()),
                    ("webhook-timestamp", seconds.to_string()),
                    ("webhook-signature", signature),
                ]
            }
            (Self::Webhook(_), None) | (Self::Alertmanager | Self::Chat(_), _) => Vec::new(),
        }
    }

    /// What an answer means.
    fn verdict(self, status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Result<(), DeliveryError> {
        if status.is_success() {
            return match self {
                Self::Webhook(_) | Self::Alertmanager => Ok(()),
                Self::Chat(chat) => chat
                    .took(body)
                    .map_err(|refused| DeliveryError { retry_after, ..refused }),
            };
        }
        let (said, code) = match self {
            // Only the status is told: the answer may hold anything.
            Self::Webhook(_) => (String::new(), None),
            Self::Alertmanager => (said(body), None),
            // The vendor's code says more than the status: Feishu answers 400 to who is too fast.
            Self::Chat(chat) => (said(body), chat.known_code(body)),
        };
        let (refusal, fix) = code.unwrap_or_else(|| (refusal(status), fix(status)));
        Err(DeliveryError {
            message: format!("the receiver answered {status}{said}"),
            retry_after,
            refusal,
            fix,
        })
    }
}

fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

fn refusal(status: StatusCode) -> Refusal {
    if matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::NOT_ACCEPTABLE
            | StatusCode::CONFLICT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
    ) {
        Refusal::OfTheEvent
    } else {
        Refusal::ForNow
    }
}

fn fix(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..400 => {
            "write into sink.url (or what sink.url_file names) the address that it redirects to; no redirect is followed"
        }
        401 | 403 | 407 => {
            "compare what is shown with what it asks for: sink.token_file, sink.headers, sink.secret_file, or the token in sink.url or sink.url_file"
        }
        404 | 405 | 410 => "correct sink.url, or what sink.url_file holds: there is nothing at it that takes events",
        400 | 406 | 409 | 413 | 415 | 422 => {
            "compare what is sent with what it takes: sink.kind, sink.template, sink.headers"
        }
        429 => "nothing; what waits is sent as soon as it lets it in",
        _ => "look into the receiver's own log; events wait in the journal, for sink.max_age",
    }
}

/// Why there is no way to a receiver.
#[derive(Debug, thiserror::Error)]
pub enum NoWay {
    /// The address is none.
    #[error("sink.url is no address")]
    Address,
    /// The proxy's address is none.
    #[error("sink.proxy is no address")]
    Proxy,
    /// The authorities cannot be used.
    #[error("sink.ca_file: {0}")]
    Authorities(String),
    /// There is no client for the cluster.
    #[error("the cluster that sink.kubernetes names has no client")]
    Cluster,
    /// No TLS client can be set up.
    #[error("there is no client for it")]
    Client(#[source] reqwest::Error),
}

/// Posts to a URL. Redirects are not followed, since they may turn a POST into something else.
#[derive(Clone)]
pub struct HttpPost {
    client: Client,
    receiver: HttpReceiver,
    protocol: Protocol,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for HttpPost {
    /// Without the URL, which is often a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpPost").finish_non_exhaustive()
    }
}

/// The secrets of one try.
struct Shown {
    url: Url,
    token: Option<SecretString>,
    secret: Option<SecretString>,
}

impl HttpPost {
    /// Posts to that receiver. A TLS provider must have been installed for the process.
    pub fn new(receiver: HttpReceiver, protocol: Protocol, clock: Arc<dyn Clock>) -> Result<Self, NoWay> {
        if let Address::Given(url) = &receiver.address {
            http_url(url.expose()).ok_or(NoWay::Address)?;
        }
        let mut client = steadfast_http::client()
            .no_proxy()
            .user_agent(concat!("steadfast/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &receiver.proxy {
            client = client.proxy(reqwest::Proxy::all(proxy.expose()).map_err(|_| NoWay::Proxy)?);
        }
        if let Some(file) = &receiver.ca_file {
            client = client.tls_certs_merge(authorities(file)?);
        }
        Ok(Self {
            client: client.build().map_err(|error| NoWay::Client(error.without_url()))?,
            receiver,
            protocol,
            clock,
        })
    }

    /// Asks for the head of what is at the URL, which changes nothing there. Any answer shows that the receiver is reached.
    ///
    /// Fails with the reason if there is none within [`DELIVERY_DEADLINE`].
    pub async fn reach(&self) -> Result<StatusCode, String> {
        let url = self.url().await.map_err(|error| error.message)?;
        let request = self.client.head(url).timeout(DELIVERY_DEADLINE);
        let answer = request.send().await;
        answer.map(|answer| answer.status()).map_err(unreached)
    }

    async fn url(&self) -> Result<Url, DeliveryError> {
        let url = self.receiver.address.read().await?;
        http_url(url.expose()).ok_or_else(|| DeliveryError::for_now(NoWay::Address.to_string()))
    }

    async fn shown(&self) -> Result<Shown, DeliveryError> {
        Ok(Shown {
            url: self.url().await?,
            token: line_of(self.receiver.token_file.as_deref(), "sink.token_file").await?,
            secret: line_of(self.receiver.secret_file.as_deref(), "sink.secret_file").await?,
        })
    }

    fn request(&self, message: &Message, shown: &Shown) -> Result<reqwest::RequestBuilder, DeliveryError> {
        let now = self.clock.now();
        let secret = shown.secret.as_ref().map(|secret| secret.expose_secret());
        let mut request = self
            .client
            .post(self.protocol.url(&shown.url, secret, now))
            .body(self.protocol.body(message, secret, now));
        let is_given = |name: &HeaderName| self.receiver.headers.iter().any(|(given, _)| given == name);
        if !is_given(&CONTENT_TYPE) {
            request = request.header(CONTENT_TYPE, self.protocol.media_type());
        }
        // In place of what is there: who asks is said once, though a file's URL may come to say it too.
        request = request.headers(self.receiver.headers.iter().cloned().collect());
        for (name, value) in self.protocol.signature(message, secret, now) {
            request = request.header(name, value);
        }
        if let Some(token) = &shown.token {
            let value = format!("Bearer {}", token.expose_secret());
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| DeliveryError::for_now("sink.token_file holds characters that cannot be sent"))?;
            value.set_sensitive(true);
            request = request.headers(HeaderMap::from_iter([(AUTHORIZATION, value)]));
        }
        Ok(request)
    }

    /// What a receiver said, without what is ours to keep: it may quote what it was asked.
    fn hushed(&self, refused: DeliveryError, shown: &Shown) -> DeliveryError {
        let mut kept = Kept::default();
        kept.url(&shown.url);
        if let Some(Ok(proxy)) = self.receiver.proxy.as_ref().map(|proxy| proxy.expose().parse()) {
            kept.url(&proxy);
        }
        for (_, value) in &self.receiver.headers {
            kept.header(&String::from_utf8_lossy(value.as_bytes()));
        }
        for secret in [&shown.token, &shown.secret].into_iter().flatten() {
            kept.word(secret.expose_secret());
        }
        DeliveryError {
            message: harmless(&kept.hush(&refused.message), SAID).into_owned(),
            ..refused
        }
    }
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, NoWay> {
    let pem = steadfast_files::read(file, steadfast_files::SMALL)
        .map_err(|error| NoWay::Authorities(format!("{} cannot be read: {error}", file.display())))?;
    steadfast_http::certificates(&pem)
        .ok_or_else(|| NoWay::Authorities(format!("{} holds no certificates in PEM", file.display())))
}

/// Why nothing came back, and what to do about it where that is known. A webhook's path or query is often its password.
fn unreached(error: reqwest::Error) -> String {
    let error = error.without_url();
    let why = error_chain(&error);
    match TlsFault::of(&error) {
        Some(fault) => format!("{fault}: {why}"),
        None => why,
    }
}

#[async_trait]
impl Deliver for HttpPost {
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let deadline = Instant::now() + DELIVERY_DEADLINE - MARGIN;
        let shown = self.shown().await?;
        let answer = self
            .request(message, &shown)?
            .send()
            .await
            .map_err(|error| DeliveryError {
                fix: "correct sink.url or what sink.url_file holds, or let this machine reach it (sink.proxy, sink.ca_file, the network between)",
                ..DeliveryError::for_now(unreached(error))
            })?;
        let status = answer.status();
        let retry_after = steadfast_http::retry_after(answer.headers());
        // An answer that breaks off, or does not end, still has its status.
        let until = deadline.min(Instant::now() + READING);
        let body = timeout_at(until, steadfast_http::whole(answer, ANSWER)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        self.protocol
            .verdict(status, retry_after, &body)
            .map_err(|refused| self.hushed(refused, &shown))
    }
}

#[cfg(test)]
mod tests;
