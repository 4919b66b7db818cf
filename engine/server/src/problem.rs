//! Errors as people and programs read them: problem details (RFC 9457).

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode, Uri};
use serde::Serialize;
use utoipa::ToSchema;

mod code;

pub(crate) use code::Code;

/// What went wrong: the place, the rule and the fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What kind of problem it is, for programs: the name of its code, which leads nowhere.
    #[serde(rename = "type", serialize_with = "code::as_uri")]
    #[schema(value_type = String, example = "tag:steadfast.dev,2026:problem:no-such-job")]
    kind: Code,
    /// The same as a word. Words are added to, and not renamed.
    #[schema(value_type = String, example = "no-such-job")]
    code: Code,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    #[schema(value_type = u16, example = 400)]
    #[serde(serialize_with = "status_code")]
    status: StatusCode,
    /// What was wrong, which rule it broke, and how to mend it.
    detail: String,
    /// The parameter, header or field that was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// When it is worth trying again, in seconds: the header `Retry-After`.
    #[serde(skip)]
    retry_after: Option<u64>,
    /// Whether the log has been told.
    #[serde(skip)]
    is_told: bool,
}

/// Why a request was refused, beside an answer of which the log has not been told.
#[derive(Clone, Debug)]
pub(crate) struct Unlogged(pub(crate) String);

fn status_code<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: Code::of(status),
            code: Code::of(status),
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            detail: detail.into(),
            parameter: None,
            retry_after: None,
            is_told: false,
        }
    }

    /// 400: a parameter has a value it may not have.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self {
            parameter: Some(name.to_owned()),
            ..Self::new(StatusCode::BAD_REQUEST, detail).coded(Code::BadParameter)
        }
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 503: it may work in a moment.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// 429: it works again after a while.
    pub(crate) fn too_often(detail: impl Into<String>, wait: Duration) -> Self {
        // What is told in whole seconds is never too soon.
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        Self {
            retry_after: Some(u64::try_from(seconds).unwrap_or(u64::MAX)),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
        }
    }

    /// It is more than its status says.
    pub(crate) fn coded(self, code: Code) -> Self {
        Self {
            kind: code,
            code,
            ..self
        }
    }

    /// The log has been told of it.
    pub(crate) fn told(self) -> Self {
        Self { is_told: true, ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        let unlogged = (!self.is_told).then(|| Unlogged(self.detail.clone()));
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(unlogged) = unlogged {
            response.extensions_mut().insert(unlogged);
        }
        response
    }
}

/// The answer to a path nobody serves.
pub(crate) async fn no_such_path(uri: Uri) -> Problem {
    Problem::not_found(format!(
        "nothing is served at {}; /openapi.json lists what is",
        uri.path()
    ))
    .coded(Code::NoSuchPath)
}

/// The answer to a method the path does not have; the router adds `Allow`.
pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let detail = format!(
        "{} does not take {method}; the header {ALLOW} lists the methods it takes",
        uri.path()
    );
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
