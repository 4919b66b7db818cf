//! Answers that are sent again only when they have changed, and packed where that is worth it.
//!
//! Both happen while an answer is made, and what comes of it is whole again: an answer whose length nobody knows would count as a
//! stream with its connection, and as nothing with the budget of those that wait to be taken.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version};
use sha2::{Digest as _, Sha256};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate as _, SizeAbove};

use crate::problem::Problem;

/// What is smaller is sent as it is, in bytes.
const SMALL: u64 = 1024;

type IsPacked = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Packs what is text and not small, if the client takes gzip. Event streams and metrics go as they are: the one has no end,
/// the other is asked for every few seconds, over a short way.
pub(crate) fn pack() -> CompressionLayer<And<SizeAbove, IsPacked>> {
    let is_packed: IsPacked = |_, _, headers, _| {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type
            .and_then(|value| value.split(';').next())
            .unwrap_or_default();
        matches!(
            media_type.trim(),
            "application/json" | "application/problem+json" | "text/csv" | "text/html" | "text/css" | "text/javascript"
        )
    };
    // The processors are for the jobs.
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(SMALL).and(is_packed))
}

/// The middleware around it: what was packed is of a known length again.
pub(crate) async fn whole(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if !response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(error) => Problem::unavailable(format!("the answer could not be packed: {error}")).into_response(),
    }
}

/// The middleware before what is read again and again: each answer has a tag, and whoever shows it is told that nothing has changed.
pub(crate) async fn tag(request: Request, next: Next) -> Response {
    let shown: Vec<HeaderValue> = request.headers().get_all(IF_NONE_MATCH).iter().cloned().collect();
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return Problem::unavailable(format!("the answer broke off: {error}")).into_response(),
    };
    let digest = Sha256::digest(&bytes);
    // Weak: packed or not, it says the same.
    let tag = format!("W/\"{}\"", const_hex::encode(digest.get(..16).unwrap_or_default()));
    let is_known = shown
        .iter()
        .filter_map(|shown| shown.to_str().ok())
        .any(|shown| names(shown, &tag));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(ETAG, tag);
    }
    if !is_known {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// Whether a header `If-None-Match` names a tag, weak or not.
fn names(shown: &str, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    shown.trim() == "*" || shown.split(',').any(|one| opaque(one) == opaque(tag))
}

#[cfg(test)]
mod tests;
