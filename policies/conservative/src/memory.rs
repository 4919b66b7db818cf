//! What the policy remembers about a job between two decisions. It changes only when something
//! happens, so that a healthy job costs the store nothing.

use serde::{Deserialize, Serialize};
use steadfast_policy::{ConditionType, JobState, Mode, Snapshot, Streak, Timestamp};

use crate::operator;
use crate::watched::Darkness;

/// The memory of one job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The attempt all of this is about.
    pub attempt: u32,
    /// Complete answers that lacked the Deployment, in a row.
    pub deployment_missing: Option<Streak>,
    /// Complete answers of Flink that lacked the job, in a row.
    pub job_missing: Option<Streak>,
    /// The JobManagers' pods that were ready while Flink last listed the job: their UIDs and how often they had restarted.
    pub answering: Vec<(String, u32)>,
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
    /// When neither Flink nor Kubernetes answered.
    pub dark: Darkness,
    /// Since when Flink answers without the job, whichever JobManager.
    pub lacked_since: Option<Timestamp>,
    /// The JobManager's pod that was seen last: its UID and restarts.
    pub job_manager: Option<(String, u32)>,
    /// How often the JobManager has restarted, or was replaced, since Flink last listed the job.
    pub restarts: u32,
    /// Whether the end was judged while Flink's HA data could not be read.
    pub data_unread: bool,
    /// When nobody told of the operator's resource.
    pub operator_dark: Darkness,
    /// When Flink did not answer, since it first answered without the job.
    pub flink_dark: Darkness,
    /// When the JobManager was last seen to restart, or to be another, and when the time before that.
    pub restarted_at: Option<(Timestamp, Timestamp)>,
    /// Whether this attempt has just begun in the Deployment of the one before: a JobManager has taken the job over.
    pub has_failed_over: bool,
    /// The UID of the Deployment that the job was last seen in.
    pub deployment: Option<String>,
    /// When the job was last seen restless, to a part of the rest that ends it.
    pub restless_at: Option<Timestamp>,
    /// The UID of the resource that was last seen to stand for the job.
    pub resource_uid: Option<String>,
    /// When that was first seen, where it is another than the one that the job ran for, and nothing of it has run yet.
    pub made_anew_at: Option<Timestamp>,
    /// When nobody told of the Deployment, of a job that a resource stands for.
    pub kubernetes_dark: Darkness,
    /// The job's id in Flink.
    pub flink_job_id: Option<String>,
    /// Since when Flink reports the end in `reported`.
    pub reported_since: Option<Timestamp>,
    /// For how long Flink has told an end while nobody told of the resource that stands for the job, whichever engine asked.
    pub told_unread: Option<Told>,
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

/// What goes on to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// For how long, as it was watched, in milliseconds.
    pub watched: u64,
    /// When that was last added to.
    pub last: Timestamp,
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
    /// Lets go of what an earlier attempt left: it holds no state, only patience. What is about the Deployment, or about the
    /// resource behind it, stays while the Deployment is the same.
    pub fn begin(&mut self, snapshot: &Snapshot) {
        let job = &snapshot.job;
        let deployment = snapshot.deployment().present().map(|deployment| &deployment.uid);
        let deployment = deployment.or(job.incarnation.deployment_uid.as_ref());
        // As with a clock that was ahead.
        let is_forgotten = *self == Self::default();
        if self.attempt != job.incarnation.attempt {
            let mut before = std::mem::take(self);
            let is_same_cluster = before.deployment.as_ref() == deployment;
            *self = Self {
                attempt: job.incarnation.attempt,
                instability: before.instability,
                restless_at: before.restless_at,
                dark: std::mem::take(&mut before.dark),
                operator_dark: std::mem::take(&mut before.operator_dark),
                kubernetes_dark: std::mem::take(&mut before.kubernetes_dark),
                ..Self::default()
            };
            if is_same_cluster {
                // In a session another run of the same job is one that a JobManager took over; another job is an upgrade.
                let is_same_job = before.flink_job_id.is_some() && before.flink_job_id == job.incarnation.flink_job_id;
                self.has_failed_over = before.attempt > 0 && (job.mode != Mode::Session || is_same_job);
                self.keep_cluster(before, job.mode);
            }
        }
        if is_forgotten {
            self.go_by_the_record(snapshot);
        }
        if self.flink_job_id != job.incarnation.flink_job_id {
            self.flink_job_id.clone_from(&job.incarnation.flink_job_id);
        }
        if self.deployment.as_ref() != deployment && deployment.is_some() {
            self.deployment = deployment.cloned();
        }
    }

    /// What the record tells of a memory that was lost: a condition that stands on no answer of now goes on until an answer clears it.
    fn go_by_the_record(&mut self, snapshot: &Snapshot) {
        if operator::speaks_of_a_resource(snapshot) {
            self.resource = ResourceSeen::Yes;
        }
        if let Some(condition) = snapshot.condition(ConditionType::RestartLoop) {
            self.instability = Some(Instability {
                since: condition.since,
                calm_since: None,
            });
        }
        let began = snapshot.job.incarnation.since;
        let failing = snapshot.condition(ConditionType::CheckpointsFailing);
        if failing.is_some_and(|condition| began.is_none_or(|began| condition.since >= began)) {
            self.checkpoints = Some(CheckpointBase {
                completed: 0,
                failed: 0,
            });
        }
    }

    /// Lets go of what can matter no more, so that what has one future is one memory: an end is not waited for, and whatever comes
    /// after it comes by an answer.
    pub fn settle(&mut self, state: JobState) {
        if self.job_missing.is_none() {
            self.lacked_by = None;
        }
        if !state.is_terminal() {
            return;
        }
        self.job_missing = None;
        self.lacked_by = None;
        self.lacked_since = None;
        self.flink_dark = Darkness::default();
        // An end that Flink contests is judged yet.
        if self.reported.is_none_or(|end| end.state() == state) {
            self.told_unread = None;
        }
        self.answering = Vec::new();
        self.restarts = 0;
        self.scaled_to_zero = None;
        self.checkpoints = None;
        if self.instability.is_none() {
            self.dark = Darkness::default();
            self.restarted_at = None;
        }
    }

    /// What is not of the attempt.
    fn keep_cluster(&mut self, before: Self, mode: Mode) {
        self.deployment = before.deployment;
        self.job_manager = before.job_manager;
        self.restarted_at = before.restarted_at;
        self.resource_uid = before.resource_uid;
        self.resource = match before.resource {
            ResourceSeen::No => ResourceSeen::No,
            ResourceSeen::Yes | ResourceSeen::UnreadAtTheEnd => ResourceSeen::Yes,
        };
        // A resource of a session's job asks for one run after the other.
        if mode != Mode::Session && before.stop.is_asked_for() {
            self.stop = before.stop;
        }
    }
}
