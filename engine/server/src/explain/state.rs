//! The words of the record.

use steadfast_core::state;

use super::table::words;

words!(
    /// The state of a job: Flink's own word where Flink says it, ours where it cannot.
    State of state::JobState {
        "CREATED" = Created,
        "INITIALIZING" = Initializing,
        "RUNNING" = Running,
        "FAILING" = Failing,
        "FAILED" = Failed,
        "CANCELLING" = Cancelling,
        "CANCELED" = Canceled,
        "FINISHED" = Finished,
        "RESTARTING" = Restarting,
        "SUSPENDED" = Suspended,
        "RECONCILING" = Reconciling,
        "UNKNOWN" = Unknown,
        "STARTING" = Starting,
        "SAVEPOINTING" = Savepointing,
        "LOST" = Lost,
        "TERMINATED" = Terminated,
    }
);

words!(
    /// How sure the record is of its state.
    Confidence of state::Confidence {
        "confirmed" = Confirmed,
        "inferred" = Inferred,
        "stale" = Stale,
    }
);

words!(
    /// What stands beside the state.
    ConditionType of state::ConditionType {
        "FlinkUnreachable" = FlinkUnreachable,
        "KubernetesUnreachable" = KubernetesUnreachable,
        "AccessDenied" = AccessDenied,
        "Unresponsive" = Unresponsive,
        "CrashLoop" = CrashLoop,
        "ImagePull" = ImagePull,
        "Terminating" = Terminating,
        "CheckpointsFailing" = CheckpointsFailing,
        "RestartLoop" = RestartLoop,
        "FleetDisrupted" = FleetDisrupted,
        "PolicyFailing" = PolicyFailing,
        "PolicyOutdated" = PolicyOutdated,
        "DecisionTrimmed" = DecisionTrimmed,
        "RateLimited" = RateLimited,
    }
);

words!(
    /// How a job is deployed.
    Mode of state::Mode {
        "application" = Application,
        "session" = Session,
        "standalone" = Standalone,
    }
);

words!(
    /// What somebody wants of a job.
    Intent of state::Intent {
        "start" = Start,
        "cancel" = Cancel,
        "savepoint" = Savepoint,
        "none" = None,
    }
);

words!(
    /// Whether a watch polls.
    Attention of state::Attention {
        "active" = Active,
        "sleeping" = Sleeping,
    }
);
