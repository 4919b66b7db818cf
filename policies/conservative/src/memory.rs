//! What the policy remembers about a job between two decisions. It changes only when something
//! happens, so that a healthy job costs the store nothing.

use serde::{Deserialize, Serialize};
use steadfast_policy::{JobState, Streak, Timestamp};

/// The memory of one job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The attempt all of this is about.
    pub attempt: u32,
    /// Complete answers that lacked the Deployment, in a row.
    pub deployment_missing: Option<Streak>,
    /// Complete answers of Flink that lacked the job, in a row.
    pub job_missing: Option<Streak>,
    /// The JobManager's pod while Flink answered: its UID and how often it had restarted.
    pub pod: Option<(String, u32)>,
    /// Since when the job has not come to rest; outlives attempts, which restarts may be.
    pub instability: Option<Instability>,
    /// The checkpoint counters to count failures from.
    pub checkpoints: Option<CheckpointBase>,
    /// When the Deployment, or the job in a Flink that answers, was first known to be gone.
    pub gone_at: Option<Timestamp>,
    /// Since when Flink lists the job FAILING or FAILED: what it names as the cause later is about that.
    pub failing_since: Option<Timestamp>,
    /// The end that Flink last reported in this attempt, if that was its last word.
    pub reported: Option<ReportedEnd>,
    /// Complete answers that showed the Deployment scaled to zero and no pod, in a row.
    pub scaled_to_zero: Option<Streak>,
    /// Since when Flink is expected to answer: its JobManager is up, as far as Kubernetes says.
    pub expected_since: Option<Timestamp>,
    /// Since when a JobManager's pod goes whose log has told no end.
    pub going_since: Option<Timestamp>,
    /// The stop that the operator's resource asks for, or asked for when it was last seen.
    pub stop: Stop,
    /// Whether an operator's resource was seen to stand for the job.
    pub resource: ResourceSeen,
    /// Complete answers that lacked that resource while the job was suspended, in a row.
    pub resource_missing: Option<Streak>,
    /// When the resource was first known to be gone, of a suspended job.
    pub resource_gone_at: Option<Timestamp>,
    /// Since when the operator is waited for to make the cluster, or to bring it back.
    pub awaited_since: Option<Timestamp>,
    /// The JobManager's pod that lacked the job first, of the answers counted in `job_missing`: its UID and restarts.
    pub lacked_by: Option<(String, u32)>,
    /// Whether Flink was cancelling the job when it last listed it alive.
    pub was_cancelling: bool,
    /// Whether the end that Flink reported stood while the resource was read, and asked for no stop.
    pub ended_by_itself: bool,
    /// Whether anybody has answered of late.
    pub light: Light,
    /// Since when Flink answers without the job, whichever JobManager.
    pub lacked_since: Option<Timestamp>,
    /// The JobManager's pod that was seen last: its UID and restarts.
    pub job_manager: Option<(String, u32)>,
    /// How often the JobManager has restarted, or was replaced, since Flink last listed the job.
    pub restarts: u32,
    /// Whether the end was judged while Flink's HA data could not be read.
    pub data_unread: bool,
}

/// Whether anybody answers: what happened while nobody did was not watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Light {
    /// Somebody has answered all the time.
    #[default]
    On,
    /// Nobody has answered since; and before, somebody had answered again since that, after a long darkness.
    OffSince(Timestamp, Option<Timestamp>),
    /// Somebody answers again since, after a long darkness.
    OnAgainSince(Timestamp),
}

/// A stop that somebody asked for through the operator's resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// None.
    #[default]
    NotAskedFor,
    /// `spec.job.state: suspended`.
    Suspension,
    /// The resource is, or was, being deleted.
    Deletion,
    /// A suspension was asked for and is not any more; the job has not been listed since.
    Lifted,
}

impl Stop {
    /// Whether the job is to stop.
    pub fn is_asked_for(self) -> bool {
        match self {
            Self::Suspension | Self::Deletion => true,
            Self::NotAskedFor | Self::Lifted => false,
        }
    }
}

/// Whether an operator's resource was seen to stand for the job. Without one, that none is there says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResourceSeen {
    /// Never.
    #[default]
    No,
    /// It was, in this attempt.
    Yes,
    /// It was, and could not be read when the end was judged.
    UnreadAtTheEnd,
}

/// An end that is no failure, in Flink's words. It may be the way to a suspension, or to an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReportedEnd {
    /// FINISHED, as after a stop with a savepoint.
    Finished,
    /// CANCELED.
    Canceled,
}

/// A job that does not come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instability {
    /// When it began.
    pub since: Timestamp,
    /// Since when it has been at rest again, if it is.
    pub calm_since: Option<Timestamp>,
}

/// Counters at the last completed checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointBase {
    /// Completed ones.
    pub completed: u64,
    /// Failed ones when `completed` was first seen.
    pub failed: u64,
}

impl ReportedEnd {
    /// What Flink's word says of an end, if it is one of these.
    pub fn of(state: JobState) -> Option<Self> {
        match state {
            JobState::Finished => Some(Self::Finished),
            JobState::Canceled => Some(Self::Canceled),
            JobState::Created
            | JobState::Initializing
            | JobState::Running
            | JobState::Failing
            | JobState::Failed
            | JobState::Cancelling
            | JobState::Restarting
            | JobState::Suspended
            | JobState::Reconciling
            | JobState::Unknown
            | JobState::Starting
            | JobState::Savepointing
            | JobState::Lost
            | JobState::Terminated => None,
        }
    }

    /// As a state.
    pub fn state(self) -> JobState {
        match self {
            Self::Finished => JobState::Finished,
            Self::Canceled => JobState::Canceled,
        }
    }
}

impl Memory {
    /// Lets go of what an earlier attempt left: it holds no state, only patience.
    pub fn begin(&mut self, attempt: u32) {
        if self.attempt != attempt {
            let instability = self.instability;
            *self = Self {
                attempt,
                instability,
                ..Self::default()
            };
        }
    }
}
