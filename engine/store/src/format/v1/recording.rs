//! A recording: the column `recorded` of `snapshots`, once it is inflated.

use std::time::Duration;

use steadfast_core::{decision, recording, snapshot, timing};

use super::event::Transition;
use super::evidence::Evidence;
use super::facts::{
    Checkpoints, Deletion, Deployment, FlinkJob, FlinkResource, HaData, JobEnd, KubeEvent, Pod, RootException,
};
use super::record::Record;
use super::scalar::{Foreign, Moment};
use super::shown::Shown;
use crate::format::shape::{Shared, object, words};

object!(Recording of recording::Recorded {
    "before": Shared<Record> = before,
    "snapshot": Snapshot = snapshot,
    "rule": Option<String> = rule,
    "failure": Option<Failure> = failure,
    "transition": Option<Transition> = transition,
    // Recordings from before it was kept lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "shown": Option<Shown> = shown,
    // And this, and where no module decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "decidedBy": Option<String> = decided_by,
});

object!(Failure of decision::PolicyFailure {
    "kind": FailureKind = kind,
    "message": Foreign = message,
});

words!(FailureKind of decision::PolicyFailureKind {
    "error" = Error,
    "trap" = Trap,
    "deadline" = Deadline,
    "memory" = Memory,
    "invalid" = Invalid,
});

object!(Snapshot of snapshot::Snapshot {
    "now": Moment = now,
    "engineSince": Moment = engine_since,
    "record": Record = record,
    "flink": Option<Evidence<FlinkJob>> = flink,
    "exceptions": Option<Evidence<RootException>> = exceptions,
    "checkpoints": Option<Evidence<Checkpoints>> = checkpoints,
    "deployment": Option<Evidence<Deployment>> = deployment,
    "deletion": Option<Deletion> = deletion,
    "pods": Option<Evidence<Vec<Pod>>> = pods,
    "events": Option<Evidence<Vec<KubeEvent>>> = events,
    "haData": Option<Evidence<HaData>> = ha_data,
    "lastWords": Option<Evidence<JobEnd>> = last_words,
    "archive": Option<Evidence<JobEnd>> = archive,
    "flinkResource": Option<Evidence<FlinkResource>> = flink_resource,
    "taskManagers": Option<Evidence<Vec<Pod>>> = task_managers,
    "fleet": Fleet = fleet,
    "timing": Timing = timing,
});

object!(Fleet of snapshot::Fleet {
    "targets": u32 = targets,
    "dark": u32 = dark,
});

/// The `intentTimeout` of a recording that lacks it.
fn intent_timeout() -> Duration {
    timing::Timing::default().intent_timeout
}

fn is_usual_intent_timeout(timeout: &Duration) -> bool {
    *timeout == intent_timeout()
}

object!(Timing of timing::Timing {
    "poll": Duration = poll,
    "timeout": Duration = timeout,
    "validate": Duration = validate,
    "retryInitial": Duration = retry_initial,
    "retryMax": Duration = retry_max,
    "startupGrace": Duration = startup_grace,
    "terminalPoll": Duration = terminal_poll,
    // Recordings from before it was kept lack it.
    #[serde(default = "intent_timeout", skip_serializing_if = "is_usual_intent_timeout")]
    "intentTimeout": Duration = intent_timeout,
});
