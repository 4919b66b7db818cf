//! What a policy is shown.

use serde::{Deserialize, Serialize};
use steadfast_core::{snapshot, timing};
use utoipa::ToSchema;

use super::evidence::Evidence;
use super::facts::{
    Checkpoints, Deletion, Deployment, FlinkJob, FlinkResource, HaData, JobEnd, KubeEvents, Pods, RootException,
};
use super::record::Record;
use super::scalar::{Moment, Seconds};
use super::table::{Shows, object};

/// Everything a policy may know for one decision. Null in the place of evidence: never asked.
///
/// A fixture of `steadfast policy test` is read as this, so that it may begin as what `/explain` shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = explain::Snapshot)]
pub struct Snapshot {
    /// The present moment.
    pub now: Moment,
    /// When the engine began to look.
    pub engine_since: Moment,
    /// The record as it stands.
    pub record: Record,
    /// What Flink says of the job.
    #[schema(required)]
    pub flink: Option<Evidence<FlinkJob>>,
    /// Why the job failed.
    #[schema(required)]
    pub exceptions: Option<Evidence<RootException>>,
    /// Its checkpoint counters.
    #[schema(required)]
    pub checkpoints: Option<Evidence<Checkpoints>>,
    /// The Deployment; always null for standalone jobs.
    #[schema(required)]
    pub deployment: Option<Evidence<Deployment>>,
    /// A deletion of the Deployment that was seen.
    #[schema(required)]
    pub deletion: Option<Deletion>,
    /// JobManager pods, the newest first.
    #[schema(required)]
    pub pods: Option<Evidence<Pods>>,
    /// Recent warning events.
    #[schema(required)]
    pub events: Option<Evidence<KubeEvents>>,
    /// Flink's HA ConfigMaps.
    #[schema(required)]
    pub ha_data: Option<Evidence<HaData>>,
    /// The end that the JobManager's log tells; absent if the log was read and tells none.
    #[schema(required)]
    pub last_words: Option<Evidence<JobEnd>>,
    /// The end that archive, HistoryServer or JobResultStore tell; absent if all were read and tell none.
    #[schema(required)]
    pub archive: Option<Evidence<JobEnd>>,
    /// The operator's resource that stands for the job.
    #[schema(required)]
    pub flink_resource: Option<Evidence<FlinkResource>>,
    /// TaskManager pods, the newest first.
    #[schema(required)]
    pub task_managers: Option<Evidence<Pods>>,
    /// The cluster's health.
    pub fleet: Fleet,
    /// The pace set by the operator.
    pub timing: Timing,
}

impl From<&snapshot::Snapshot> for Snapshot {
    fn from(core: &snapshot::Snapshot) -> Self {
        let snapshot::Snapshot {
            now,
            engine_since,
            record,
            flink,
            exceptions,
            checkpoints,
            deployment,
            deletion,
            pods,
            events,
            ha_data,
            last_words,
            archive,
            flink_resource,
            task_managers,
            fleet,
            timing,
        } = core;
        let at = *now;
        Self {
            now: Shows::of(now),
            engine_since: Shows::of(engine_since),
            record: Shows::of(record),
            flink: flink.as_ref().map(|it| Evidence::of(it, at)),
            exceptions: exceptions.as_ref().map(|it| Evidence::of(it, at)),
            checkpoints: checkpoints.as_ref().map(|it| Evidence::of(it, at)),
            deployment: deployment.as_ref().map(|it| Evidence::of(it, at)),
            deletion: Shows::of(deletion),
            pods: pods.as_ref().map(|it| Evidence::of(it, at)),
            events: events.as_ref().map(|it| Evidence::of(it, at)),
            ha_data: ha_data.as_ref().map(|it| Evidence::of(it, at)),
            last_words: last_words.as_ref().map(|it| Evidence::of(it, at)),
            archive: archive.as_ref().map(|it| Evidence::of(it, at)),
            flink_resource: flink_resource.as_ref().map(|it| Evidence::of(it, at)),
            task_managers: task_managers.as_ref().map(|it| Evidence::of(it, at)),
            fleet: Shows::of(fleet),
            timing: Shows::of(timing),
        }
    }
}

impl From<Snapshot> for snapshot::Snapshot {
    fn from(shown: Snapshot) -> Self {
        let Snapshot {
            now,
            engine_since,
            record,
            flink,
            exceptions,
            checkpoints,
            deployment,
            deletion,
            pods,
            events,
            ha_data,
            last_words,
            archive,
            flink_resource,
            task_managers,
            fleet,
            timing,
        } = shown;
        Self {
            now: now.into_core(),
            engine_since: engine_since.into_core(),
            record: record.into_core(),
            flink: flink.map(Evidence::into_core),
            exceptions: exceptions.map(Evidence::into_core),
            checkpoints: checkpoints.map(Evidence::into_core),
            deployment: deployment.map(Evidence::into_core),
            deletion: deletion.into_core(),
            pods: pods.map(Evidence::into_core),
            events: events.map(Evidence::into_core),
            ha_data: ha_data.map(Evidence::into_core),
            last_words: last_words.map(Evidence::into_core),
            archive: archive.map(Evidence::into_core),
            flink_resource: flink_resource.map(Evidence::into_core),
            task_managers: task_managers.map(Evidence::into_core),
            fleet: fleet.into_core(),
            timing: timing.into_core(),
        }
    }
}

object!(
    /// How many of a cluster's targets no source has a fresh answer for.
    Fleet of snapshot::Fleet {
        /// All targets of the cluster.
        targets: u32 = targets,
        /// Those without a fresh answer.
        dark: u32 = dark,
    }
);

/// The `intentTimeout` of a snapshot that lacks it.
fn intent_timeout() -> Seconds {
    Seconds::of(&timing::Timing::default().intent_timeout)
}

fn is_usual_intent_timeout(timeout: &Seconds) -> bool {
    *timeout == intent_timeout()
}

object!(
    /// `[timing]` of the configuration.
    Timing of timing::Timing {
        /// How often Flink is asked.
        poll: Seconds = poll,
        /// How long an answer may take.
        timeout: Seconds = timeout,
        /// How often everything is looked at afresh.
        validate: Seconds = validate,
        /// The first retry's delay.
        retry_initial: Seconds = retry_initial,
        /// The longest retry delay.
        retry_max: Seconds = retry_max,
        /// How long after the engine's start nothing turns terminal.
        startup_grace: Seconds = startup_grace,
        /// How often a terminal job is looked at.
        terminal_poll: Seconds = terminal_poll,
        /// How long an intent stands at most; 900 s if it is left out.
        #[serde(default = "intent_timeout", skip_serializing_if = "is_usual_intent_timeout")]
        intent_timeout: Seconds = intent_timeout,
    }
);
