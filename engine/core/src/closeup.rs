//! What Flink and Kubernetes say of a job at this moment, for a person who asks.
//!
//! It is no evidence: it enters no board and no record, and nothing is decided by it. So it may be larger than what is kept, and
//! the same law holds for it: an error is unknown, with the words of the fault, and only a complete answer is absent.

mod flink;
mod kubernetes;

pub use flink::{
    Checkpoint, CheckpointCounts, CheckpointDetail, FailedCheckpoint, Failure, Failures, JobDetail, MOST_CHECKPOINTS,
    MOST_FAILURES, MOST_VERTICES, STACK_TRACE, Vertex,
};
pub use kubernetes::{
    ContainerDetail, ContainerState, EventDetail, LOG_TEXT, LogQuestion, LogTail, MOST_CONTAINERS, MOST_EVENTS,
    MOST_LOG_LINES, MOST_PODS, PodDetail, PodRole,
};

use crate::evidence::Observed;
use crate::time::Timestamp;

/// A job as its Flink shows it. Each part was asked for by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct FlinkCloseup {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Absent: Flink says that it does not know the job.
    pub job: Observed<JobDetail>,
    /// Absent: the same, or the job takes no checkpoints.
    pub checkpoints: Observed<CheckpointDetail>,
    /// Absent: Flink says that it does not know the job. Without a failure there is an empty history.
    pub exceptions: Observed<Failures>,
}

/// A job's pods, and what Kubernetes tells of its objects.
#[derive(Clone, Debug, PartialEq)]
pub struct PodsCloseup {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// At most [`MOST_PODS`], those of JobManagers first. Absent: there are none.
    pub pods: Observed<Vec<PodDetail>>,
    /// At most [`MOST_EVENTS`], the newest first. Absent: there are none.
    pub events: Observed<Vec<EventDetail>>,
}

/// The end of a pod's log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogCloseup {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Absent: the job has no such pod, or its container has not begun anew yet.
    pub log: Observed<LogTail>,
}
