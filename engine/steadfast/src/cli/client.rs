//! The API of a running engine, as the command line calls it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use steadfast_core::id::JobKey;
use steadfast_http::whole;

use super::Failure;

const TIMEOUT: Duration = Duration::from_secs(10);
/// The most that is read of one answer, in bytes: a page of 500 jobs has a tenth of it.
const MAX_ANSWER: usize = 32 << 20;
/// The most that is read of a refusal.
const MAX_REFUSAL: usize = 64 << 10;
/// The most items that are read of a list, over all its pages.
const MAX_ITEMS: usize = 200_000;

/// Which engine to ask.
#[derive(Clone, Debug, Args)]
pub(super) struct ServerOptions {
    /// The engine's address.
    #[arg(
        long,
        env = "STEADFAST_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    server: String,
    /// A file with the token the engine asks for.
    #[arg(long, env = "STEADFAST_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl ServerOptions {
    /// The engine's address.
    pub(super) fn address(&self) -> &str {
        &self.server
    }

    /// An engine without a token.
    #[cfg(test)]
    pub(super) fn at(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            token_file: None,
        }
    }
}

/// A client of one engine.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
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

/// A part of a path, as a URL carries it.
fn segment(part: &str) -> String {
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
        let token = match &options.token_file {
            Some(path) => Some(
                steadfast_files::read_text(path, steadfast_files::SMALL)
                    .with_context(|| format!("cannot read {}", path.display()))?
                    .trim()
                    .to_owned(),
            ),
            None => None,
        };
        let http = steadfast_http::client()
            .no_proxy()
            .connect_timeout(TIMEOUT)
            .build()
            .context("no HTTP client can be set up")?;
        Ok(Self {
            http,
            base: options.server.trim_end_matches('/').to_owned(),
            token,
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.document(self.request(Method::GET, path).timeout(TIMEOUT)).await
    }

    /// A document that may not be there.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Value>, Failure> {
        let response = self.answer(self.request(Method::GET, path).timeout(TIMEOUT)).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        read(accepted(response).await?).await.map(Some)
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

    pub(super) async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.send(self.request(Method::DELETE, path).timeout(TIMEOUT))
            .await
            .map(drop)
    }

    /// An answer whose body goes on.
    pub(super) async fn stream(&self, path: &str) -> Result<Response, Failure> {
        self.send(self.request(Method::GET, path)).await
    }

    /// All items of a paged list.
    pub(super) async fn items(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut query = String::new();
        loop {
            let mut page = self.get(&format!("{path}{query}")).await?;
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            if items.len() > MAX_ITEMS {
                let rule = anyhow!("the engine's list at {path} has more than {MAX_ITEMS} items");
                return Err(Failure::Unreachable(rule));
            }
            match page.get("cursor").and_then(Value::as_str) {
                Some(cursor) if query == format!("?cursor={cursor}") => {
                    let rule = anyhow!("the engine's list at {path} has a page that leads to itself");
                    return Err(Failure::Unreachable(rule));
                }
                Some(cursor) => query = format!("?cursor={cursor}"),
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
        accepted(self.answer(request).await?).await
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        request.send().await.map_err(|error| {
            let context = format!(
                "no engine answers at {}; start one with `steadfast run`, or name it with --server",
                self.base
            );
            Failure::Unreachable(anyhow::Error::new(error).context(context))
        })
    }
}

async fn read(response: Response) -> Result<Value, Failure> {
    let unread = |error| Failure::Unreachable(anyhow::Error::context(error, "the engine's answer could not be read"));
    let body = whole(response, MAX_ANSWER)
        .await
        .map_err(|error| unread(error.into()))?;
    serde_json::from_slice(&body).map_err(|error| unread(error.into()))
}

/// An answer that is no refusal.
async fn accepted(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let said = whole(response, MAX_REFUSAL).await.ok();
    let said: Option<Value> = said.and_then(|body| serde_json::from_slice(&body).ok());
    let detail = said
        .as_ref()
        .and_then(|body| body.get("detail"))
        .and_then(Value::as_str)
        .unwrap_or("no reason given");
    Err(Failure::Unreachable(anyhow!("the engine refused ({status}): {detail}")))
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
