//! What every answer says of itself, so that no browser makes more of it.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use crate::serve::{Line, Peer};

/// Answers hold data, which runs nothing, loads nothing and stands in no frame. The dashboard's files have more of it.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// A year. Browsers heed it from where they trust the certificate.
const TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Names the store that an answer is of. A proxy's own answers lack it.
const STORE: HeaderName = HeaderName::from_static("steadfast-store");

/// The store's id as a header; `None` of an id that no header can hold.
pub(crate) type StoreName = Option<HeaderValue>;

/// The middleware around every route.
pub(crate) async fn protect(State(store): State<StoreName>, request: Request, next: Next) -> Response {
    let is_encrypted = request.extensions().get().is_some_and(Peer::is_encrypted);
    // It holds for all ports of a name, and others serve under this one.
    let is_shared = request
        .headers()
        .get(HOST)
        .is_some_and(|host| host.as_bytes().starts_with(b"localhost"));
    let mut response = next.run(request).await;
    add(response.headers_mut());
    if let Some(store) = store {
        response.headers_mut().insert(STORE, store);
    }
    if is_encrypted && !is_shared {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, TRANSPORT);
    }
    response
}

/// What an answer says whatever it is.
pub(crate) fn add(headers: &mut HeaderMap) {
    // What is true now may be false in a moment, and no answer is to be read as anything but what it says it is.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
}

impl Peer {
    fn is_encrypted(&self) -> bool {
        match self.line {
            Line::Tls { .. } => true,
            Line::Plain => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::testing::TestServer;

    async fn headers(path: &str, line: Line, host: &str) -> HeaderMap {
        let address = "10.0.0.1:1".parse().unwrap();
        let request = http::Request::get(path)
            .header(HOST, host)
            .extension(Peer { address, line });
        let server = TestServer::guarded(crate::Access::insecure());
        let response = server.send(request.body(Body::empty()).unwrap()).await;
        response.headers().clone()
    }

    #[tokio::test]
    async fn every_answer_keeps_browsers_from_making_more_of_it() {
        for path in [
            "/",
            "/livez",
            "/api/v1/jobs",
            "/api/v1/nothing",
            "/api/v1/jobs?limit=x",
            "/metrics",
        ] {
            let headers = headers(path, Line::Plain, "steadfast.example").await;
            assert_eq!(headers[STORE], "memory", "{path}: a proxy's answer is told from it");
            assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
            assert_eq!(headers[X_FRAME_OPTIONS], "DENY", "{path}");
            assert_eq!(headers[REFERRER_POLICY], "no-referrer", "{path}");
            let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            let is_file = path == "/";
            assert_eq!(headers[CACHE_CONTROL] == "no-store", !is_file, "{path}");
            assert!(
                !headers.contains_key(STRICT_TRANSPORT_SECURITY),
                "{path}: it is not encrypted"
            );
        }
    }

    #[tokio::test]
    async fn only_what_is_encrypted_asks_to_stay_so_and_not_for_a_name_that_is_everybodys() {
        let tls = || Line::Tls { client: None };
        let asks = |headers: HeaderMap| headers.contains_key(STRICT_TRANSPORT_SECURITY);
        assert!(asks(headers("/", tls(), "steadfast.example").await));
        assert!(!asks(headers("/", tls(), "localhost:8443").await));
        assert!(!asks(headers("/", Line::Plain, "steadfast.example").await));
    }
}
