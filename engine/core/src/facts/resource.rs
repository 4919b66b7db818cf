//! Resources of the Flink Kubernetes Operator (`flink.apache.org/v1beta1`).

use super::Rollout;
use crate::id::{FlinkJobId, Namespace, Uid};
use crate::state::{JobState, Mode};
use crate::time::Timestamp;

/// A FlinkDeployment or FlinkSessionJob. What its status says is what the operator last saw: evidence, not truth.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FlinkResource {
    /// Which of the two.
    pub kind: ResourceKind,
    /// `metadata.namespace`.
    pub namespace: Namespace,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: Uid,
    /// The Deployment of its JobManager: the FlinkDeployment's own name, or `spec.deploymentName`.
    pub deployment: String,
    /// Application if a FlinkDeployment has a `spec.job`, else session.
    pub mode: Mode,
    /// `metadata.creationTimestamp`, whole seconds.
    pub created_at: Option<Timestamp>,
    /// `metadata.deletionTimestamp`.
    pub deleting_since: Option<Timestamp>,
    /// `spec.job.state`.
    pub desired: Desired,
    /// Whether `status.observedGeneration` is `metadata.generation`.
    pub rollout: Rollout,
    /// `status.jobStatus.jobId`.
    pub flink_job_id: Option<FlinkJobId>,
    /// `status.jobStatus.state`.
    pub reported_state: Option<JobState>,
    /// `status.lifecycleState`, e.g. `STABLE`, `UPGRADING`, `SUSPENDED`, `FAILED`.
    pub lifecycle: Option<String>,
    /// `status.jobManagerDeploymentStatus`, e.g. `READY`, `MISSING`, `ERROR`.
    pub job_manager_status: Option<String>,
    /// `status.error`: what the operator could not do.
    pub error: Option<String>,
}

/// The kinds of the operator's resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// A Flink cluster: an application, or a session without jobs of its own.
    FlinkDeployment,
    /// A job of a session cluster.
    FlinkSessionJob,
}

/// What a specification asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Desired {
    /// `running`, which is the default.
    #[default]
    Running,
    /// `suspended`: a stop that is intended.
    Suspended,
}
