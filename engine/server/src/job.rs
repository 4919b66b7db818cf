//! `/api/v1/jobs/{cluster}/{namespace}/{name}`, behind it `/{flinkJobId}` for a session's jobs: one job.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::{Extension, Json};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use steadfast_core::call::{Call, Caller};
use steadfast_core::error_chain::error_chain;
use steadfast_core::foreign_text::{ForeignText, is_harmful};
use steadfast_core::id::{ClusterName, JobKey, Namespace, SessionJob, TargetId};
use steadfast_core::journal::{EntriesOf, Event, Sequence};
use steadfast_core::silences::Refused;
use steadfast_core::state::{Force, Intent};
use utoipa::{IntoParams, ToSchema};

use crate::clusters::unread;
use crate::explain::Explanation;
use crate::ports::{ControlError, Looked};
use crate::problem::{Code, Problem};
use crate::query::{Limit, Page, Parameters, Position, truth};
use crate::serve::is_late;
use crate::state::Api;
use crate::view::{Job, Transition};
use crate::words::schema;

/// The largest request body that is read, in bytes; those with a meaning are intents and silences.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

pub(crate) const APPLICATION: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}";
pub(crate) const APPLICATION_TRANSITIONS: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/transitions";
pub(crate) const APPLICATION_EXPLAIN: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/explain";
pub(crate) const APPLICATION_AUDIT: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/audit";
pub(crate) const APPLICATION_INTENT: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/intent";
pub(crate) const APPLICATION_LOOK: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/look";
pub(crate) const SESSION_JOB_LOOK: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/look";
pub(crate) const SESSION_JOB: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}";
pub(crate) const SESSION_JOB_TRANSITIONS: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/transitions";
pub(crate) const SESSION_JOB_EXPLAIN: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/explain";
pub(crate) const SESSION_JOB_AUDIT: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/audit";
pub(crate) const SESSION_JOB_INTENT: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/intent";

/// What is served behind a job's name.
const BEHIND: &str = "transitions, explain, audit, intent, look, silences, flink, pods or log";

/// The job a path names. A FlinkSessionJob whose name is that of what is served behind a job ([`BEHIND`]) is not shown by itself, but in
/// the list of all jobs.
#[derive(Debug)]
pub(crate) struct JobPath(pub(crate) JobKey);

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
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
            Some(job) => Some(SessionJob::parse(job).ok_or_else(|| {
                Problem::not_found(format!(
                    "`{job}` behind a job's name is neither a Flink job id (32 hex digits), nor the name of a FlinkSessionJob, \
                     nor {BEHIND}"
                ))
                .coded(Code::NoSuchPath)
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
    #[schema(required)]
    cursor: Option<String>,
}

/// What somebody wants of a job.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntentBody {
    /// What is wanted.
    #[schema(value_type = schema::IntentWord, example = "cancel")]
    intent: String,
    /// Who says so, for those who read the record; at most 256 characters.
    #[serde(default)]
    #[schema(example = "deploy-bot")]
    author: Option<String>,
}

/// The longest name of an author, in characters.
pub(crate) const AUTHOR_LIMIT: usize = 256;

pub(crate) fn missing(api: &Api, key: &JobKey) -> Problem {
    let is_session = key.session_job.is_none()
        && !api
            .jobs
            .page(Some(key), 1, |_| true)
            .iter()
            .all(|next| next.record.key.target != key.target);
    if is_session {
        return Problem::not_found(format!(
            "{key} is a session cluster, whose jobs are recorded one by one; add /{{flinkJobId}}, or the name of a \
             FlinkSessionJob"
        ))
        .coded(Code::NoSuchJob);
    }
    match unread(api, key) {
        Some(why) => Problem::not_found(format!(
            "there is no job {key} on record, but {why}: whether there is such a job is not known"
        ))
        .coded(Code::JobNotKnown),
        None => Problem::not_found(match not_configured(api, key) {
            Some(clusters) => format!(
                "there is no job {key}, since no [[kubernetes]] is named {}; {clusters}",
                key.target.cluster
            ),
            None => format!("there is no job {key}; GET /api/v1/jobs lists all"),
        })
        .coded(Code::NoSuchJob),
    }
}

/// Which clusters there are, if the job names another one.
fn not_configured(api: &Api, key: &JobKey) -> Option<String> {
    let clusters = api.health.clusters();
    let own = &key.target.cluster;
    if own.as_str() == "-" || clusters.iter().any(|cluster| cluster.name == *own) {
        return None;
    }
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    Some(match names.as_slice() {
        [] => "there are jobs outside of Kubernetes only, which are named -/-/NAME".to_owned(),
        names => format!("there is {}", names.join(", ")),
    })
}

/// One job.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}", operation_id = "getJob", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "The job", body = Job),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(State(api): State<Api>, JobPath(key): JobPath) -> Result<Json<Job>, Problem> {
    let view = api.jobs.get(&key).ok_or_else(|| missing(&api, &key))?;
    Ok(Json(api.job(&view)))
}

