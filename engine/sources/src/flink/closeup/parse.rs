//! Reads Flink's bodies about one job.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use steadfast_core::closeup::{
    Checkpoint, CheckpointCounts, CheckpointDetail, FailedCheckpoint, Failure, Failures, JobDetail, MOST_CHECKPOINTS,
    MOST_FAILURES, MOST_VERTICES, STACK_TRACE, Vertex,
};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::foreign_lines::ForeignLines;
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::id::FlinkJobId;

use crate::flink::parse::{ErrorBody, come, headline, id, json, moment, never, state};
use crate::json;
use crate::transport::shown;

#[derive(Deserialize)]
struct JobBody {
    jid: String,
    #[serde(default)]
    name: String,
    state: String,
    #[serde(rename = "start-time")]
    start_time: i64,
    #[serde(rename = "end-time", default = "never")]
    end_time: i64,
    #[serde(default)]
    duration: i64,
    #[serde(rename = "maxParallelism", default = "never")]
    max_parallelism: i64,
    vertices: Vec<VertexBody>,
}

#[derive(Deserialize)]
struct VertexBody {
    id: String,
    #[serde(default)]
    name: String,
    parallelism: u32,
    #[serde(default)]
    status: String,
    #[serde(rename = "start-time", default = "never")]
    start_time: i64,
    #[serde(default = "never")]
    duration: i64,
    #[serde(default)]
    tasks: BTreeMap<String, u32>,
}

/// Reads `/jobs/<id>`.
pub(super) fn job(url: &str, body: &[u8], asked: FlinkJobId) -> Result<JobDetail, Fault> {
    let body: JobBody = json(url, body)?;
    let told = id(url, &body.jid)?;
    if told != asked {
        return Err(malformed(url, format!("tells of job {told}")));
    }
    let parallelism = body.vertices.iter().map(|vertex| vertex.parallelism).max();
    let vertices_omitted = body.vertices.len().saturating_sub(MOST_VERTICES);
    Ok(JobDetail {
        id: told,
        name: body.name.into(),
        state: state(url, &body.state)?,
        started_at: moment(url, "start-time", body.start_time)?,
        ended_at: come(body.end_time),
        duration: span(body.duration).unwrap_or_default(),
        max_parallelism: u32::try_from(body.max_parallelism).ok().filter(|most| *most > 0),
        parallelism: parallelism.unwrap_or(0),
        vertices: body.vertices.into_iter().take(MOST_VERTICES).map(vertex).collect(),
        vertices_omitted,
    })
}

fn vertex(body: VertexBody) -> Vertex {
    let tasks = body.tasks.into_iter().filter(|(_, count)| *count > 0);
    let started_at = come(body.start_time);
    Vertex {
        id: body.id.into(),
        name: body.name.into(),
        parallelism: body.parallelism,
        status: body.status.into(),
        tasks: tasks.map(|(state, count)| (state.into(), count)).collect(),
        started_at,
        // Before it has begun Flink writes -1, or the time since 1970.
        duration: started_at.and_then(|_| span(body.duration)),
    }
}

/// A duration in milliseconds that Flink writes as -1 where there is none.
fn span(millis: i64) -> Option<Duration> {
    u64::try_from(millis).ok().map(Duration::from_millis)
}

#[derive(Deserialize)]
struct CheckpointsBody {
    counts: CountsBody,
    #[serde(default)]
    latest: LatestBody,
    /// The newest first.
    #[serde(default)]
    history: Vec<CheckpointBody>,
}

