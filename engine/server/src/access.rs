//! Who may ask: a bearer token beyond loopback, and on loopback only pages of our own.

mod token;

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Uri};
use prometheus_client::registry::Registry;

use crate::problem::Problem;
use crate::serve::Peer;

pub use token::{Token, TokenError};

/// How the listener is guarded.
#[derive(Clone, Debug)]
pub enum Access {
    /// It listens on loopback, where the machine's users are trusted. A foreign web page in their browser is
    /// not: requests for any host but an address or `localhost` are refused, so that no DNS name can be bent
    /// to reach the engine.
    Loopback,
    /// `insecure = true`: anybody who reaches the port may ask.
    Insecure,
    /// `Authorization: Bearer TOKEN` is required, except for probes and the dashboard's own files.
    Token(Token),
}

/// The middleware before every route.
pub(crate) async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get().copied();
    let admitted = admit(&access, request.method(), request.uri(), request.headers(), peer);
    match admitted.await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(
    access: &Access,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    peer: Option<Peer>,
) -> Result<(), Problem> {
    let host = host(uri, headers);
    match access {
        Access::Loopback => loopback_host(host.as_ref())?,
        Access::Insecure => {}
        Access::Token(token) => {
            if !is_open(uri.path()) {
                bearer(token, headers, peer).await?;
            }
        }
    }
    if method == Method::GET || method == Method::HEAD {
        return Ok(());
    }
    same_origin(host.as_ref(), headers)
}

/// Probes carry no token, and the dashboard has to be loaded before it can ask for one; neither tells of jobs.
fn is_open(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/") || path.starts_with("/dashboard/")
}

/// The host the client meant.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let named = headers.get(HOST).and_then(|value| value.to_str().ok()?.parse().ok());
    named.or_else(|| uri.authority().cloned())
}

fn loopback_host(host: Option<&Authority>) -> Result<(), Problem> {
    let name = host.map_or("", Authority::host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        format!(
            "the host `{name}` is not served: without a token only an IP address or localhost is; \
             ask for one of those, or set a token file"
        ),
    ))
}

async fn bearer(token: &Token, headers: &HeaderMap, peer: Option<Peer>) -> Result<(), Problem> {
    match offered(headers) {
        Some(offered) if token.is(offered).await => Ok(()),
        Some(_) => {
            token.note_wrong(peer);
            Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "the bearer token is not the one this engine was given; send the content of its token file",
            ))
        }
        None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "a bearer token is required; send the header `Authorization: Bearer TOKEN`",
        )),
    }
}

/// The bearer token of a request.
fn offered(headers: &HeaderMap) -> Option<&str> {
    let (scheme, offered) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| offered.trim())
}

impl Access {
    /// Makes what it counts known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        match self {
            Self::Token(token) => token.register(registry),
            Self::Loopback | Self::Insecure => {}
        }
    }

    /// Whether a request may come over a connection that is kept for those who have a right to one: a probe, or one with the
    /// token.
    pub(crate) async fn has_precedence(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        if matches!(uri.path(), "/livez" | "/readyz") {
            return true;
        }
        match (self, offered(headers)) {
            (Self::Token(token), Some(offered)) => token.is(offered).await,
            (Self::Token(_), None) | (Self::Loopback | Self::Insecure, _) => false,
        }
    }
}

/// A browser names the page a request comes from; only our own may change anything.
fn same_origin(host: Option<&Authority>, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
    let authority = origin.as_ref().and_then(Uri::authority);
    if authority.is_some() && authority == host {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "the request comes from another web page (its Origin is not its Host); only this engine's own may change a job",
    ))
}

#[cfg(test)]
mod tests;
