//! The words of the record: states, confidence, conditions, intents, modes.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word used in the API, the store and messages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word back.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// The state of a job: Flink's own word where Flink says it (`JobStatus`), ours where it cannot.
    JobState {
        /// The job is newly created; no task has started.
        Created = "CREATED",
        /// The JobMaster is being set up.
        Initializing = "INITIALIZING",
        /// Flink says RUNNING; tasks may still be scheduled.
        Running = "RUNNING",
        /// The job failed and is waiting for its clean-up.
        Failing = "FAILING",
        /// The job has failed for good, or could not be started by its deadline.
        Failed = "FAILED",
        /// The job is being cancelled.
        Cancelling = "CANCELLING",
        /// The job was cancelled.
        Canceled = "CANCELED",
        /// The job ended successfully.
        Finished = "FINISHED",
        /// The job is between a failure and its next execution.
        Restarting = "RESTARTING",
        /// The job is suspended: its JobManager let go of it, its recovery data is there.
        Suspended = "SUSPENDED",
        /// A new JobManager takes over tasks that run.
        Reconciling = "RECONCILING",
        /// Never observed.
        Unknown = "UNKNOWN",
        /// Resources are there, Flink does not answer yet.
        Starting = "STARTING",
        /// An intended savepoint is under way.
        Savepointing = "SAVEPOINTING",
        /// A Flink cluster that answers no longer knows the job.
        Lost = "LOST",
        /// The Flink cluster is confirmed gone and nothing says how the job ended.
        Terminated = "TERMINATED",
    }
);

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

words!(
    /// How sure the record is of its state.
    Confidence {
        /// The source that owns the truth said so, freshly.
        Confirmed = "confirmed",
        /// It follows from fresh evidence of another source.
        Inferred = "inferred",
        /// It was so when last seen; no source has a fresh answer.
        Stale = "stale",
    }
);

words!(
    /// What stands beside the state.
    ConditionType {
        /// Flink's REST endpoint gives no usable answer.
        FlinkUnreachable = "FlinkUnreachable",
        /// The Kubernetes API gives no usable answer.
        KubernetesUnreachable = "KubernetesUnreachable",
        /// A source answers 401 or 403.
        AccessDenied = "AccessDenied",
        /// Flink's port is open, or its pod ready, yet it does not answer.
        Unresponsive = "Unresponsive",
        /// A JobManager container ends again and again.
        CrashLoop = "CrashLoop",
        /// A container image cannot be pulled.
        ImagePull = "ImagePull",
        /// The Deployment carries a deletionTimestamp.
        Terminating = "Terminating",
        /// Checkpoints fail again and again since the last completed one.
        CheckpointsFailing = "CheckpointsFailing",
        /// The job restarts without coming to rest.
        RestartLoop = "RestartLoop",
        /// Most targets of the cluster are dark; nothing turns terminal meanwhile.
        FleetDisrupted = "FleetDisrupted",
        /// The policy module failed on this job; the last state stays. Raised by the engine itself.
        PolicyFailing = "PolicyFailing",
    }
);

words!(
    /// How a job is deployed.
    Mode {
        /// One Flink cluster for one application.
        Application = "application",
        /// A Flink cluster that many jobs share.
        Session = "session",
        /// A Flink without Kubernetes.
        Standalone = "standalone",
    }
);

words!(
    /// What somebody intends with a job. It explains what is seen; it never stands for what is seen.
    Intent {
        /// The job is being started.
        Start = "start",
        /// The job is being cancelled.
        Cancel = "cancel",
        /// A savepoint is being taken, perhaps before a stop.
        Savepoint = "savepoint",
        /// Nothing is intended.
        None = "none",
    }
);

words!(
    /// Whether a watch polls.
    Attention {
        /// Polled at its interval.
        Active = "active",
        /// Not polled; new evidence wakes it.
        Sleeping = "sleeping",
    }
);
