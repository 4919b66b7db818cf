//! Jobs as Apache StreamPark's console has them: the names and codes of its `FlinkAppStateEnum`, and some fields of its
//! applications. `docs/integrate.md` has the table.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use steadfast_core::projection::JobView;
use steadfast_core::state::{JobState, Mode};
use utoipa::{IntoParams, ToSchema};

use crate::filter::JobFilter;
use crate::jobs::{self, Behind, Sort};
use crate::problem::Problem;
use crate::query::{Both, Cursor, Limit};
use crate::state::Api;
use crate::words::schema;

/// A page of jobs in StreamPark's words, in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamParkPage {
    items: Vec<Application>,
    /// How many jobs there are in all, of all pages.
    #[schema(example = 1)]
    total: u64,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    cursor: Option<String>,
}

/// A job in StreamPark's words.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StreamParkApplication)]
struct Application {
    /// Steadfast's id of the job. StreamPark's own is a number that only StreamPark knows.
    #[schema(example = "prod/default/orders")]
    id: String,
    /// The name of the application, or of what asks for the session's job.
    #[schema(example = "orders")]
    job_name: String,
    /// Flink's id of the job; null while none is known.
    #[schema(required, example = "ffffffffa021a4190000000000000000")]
    job_id: Option<String>,
    /// The Flink cluster: the Deployment's name, or the job's where there is none.
    #[schema(example = "orders")]
    cluster_id: String,
    /// `-` for standalone jobs.
    #[schema(example = "default")]
    k8s_namespace: String,
    /// 1: remote (standalone), 5: Kubernetes session, 6: Kubernetes application.
    #[schema(example = 6)]
    execution_mode: i32,
    /// The code of `stateName`.
    #[schema(example = 5)]
    state: i32,
    #[schema(value_type = schema::StreamParkState, example = "RUNNING")]
    state_name: &'static str,
    /// 4 while a savepoint is taken, else 0.
    #[schema(example = 0)]
    option_state: i32,
    /// When the present run began, by the JobManager's clock; null until Flink has told it.
    #[schema(required, format = DateTime)]
    start_time: Option<String>,
    /// When the job ended; null while it has not.
    #[schema(required, format = DateTime)]
    end_time: Option<String>,
    /// How sure the state is, which StreamPark has no word for.
    #[schema(value_type = schema::Confidence, example = "confirmed")]
    confidence: &'static str,
}

/// Which part of the list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PartQuery {
    /// Items of a page: 1 to 5000, 500 if not given.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit,
    /// The `cursor` of the page before; it goes with its filters.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<Behind>>,
}

/// A state of StreamPark's: its name, and its code.
const fn state(state: JobState) -> (&'static str, i32) {
    match state {
        JobState::Initializing => ("INITIALIZING", 1),
        JobState::Created => ("CREATED", 2),
        JobState::Starting => ("STARTING", 3),
        JobState::Restarting => ("RESTARTING", 4),
        // That a savepoint is taken is not a state there, but an option state.
        JobState::Running | JobState::Savepointing => ("RUNNING", 5),
        JobState::Failing => ("FAILING", 6),
        JobState::Failed => ("FAILED", 7),
        JobState::Cancelling => ("CANCELLING", 8),
        JobState::Canceled => ("CANCELED", 9),
        JobState::Finished => ("FINISHED", 10),
        JobState::Suspended => ("SUSPENDED", 11),
        JobState::Reconciling => ("RECONCILING", 12),
        JobState::Lost => ("LOST", 13),
        JobState::Unknown => ("OTHER", 15),
        JobState::Terminated => ("TERMINATED", 18),
    }
}

/// The code of StreamPark's `OptionStateEnum`.
fn option_state(state: JobState) -> i32 {
    if state == JobState::Savepointing { 4 } else { 0 }
}

/// The code of StreamPark's execution mode.
const fn execution_mode(mode: Mode) -> i32 {
    match mode {
        Mode::Standalone => 1,
        Mode::Session => 5,
        Mode::Application => 6,
    }
}

/// The names that a state may have.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let named = JobState::ALL.iter().map(|of| state(*of));
    let names: std::collections::BTreeSet<(i32, &str)> = named.map(|(name, code)| (code, name)).collect();
    names.into_iter().map(|(_, name)| name)
}

