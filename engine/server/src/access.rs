//! Who may ask: a bearer token beyond loopback, and on loopback only pages of our own.

use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Uri};
use subtle::ConstantTimeEq as _;

use crate::problem::Problem;

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

/// A bearer token. Never shown by `Debug`.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Why a token file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("cannot read the token file {path}; check the path and that the engine's user may read it")]
    Read {
        /// The file, as the configuration names it.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Its content is no token.
    #[error(
        "the token file {path} must hold one line of at least 16 visible ASCII characters without blanks; \
         make one with `openssl rand -hex 32`"
    )]
    Unfit {
        /// The file, as the configuration names it.
        path: String,
    },
}

impl Token {
    /// Reads the token a file holds; white space around it is left out.
    ///
    /// Fails if the file cannot be read, or holds no token of at least 16 visible ASCII characters.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|source| TokenError::Read {
            path: shown.clone(),
            source,
        })?;
        let token = text.trim();
        if token.len() < 16 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Unfit { path: shown });
        }
        Ok(Self(Arc::from(token)))
    }

    /// Compares in a time that tells nothing but the length.
    fn is(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

/// The middleware before every route.
pub(crate) async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    match admit(&access, request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn admit(access: &Access, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let host = host(uri, headers);
    match access {
        Access::Loopback => loopback_host(host.as_ref())?,
        Access::Insecure => {}
        Access::Token(token) => {
            if !is_open(uri.path()) {
                bearer(token, headers)?;
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

fn bearer(token: &Token, headers: &HeaderMap) -> Result<(), Problem> {
    let offered = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let offered = offered.and_then(|value| {
        let (scheme, offered) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| offered.trim())
    });
    match offered {
        Some(offered) if token.is(offered) => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "the bearer token is not the one this engine was given; send the content of its token file",
        )),
        None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "a bearer token is required; send the header `Authorization: Bearer TOKEN`",
        )),
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
