//! `.../flink`, `.../pods` and `.../log`: one job as Flink and Kubernetes show it at this moment, for people.
//!
//! Each part says by itself whether it is known. A part that could not be read is unknown, and says why; it is never left out, and
//! never empty instead.

mod flink;
mod pods;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use steadfast_core::closeup::{LogQuestion, MOST_LOG_LINES};
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use utoipa::{IntoParams, ToSchema};

use crate::job::{JobPath, missing};
use crate::ports::CloseupError;
use crate::problem::Problem;
use crate::query::{Parameters, truth};
use crate::state::Api;

pub(crate) use flink::FlinkCloseup;
pub(crate) use pods::{LogCloseup, PodsCloseup};

pub(crate) const APPLICATION_FLINK: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/flink";
pub(crate) const APPLICATION_PODS: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/pods";
pub(crate) const APPLICATION_LOG: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/log";
pub(crate) const SESSION_JOB_FLINK: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/flink";
pub(crate) const SESSION_JOB_PODS: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/pods";
pub(crate) const SESSION_JOB_LOG: &str = "/api/v1/jobs/{cluster}/{namespace}/{name}/{flinkJobId}/log";

/// How many lines of a log are shown unless `lines` says otherwise.
const LOG_LINES: u32 = 200;

/// What came of one question.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Part<T> {
    /// What is known by it.
    known: Known,
    /// Why it is unknown; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What is present; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<T>,
}

/// What is known by a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Known {
    /// It is `value`.
    Present,
    /// A complete answer says that there is none.
    Absent,
    /// There was no complete answer.
    Unknown,
}

impl<T> Part<T> {
    pub(super) fn of<'a, Core>(answer: &'a Observed<Core>, show: impl FnOnce(&'a Core) -> T) -> Self {
        let (known, why, value) = match answer {
            Observed::Present(found) => (Known::Present, None, Some(show(found))),
            Observed::Absent => (Known::Absent, None, None),
            Observed::Unknown(fault) => (Known::Unknown, Some(words(fault)), None),
        };
        Self { known, why, value }
    }
}

/// Where no word fits the kind of a fault, its message says it all.
fn words(fault: &Fault) -> String {
    if fault.kind == FaultKind::Other {
        fault.message.to_string()
    } else {
        fault.to_string()
    }
}

fn refusal(api: &Api, key: &steadfast_core::id::JobKey, error: CloseupError) -> Problem {
    match error {
        CloseupError::NoSuchJob => missing(api, key),
        CloseupError::Unavailable(why) => Problem::unavailable(format!("{why}; nobody was asked, try again")),
    }
}

/// What Flink says of a job now: its vertices, checkpoints and failures. Asked live, kept nowhere.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/flink", tag = "jobs", operation_id = "getJobFlink", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "What came of each question, within `[timing] timeout`", body = FlinkCloseup),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "As many jobs are looked at as may be at a time", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn flink(State(api): State<Api>, JobPath(key): JobPath) -> Result<Json<FlinkCloseup>, Problem> {
    let found = api.closeup.flink(&key).await;
    let found = found.map_err(|error| refusal(&api, &key, error))?;
    Ok(Json(FlinkCloseup::from(&found)))
}

/// A job's pods now, and what Kubernetes tells of its objects. Asked live, kept nowhere.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/pods", tag = "jobs", operation_id = "getJobPods", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "What came of each question, within `[timing] timeout`", body = PodsCloseup),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "As many jobs are looked at as may be at a time", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn pods(State(api): State<Api>, JobPath(key): JobPath) -> Result<Json<PodsCloseup>, Problem> {
    let found = api.closeup.pods(&key).await;
    let found = found.map_err(|error| refusal(&api, &key, error))?;
    Ok(Json(PodsCloseup::from(&found)))
}

/// How many lines are asked for: from 1 to [`MOST_LOG_LINES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Lines(u32);

impl Default for Lines {
    fn default() -> Self {
        Self(LOG_LINES)
    }
}

impl TryFrom<String> for Lines {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let lines = text.parse().ok().filter(|lines| (1..=MOST_LOG_LINES).contains(lines));
        lines
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a whole number from 1 to {MOST_LOG_LINES}"))
    }
}

/// Which part of which log is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogQuery {
    /// Its last lines: 1 to 2000, 200 if not given.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    lines: Lines,
    /// One of the job's pods; if not given, the JobManager's, the newest if there are several.
    #[param(value_type = Option<String>)]
    pod: Option<String>,
    /// true: the log of the container's run before the present one.
    #[serde(default, deserialize_with = "truth")]
    #[param(value_type = Option<bool>)]
    previous: bool,
}

/// The end of the log of one of a job's pods. Asked live, kept nowhere.
///
/// A log may hold what its job read and wrote, passwords among it: so it asks for the scope `admin`.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/log", tag = "jobs", operation_id = "getJobLog", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path), LogQuery),
    responses((status = 200, description = "What came of the question; absent: the job has no such pod, or its container has not begun anew", body = LogCloseup),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "As many jobs are looked at as may be at a time", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn log(
    State(api): State<Api>,
    JobPath(key): JobPath,
    Parameters(query): Parameters<LogQuery>,
) -> Result<Json<LogCloseup>, Problem> {
    let question = LogQuestion {
        pod: query.pod,
        lines: query.lines.0,
        previous: query.previous,
    };
    let found = api.closeup.log(&key, &question).await;
    let found = found.map_err(|error| refusal(&api, &key, error))?;
    Ok(Json(LogCloseup::from(&found)))
}

#[cfg(test)]
mod tests;
