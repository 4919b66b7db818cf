//! What a server does with a request, whatever carries it.

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use serde_json::Value;

use crate::link::Link;

/// What a server does with a request.
pub enum Reply {
    /// It answers.
    Full(Response<Bytes>),
    /// It answers 200 with JSON lines, one now and then, until the stream ends.
    Lines(BoxStream<'static, Bytes>),
    /// It never answers, and the connection is dead from then on.
    Silence,
    /// It closes the connection without an answer.
    Hangup,
}

/// A server: a handler of requests behind a link.
pub trait Serve: Send + Sync {
    /// The network in front of it.
    fn link(&self) -> &Link;

    /// What it does with a request.
    fn handle(&self, request: Request<()>) -> BoxFuture<'static, Reply>;
}

/// A JSON body.
pub(crate) fn json(status: u16, body: &Value) -> Reply {
    text(status, "application/json", body.to_string())
}

/// Any body.
pub(crate) fn text(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Reply::Full(response)
}

impl Reply {
    /// Adds `Retry-After`, if there is a wait.
    pub(crate) fn retry_after(mut self, seconds: Option<u64>) -> Self {
        if let (Self::Full(response), Some(seconds)) = (&mut self, seconds) {
            response
                .headers_mut()
                .insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        self
    }
}
