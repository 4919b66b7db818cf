//! The words of the record.

use steadfast_core::state;

use crate::format::shape::words;

words!(State of state::JobState {
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
});

words!(Confidence of state::Confidence {
    "confirmed" = Confirmed,
    "inferred" = Inferred,
    "stale" = Stale,
});

words!(ConditionType of state::ConditionType {
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
} nearest {
    PolicyOutdated as PolicyFailing,
    DecisionTrimmed as PolicyFailing,
    RateLimited as PolicyFailing,
});

words!(Mode of state::Mode {
    "application" = Application,
    "session" = Session,
    "standalone" = Standalone,
});

words!(Intent of state::Intent {
    "start" = Start,
    "cancel" = Cancel,
    "savepoint" = Savepoint,
    "none" = None,
});

words!(Attention of state::Attention {
    "active" = Active,
    "sleeping" = Sleeping,
});
