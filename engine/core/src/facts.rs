//! What the sources can say: the few facts of Flink's and Kubernetes' answers that decisions need.
//!
//! What people read of them is a [`ForeignText`]. What names something is a `String` or a type of its own, and was checked
//! by whoever read it: a name is never cut.

mod resource;
mod state_snapshot;

pub use resource::{Desired, FlinkResource, ResourceKind};
pub use state_snapshot::{SnapshotPhase, StateSnapshot};

use std::collections::BTreeMap;

use crate::evidence::Fault;
use crate::foreign_text::ForeignText;
use crate::id::{FlinkJobId, Namespace, Uid};
use crate::labels::Labels;
use crate::state::{JobState, Mode};
use crate::time::Timestamp;

/// One job of Flink's `/jobs/overview`.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct FlinkJob {
    /// `jid`.
    pub id: FlinkJobId,
    /// `state`.
    pub state: JobState,
    /// `start-time`; a JobManager that takes the job over gives it a new one under the same id.
    pub started_at: Timestamp,
    /// `end-time`, when it has ended.
    pub ended_at: Option<Timestamp>,
    /// `tasks`.
    pub tasks: Tasks,
}

/// How many subtasks there are, and how many run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tasks {
    /// All subtasks, of all vertices.
    pub total: u32,
    /// Those that run or have finished.
    pub running: u32,
}

/// What Flink says of the jobs it knows: its `/jobs/overview`, and where that leaves open what became of a job that is
/// followed, its answer about that job.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct FlinkOverview {
    /// What Flink tells, in the order of their ids, since Flink's own order is not stable.
    pub jobs: Vec<FlinkJob>,
    /// Followed jobs of which the list says nothing that can be read. A list proves nothing about them: a JobMaster that
    /// does not answer its JobManager is left out of it (FLINK-40602).
    pub untold: BTreeMap<FlinkJobId, Untold>,
    /// Why rows of the list cannot be read, each for people. Where its id can be, the job is untold.
    pub unreadable: Vec<ForeignText>,
}

/// What is known of a job that the list does not tell of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Untold {
    /// Asked for it by its id, Flink itself said that it does not know it.
    Gone,
    /// Flink was asked and gave no usable answer, or its row cannot be read.
    Unknown(Fault),
}

impl FlinkOverview {
    /// A list that tells of every job that is followed.
    pub fn listing(mut jobs: Vec<FlinkJob>) -> Self {
        jobs.sort_by_key(|job| job.id);
        Self {
            jobs,
            ..Self::default()
        }
    }

    /// A list without any job, of a Flink that says of some that it does not know them.
    pub fn without(gone: impl IntoIterator<Item = FlinkJobId>) -> Self {
        Self {
            untold: gone.into_iter().map(|id| (id, Untold::Gone)).collect(),
            ..Self::default()
        }
    }

    /// What it tells of a job.
    pub fn job(&self, id: FlinkJobId) -> Option<&FlinkJob> {
        let place = self.jobs.binary_search_by_key(&id, |job| job.id).ok()?;
        self.jobs.get(place)
    }

    /// Whether it says that a job has ended, or that Flink does not know it.
    pub fn tells_end_of(&self, id: FlinkJobId) -> bool {
        match self.job(id) {
            Some(job) => job.state.is_terminal(),
            None => self.untold.get(&id) == Some(&Untold::Gone),
        }
    }
}

/// Why a job failed, from `/jobs/<id>/exceptions`. No exception is [`crate::evidence::Observed::Absent`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RootException {
    /// The first line: class and message.
    pub headline: ForeignText,
    /// When it was thrown.
    pub at: Option<Timestamp>,
}

/// What `/jobs/<id>/checkpoints` says. The counters start at zero after a failover; numbers of checkpoints and savepoints
/// do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Checkpoints {
    /// `counts.completed`.
    pub completed: u64,
    /// `counts.failed`.
    pub failed: u64,
    /// The number of a savepoint that is in progress.
    pub savepoint_in_progress: Option<u64>,
    /// The number of the newest completed savepoint (`latest.savepoint`).
    pub savepoint_completed: Option<u64>,
}

/// How a job ended, from a source other than its REST endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobEnd {
    /// The job it is about.
    pub job: FlinkJobId,
    /// FINISHED, FAILED or CANCELED.
    pub state: JobState,
    /// The cause of a failure, where the source has it.
    pub cause: Option<ForeignText>,
    /// When it ended, where the source has it.
    pub ended_at: Option<Timestamp>,
    /// The source it is from.
    pub told_by: EndSource,
}

/// A source that says how a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndSource {
    /// The JobManager's log.
    LastWords,
    /// Flink's archive directory (`jobmanager.archive.fs.dir`).
    Archive,
    /// A HistoryServer.
    HistoryServer,
    /// Flink's JobResultStore (`job-result-store.storage-path`).
    JobResultStore,
}

