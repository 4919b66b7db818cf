//! A job as its Flink shows it.

use std::collections::BTreeMap;

use serde::Serialize;
use steadfast_core::closeup;
use steadfast_core::time::Timestamp;
use utoipa::ToSchema;

use super::Part;
use crate::words::schema;

/// A job as its Flink shows it now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlinkCloseup {
    /// When it was asked, by Steadfast's clock.
    #[schema(format = DateTime)]
    asked_at: String,
    /// Absent: Flink says that it does not know the job.
    job: Part<JobDetail>,
    /// Absent: the same, or the job takes no checkpoints.
    checkpoints: Part<CheckpointDetail>,
    /// Absent: Flink says that it does not know the job.
    exceptions: Part<Failures>,
}

/// Flink's `/jobs/{id}`. Times are by the JobManager's clock.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobDetail {
    id: String,
    name: String,
    #[schema(value_type = schema::State, example = "RUNNING")]
    state: &'static str,
    #[schema(format = DateTime)]
    started_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    duration_seconds: f64,
    /// Where one is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_parallelism: Option<u32>,
    /// The highest of its vertices.
    parallelism: u32,
    /// At most 200.
    vertices: Vec<Vertex>,
    /// How many more there are; absent if these are all.
    #[serde(skip_serializing_if = "is_none")]
    vertices_omitted: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A vertex of the job's graph.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vertex {
    id: String,
    name: String,
    parallelism: u32,
    #[schema(example = "RUNNING")]
    status: String,
    /// How many tasks are in which state.
    tasks: BTreeMap<String, u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<f64>,
}

/// Flink's `/jobs/{id}/checkpoints`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckpointDetail {
    counts: CheckpointCounts,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_completed: Option<Completed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_failed: Option<FailedCheckpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_savepoint: Option<Completed>,
    /// The newest first, at most 20.
    history: Vec<HistoryEntry>,
}

/// How many there were since the JobManager runs the job.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckpointCounts {
    completed: u64,
    failed: u64,
    in_progress: u64,
    restored: u64,
}

/// A checkpoint or savepoint that was completed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Completed {
    id: u64,
    /// When it was completed.
    #[schema(format = DateTime)]
    at: String,
    /// Of all the state that it refers to.
    size_bytes: u64,
    duration_millis: u64,
    /// Where it is, if others can find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    is_savepoint: bool,
}

/// A checkpoint that failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailedCheckpoint {
    id: u64,
    /// When it failed.
    #[schema(format = DateTime)]
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_message: Option<String>,
}

/// A checkpoint or savepoint of the history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryEntry {
    id: u64,
    /// COMPLETED, FAILED or IN_PROGRESS.
    status: String,
    /// When it was begun.
    #[schema(format = DateTime)]
    at: String,
    duration_millis: u64,
    size_bytes: u64,
    is_savepoint: bool,
}

/// Flink's `/jobs/{id}/exceptions`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failures {
    /// Why the job last failed; absent if it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<Failure>,
    /// The newest first, at most 20.
    history: Vec<Failure>,
    /// Whether there are older ones.
    truncated: bool,
}

/// A failure.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    /// Class and message, and those of the cause that tells most.
    headline: String,
    /// At most 64 KiB; one that was cut ends with `…`.
    stack_trace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    /// Where the task ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "10.0.0.7:37337")]
    endpoint: Option<String>,
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn text(text: Option<&steadfast_core::foreign_text::ForeignText>) -> Option<String> {
    text.map(ToString::to_string)
}

fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl From<&closeup::FlinkCloseup> for FlinkCloseup {
    fn from(found: &closeup::FlinkCloseup) -> Self {
        Self {
            asked_at: found.asked_at.to_string(),
            job: Part::of(&found.job, JobDetail::from),
            checkpoints: Part::of(&found.checkpoints, CheckpointDetail::from),
            exceptions: Part::of(&found.exceptions, Failures::from),
        }
    }
}

impl From<&closeup::JobDetail> for JobDetail {
    fn from(job: &closeup::JobDetail) -> Self {
        Self {
            id: job.id.to_string(),
            name: job.name.to_string(),
            state: job.state.as_str(),
            started_at: job.started_at.to_string(),
            ended_at: time(job.ended_at),
            duration_seconds: job.duration.as_secs_f64(),
            max_parallelism: job.max_parallelism,
            parallelism: job.parallelism,
            vertices: job.vertices.iter().map(Vertex::from).collect(),
            vertices_omitted: job.vertices_omitted,
        }
    }
}

impl From<&closeup::Vertex> for Vertex {
    fn from(vertex: &closeup::Vertex) -> Self {
        let tasks = vertex.tasks.iter().map(|(state, count)| (state.to_string(), *count));
        Self {
            id: vertex.id.to_string(),
            name: vertex.name.to_string(),
            parallelism: vertex.parallelism,
            status: vertex.status.to_string(),
            tasks: tasks.collect(),
            started_at: time(vertex.started_at),
            duration_seconds: vertex.duration.map(|span| span.as_secs_f64()),
        }
    }
}

impl From<&closeup::CheckpointDetail> for CheckpointDetail {
    fn from(found: &closeup::CheckpointDetail) -> Self {
        let closeup::CheckpointCounts {
            completed,
            failed,
            in_progress,
            restored,
        } = found.counts;
        Self {
            counts: CheckpointCounts {
                completed,
                failed,
                in_progress,
                restored,
            },
            latest_completed: found.latest_completed.as_ref().map(Completed::from),
            latest_failed: found.latest_failed.as_ref().map(|failed| FailedCheckpoint {
                id: failed.id,
                at: failed.at.to_string(),
                failure_message: text(failed.message.as_ref()),
            }),
            latest_savepoint: found.latest_savepoint.as_ref().map(Completed::from),
            history: found.history.iter().map(HistoryEntry::from).collect(),
        }
    }
}

impl From<&closeup::Checkpoint> for Completed {
    fn from(one: &closeup::Checkpoint) -> Self {
        Self {
            id: one.id,
            at: one.acknowledged_at.unwrap_or(one.triggered_at).to_string(),
            size_bytes: one.size,
            duration_millis: millis(one.duration),
            path: text(one.path.as_ref()),
            is_savepoint: one.is_savepoint,
        }
    }
}

impl From<&closeup::Checkpoint> for HistoryEntry {
    fn from(one: &closeup::Checkpoint) -> Self {
        Self {
            id: one.id,
            status: one.status.to_string(),
            at: one.triggered_at.to_string(),
            duration_millis: millis(one.duration),
            size_bytes: one.size,
            is_savepoint: one.is_savepoint,
        }
    }
}

impl From<&closeup::Failures> for Failures {
    fn from(found: &closeup::Failures) -> Self {
        Self {
            root: found.root.as_ref().map(Failure::from),
            history: found.history.iter().map(Failure::from).collect(),
            truncated: found.truncated,
        }
    }
}

impl From<&closeup::Failure> for Failure {
    fn from(failure: &closeup::Failure) -> Self {
        Self {
            headline: failure.headline.to_string(),
            stack_trace: failure.stack_trace.to_string(),
            at: time(failure.at),
            task: text(failure.task.as_ref()),
            endpoint: text(failure.endpoint.as_ref()),
        }
    }
}
