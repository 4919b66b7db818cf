//! How bytes travel: one GET, with a deadline and a size limit, over HTTP directly or through an API server.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_http::retry_after;

use crate::budget::{Budget, Holding, KEPT_FOR, Keeping, MOST_A_HOST, has_no_file_left, lacks_files, own_lack};
use crate::kubernetes::NoCredentialsYet;

/// The most a response body may hold, in bytes.
pub const MAX_BODY: usize = 8 << 20;

/// What one request may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the start of the connection to the last byte of the body.
    pub deadline: Duration,
    /// The most a body may hold that is kept whole, in bytes.
    pub max_bytes: usize,
}

/// Takes in a body as it arrives. It keeps its own bound on how much that may be.
pub trait BodyReader: Send {
    /// The next bytes of the body, cut anywhere. A fault ends the request.
    fn take(&mut self, chunk: &[u8]) -> Result<(), Fault>;
}

/// A complete response of any status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, if it could be read; uncapped.
    pub retry_after: Option<Duration>,
    /// The whole body, within the limit that was given.
    pub body: Bytes,
}

/// Fetches over a network. The seam at which simulations put theirs.
#[async_trait]
pub trait Transport: Send + Sync {
    /// One GET. Every answer of whatever status is `Ok`; what it means is for the caller to say. Fails if no whole
    /// answer came within the limits.
    async fn get(&self, url: &str, limits: Limits) -> Result<Answer, Fault>;

    /// The same for a body that may be too large to be kept whole: that of a 200 goes to the reader as it arrives, and the
    /// answer's is empty. Those of other statuses are as of [`Transport::get`]. What the reader was given before a failure
    /// is worth nothing. Where a transport has every body in memory anyhow, this is all there is to it.
    async fn get_into(&self, url: &str, limits: Limits, reader: &mut dyn BodyReader) -> Result<Answer, Fault> {
        let answer = self.get(url, limits).await?;
        if answer.status != 200 {
            return Ok(answer);
        }
        reader.take(&answer.body)?;
        Ok(Answer {
            body: Bytes::new(),
            ..answer
        })
    }
}

/// Where the body of an answer goes.
pub(crate) enum Body<'a> {
    /// All of it into the answer.
    Whole,
    /// That of a 200 to a reader.
    To(&'a mut dyn BodyReader),
}

/// A body that is read as it arrives keeps a few facts of each of its rows, and counts by them.
const READ_SHARE: usize = 4;

/// The most that is kept of a body that says what went wrong.
const MAX_REFUSAL: usize = 256 << 10;

/// Takes in one body, chunk by chunk.
struct Receiving<'u, 'r> {
    url: &'u str,
    holding: Holding<'static>,
    max_bytes: usize,
    whole: BytesMut,
    reader: Option<&'r mut dyn BodyReader>,
}

impl<'u, 'r> Receiving<'u, 'r> {
    fn new(url: &'u str, status: u16, max_bytes: usize, body: Body<'r>) -> Self {
        let reader = match body {
            Body::To(reader) if status == 200 => Some(reader),
            Body::To(_) | Body::Whole => None,
        };
        let max_bytes = if status == 200 {
            max_bytes
        } else {
            max_bytes.min(MAX_REFUSAL)
        };
        Self {
            url,
            holding: Budget::shared().answer(),
            max_bytes,
            whole: BytesMut::new(),
            reader,
        }
    }

    async fn take(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        if let Some(reader) = &mut self.reader {
            self.holding.take(chunk.len().div_ceil(READ_SHARE)).await?;
            return reader.take(chunk);
        }
        if self.whole.len() + chunk.len() > self.max_bytes {
            return Err(too_large(self.url, self.max_bytes));
        }
        self.holding.take(chunk.len()).await?;
        self.whole.extend_from_slice(chunk);
        Ok(())
    }
}

/// Plain HTTP or HTTPS.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    clients: Clients,
}

/// Two clients that differ in whether they keep a connection for the next request. What a handshake of TLS costs is saved, as far as
/// the budget allows: a client by itself only bounds the connections of a host. Without TLS a new connection costs less than one that is
/// kept: of ten thousand Flinks each held 28 KiB.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    keeping: reqwest::Client,
    closing: reqwest::Client,
}

impl Clients {
    /// Those for which these authorities vouch beside the system's.
    pub(crate) fn new(authorities: &[reqwest::Certificate]) -> Result<Self, Fault> {
        Ok(Self {
            keeping: client(authorities, MOST_A_HOST)?,
            closing: client(authorities, 0)?,
        })
    }

    /// The one for a request, and its place among the connections that are kept, which is to live as long as the request.
    fn for_url(&self, url: &str) -> (&reqwest::Client, Option<Keeping<'static>>) {
        let host = url
            .strip_prefix("https://")
            .and_then(|rest| rest.split(['/', '?', '#']).next());
        match host.and_then(|host| Budget::shared().keep(host)) {
            Some(keeping) => (&self.keeping, Some(keeping)),
            None => (&self.closing, None),
        }
    }
}