/// Jobs in the words of Apache StreamPark: the names and codes of its `FlinkAppStateEnum`.
#[utoipa::path(get, path = "/api/v1/compat/streampark", operation_id = "listJobsAsStreamPark", tag = "integrations",
    params(JobFilter, PartQuery),
    responses(
        (status = 200, description = "A page of jobs", body = StreamParkPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn streampark(
    State(api): State<Api>,
    Both(filter, part): Both<JobFilter, PartQuery>,
) -> Result<Json<StreamParkPage>, Problem> {
    let (total, page) = jobs::page(&api, &filter, Sort::default(), part.limit, part.cursor)?;
    Ok(Json(StreamParkPage {
        items: page.items.iter().map(Application::from).collect(),
        total,
        cursor: page.cursor,
    }))
}

impl From<&JobView> for Application {
    fn from(view: &JobView) -> Self {
        let record = &*view.record;
        let target = &record.key.target;
        let (state_name, state) = state(record.state);
        let job_name = record.key.flink_session_job().unwrap_or(&target.name);
        Self {
            id: record.key.to_string(),
            job_name: job_name.to_owned(),
            job_id: record.incarnation.flink_job_id.map(|id| id.to_string()),
            cluster_id: record.deployment().unwrap_or(&target.name).to_owned(),
            k8s_namespace: target.namespace.to_string(),
            execution_mode: execution_mode(record.mode),
            state,
            state_name,
            option_state: option_state(record.state),
            start_time: record.incarnation.started_at.map(|at| at.to_string()),
            end_time: record.state.is_terminal().then(|| record.began().to_string()),
            confidence: view.confidence().as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{SESSION_JOB, TestServer, moved, record};

    /// `FlinkAppStateEnum` and `OptionStateEnum` of apache/streampark, as far as they are used here.
    #[test]
    fn each_state_has_streamparks_name_and_code() {
        let told: Vec<(&str, &str, i32)> = JobState::ALL
            .iter()
            .map(|of| {
                let (name, code) = state(*of);
                (of.as_str(), name, code)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("CREATED", "CREATED", 2),
                ("INITIALIZING", "INITIALIZING", 1),
                ("RUNNING", "RUNNING", 5),
                ("FAILING", "FAILING", 6),
                ("FAILED", "FAILED", 7),
                ("CANCELLING", "CANCELLING", 8),
                ("CANCELED", "CANCELED", 9),
                ("FINISHED", "FINISHED", 10),
                ("RESTARTING", "RESTARTING", 4),
                ("SUSPENDED", "SUSPENDED", 11),
                ("RECONCILING", "RECONCILING", 12),
                ("UNKNOWN", "OTHER", 15),
                ("STARTING", "STARTING", 3),
                ("SAVEPOINTING", "RUNNING", 5),
                ("LOST", "LOST", 13),
                ("TERMINATED", "TERMINATED", 18),
            ]
        );
        assert_eq!(
            (option_state(JobState::Savepointing), option_state(JobState::Running)),
            (4, 0)
        );
        assert_eq!(names().next(), Some("INITIALIZING"));
    }

    #[tokio::test]
    async fn jobs_are_listed_by_page_in_streamparks_words() {
        let server = TestServer::new();
        server.add("prod/default/orders", JobState::Running).await;
        server.add("prod/default/pay", JobState::Failed).await;
        server.add(SESSION_JOB, JobState::Lost).await;
        let mut renamed = record("renamed/default/eu", JobState::Running);
        renamed.incarnation.deployment_name = Some("orders-eu".to_owned());
        server
            .commit(renamed, vec![moved(JobState::Unknown, JobState::Running)])
            .await;
        let (_, page) = server.get("/api/v1/compat/streampark?cluster=renamed").await;
        assert_eq!(
            (&page["items"][0]["jobName"], &page["items"][0]["clusterId"]),
            (&json!("eu"), &json!("orders-eu")),
            "the Deployment's name, whatever the [[job]] is called"
        );
        let (_, page) = server.get("/api/v1/compat/streampark?cluster=prod&limit=1").await;
        assert_eq!(page["total"], 2);
        assert_eq!(
            page["items"][0],
            json!({
                "id": "prod/default/orders", "jobName": "orders", "jobId": null, "clusterId": "orders", "k8sNamespace": "default",
                "executionMode": 6, "state": 5, "stateName": "RUNNING", "optionState": 0, "startTime": null, "endTime": null,
                "confidence": "confirmed"
            })
        );
        let cursor = page["cursor"].as_str().unwrap();
        let (_, page) = server
            .get(&format!("/api/v1/compat/streampark?cluster=prod&cursor={cursor}"))
            .await;
        assert_eq!((&page["items"][0]["state"], &page["cursor"]), (&json!(7), &json!(null)));
        assert_eq!(page["items"][0]["endTime"], "2026-11-23T01:13:29.838Z");
        let (_, page) = server.get("/api/v1/compat/streampark?mode=session").await;
        assert_eq!(
            (&page["items"][0]["executionMode"], &page["items"][0]["stateName"]),
            (&json!(5), &json!("LOST"))
        );
    }
}