/// Which part of a history is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Items of a page: 1 to 5000, 500 if not given.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    pub(crate) limit: Limit,
    /// The `cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Position>,
}

impl HistoryQuery {
    /// Behind which entry to begin, and how many to read.
    pub(crate) fn range(&self) -> Result<(Sequence, u32), Problem> {
        let after = self.cursor.map_or_else(Default::default, |position| position.0);
        if i64::try_from(after.0).is_err() {
            let detail = format!(
                "cursor=`{}` is beyond what a journal counts; use one that this engine gave",
                after.0
            );
            return Err(Problem::parameter("cursor", detail));
        }
        Ok((after, u32::try_from(self.limit.and_one()).unwrap_or(u32::MAX)))
    }
}

/// The history of a job since it was first seen, or seen again after it was forgotten.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/transitions", operation_id = "listJobTransitions", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path), HistoryQuery),
    responses((status = 200, description = "A page of transitions, oldest first", body = TransitionPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn transitions(
    State(api): State<Api>,
    JobPath(key): JobPath,
    Parameters(query): Parameters<HistoryQuery>,
) -> Result<Json<TransitionPage>, Problem> {
    if api.jobs.get(&key).is_none() {
        return Err(missing(&api, &key));
    }
    let (after, most) = query.range()?;
    let read = api.journal.entries(EntriesOf::TransitionsOf(key), after, most).await;
    let entries = read.map_err(|error| Problem::unavailable(error_chain(&error)))?;
    let page = Page::of(entries, query.limit, |entry| Some(entry.sequence.0.to_string()));
    let items = page.items.iter().filter_map(|entry| match &entry.event {
        Event::Transition(transition) => Some(Transition::new(entry, transition)),
        Event::Update(_) | Event::Called(_) | Event::Alert(_) | Event::Forgotten => None,
    });
    Ok(Json(TransitionPage {
        items: items.collect(),
        cursor: page.cursor,
    }))
}

/// What is seen of a job now, what its policy makes of it, and which rule spoke.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/explain", operation_id = "explainJob", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Explanation, description = "Why the record says what it says"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn explain(State(api): State<Api>, JobPath(key): JobPath) -> Result<Json<Explanation>, Problem> {
    let explained = api.control.explain(&key).await;
    let explanation = explained.map_err(|error| refusal(&api, &key, error))?;
    let clusters = api.health.clusters();
    let mut own = clusters.iter().filter(|cluster| cluster.name == key.target.cluster);
    let shown = Explanation::new(&explanation, &api.shadows.of(&key));
    // Outside of Kubernetes nothing can be configured that tells of ends.
    Ok(Json(shown.with_archive(own.any(|cluster| cluster.tells_of_ends))))
}

/// Asks Flink and Kubernetes of a job now, instead of with the next poll.
///
/// It is the look that the engine takes anyhow, made sooner: a watch that sleeps is polled once, and sleeps on unless what is seen wakes it.
#[utoipa::path(post, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/look", operation_id = "lookAtJob", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "The job as it is, now that what was seen, or that nothing was, has been judged", body = Job),
        (status = 202, description = "The job as it is; it is looked for longer than `[timing] timeout` and a second, and what comes of it will be in the record", body = Job),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "This job was called for as often as it may be: 120 times at once, and 4 times more for each `[timing] poll`; the header `Retry-After` says when it may be again", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn look(State(api): State<Api>, JobPath(key): JobPath) -> Result<(StatusCode, Json<Job>), Problem> {
    let looked = api.control.look(&key).await;
    let (status, view) = match looked.map_err(|error| refusal(&api, &key, error))? {
        Looked::Judged(view) => (StatusCode::OK, view),
        Looked::UnderWay(view) => (StatusCode::ACCEPTED, view),
    };
    Ok((status, Json(api.job(&view))))
}

/// Says what is wanted of a job. It explains what will be seen; it never stands for it.
#[utoipa::path(put, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/intent", operation_id = "setJobIntent", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    request_body(content = IntentBody, content_type = "application/json"),
    responses((status = 200, description = "Committed; the job as it stands", body = Job),
        (status = 400, description = "Not an intent", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not application/json", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Calls about this job have made as many entries in its history as they may: 120 at once, and 4 more for each `[timing] poll`; the header `Retry-After` says when there is room for another", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn intend(
    State(api): State<Api>,
    JobPath(key): JobPath,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Job>, Problem> {
    let (intent, says) = parse_intent(&headers, body)?;
    let author = caller.author(says.as_ref());
    let call = caller.asking(intent, says);
    let noted = api.control.intend(&key, intent, author, call.clone()).await;
    tell(&key, &call, &noted);
    let view = noted.map_err(|error| refusal(&api, &key, error).told())?;
    Ok(Json(api.job(&view)))
}

/// What is intended, and who says so.
type Said = (Intent, Option<Arc<str>>);

fn parse_intent(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Said, Problem> {
    const FIX: &str = r#"send {"intent":"start"}, "cancel", "savepoint" or "none" with Content-Type: application/json"#;
    let parsed: IntentBody = json_body(headers, body, ("intent", "an intent"), FIX)?;
    let intent = Intent::parse(&parsed.intent)
        .ok_or_else(|| Problem::parameter("intent", format!("`{}` is not an intent; {FIX}", parsed.intent)))?;
    Ok((intent, text_of("author", AUTHOR_LIMIT, parsed.author)?))
}

/// Reads a body that has to be JSON. `what` names what it is to be, `one` says so in a sentence, `fix` how to send it.
pub(crate) fn json_body<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    (what, one): (&str, &str),
    fix: &str,
) -> Result<T, Problem> {
    let format = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = format.and_then(|value| value.split(';').next()).map(str::trim);
    // Besides being right, this keeps plain forms of foreign web pages out.
    if !format.is_some_and(|format| format.eq_ignore_ascii_case("application/json")) {
        let detail = format!("the body's Content-Type is not application/json; {fix}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let body = body.map_err(|rejection| {
        if is_late(&rejection) {
            let detail =
                "the body did not come in time after the head of the request; send them together. Nothing has changed";
            return Problem::new(StatusCode::REQUEST_TIMEOUT, detail);
        }
        let detail = format!("the body was not read: {rejection}; at most {BODY_LIMIT} bytes are");
        Problem::new(rejection.status(), detail)
    })?;
    steadfast_http::json::from_slice(&body)
        .map_err(|error| Problem::parameter(what, format!("the body is not {one}: {error}; {fix}")))
}

/// A text that somebody writes into the record. An empty one counts as none.
pub(crate) fn text_of(what: &str, most: usize, text: Option<String>) -> Result<Option<Arc<str>>, Problem> {
    let text = text.filter(|text| !text.trim().is_empty());
    if text
        .as_ref()
        .is_some_and(|text| text.chars().count() > most || text.contains(is_harmful))
    {
        let detail = format!(
            "`{what}` has at most {most} characters, and none that controls a terminal, turns the direction of writing, ends a line or \
             shows nothing"
        );
        return Err(Problem::parameter(what, detail));
    }
    Ok(text.map(Arc::from))
}

/// How a record is to be removed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ForgetQuery {
    /// true: remove it even if the job is seen alive. It begins anew with what shows it next, as attempt 1.
    #[serde(default, deserialize_with = "truth")]
    #[param(value_type = Option<bool>)]
    force: bool,
}

/// Removes a job's record. One that is seen again begins anew.
///
/// A job that is seen alive would be back at once, without its history: its removal is refused unless it is forced.
/// A discovered application is seen alive while its Deployment (or its FlinkDeployment) is there or Flink lists its job
/// as not ended, a session's job while Flink lists it; what cannot be looked at is not seen.
#[utoipa::path(delete, path = "/api/v1/jobs/{cluster}/{namespace}/{name}", operation_id = "forgetJob", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path), ForgetQuery),
    responses((status = 204, description = "Its removal is committed"),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The configuration names it, or it is seen alive and `force` is not true", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Calls about this job have made as many entries in its history as they may: 120 at once, and 4 more for each `[timing] poll`; the header `Retry-After` says when there is room for another", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn forget(
    State(api): State<Api>,
    JobPath(key): JobPath,
    Extension(caller): Extension<Caller>,
    Parameters(query): Parameters<ForgetQuery>,
) -> Result<StatusCode, Problem> {
    let force = if query.force { Force::Yes } else { Force::No };
    let call = caller.asking(force, None);
    let forgotten = api.control.forget(&key, force, call.clone()).await;
    tell(&key, &call, &forgotten);
    forgotten.map_err(|error| refusal(&api, &key, error).told())?;
    Ok(StatusCode::NO_CONTENT)
}

/// The audit line of a call, as the log has it. The journal has one of each that wrote.
pub(crate) fn tell<T>(key: &JobKey, call: &Call, outcome: &Result<T, ControlError>) {
    let outcome = match outcome {
        Ok(_) => "done".to_owned(),
        Err(why) => format!("refused: {}", ForeignText::new(&why.to_string())),
    };
    // Whoever calls names a job as they like.
    let job = ForeignText::new(&key.to_string());
    tracing::info!(
        target: "steadfast_audit",
        %job, what = call.asked.as_str(), alert = call.alert.as_deref(), by = call.by.as_deref(), through = call.through.as_str(),
        says = call.says.as_deref(), from = call.from.map(display), "a call about a job: {outcome}"
    );
}

pub(crate) fn refusal(api: &Api, key: &JobKey, error: ControlError) -> Problem {
    match error {
        ControlError::NoSuchJob => missing(api, key),
        ControlError::Configured => Problem::new(StatusCode::CONFLICT, error.to_string()).coded(Code::JobConfigured),
        ControlError::SeenAlive(_) => Problem::new(
            StatusCode::CONFLICT,
            format!("{error}. Take the job down first, or add force=true (`steadfast forget --force`)"),
        )
        .coded(Code::JobSeenAlive),
        ControlError::Silence(Refused::TooMany) => Problem::new(StatusCode::CONFLICT, error.to_string()),
        ControlError::Silence(Refused::Past(_) | Refused::TooLong) => Problem::parameter("until", error.to_string()),
        ControlError::TooOften { why, wait } => Problem::too_often(
            format!("{why}. Nothing has changed; try again when Retry-After says"),
            wait,
        )
        .coded(Code::TooManyCalls),
        ControlError::Unavailable(why) => Problem::unavailable(format!("{why}; nothing has changed, try again")),
    }
}

#[cfg(test)]
mod tests;