impl HttpTransport {
    /// It keeps a connection for the next request as the budget says. It follows no redirects (a login page is not
    /// Flink) and uses no proxy of the environment. It speaks HTTP/1.1 alone: a request that timed out takes its
    /// connection with it, while one dead HTTP/2 connection would go on to swallow every later request.
    pub fn new() -> Result<Self, Fault> {
        Clients::new(&[]).map(|clients| Self { clients })
    }
}

fn client(authorities: &[reqwest::Certificate], idle: usize) -> Result<reqwest::Client, Fault> {
    let plain = steadfast_http::client()
        .no_proxy()
        .http1_only()
        .pool_max_idle_per_host(idle)
        .pool_idle_timeout(KEPT_FOR);
    let builder = if authorities.is_empty() {
        plain
    } else {
        plain.tls_certs_merge(authorities.to_vec())
    };
    builder
        .build()
        .map_err(|error| Fault::new(FaultKind::Tls, format!("no HTTP client could be set up: {error}")))
}

/// One GET without a deadline of its own.
pub(crate) async fn request(
    clients: &Clients,
    url: &str,
    authorization: Option<http::HeaderValue>,
    max_bytes: usize,
    body: Body<'_>,
) -> Result<Answer, Fault> {
    let fault = |error: reqwest::Error| connection_fault(url, &error);
    let _connection = Budget::shared().connection().await?;
    let (client, _keeping) = clients.for_url(url);
    let request = client.get(url);
    let request = match authorization {
        Some(value) => request.header(http::header::AUTHORIZATION, value),
        None => request,
    };
    let mut response = request.send().await.map_err(fault)?;
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let mut receiving = Receiving::new(url, status, max_bytes, body);
    while let Some(chunk) = response.chunk().await.map_err(fault)? {
        receiving.take(&chunk).await?;
    }
    Ok(Answer {
        status,
        retry_after,
        body: receiving.whole.freeze(),
    })
}

#[async_trait]
impl Transport for HttpTransport {
    async fn get(&self, url: &str, limits: Limits) -> Result<Answer, Fault> {
        let work = request(&self.clients, url, None, limits.max_bytes, Body::Whole);
        within(limits.deadline, url, work).await
    }

    async fn get_into(&self, url: &str, limits: Limits, reader: &mut dyn BodyReader) -> Result<Answer, Fault> {
        let work = request(&self.clients, url, None, limits.max_bytes, Body::To(reader));
        within(limits.deadline, url, work).await
    }
}

/// Through a Kubernetes API server; the "URL" is a path on it.
#[derive(Clone)]
pub struct ProxyTransport {
    client: kube::Client,
}

