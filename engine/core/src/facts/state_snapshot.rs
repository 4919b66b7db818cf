//! A FlinkStateSnapshot of the Flink Kubernetes Operator (`flink.apache.org/v1beta1`).

use super::ResourceKind;
use crate::id::{Namespace, Uid};

/// What somebody asks of the state of a job. It is no evidence of the job; it says when to look at what Flink shows of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StateSnapshot {
    /// `metadata.namespace`, which is its job's too.
    pub namespace: Namespace,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: Uid,
    /// `spec.jobReference`: the resource of the job.
    pub of: (ResourceKind, String),
    /// What is taken, and whether it is under way.
    pub phase: SnapshotPhase,
}

/// How far a FlinkStateSnapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SnapshotPhase {
    /// `spec.savepoint`, and `status.state` is `TRIGGER_PENDING` or `IN_PROGRESS`.
    SavepointUnderWay,
    /// A checkpoint; or a savepoint that nobody looked at yet, or that is over.
    Other,
}