#[derive(Deserialize)]
struct CountsBody {
    completed: u64,
    failed: u64,
    #[serde(default)]
    in_progress: u64,
    #[serde(default)]
    restored: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LatestBody {
    completed: Option<CheckpointBody>,
    failed: Option<CheckpointBody>,
    savepoint: Option<CheckpointBody>,
}

#[derive(Deserialize)]
struct CheckpointBody {
    id: u64,
    #[serde(default)]
    status: String,
    #[serde(default)]
    is_savepoint: bool,
    trigger_timestamp: i64,
    #[serde(default = "never")]
    latest_ack_timestamp: i64,
    #[serde(default)]
    state_size: i64,
    #[serde(default)]
    end_to_end_duration: i64,
    external_path: Option<String>,
    #[serde(default = "never")]
    failure_timestamp: i64,
    failure_message: Option<String>,
}

/// Reads `/jobs/<id>/checkpoints`.
pub(super) fn checkpoints(url: &str, body: &[u8]) -> Result<CheckpointDetail, Fault> {
    let CheckpointsBody {
        counts,
        latest,
        history,
    } = json(url, body)?;
    let history = history.into_iter().take(MOST_CHECKPOINTS);
    let read = |body: Option<CheckpointBody>| body.map(|body| checkpoint(url, body)).transpose();
    Ok(CheckpointDetail {
        counts: CheckpointCounts {
            completed: counts.completed,
            failed: counts.failed,
            in_progress: counts.in_progress,
            restored: counts.restored,
        },
        latest_completed: read(latest.completed)?,
        latest_failed: latest.failed.map(|body| failed(url, body)).transpose()?,
        latest_savepoint: read(latest.savepoint)?,
        history: history.map(|body| checkpoint(url, body)).collect::<Result<_, _>>()?,
    })
}

/// What Flink writes of a checkpoint that nobody else can find (`AbstractCheckpointStats`' callers, 1.13 to 2.3).
const NOWHERE: &str = "<checkpoint-not-externally-addressable>";

fn checkpoint(url: &str, body: CheckpointBody) -> Result<Checkpoint, Fault> {
    Ok(Checkpoint {
        id: body.id,
        status: body.status.into(),
        triggered_at: moment(url, "trigger_timestamp", body.trigger_timestamp)?,
        acknowledged_at: come(body.latest_ack_timestamp),
        duration: span(body.end_to_end_duration).unwrap_or_default(),
        size: u64::try_from(body.state_size).unwrap_or(0),
        is_savepoint: body.is_savepoint,
        path: body.external_path.filter(|path| path != NOWHERE).map(ForeignText::from),
    })
}

fn failed(url: &str, body: CheckpointBody) -> Result<FailedCheckpoint, Fault> {
    let at = match come(body.failure_timestamp) {
        Some(at) => at,
        None => moment(url, "trigger_timestamp", body.trigger_timestamp)?,
    };
    Ok(FailedCheckpoint {
        id: body.id,
        at,
        message: body.failure_message.map(ForeignText::from),
    })
}

/// Whether the body of a 404 is Flink's own word that a job takes no checkpoints (`CheckpointingStatisticsHandler`, 1.13 to 2.3).
pub(super) fn says_no_checkpoints(body: &[u8]) -> bool {
    const WORD: &str = "Checkpointing has not been enabled";
    json::from_slice::<ErrorBody>(body).is_ok_and(|body| body.errors.iter().any(|error| error.contains(WORD)))
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ExceptionsBody {
    /// Flink up to 1.20.
    root_exception: Option<String>,
    timestamp: Option<i64>,
    #[serde(default)]
    truncated: bool,
    #[serde(rename = "exceptionHistory")]
    history: Option<HistoryBody>,
}

#[derive(Default, Deserialize)]
struct HistoryBody {
    entries: Vec<EntryBody>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
struct EntryBody {
    stacktrace: Option<String>,
    #[serde(rename = "exceptionName")]
    name: Option<String>,
    timestamp: Option<i64>,
    #[serde(rename = "taskName")]
    task: Option<String>,
    /// Since Flink 1.18.
    endpoint: Option<String>,
    /// Before it.
    location: Option<String>,
    #[serde(rename = "taskManagerId")]
    task_manager: Option<String>,
}

/// Reads `/jobs/<id>/exceptions`.
pub(super) fn failures(url: &str, body: &[u8]) -> Result<Failures, Fault> {
    let body: ExceptionsBody = json(url, body)?;
    if body.root_exception.is_none() && body.history.is_none() {
        // Flink 1.20 says `"root-exception": null` beside an empty history: one of the keys is always there.
        return Err(malformed(url, "neither root-exception nor exceptionHistory".to_owned()));
    }
    let history = body.history.unwrap_or_default();
    let truncated = body.truncated || history.truncated || history.entries.len() > MOST_FAILURES;
    let history: Vec<Failure> = history.entries.into_iter().take(MOST_FAILURES).map(failure).collect();
    let said = body.root_exception.map(|trace| Failure {
        headline: headline(&trace).into(),
        stack_trace: ForeignLines::first(&trace, STACK_TRACE),
        at: body.timestamp.and_then(come),
        task: None,
        endpoint: None,
    });
    Ok(Failures {
        // The history's has its task beside it.
        root: history.first().cloned().or(said),
        history,
        truncated,
    })
}

fn failure(body: EntryBody) -> Failure {
    let trace = body.stacktrace.or(body.name).unwrap_or_default();
    let is_said = |text: &String| !text.is_empty() && text != "(unassigned)";
    let endpoint = [body.endpoint, body.location, body.task_manager];
    Failure {
        headline: headline(&trace).into(),
        stack_trace: ForeignLines::first(&trace, STACK_TRACE),
        at: body.timestamp.and_then(come),
        task: body.task.map(ForeignText::from),
        endpoint: endpoint.into_iter().flatten().find(is_said).map(ForeignText::from),
    }
}

fn malformed(url: &str, what: String) -> Fault {
    Fault::new(FaultKind::Malformed, format!("{}: {what}", shown(url)))
}
