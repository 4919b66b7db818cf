//! `.../silences/{alert}`: until when nobody is told of an alert of a job.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::{Extension, Json};
use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde::Deserialize;
use steadfast_core::call::{self, Caller};
use steadfast_core::foreign_text::is_harmful;
use steadfast_core::id::JobKey;
use steadfast_core::planner::NAME_LIMIT;
use steadfast_core::time::Timestamp;
use utoipa::ToSchema;

use crate::job::{AUTHOR_LIMIT, JobPath, json_body, refusal, tell, text_of};
use crate::ports::AskedSilence;
use crate::problem::Problem;
use crate::state::Api;
use crate::view::Job;

pub(crate) const APPLICATION_SILENCE: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/silences/{alert}";
pub(crate) const SESSION_JOB_SILENCE: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/silences/{alert}";

/// The longest comment, in characters.
const COMMENT_LIMIT: usize = 1024;

/// The job and the alert that a path names.
#[derive(Debug)]
pub(crate) struct SilencePath(JobKey, String);

impl<S: Send + Sync> FromRequestParts<S> for SilencePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let JobPath(key) = JobPath::from_request_parts(parts, state).await?;
        let path: Result<Path<BTreeMap<String, String>>, _> = Path::from_request_parts(parts, state).await;
        let alert = path
            .ok()
            .and_then(|mut segments| segments.remove("alert"))
            .unwrap_or_default();
        let is_name = !alert.trim().is_empty() && alert.len() <= NAME_LIMIT && !alert.contains(is_harmful);
        if !is_name {
            let detail = format!(
                "the name of an alert has 1 to {NAME_LIMIT} bytes and no control character; write it as the job's `alerts` do"
            );
            return Err(Problem::parameter("alert", detail));
        }
        Ok(Self(key, alert))
    }
}

/// Until when nobody is told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SilenceBody {
    /// In the future, and no more than 30 days ahead.
    #[schema(format = DateTime)]
    until: String,
    /// Why, for those who read the record; at most 1024 characters.
    #[serde(default)]
    #[schema(example = "planned move to the new Kafka")]
    comment: Option<String>,
    /// Who says so, for those who read the record; at most 256 characters.
    #[serde(default)]
    #[schema(example = "ann")]
    author: Option<String>,
}

