//! What Flink says of a job.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::foreign_lines::ForeignLines;
use crate::foreign_text::ForeignText;
use crate::id::FlinkJobId;
use crate::state::JobState;
use crate::time::Timestamp;

/// How many vertices of a job are shown.
pub const MOST_VERTICES: usize = 200;
/// How many checkpoints of the history are shown.
pub const MOST_CHECKPOINTS: usize = 20;
/// How many failures are shown.
pub const MOST_FAILURES: usize = 20;
/// The longest stack trace that is shown, in bytes.
pub const STACK_TRACE: usize = 64 << 10;

/// `/jobs/<id>`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobDetail {
    /// `jid`.
    pub id: FlinkJobId,
    /// `name`.
    pub name: ForeignText,
    /// `state`.
    pub state: JobState,
    /// `start-time`.
    pub started_at: Timestamp,
    /// `end-time`, once it has ended.
    pub ended_at: Option<Timestamp>,
    /// `duration`.
    pub duration: Duration,
    /// `maxParallelism`, where one is set.
    pub max_parallelism: Option<u32>,
    /// The highest of its vertices.
    pub parallelism: u32,
    /// In the order of Flink's answer, at most [`MOST_VERTICES`].
    pub vertices: Vec<Vertex>,
    /// How many more there are.
    pub vertices_omitted: usize,
}

/// A vertex of a job's graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Vertex {
    /// `id`.
    pub id: ForeignText,
    /// `name`.
    pub name: ForeignText,
    /// `parallelism`.
    pub parallelism: u32,
    /// `status`, a state of tasks.
    pub status: ForeignText,
    /// How many of its tasks are in which state, of those in which there are any.
    pub tasks: BTreeMap<ForeignText, u32>,
    /// `start-time`, once it has begun.
    pub started_at: Option<Timestamp>,
    /// `duration`, once it has begun.
    pub duration: Option<Duration>,
}

/// `/jobs/<id>/checkpoints`.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointDetail {
    /// `counts`.
    pub counts: CheckpointCounts,
    /// `latest.completed`.
    pub latest_completed: Option<Checkpoint>,
    /// `latest.failed`.
    pub latest_failed: Option<FailedCheckpoint>,
    /// `latest.savepoint`.
    pub latest_savepoint: Option<Checkpoint>,
    /// `history`: the newest first, at most [`MOST_CHECKPOINTS`].
    pub history: Vec<Checkpoint>,
}

/// How many checkpoints there were, savepoints among them, since the JobManager runs the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointCounts {
    /// `completed`.
    pub completed: u64,
    /// `failed`.
    pub failed: u64,
    /// `in_progress`.
    pub in_progress: u64,
    /// `restored`.
    pub restored: u64,
}

/// A checkpoint or savepoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// `id`.
    pub id: u64,
    /// `status`: COMPLETED, FAILED, IN_PROGRESS.
    pub status: ForeignText,
    /// `trigger_timestamp`.
    pub triggered_at: Timestamp,
    /// `latest_ack_timestamp`: of a completed one, when it was completed.
    pub acknowledged_at: Option<Timestamp>,
    /// `end_to_end_duration`.
    pub duration: Duration,
    /// `state_size`, in bytes: all of the state that it refers to.
    pub size: u64,
    /// `is_savepoint`.
    pub is_savepoint: bool,
    /// `external_path`, where it has one.
    pub path: Option<ForeignText>,
}

/// A checkpoint that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedCheckpoint {
    /// `id`.
    pub id: u64,
    /// `failure_timestamp`.
    pub at: Timestamp,
    /// `failure_message`.
    pub message: Option<ForeignText>,
}

/// `/jobs/<id>/exceptions`.
#[derive(Clone, Debug, PartialEq)]
pub struct Failures {
    /// Why the job last failed; `None` if it did not.
    pub root: Option<Failure>,
    /// The newest first, at most [`MOST_FAILURES`].
    pub history: Vec<Failure>,
    /// Whether Flink, or this, left older ones out.
    pub truncated: bool,
}

/// A failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Class and message, and those of the cause that tells most.
    pub headline: ForeignText,
    /// At most [`STACK_TRACE`] bytes.
    pub stack_trace: ForeignLines,
    /// When.
    pub at: Option<Timestamp>,
    /// The task that failed, if it was one.
    pub task: Option<ForeignText>,
    /// Where it ran: host and port, or the TaskManager's id.
    pub endpoint: Option<ForeignText>,
}
