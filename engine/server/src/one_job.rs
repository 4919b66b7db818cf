//! `/api/v1/jobs/{cluster}/{namespace}/{name}`, behind it `/{flinkJobId}` for a session's jobs: one job.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, Namespace, TargetId};
use steadfast_core::journal::{EntriesOf, Event, Sequence};
use steadfast_core::state::Intent;
use utoipa::ToSchema;

use crate::api::{Api, BODY_LIMIT};
use crate::control::ControlError;
use crate::explain::Explanation;
use crate::health::chain;
use crate::jobs::{DEFAULT_LIMIT, limit, unknown};
use crate::problem::Problem;
use crate::view::{Job, Transition};

pub(crate) const APPLICATION: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}";
pub(crate) const APPLICATION_TRANSITIONS: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/transitions";
pub(crate) const APPLICATION_EXPLAIN: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/explain";
pub(crate) const APPLICATION_INTENT: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/intent";
pub(crate) const SESSION_JOB: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}";
pub(crate) const SESSION_JOB_TRANSITIONS: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/transitions";
pub(crate) const SESSION_JOB_EXPLAIN: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/explain";
pub(crate) const SESSION_JOB_INTENT: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/intent";

/// The job a path names. A job id is 32 hex digits, so that no other word behind a name can be one.
#[derive(Debug)]
pub(crate) struct Named(JobKey);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path: Result<Path<BTreeMap<String, Arc<str>>>, _> = Path::from_request_parts(parts, state).await;
        let segments = path.map_err(|rejection| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                format!("the path does not decode: {rejection}; percent-encode it as UTF-8"),
            )
        })?;
        let text = |name: &str| segments.get(name).map_or("", |segment| segment.as_ref());
        let session_job = match segments.get("flinkJobId") {
            Some(id) => Some(FlinkJobId::parse(id).ok_or_else(|| {
                Problem::not_found(format!(
                    "`{id}` behind a job's name is neither a Flink job id (32 hex digits) nor transitions, explain or intent"
                ))
            })?),
            None => None,
        };
        let (cluster, namespace) = (ClusterName::new(text("cluster")), Namespace::new(text("namespace")));
        Ok(Self(JobKey {
            target: TargetId::new(&cluster, &namespace, text("name")),
            session_job,
        }))
    }
}

/// A page of transitions, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransitionPage {
    items: Vec<Transition>,
    /// Where the next page begins; null on the last one.
    cursor: Option<String>,
}

/// What somebody wants of a job.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntentBody {
    /// start, cancel, savepoint or none.
    #[schema(example = "cancel")]
    intent: String,
}

fn missing(api: &Api, key: &JobKey) -> Problem {
    let is_session = key.session_job.is_none()
        && !api
            .jobs
            .page(Some(key), 1, |_| true)
            .iter()
            .all(|next| next.record.key.target != key.target);
    if is_session {
        return Problem::not_found(format!(
            "{key} is a session cluster, whose jobs are recorded one by one; add /{{flinkJobId}}"
        ));
    }
    ControlError::NoSuchJob.problem(key)
}

/// One job.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "The job", body = Job),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(State(api): State<Api>, Named(key): Named) -> Result<Json<Job>, Problem> {
    let view = api.jobs.get(&key).ok_or_else(|| missing(&api, &key))?;
    Ok(Json(Job::from(&view)))
}