/// A Deployment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deployment {
    /// `metadata.namespace`.
    pub namespace: Namespace,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.creationTimestamp`, whole seconds.
    pub created_at: Option<Timestamp>,
    /// `metadata.deletionTimestamp`, whole seconds: since a deletion was asked for, if set at all. Deployments have no
    /// grace period, so it is the moment of the request.
    pub deleting_since: Option<Timestamp>,
    /// `spec.replicas`, 1 if unset.
    pub replicas: u32,
    /// `status.readyReplicas`.
    pub ready: u32,
    /// What Flink's native integration started, by the container's arguments; `None` if it is not such a Deployment.
    pub native: Option<Mode>,
    /// The kind of the controlling owner, else of the first, e.g. `FlinkDeployment`.
    pub owner: Option<ForeignText>,
    /// A failed rollout or replica condition (`ReplicaFailure`, `ProgressDeadlineExceeded`): `reason: message`.
    pub trouble: Option<ForeignText>,
    /// Whether `status` has caught up with `spec`.
    pub rollout: Rollout,
    /// `metadata.labels`.
    pub labels: Labels,
}

/// Whether a controller has carried out what a specification asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rollout {
    /// The newest specification was seen and is carried out.
    #[default]
    Settled,
    /// `status.observedGeneration` is behind, or not every replica is of the newest specification.
    InProgress,
}

/// A pod of a Flink cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pod {
    /// `metadata.namespace`.
    pub namespace: Namespace,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: Uid,
    /// The label `app`: Flink's cluster id, which is the Deployment's name.
    pub app: String,
    /// `metadata.creationTimestamp`, whole seconds.
    pub created_at: Option<Timestamp>,
    /// `metadata.deletionTimestamp`, whole seconds. In spite of this field's name it is when the pod *will* be deleted:
    /// the moment of the request plus the grace period, so usually ahead. That it is set says that the deletion was
    /// asked for.
    pub deleting_since: Option<Timestamp>,
    /// `status.phase`.
    pub phase: ForeignText,
    /// `status.reason: status.message`, e.g. `Evicted: ...`.
    pub reason: Option<ForeignText>,
    /// `status.podIP`.
    pub ip: Option<String>,
    /// The container port named `rest`, which is Flink's `rest.port`; `None` if no container names one.
    pub rest_port: Option<u16>,
    /// The condition `Ready` is `True`.
    pub ready: Readiness,
    /// The condition `PodScheduled` is `False`: `reason: message`.
    pub unschedulable: Option<ForeignText>,
    /// The main container, or the one in trouble.
    pub container: Option<Container>,
}

impl Pod {
    /// Whether all its containers have ended for good.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase.as_str(), "Failed" | "Succeeded")
    }
}

/// Whether a pod is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Readiness {
    /// The condition is `True`.
    Ready,
    /// It is `False`, `Unknown` or missing.
    NotReady,
}

/// What a container's status says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Container {
    /// `name`, as in the pod's specification.
    pub name: ForeignText,
    /// `restartCount`.
    pub restarts: u32,
    /// `state.waiting`.
    pub waiting: Option<Waiting>,
    /// `state.terminated`, else `lastState.terminated`.
    pub terminated: Option<Termination>,
}

/// `state.waiting`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// E.g. `CrashLoopBackOff`, `ImagePullBackOff`, `ContainerCreating`.
    pub reason: ForeignText,
    /// `message`; empty if there is none.
    pub message: ForeignText,
}

/// `terminated`, now or last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Termination {
    /// E.g. `Error`, `OOMKilled`, `Completed`.
    pub reason: ForeignText,
    /// The process' exit code.
    pub exit_code: i32,
    /// `finishedAt`, whole seconds.
    pub at: Option<Timestamp>,
}

/// A deletion that was seen: DELETED on the watch, or a deletionTimestamp before the object went.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deletion {
    /// The UID of the Deployment that was deleted: one that came after it under the same name has another.
    pub uid: Uid,
    /// When it was seen.
    pub seen_at: Timestamp,
}

/// What Flink's Kubernetes HA services left: ConfigMaps labelled `configmap-type=high-availability`
/// (Flink up to 1.20) or named `<cluster-id>-cluster-config-map` and the like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HaData {
    /// The names of the ConfigMaps, sorted.
    pub config_maps: Vec<ForeignText>,
}

/// A Kubernetes event about an object of the target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KubeEvent {
    /// The kind and name of the object, e.g. `ReplicaSet/orders-5d9c`.
    pub object: ForeignText,
    /// E.g. `FailedCreate`.
    pub reason: ForeignText,
    /// `message`.
    pub message: ForeignText,
    /// When it last occurred.
    pub at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_has_ended_in_two_phases_only() {
        let in_phase = |phase: &str| Pod {
            phase: phase.into(),
            ..crate::testing::pod("jm-1")
        };
        let ended = ["Pending", "Running", "Succeeded", "Failed", "Unknown"].map(|phase| in_phase(phase).has_ended());
        assert_eq!(ended, [false, false, true, true, false]);
    }
}
