//! `/metrics`: what the engine counts, in the format the caller asks for.
//!
//! Who accepts OpenMetrics gets it, as Prometheus does; everybody else, and who accepts nothing in particular, gets
//! Prometheus' own text format, which every scraper since 2014 and `promtool check metrics` read. Nobody is refused.

mod accept;
mod prometheus_text;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, VARY};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::registry::Registry;

use crate::problem::Problem;
use crate::state::Api;

use accept::Format;

/// What the server itself counts, beside what it was given.
#[derive(Clone, Debug)]
pub(crate) struct OwnMetrics(pub(crate) Arc<Registry>);

/// What the engine counts.
///
/// `Accept: application/openmetrics-text` is answered in OpenMetrics 1.0.0, everything else in Prometheus' text format 0.0.4.
#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "engine", responses(
    (status = 200, description = "Metrics, described in docs/metrics.md", content(
        (String = "text/plain; version=0.0.4; charset=utf-8"),
        (String = "application/openmetrics-text; version=1.0.0; charset=utf-8")))))]
pub(crate) async fn metrics(
    State(api): State<Api>,
    Extension(OwnMetrics(own)): Extension<OwnMetrics>,
    headers: HeaderMap,
) -> Response {
    let format = Format::accepted(&headers);
    let mut text = String::new();
    let encoded = encode_registry(&mut text, &api.metrics)
        .and_then(|()| encode_registry(&mut text, &own))
        .and_then(|()| encode_eof(&mut text));
    if let Err(error) = encoded {
        return Problem::unavailable(format!("the metrics could not be written: {error}")).into_response();
    }
    let text = match format {
        Format::OpenMetrics => text,
        Format::Prometheus => prometheus_text::from_open_metrics(&text),
    };
    ([(CONTENT_TYPE, format.content_type()), (VARY, "Accept")], text).into_response()
}

#[cfg(test)]
mod tests;