/// The history of a job since it was first seen, or seen again after it was forgotten.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/transitions", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path),
    ("limit" = Option<u32>, Query, description = "Items of a page: 1 to 5000, 500 if not given"),
    ("cursor" = Option<String>, Query, description = "The `cursor` of the page before")),
    responses((status = 200, description = "A page of transitions, oldest first", body = TransitionPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn transitions(
    State(api): State<Api>,
    Named(key): Named,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<TransitionPage>, Problem> {
    let (mut after, mut most) = (Sequence::default(), DEFAULT_LIMIT);
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "limit" => most = limit(value)?,
            "cursor" => after = Sequence(position("cursor", value)?),
            _ => return Err(unknown(name, "limit, cursor")),
        }
    }
    if api.jobs.get(&key).is_none() {
        return Err(missing(&api, &key));
    }
    let one_more = u32::try_from(most).unwrap_or(u32::MAX).saturating_add(1);
    let read = api
        .journal
        .entries(EntriesOf::TransitionsOf(key), after, one_more)
        .await;
    let mut entries = read.map_err(|error| Problem::unavailable(chain(&error)))?;
    let more = entries.len() > most;
    entries.truncate(most);
    let cursor = entries
        .last()
        .filter(|_| more)
        .map(|entry| entry.sequence.0.to_string());
    let items = entries.iter().filter_map(|entry| match &entry.event {
        Event::Transition(transition) => Some(Transition::new(entry, transition)),
        Event::Update | Event::Alert(_) | Event::Forgotten => None,
    });
    Ok(Json(TransitionPage {
        items: items.collect(),
        cursor,
    }))
}

/// Reads a position in the journal.
pub(crate) fn position(name: &str, value: &str) -> Result<u64, Problem> {
    value.parse().map_err(|_| {
        let detail = format!("{name}=`{value}` is not a position in the journal; use one that this engine gave");
        Problem::parameter(name, detail)
    })
}

/// What is seen of a job now, what its policy makes of it, and which rule spoke.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/explain", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Explanation, description = "Why the record says what it says"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn explain(State(api): State<Api>, Named(key): Named) -> Result<Json<Explanation>, Problem> {
    let explained = api.control.explain(&key).await;
    let explanation = explained.map_err(|error| refusal(&api, &key, error))?;
    Ok(Json(Explanation::new(&explanation, &api.shadows.of(&key))))
}

/// Says what is wanted of a job. It explains what will be seen; it never stands for it.
#[utoipa::path(put, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/intent", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    request_body(content = IntentBody, content_type = "application/json"),
    responses((status = 200, description = "Committed; the job as it stands", body = Job),
        (status = 400, description = "Not an intent", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not application/json", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn intend(
    State(api): State<Api>,
    Named(key): Named,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Job>, Problem> {
    let intent = parse_intent(&headers, body)?;
    let noted = api.control.intend(&key, intent).await;
    let view = noted.map_err(|error| refusal(&api, &key, error))?;
    Ok(Json(Job::from(&view)))
}

fn parse_intent(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Intent, Problem> {
    const FIX: &str = r#"send {"intent":"start"}, "cancel", "savepoint" or "none" with Content-Type: application/json"#;
    let format = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = format.and_then(|value| value.split(';').next()).map(str::trim);
    // Besides being right, this keeps plain forms of foreign web pages out.
    if !format.is_some_and(|format| format.eq_ignore_ascii_case("application/json")) {
        let detail = format!("the body's Content-Type is not application/json; {FIX}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let body = body.map_err(|rejection| {
        let detail = format!("the body was not read: {rejection}; at most {BODY_LIMIT} bytes are");
        Problem::new(rejection.status(), detail)
    })?;
    let parsed: IntentBody = serde_json::from_slice(&body)
        .map_err(|error| Problem::parameter("intent", format!("the body is not an intent: {error}; {FIX}")))?;
    Intent::parse(&parsed.intent)
        .ok_or_else(|| Problem::parameter("intent", format!("`{}` is not an intent; {FIX}", parsed.intent)))
}

/// Removes a job's record. One that is seen again begins anew.
#[utoipa::path(delete, path = "/api/v1/jobs/{cluster}/{namespace}/{name}", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 204, description = "Its removal is committed"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The configuration names it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn forget(State(api): State<Api>, Named(key): Named) -> Result<StatusCode, Problem> {
    let forgotten = api.control.forget(&key).await;
    forgotten.map_err(|error| refusal(&api, &key, error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn refusal(api: &Api, key: &JobKey, error: ControlError) -> Problem {
    match error {
        ControlError::NoSuchJob => missing(api, key),
        ControlError::Configured | ControlError::Unavailable(_) => error.problem(key),
    }
}

#[cfg(test)]
mod tests;