impl ProxyTransport {
    /// A transport that shares that client's connections and credentials.
    pub fn new(client: kube::Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Transport for ProxyTransport {
    async fn get(&self, url: &str, limits: Limits) -> Result<Answer, Fault> {
        within(limits.deadline, url, fetch(&self.client, url, limits.max_bytes)).await
    }

    async fn get_into(&self, url: &str, limits: Limits, reader: &mut dyn BodyReader) -> Result<Answer, Fault> {
        let work = receive(&self.client, url, limits.max_bytes, Body::To(reader));
        within(limits.deadline, url, work).await
    }
}

/// One GET on an API server, without a deadline of its own.
pub(crate) async fn fetch(client: &kube::Client, path: &str, max_bytes: usize) -> Result<Answer, Fault> {
    receive(client, path, max_bytes, Body::Whole).await
}

async fn receive(client: &kube::Client, path: &str, max_bytes: usize, body: Body<'_>) -> Result<Answer, Fault> {
    received(path, send(client, path).await?, max_bytes, body).await
}

/// Takes in an answer of an API server.
pub(crate) async fn received(
    path: &str,
    response: http::Response<kube::client::Body>,
    max_bytes: usize,
    body: Body<'_>,
) -> Result<Answer, Fault> {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let mut receiving = Receiving::new(path, status, max_bytes, body);
    let mut frames = response.into_body();
    while let Some(frame) = frames.frame().await {
        // A frame without data has trailers.
        if let Ok(chunk) = frame.map_err(|error| connection_fault(path, &error))?.into_data() {
            receiving.take(&chunk).await?;
        }
    }
    Ok(Answer {
        status,
        retry_after,
        body: receiving.whole.freeze(),
    })
}

/// Sends one GET to an API server and returns as soon as its headers are there.
pub(crate) async fn send(client: &kube::Client, path: &str) -> Result<http::Response<kube::client::Body>, Fault> {
    let request = http::Request::get(path)
        .header(http::header::ACCEPT, "application/json")
        .body(kube::client::Body::empty());
    deliver(client, path, request).await
}

/// Asks an API server something that needs words: a POST of a review, which is kept nowhere. Returns as soon as its headers are there.
pub(crate) async fn ask(
    client: &kube::Client,
    path: &str,
    question: Vec<u8>,
) -> Result<http::Response<kube::client::Body>, Fault> {
    let request = http::Request::post(path)
        .header(http::header::ACCEPT, "application/json")
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(kube::client::Body::from(question));
    deliver(client, path, request).await
}

/// Sends a request to an API server and returns as soon as the answer's headers are there.
pub(crate) async fn deliver(
    client: &kube::Client,
    path: &str,
    request: http::Result<http::Request<kube::client::Body>>,
) -> Result<http::Response<kube::client::Body>, Fault> {
    let request = request.map_err(|error| Fault::new(FaultKind::Address, format!("{path}: {error}")))?;
    client
        .send(request)
        .await
        .map_err(|error| connection_fault(path, &error))
}

/// Applies a deadline.
pub(crate) async fn within<T>(
    deadline: Duration,
    what: &str,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| {
        Err(Fault::new(
            FaultKind::Timeout,
            format!("{}: no complete answer within {} ms", shown(what), deadline.as_millis()),
        ))
    })
}

fn too_large(url: &str, limit: usize) -> Fault {
    Fault::new(
        FaultKind::TooLarge,
        format!("{}: the body exceeds {limit} bytes", shown(url)),
    )
}

/// Where Flink's own paths begin, of those that are asked for.
const FLINKS_PATHS: [&str; 2] = ["/jobs/", "/jobmanager/"];

/// A URL or path as it may be shown: without credentials, without a query, which may hold a token, and without the path that
/// somebody has put before Flink's own, which may be one. The path in a bucket is a name.
pub(crate) fn shown(url: &str) -> String {
    let address = url.split(['?', '#']).next().unwrap_or(url);
    match address.split_once("://") {
        Some(("s3", _)) => address.to_owned(),
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            let own = FLINKS_PATHS.iter().filter_map(|begin| path.rfind(begin)).max();
            let (before, own) = path.split_at(own.unwrap_or(path.len()));
            let hidden = if before.trim_matches('/').is_empty() {
                before
            } else {
                "/…"
            };
            format!("{scheme}://{host}{hidden}{own}")
        }
        None => address.to_owned(),
    }
}

/// Tells the kinds of failure below HTTP apart by what caused them.
pub(crate) fn connection_fault(url: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
    let mut kind = FaultKind::Connection;
    let mut text = String::new();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        text = error.to_string();
        if error.is::<NoCredentialsYet>() {
            kind = FaultKind::Unauthorized;
            break;
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            if lacks_files(io) {
                return no_file_left(url, &text);
            }
            if io.kind() == std::io::ErrorKind::ConnectionRefused {
                kind = FaultKind::Refused;
            } else if io.kind() == std::io::ErrorKind::TimedOut {
                kind = FaultKind::Timeout;
            }
        }
        let lower = text.to_lowercase();
        if lower.contains("dns error") || lower.contains("failed to lookup address") {
            kind = FaultKind::Address;
        } else if lower.contains("close_notify") {
            // A connection that was cut after its handshake, in the words of the TLS library.
            kind = FaultKind::Connection;
        } else if lower.contains("certificate") || lower.contains("tls") || lower.contains("handshake") {
            kind = FaultKind::Tls;
        }
        cause = error.source();
    }
    // The system's resolver does not say why it could not ask.
    if kind == FaultKind::Address && has_no_file_left() {
        return no_file_left(url, &text);
    }
    Fault::new(kind, format!("{}: {text}", shown(url)))
}

fn no_file_left(url: &str, why: &str) -> Fault {
    let url = shown(url);
    own_lack(format!(
        "has no file left to open ({why}), and did not ask {url}; let it open more files"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_url_is_shown() {
        assert_eq!(
            shown("https://me:secret@gate:8443/flink/jobs/overview?token=secret"),
            "https://gate:8443/…/jobs/overview"
        );
        assert_eq!(shown("http://gate/secret/"), "http://gate/…");
        assert_eq!(shown("http://gate/jobmanager/config"), "http://gate/jobmanager/config");
        assert_eq!(shown("http://gate?token=secret"), "http://gate");
        assert_eq!(shown("s3://bucket/flink/archive"), "s3://bucket/flink/archive");
        assert_eq!(shown("/api/v1/pods?limit=500"), "/api/v1/pods");
    }

    #[test]
    fn a_lack_of_files_is_the_engines_own() {
        for errno in [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE] {
            let cause = std::io::Error::from_raw_os_error(errno.raw_os_error());
            let fault = connection_fault("http://me:secret@flink:8081/jobs", &std::io::Error::other(cause));
            assert!(fault.is_own_lack() && !fault.message.contains("secret"), "{fault}");
        }
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(!connection_fault("http://flink:8081/jobs", &refused).is_own_lack());
    }
}
