//! Redirects, followed by hand.

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, Url};

/// How often one request is sent on.
pub const MOST_HOPS: usize = 5;

/// A request that may be sent on.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The method. It stays the same wherever the request goes.
    pub method: Method,
    /// Where it goes first.
    pub url: Url,
    /// What each place is told. Nothing in it is a secret.
    pub headers: HeaderMap,
    /// The body of a PUT or a POST.
    pub body: Bytes,
    /// Whose secret `authorization` is: its origin (scheme, host and port) counts.
    pub home: &'a Url,
    /// Shown to `home` until it has sent the request elsewhere, and to nobody else.
    pub authorization: Option<&'a HeaderValue>,
}

/// An answer that is no redirect.
#[derive(Debug)]
pub struct Answered {
    /// The answer, of any other status.
    pub response: Response,
    /// Whether `home` gave it, without having sent us elsewhere in between. Only then is its word on credentials a question
    /// to us.
    pub is_home: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The request failed on its way; the address is left out, which may hold a secret.
    #[error("the request failed")]
    Failed(#[source] reqwest::Error),
    /// It came back to where it had been.
    #[error("a redirect in a circle, back to {0}")]
    Circle(String),
    /// It was sent on more often than [`MOST_HOPS`].
    #[error("more than {MOST_HOPS} redirects in a row, the last one to {0}")]
    TooMany(String),
    /// From TLS to plain text.
    #[error("a redirect from https to http, to {0}")]
    Downgrade(String),
    /// To something that is no HTTP address, or to nothing.
    #[error("a redirect ({0}) that leads nowhere")]
    Nowhere(StatusCode),
    /// A redirect that would make another request of it: only 307 and 308 leave a method with a body what it is.
    #[error("a redirect ({status}) that would turn {method} into another request")]
    Turned {
        /// The method that was sent.
        method: Method,
        /// The status of the redirect.
        status: StatusCode,
    },
}

/// Sends a request, and sends it on where it is redirected to. The deadline is the caller's.
///
/// # Errors
/// If it cannot be sent, or is sent on in a circle, too often, from https to http, or to nowhere.
pub async fn send(client: &Client, request: Request<'_>) -> Result<Answered, SendError> {
    let Request {
        method,
        url,
        headers,
        body,
        home,
        authorization,
    } = request;
    let mut place = url;
    let mut is_home = place.origin() == home.origin();
    let mut been: Vec<Url> = Vec::new();
    loop {
        let mut sent = client.request(method.clone(), place.clone()).headers(headers.clone());
        if let Some(value) = authorization.filter(|_| is_home) {
            sent = sent.header(AUTHORIZATION, value);
        }
        if method == Method::PUT || method == Method::POST {
            sent = sent.body(body.clone());
        }
        let response = sent
            .send()
            .await
            .map_err(|error| SendError::Failed(error.without_url()))?;
        if !is_redirect(response.status()) {
            return Ok(Answered { response, is_home });
        }
        let next = target(&method, &place, response.status(), response.headers())?;
        been.push(place);
        if been.contains(&next) {
            return Err(SendError::Circle(shown(&next)));
        }
        if been.len() > MOST_HOPS {
            return Err(SendError::TooMany(shown(&next)));
        }
        // Whoever was elsewhere comes back as a stranger: the way there was another's choice.
        is_home = is_home && next.origin() == home.origin();
        place = next;
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    )
}

/// Where an answer sends a request that was at `place`.
fn target(method: &Method, place: &Url, status: StatusCode, headers: &HeaderMap) -> Result<Url, SendError> {
    let keeps_method = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    if !keeps_method && *method != Method::GET && *method != Method::HEAD {
        let method = method.clone();
        return Err(SendError::Turned { method, status });
    }
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let mut next = location
        .and_then(|location| place.join(location).ok())
        .filter(|next| matches!(next.scheme(), "http" | "https"))
        .ok_or(SendError::Nowhere(status))?;
    if place.scheme() == "https" && next.scheme() != "https" {
        return Err(SendError::Downgrade(shown(&next)));
    }
    // A name and a password in it would be sent as credentials that nobody gave us.
    if next.set_username("").is_err() || next.set_password(None).is_err() {
        return Err(SendError::Nowhere(status));
    }
    next.set_fragment(None);
    Ok(next)
}

/// Without user and query.
fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests;
