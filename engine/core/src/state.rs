//! The words of the record: states, confidence, conditions, intents, modes.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// What every word of the record offers. The words themselves are the variants' names in the enum's case.
macro_rules! word {
    ($name:ident) => {
        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

            /// The word used in the API, the store and messages.
            pub fn as_str(self) -> &'static str {
                self.into()
            }

            /// Reads the word back.
            pub fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    };
}
pub(crate) use word;

/// The state of a job: Flink's own word where Flink says it (`JobStatus`), ours where it cannot.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum JobState {
    /// The job is newly created; no task has started.
    Created,
    /// The JobMaster is being set up.
    Initializing,
    /// Flink says RUNNING; tasks may still be scheduled.
    Running,
    /// The job failed and is waiting for its clean-up.
    Failing,
    /// The job has failed for good, or could not be started by its deadline.
    Failed,
    /// The job is being cancelled.
    Cancelling,
    /// The job was cancelled.
    Canceled,
    /// The job ended successfully.
    Finished,
    /// The job is between a failure and its next execution.
    Restarting,
    /// The job is suspended: its JobManager let go of it, its recovery data is there.
    Suspended,
    /// A new JobManager takes over tasks that run.
    Reconciling,
    /// Never observed.
    Unknown,
    /// Resources are there, Flink does not answer yet.
    Starting,
    /// An intended savepoint is under way.
    Savepointing,
    /// A Flink cluster that answers no longer knows the job.
    Lost,
    /// The Flink cluster is confirmed gone and nothing says how the job ended.
    Terminated,
}

word!(JobState);

impl JobState {
    /// Whether the job has ended, as far as is known. A terminal state is watched more slowly, never dropped.
    /// SUSPENDED is not terminal: Flink calls it only locally terminal.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Failed | Self::Canceled | Self::Finished | Self::Lost | Self::Terminated => true,
            Self::Created
            | Self::Initializing
            | Self::Running
            | Self::Failing
            | Self::Cancelling
            | Self::Restarting
            | Self::Suspended
            | Self::Reconciling
            | Self::Unknown
            | Self::Starting
            | Self::Savepointing => false,
        }
    }

    /// Whether this is one of Flink's own words (`org.apache.flink.api.common.JobStatus`).
    pub const fn is_flinks(self) -> bool {
        !matches!(
            self,
            Self::Unknown | Self::Starting | Self::Savepointing | Self::Lost | Self::Terminated
        )
    }
}

/// How sure the record is of its state.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Confidence {
    /// The source that owns the truth said so, freshly.
    Confirmed,
    /// It follows from fresh evidence of another source.
    Inferred,
    /// It was so when last seen; no source has a fresh answer.
    Stale,
}

word!(Confidence);

/// What stands beside the state.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "PascalCase")]
#[strum(serialize_all = "PascalCase")]
pub enum ConditionType {
    /// Flink's REST endpoint gives no usable answer.
    FlinkUnreachable,
    /// The Kubernetes API gives no usable answer.
    KubernetesUnreachable,
    /// A source answers 401 or 403.
    AccessDenied,
    /// Flink's port is open, or its pod ready, yet it does not answer.
    Unresponsive,
    /// A JobManager container ends again and again.
    CrashLoop,
    /// A container image cannot be pulled.
    ImagePull,
    /// The Deployment carries a deletionTimestamp.
    Terminating,
    /// Checkpoints fail again and again since the last completed one.
    CheckpointsFailing,
    /// The job restarts without coming to rest.
    RestartLoop,
    /// Most targets of the cluster are dark; nothing turns terminal meanwhile.
    FleetDisrupted,
    /// The policy module failed on this job; the last state stays. Raised by the engine itself.
    PolicyFailing,
    /// The module that the configuration names cannot be used; the last good one decides. Raised by the engine itself.
    PolicyOutdated,
    /// The policy's decision does not fit the contract (a text that is too long, too many alerts, a pace beyond its limits):
    /// its state counts, the rest was cut or left out. Raised by the engine itself.
    DecisionTrimmed,
    /// The policy changes this record faster than its limit: changes wait, and alerts stay as they are. Raised by the engine
    /// itself.
    RateLimited,
}

word!(ConditionType);

/// Who raises a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaisedBy {
    /// The policy, which judges so.
    Policy,
    /// The engine, of what the policy decided: that it failed, or does not fit the contract.
    EngineOfDecision,
    /// The engine, of circumstances of its own, under which another policy would stand just so.
    EngineOfItself,
}

impl ConditionType {
    /// Who raises it.
    pub const fn raised_by(self) -> RaisedBy {
        match self {
            Self::FlinkUnreachable
            | Self::KubernetesUnreachable
            | Self::AccessDenied
            | Self::Unresponsive
            | Self::CrashLoop
            | Self::ImagePull
            | Self::Terminating
            | Self::CheckpointsFailing
            | Self::RestartLoop
            | Self::FleetDisrupted => RaisedBy::Policy,
            Self::PolicyFailing | Self::DecisionTrimmed => RaisedBy::EngineOfDecision,
            Self::PolicyOutdated | Self::RateLimited => RaisedBy::EngineOfItself,
        }
    }
}

/// How a job is deployed.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Mode {
    /// One Flink cluster for one application.
    Application,
    /// A Flink cluster that many jobs share.
    Session,
    /// A Flink without Kubernetes.
    Standalone,
}

word!(Mode);

/// What somebody intends with a job. It explains what is seen; it never stands for what is seen.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Intent {
    /// The job is being started.
    Start,
    /// The job is being cancelled.
    Cancel,
    /// A savepoint is being taken, perhaps before a stop.
    Savepoint,
    /// Nothing is intended.
    None,
}

word!(Intent);

/// Whether a record that somebody wants forgotten goes although its job is seen alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It stays, and the request is refused with what is seen.
    No,
    /// It goes; the job begins anew with the next list or answer that shows it.
    Yes,
}

/// Whether a watch polls.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Attention {
    /// Polled at its interval.
    Active,
    /// Not polled; new evidence wakes it.
    Sleeping,
}

word!(Attention);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_words_are_ours_and_the_others_flinks() {
        let ours: Vec<&JobState> = JobState::VARIANTS.iter().filter(|state| !state.is_flinks()).collect();
        let expected = [
            JobState::Unknown,
            JobState::Starting,
            JobState::Savepointing,
            JobState::Lost,
            JobState::Terminated,
        ];
        assert!(
            ours.len() == expected.len() && expected.iter().all(|state| ours.contains(&state)),
            "{ours:?}"
        );
    }
}
