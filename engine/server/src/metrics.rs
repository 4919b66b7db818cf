//! `/metrics` in the OpenMetrics text format.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::text::encode;

use crate::problem::Problem;
use crate::state::Api;

/// What the engine counts.
#[utoipa::path(get, path = "/metrics", tag = "engine", responses(
    (status = 200, description = "OpenMetrics text", body = String,
     content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8")))]
pub(crate) async fn metrics(State(api): State<Api>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &api.metrics) {
        Ok(()) => {
            let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, format)], text).into_response()
        }
        Err(error) => Problem::unavailable(format!("the metrics could not be written: {error}")).into_response(),
    }
}
