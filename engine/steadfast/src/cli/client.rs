//! The API of a running engine, as the command line calls it.

mod clock;
mod options;
mod refusal;

use std::time::Duration;

use anyhow::anyhow;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use steadfast_core::id::JobKey;
use steadfast_core::secret_url::SecretUrl;
use steadfast_core::time::{Clock as _, Timestamp};
use steadfast_http::{TlsFault, whole};

use self::clock::EngineClock;
pub(super) use self::options::ServerOptions;
use self::options::{base, encrypted, token, unfit_identity};
use self::refusal::Refusal;
use super::Failure;
use crate::run::SystemClock;

const TIMEOUT: Duration = Duration::from_secs(10);
/// The most that is read of one answer, in bytes: a page of 500 jobs has a tenth of it.
const MAX_ANSWER: usize = 32 << 20;
/// The most that is read of a refusal.
const MAX_REFUSAL: usize = 64 << 10;
/// The most items that are read of a list, over all its pages.
const MAX_ITEMS: usize = 200_000;

/// A client of one engine.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    shows_certificate: bool,
    clock: EngineClock,
}

/// What an engine has of a job.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// The job.
    Job(Value),
    /// There is none, as far as everything could be looked at.
    Gone,
    /// None is on record, and whether there is one is not known: why.
    NotKnown(String),
}

/// The path of a job, or of something below it.
pub(super) fn job_path(job: &str, below: &str) -> Result<String, Failure> {
    let wrong = || anyhow!("`{job}` is not a job; write CLUSTER/NAMESPACE/NAME as `steadfast status` shows it");
    let key = JobKey::parse(job).ok_or_else(|| Failure::Usage(wrong()))?.to_string();
    // Dots alone lead elsewhere, however they are written.
    if key.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(Failure::Usage(wrong()));
    }
    let segments: Vec<String> = key.split('/').map(segment).collect();
    Ok(format!("/api/v1/jobs/{}{below}", segments.join("/")))
}

