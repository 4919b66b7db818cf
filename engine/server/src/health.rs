//! `/livez` and `/readyz`: neither lies.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;

/// How long the store may take to be written by a probe.
const STORE_DEADLINE: Duration = Duration::from_secs(2);

/// The loop's word on itself.
pub trait Health: Send + Sync {
    /// Whether the loop turns.
    fn live(&self) -> Liveness;

    /// Whether the engine can do its work. The store is also tried by the server itself.
    fn ready(&self) -> Readiness;
}

/// Whether the loop turns.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Liveness {
    /// False when the loop has not turned for 10 polls.
    pub live: bool,
    /// How long ago it last turned, in seconds.
    pub turned_seconds_ago: f64,
}

/// Whether the engine can do its work.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// True when the store can be written, policies are loaded, and each cluster was reached or is being retried.
    pub ready: bool,
    /// Why the store cannot be written; null while it can.
    pub store: Option<String>,
    /// The loaded policies; none is not ready.
    pub policies: Vec<String>,
    /// Each cluster.
    pub clusters: Vec<ClusterHealth>,
}

/// One Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterHealth {
    /// Its name in the configuration.
    pub name: String,
    /// How its API server answers.
    pub state: Reach,
    /// What the last failed look met, while it is being retried.
    pub fault: Option<String>,
}

/// How a cluster's API server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// No look has ended yet.
    Pending,
    /// It answers.
    Reached,
    /// It does not, and is being retried.
    Retrying,
}

/// Whether the process should go on.
#[utoipa::path(get, path = "/livez", tag = "engine", responses(
    (status = 200, description = "The loop turns", body = Liveness),
    (status = 503, description = "The loop has not turned for 10 polls", body = Liveness)))]
pub(crate) async fn livez(State(api): State<Api>) -> Response {
    let liveness = api.health.live();
    (status(liveness.live), Json(liveness)).into_response()
}

/// Whether it can do its work.
#[utoipa::path(get, path = "/readyz", tag = "engine", responses(
    (status = 200, description = "Ready", body = Readiness),
    (status = 503, description = "Not ready; the body says why", body = Readiness)))]
pub(crate) async fn readyz(State(api): State<Api>) -> Response {
    let mut readiness = api.health.ready();
    // Tried for real, and after the loop's own word: a disk may have filled since its last commit.
    let tried = tokio::time::timeout(STORE_DEADLINE, api.journal.check()).await;
    let trouble = match tried {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(chain(&error)),
        Err(_) => Some(format!("the store did not answer within {STORE_DEADLINE:?}")),
    };
    if let Some(trouble) = trouble {
        readiness.ready = false;
        readiness.store = Some(trouble);
    }
    (status(readiness.ready), Json(readiness)).into_response()
}

fn status(fine: bool) -> StatusCode {
    if fine {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