/// Tells nobody of an alert of a job until a time, whether it stands by now or not.
///
/// The alert stands in the record as ever. One that begins meanwhile is told when the silence ends, if it still stands then. An alert about
/// a cluster or a policy is silenced for all of its jobs.
#[utoipa::path(put, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/silences/{alert}", tag = "jobs", operation_id = "silenceJobAlert", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path), ("alert" = String, Path, description = "Its name, as in the job's `alerts`")),
    request_body(content = SilenceBody, content_type = "application/json"),
    responses((status = 200, description = "Committed; the job as it stands", body = Job),
        (status = 400, description = "Not a silence", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The job has 32 silences already", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not application/json", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Calls about this job have made as many entries in its history as they may: 120 at once, and 4 more for each `[timing] poll`; the header `Retry-After` says when there is room for another", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn silence(
    State(api): State<Api>,
    SilencePath(key, alert): SilencePath,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Job>, Problem> {
    const FIX: &str = r#"send {"until":"2026-12-24T18:00:00Z"} with Content-Type: application/json"#;
    let SilenceBody { until, comment, author } = json_body(&headers, body, ("silence", "a silence"), FIX)?;
    let until = Timestamp::parse(&until)
        .ok_or_else(|| Problem::parameter("until", format!("`{until}` is no time in RFC 3339; {FIX}")))?;
    let comment = text_of("comment", COMMENT_LIMIT, comment)?;
    let says: Option<Arc<str>> = text_of("author", AUTHOR_LIMIT, author)?;
    let by = caller.author(says.as_ref());
    let said = call::AskedSilence {
        until,
        comment: comment.as_deref().map(Into::into),
    };
    let call = caller.asking_for_silence(&alert, said, says);
    let asked = AskedSilence {
        alert,
        until,
        by,
        comment,
    };
    let noted = api.control.silence(&key, asked, call.clone()).await;
    tell(&key, &call, &noted);
    let view = noted.map_err(|error| refusal(&api, &key, error).told())?;
    Ok(Json(api.job(&view)))
}

/// Takes a silence back. An alert whose beginning was not told, and that still stands, is told now.
#[utoipa::path(delete, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/silences/{alert}", tag = "jobs", operation_id = "unsilenceJobAlert", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path), ("alert" = String, Path, description = "Its name, as in the job's `silences`")),
    responses((status = 200, description = "Committed, or there was no such silence; the job as it stands", body = Job),
        (status = 400, description = "The path names no alert", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Calls about this job have made as many entries in its history as they may: 120 at once, and 4 more for each `[timing] poll`; the header `Retry-After` says when there is room for another", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn unsilence(
    State(api): State<Api>,
    SilencePath(key, alert): SilencePath,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Job>, Problem> {
    let call = caller.asking_to_unsilence(&alert);
    let noted = api.control.unsilence(&key, &alert, call.clone()).await;
    tell(&key, &call, &noted);
    let view = noted.map_err(|error| refusal(&api, &key, error).told())?;
    Ok(Json(api.job(&view)))
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use serde_json::json;
    use steadfast_core::state::JobState;

    use crate::testing::{SESSION_JOB, TestServer};

    /// The control of the tests lives at 2026-11-23T01:13:29.838Z.
    const UNTIL: &str = r#"{"until":"2026-11-24T01:00:00Z","comment":"we move","author":"ann"}"#;

    #[tokio::test]
    async fn a_silence_is_noted_shown_audited_and_taken_back() {
        for id in ["local/default/orders", SESSION_JOB] {
            let server = TestServer::new();
            server.add(id, JobState::Running).await;
            let path = format!("/api/v1/jobs/{id}/silences/JobFailed");
            let (status, job) = server.call(Method::PUT, &path, UNTIL).await;
            let noted = json!([{"alert": "JobFailed", "since": "2026-11-23T01:13:29.838Z", "until": "2026-11-24T01:00:00.000Z",
                "by": "ann", "comment": "we move"}]);
            assert_eq!((status, &job["silences"]), (StatusCode::OK, &noted), "{job}");
            let (_, audit) = server.get(&format!("/api/v1/jobs/{id}/audit")).await;
            assert_eq!(
                (&audit["items"][0]["what"], &audit["items"][0]["alert"]),
                (&json!("silence"), &json!("JobFailed"))
            );
            let (status, job) = server.call(Method::DELETE, &path, "").await;
            assert_eq!((status, &job["silences"]), (StatusCode::OK, &json!([])));
        }
    }

    #[tokio::test]
    async fn what_is_no_silence_is_refused_by_name() {
        let server = TestServer::new();
        server.add("local/default/orders", JobState::Running).await;
        let path = "/api/v1/jobs/local/default/orders/silences";
        for (alert, body, parameter) in [
            ("JobFailed", r#"{"until":"tomorrow"}"#, "until"),
            ("JobFailed", r#"{"until":"2026-11-22T00:00:00Z"}"#, "until"),
            ("JobFailed", r#"{"until":"2026-12-30T00:00:00Z"}"#, "until"),
            ("JobFailed", r#"{}"#, "silence"),
            (
                "JobFailed",
                "{\"until\":\"2026-11-24T00:00:00Z\",\"comment\":\"a\\nb\"}",
                "comment",
            ),
            ("Job%1bFailed", UNTIL, "alert"),
        ] {
            let (status, problem) = server.call(Method::PUT, &format!("{path}/{alert}"), body).await;
            assert_eq!(
                (status, &problem["parameter"]),
                (StatusCode::BAD_REQUEST, &json!(parameter)),
                "{body}: {problem}"
            );
        }
        for number in 0..32 {
            let (status, _) = server.call(Method::PUT, &format!("{path}/Alert{number}"), UNTIL).await;
            assert_eq!(status, StatusCode::OK);
        }
        let (status, _) = server.call(Method::PUT, &format!("{path}/Alert3"), UNTIL).await;
        assert_eq!(status, StatusCode::OK, "one of the same alert takes its place");
        let (status, problem) = server.call(Method::PUT, &format!("{path}/Other"), UNTIL).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        let (status, _) = server
            .call(Method::PUT, "/api/v1/jobs/local/default/nobody/silences/A", UNTIL)
            .await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}