/// A path with what is asked behind it.
pub(super) fn with_query(path: &str, asked: &[(&str, String)]) -> String {
    if asked.is_empty() {
        return path.to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(asked)
        .finish();
    format!("{path}?{query}")
}

/// A part of a path, as a URL carries it.
pub(super) fn segment(part: &str) -> String {
    let mut written = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

impl Client {
    pub(super) fn new(options: &ServerOptions) -> Result<Self, Failure> {
        let base = base(&options.server)?;
        let token = options.token_file.as_deref().map(token).transpose()?;
        let http = encrypted(steadfast_http::client().no_proxy().connect_timeout(TIMEOUT), options)?;
        let http = http.build().map_err(|error| unfit_identity(options, error))?;
        Ok(Self {
            http,
            base,
            token,
            shows_certificate: options.client_cert_file.is_some(),
            clock: EngineClock::default(),
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.document(self.request(Method::GET, path).timeout(TIMEOUT)).await
    }

    /// A document that an engine of an earlier version may not have.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Value>, Failure> {
        match self.get(path).await {
            Err(Failure::Missing(_)) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// A job. That there is none is believed only of an engine that says so of what it could look at.
    pub(super) async fn find_job(&self, id: &str) -> Result<Found, Failure> {
        let request = self.request(Method::GET, &job_path(id, "")?).timeout(TIMEOUT);
        let response = self.answer(request).await?;
        let status = response.status();
        if status != StatusCode::NOT_FOUND {
            return read(self.accepted(response).await?).await.map(Found::Job);
        }
        let refusal = Refusal::of(&whole(response, MAX_REFUSAL).await.unwrap_or_default());
        match (refusal.code(), refusal.failure(status)) {
            (Some("no-such-job"), _) => Ok(Found::Gone),
            (_, Failure::Missing(error) | Failure::NotKnown(error)) => Ok(Found::NotKnown(error.to_string())),
            (_, failure) => Err(failure),
        }
    }

    /// The time by the engine's clock, cut to the second; by this machine's where the engine does not say. What is counted from now on
    /// is compared with the engine's.
    pub(super) async fn now(&self) -> Timestamp {
        let asked = self.answer(self.request(Method::GET, "/livez").timeout(TIMEOUT)).await;
        let date = asked.ok().and_then(|response| clock::date(response.headers()));
        date.unwrap_or_else(|| SystemClock.now())
    }

    /// The time by the engine's clock, as its last answer told it: what ages are counted by.
    pub(super) fn clock(&self) -> Timestamp {
        self.clock.now()
    }

    /// What a probe answers, well or not; `None` for an answer that is no document.
    pub(super) async fn probe(&self, path: &str) -> Option<Value> {
        let response = self.answer(self.request(Method::GET, path).timeout(TIMEOUT)).await;
        let body = whole(response.ok()?, MAX_ANSWER).await.ok()?;
        serde_json::from_slice(&body).ok()
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.document(self.request(Method::PUT, path).timeout(TIMEOUT).json(body))
            .await
    }

    /// Asks for something to be done. It may take longer than a look at what is there.
    pub(super) async fn post(&self, path: &str) -> Result<Value, Failure> {
        self.document(self.request(Method::POST, path).timeout(TIMEOUT * 6))
            .await
    }

    /// The same where an answer may come later: its status says whether it has.
    pub(super) async fn post_for(&self, path: &str) -> Result<(StatusCode, Value), Failure> {
        let response = self.send(self.request(Method::POST, path).timeout(TIMEOUT * 6)).await?;
        let status = response.status();
        match status {
            StatusCode::OK | StatusCode::ACCEPTED => Ok((status, body(response).await?)),
            other => Err(no_engine(&format!("answered {other}"))),
        }
    }

    /// Removes a thing, and is told what is left.
    pub(super) async fn delete_for(&self, path: &str) -> Result<Value, Failure> {
        self.document(self.request(Method::DELETE, path).timeout(TIMEOUT)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), Failure> {
        let response = self.send(self.request(Method::DELETE, path).timeout(TIMEOUT)).await?;
        match response.status() {
            StatusCode::NO_CONTENT => Ok(()),
            status => Err(no_engine(&format!("answered {status}"))),
        }
    }

    /// An answer whose body goes on.
    pub(super) async fn stream(&self, path: &str) -> Result<Response, Failure> {
        self.send(self.request(Method::GET, path)).await
    }

    /// All items of a paged list.
    pub(super) async fn items(&self, path: &str, asked: &[(&str, String)]) -> Result<Vec<Value>, Failure> {
        let items = self.first(path, asked, MAX_ITEMS + 1).await?;
        if items.len() > MAX_ITEMS {
            let rule = anyhow!("the engine's list at {path} has more than {MAX_ITEMS} items");
            return Err(Failure::Unreachable(rule));
        }
        Ok(items)
    }

    /// The first so many items of a paged list.
    pub(super) async fn first(&self, path: &str, asked: &[(&str, String)], most: usize) -> Result<Vec<Value>, Failure> {
        self.first_of(path, asked, most, |_| {}).await
    }

    /// The same, for who looks at what else stands on a page.
    pub(super) async fn first_of(
        &self,
        path: &str,
        asked: &[(&str, String)],
        most: usize,
        mut beside: impl FnMut(&Value),
    ) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut last: Option<String> = None;
        loop {
            let mut asked = asked.to_vec();
            asked.extend(last.clone().map(|cursor| ("cursor", cursor)));
            let mut page = self.get(&with_query(path, &asked)).await?;
            beside(&page);
            match page.get_mut("items").map(Value::take) {
                Some(Value::Array(more)) => items.extend(more),
                Some(_) | None => return Err(no_engine(&format!("answered {path} without a list"))),
            }
            if items.len() >= most {
                items.truncate(most);
                return Ok(items);
            }
            match page.get("cursor").and_then(Value::as_str) {
                Some(cursor) if last.as_deref() == Some(cursor) => {
                    let rule = anyhow!("the engine's list at {path} has a page that leads to itself");
                    return Err(Failure::Unreachable(rule));
                }
                Some(cursor) => last = Some(cursor.to_owned()),
                None => return Ok(items),
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn document(&self, request: RequestBuilder) -> Result<Value, Failure> {
        read(self.send(request).await?).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        self.accepted(self.answer(request).await?).await
    }

    /// An answer that is no refusal.
    async fn accepted(&self, response: Response) -> Result<Response, Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let refusal = Refusal::of(&whole(response, MAX_REFUSAL).await.unwrap_or_default());
        if status != StatusCode::UNAUTHORIZED {
            return Err(refusal.failure(status));
        }
        let why = match &self.token {
            Some(_) => {
                "the token is none that the engine knows; name a file with one of its server.token_file or tokens_file"
            }
            None => "it asks for a token; name a file with one of its server.token_file or tokens_file",
        };
        let code = refusal.behind_status();
        Err(Failure::Refused(anyhow!(
            "the engine refused (401 Unauthorized{code}): {why}, by --token-file FILE or STEADFAST_TOKEN_FILE"
        )))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request
            .send()
            .await
            .inspect(|response| self.clock.heard(response.headers()));
        answer.map_err(|error| {
            let at = SecretUrl::new(&*self.base);
            // An engine that does not take a certificate may close the connection before its reason is read.
            let closed = self.shows_certificate && !error.is_connect() && !error.is_timeout();
            let context = match TlsFault::of(&error).or(closed.then_some(TlsFault::Client)) {
                None => format!("no engine answers at {at}; start one with `steadfast run`, or name it with --server"),
                Some(fault) => format!("no connection to {at}: {fault}{}", by_option(fault)),
            };
            Failure::Unreachable(anyhow::Error::new(error.without_url()).context(context))
        })
    }
}

/// Which options such a fault is mended by.
const fn by_option(fault: TlsFault) -> &'static str {
    match fault {
        TlsFault::Name => " (--server)",
        TlsFault::Authority => " (--ca-file)",
        TlsFault::Client => {
            " (--client-cert-file and --client-key-file; the engine believes those of its server.tls.client_ca_file)"
        }
        TlsFault::Plain => " (--server)",
        TlsFault::Version | TlsFault::Time => "",
    }
}

/// Every document of an engine's is an object, and comes with a 200.
async fn read(response: Response) -> Result<Value, Failure> {
    let status = response.status();
    if status != StatusCode::OK {
        return Err(no_engine(&format!("answered {status}")));
    }
    body(response).await
}

async fn body(response: Response) -> Result<Value, Failure> {
    let unread = |error| Failure::Unreachable(anyhow::Error::context(error, "the engine's answer could not be read"));
    let body = whole(response, MAX_ANSWER)
        .await
        .map_err(|error| unread(error.into()))?;
    match serde_json::from_slice(&body).map_err(|error| unread(error.into()))? {
        object @ Value::Object(_) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(no_engine("answered something else than a document"))
        }
    }
}

/// Somebody else answers at the address: a gateway's page would pass for what was asked for.
pub(super) fn no_engine(what: &str) -> Failure {
    Failure::Unreachable(anyhow!(
        "what is at the address {what}, as no engine does; name an engine with --server"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jobs_path_leads_to_it_whatever_its_name() {
        assert_eq!(
            job_path("-/-/50% a?b#c", "/explain").unwrap(),
            "/api/v1/jobs/-/-/50%25%20a%3Fb%23c/explain"
        );
        for elsewhere in [
            "local/default/..",
            "local/./orders",
            "../default/orders",
            "local/orders",
        ] {
            let refused = job_path(elsewhere, "");
            assert!(matches!(refused, Err(Failure::Usage(_))), "{elsewhere}");
        }
    }
}
