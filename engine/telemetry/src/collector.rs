//! The way to a collector.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use prost::Message as _;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use steadfast_core::error_chain::error_chain;
use steadfast_core::secret_url::SecretUrl;
use steadfast_http::{Kept, TlsFault};

use crate::answer::Answer;
use crate::otlp::{Request, ResourceSpans};

/// Where OTLP has traces.
const TRACES: &str = "/v1/traces";
/// OTLP's binary encoding.
const PROTOBUF: &str = "application/x-protobuf";
/// How much of an answer is read.
const ANSWER: usize = 64 << 10;

/// `[telemetry]`: where spans are sent, and what goes with them.
#[derive(Clone, Debug, PartialEq)]
pub struct Collector {
    /// An HTTP or HTTPS URL, without `/v1/traces`.
    pub endpoint: SecretUrl,
    /// Headers of each request. Their values are marked as sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A file with the bearer token to show, read at each try.
    pub token_file: Option<PathBuf>,
    /// Authorities that may vouch for the collector, beside the system's, as PEM. Read at the start.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy on the way; without one none, whatever the environment says.
    pub proxy: Option<SecretUrl>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// Why there is no way to a collector.
#[derive(Debug, thiserror::Error)]
pub enum NoWay {
    /// The address is none.
    #[error("telemetry.endpoint is no address")]
    Address,
    /// The proxy's address is none.
    #[error("telemetry.proxy is no address")]
    Proxy,
    /// The authorities cannot be used.
    #[error("telemetry.ca_file: {0}")]
    Authorities(String),
    /// No TLS client can be set up.
    #[error("there is no client for it")]
    Client(#[source] reqwest::Error),
}

/// A client of a collector.
#[derive(Clone)]
pub struct Way {
    client: Client,
    url: Url,
    collector: Collector,
}

impl fmt::Debug for Way {
    /// Without the URL, in which there may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").finish_non_exhaustive()
    }
}

/// Whether a collector takes spans, for who only tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It does.
    Taken,
    /// It does not: why, and what mends it.
    Not(String, &'static str),
}

impl Way {
    /// Fails if there is none. A TLS provider must have been installed for the process.
    pub fn to(collector: Collector) -> Result<Self, NoWay> {
        let mut client = steadfast_http::client()
            .no_proxy()
            .timeout(collector.timeout)
            .user_agent(concat!("steadfast/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &collector.proxy {
            client = client.proxy(reqwest::Proxy::all(proxy.expose()).map_err(|_| NoWay::Proxy)?);
        }
        if let Some(file) = &collector.ca_file {
            client = client.tls_certs_merge(authorities(file)?);
        }
        Ok(Self {
            client: client.build().map_err(|error| NoWay::Client(error.without_url()))?,
            url: traces(collector.endpoint.expose()).ok_or(NoWay::Address)?,
            collector,
        })
    }

    /// Sends a request without a span, which a collector takes like any other. It is not empty: without a body there would be no
    /// length, which some servers insist on.
    pub async fn reach(&self) -> Offered {
        let nothing = Request {
            resource_spans: vec![ResourceSpans::default()],
        };
        match self.post(&nothing).await {
            Answer::Taken { .. } => Offered::Taken,
            Answer::Rejected(trouble) | Answer::NotNow(trouble, _) => Offered::Not(trouble.why, trouble.fix),
        }
    }

    /// Sends these, once.
    pub(crate) async fn post(&self, request: &Request) -> Answer {
        let token = match self.token().await {
            Ok(token) => token,
            Err(why) => return Answer::none(why),
        };
        let kept = self.kept(token.as_ref());
        let mut post = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, PROTOBUF)
            .header(ACCEPT, PROTOBUF)
            .body(request.encode_to_vec());
        for (name, value) in &self.collector.headers {
            post = post.header(name, value);
        }
        if let Some(token) = token {
            post = post.header(AUTHORIZATION, token);
        }
        let answer = match post.send().await {
            Ok(answer) => answer,
            Err(error) => return Answer::none(unreached(error)),
        };
        let status = answer.status();
        let retry_after = steadfast_http::retry_after(answer.headers());
        // An answer that breaks off, or does not end, still has its status.
        let body = steadfast_http::whole(answer, ANSWER).await.unwrap_or_default();
        Answer::of(status, retry_after, &body, &kept)
    }

    /// What is ours to keep of a request with that token: a collector may quote it.
    fn kept(&self, token: Option<&HeaderValue>) -> Kept {
        let mut kept = Kept::default();
        let mut endpoint = self.url.clone();
        // What OTLP has there is no secret, and an answer may well have the word.
        let path = endpoint.path().trim_end_matches(TRACES).to_owned();
        endpoint.set_path(&path);
        kept.url(&endpoint);
        if let Some(Ok(proxy)) = self.collector.proxy.as_ref().map(|proxy| proxy.expose().parse()) {
            kept.url(&proxy);
        }
        let headers = self.collector.headers.iter().map(|(_, value)| value);
        for value in headers.chain(token) {
            kept.header(&String::from_utf8_lossy(value.as_bytes()));
        }
        kept
    }

    /// What is shown, as a header.
    async fn token(&self) -> Result<Option<HeaderValue>, String> {
        let Some(file) = &self.collector.token_file else {
            return Ok(None);
        };
        let unusable = |why: &str| format!("telemetry.token_file: {} {why}", file.display());
        let text = steadfast_files::read_text_apart(file, steadfast_files::SMALL).await;
        let text = SecretString::from(text.map_err(|error| unusable(&format!("cannot be read: {error}")))?);
        let line = text.expose_secret().trim();
        if line.is_empty() {
            return Err(unusable("is empty"));
        }
        let mut value = HeaderValue::try_from(format!("Bearer {line}"))
            .map_err(|_| unusable("holds characters that cannot be sent"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// Why nothing came back, and what to do about it where that is known. In the path or the query there may be a password.
fn unreached(error: reqwest::Error) -> String {
    let error = error.without_url();
    let why = error_chain(&error);
    match TlsFault::of(&error) {
        Some(fault) => format!("{fault}: {why}"),
        None => why,
    }
}

/// Where the traces of an endpoint go.
fn traces(endpoint: &str) -> Option<Url> {
    let mut url: Url = endpoint.parse().ok()?;
    if !url.path().ends_with(TRACES) {
        let path = format!("{}{TRACES}", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Some(url)
}

fn authorities(file: &Path) -> Result<Vec<reqwest::Certificate>, NoWay> {
    let pem = steadfast_files::read(file, steadfast_files::SMALL)
        .map_err(|error| NoWay::Authorities(format!("{} cannot be read: {error}", file.display())))?;
    steadfast_http::certificates(&pem)
        .ok_or_else(|| NoWay::Authorities(format!("{} holds no certificates in PEM", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_base_as_in_otlp() {
        for (endpoint, expected) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            ("https://host/otlp/", "https://host/otlp/v1/traces"),
            ("https://host/otlp/v1/traces", "https://host/otlp/v1/traces"),
            ("https://host/x?key=1", "https://host/x/v1/traces?key=1"),
        ] {
            assert_eq!(traces(endpoint).unwrap().as_str(), expected);
        }
    }
}
