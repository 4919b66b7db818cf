//! `/livez` and `/readyz`: neither lies.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use steadfast_core::error_chain::error_chain;

use crate::ports::{ClusterHealth, DeadLetter, Liveness, Readiness, SinkHealth};
use crate::state::Api;

/// How much of a text is shown to everybody, in characters.
const SHORT: usize = 160;
/// How long the store may take to be written by a probe.
const STORE_DEADLINE: Duration = Duration::from_secs(2);

/// Whether the process should go on.
#[utoipa::path(get, path = "/livez", operation_id = "getLiveness", tag = "engine", responses(
    (status = 200, description = "The loop turns", body = Liveness),
    (status = 503, description = "The loop has not turned for 10 polls", body = Liveness)))]
pub(crate) async fn livez(State(api): State<Api>) -> Response {
    let liveness = api.health.live();
    (status(liveness.live), Json(liveness)).into_response()
}

/// Whether it can do its work.
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "engine", responses(
    (status = 200, description = "Ready", body = Readiness),
    (status = 503, description = "Not ready; the body says why", body = Readiness)))]
pub(crate) async fn readyz(State(api): State<Api>) -> Response {
    let mut readiness = shortened(api.health.ready());
    // Tried for real, and after the loop's own word: a disk may have filled since its last commit.
    let tried = tokio::time::timeout(STORE_DEADLINE, api.journal.check()).await;
    let problem = match tried {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(short(error_chain(&error))),
        Err(_) => Some(format!("the store did not answer within {STORE_DEADLINE:?}")),
    };
    if let Some(problem) = problem {
        readiness.ready = false;
        readiness.store = Some(problem);
    }
    (status(readiness.ready), Json(readiness)).into_response()
}

/// What anybody may read: the kind of a trouble and its beginning. The log, and `/api/v1/clusters` behind the token, have
/// all of it.
fn shortened(readiness: Readiness) -> Readiness {
    let clusters = readiness.clusters.into_iter().map(|cluster| ClusterHealth {
        fault: cluster.fault.map(short),
        ..cluster
    });
    let sinks = readiness.sinks.into_iter().map(|sink| SinkHealth {
        last_dead_letter: sink.last_dead_letter.map(|letter| DeadLetter {
            why: short(letter.why),
            ..letter
        }),
        ..sink
    });
    Readiness {
        store: readiness.store.map(short),
        clusters: clusters.collect(),
        sinks: sinks.collect(),
        ..readiness
    }
}

/// The first words of a text, on one line.
fn short(text: String) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut shown: String = line.chars().filter(|c| !c.is_control()).take(SHORT).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn status(is_fine: bool) -> StatusCode {
    if is_fine {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

#[cfg(test)]
mod tests;
