//! Everything a policy may know for one decision, frozen.

use crate::evidence::Evidence;
use crate::facts::{
    Checkpoints, Deletion, Deployment, FlinkJob, FlinkResource, HaData, JobEnd, KubeEvent, Pod, RootException,
};
use crate::record::JobRecord;
use crate::time::Timestamp;
use crate::timing::Timing;

/// A pure value, complete for one decision. `None` in an evidence slot: never asked.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Snapshot {
    /// The present moment.
    pub now: Timestamp,
    /// When the engine started; `startup_grace` counts from here.
    pub engine_since: Timestamp,
    /// The record as it stands, with the policy's memory, the intent and the incarnation that is tracked.
    pub record: JobRecord,
    /// What Flink says of the tracked job: absent if Flink itself says that it does not know it, lists no job while none is
    /// tracked, or no longer lists one that has ended.
    pub flink: Option<Evidence<FlinkJob>>,
    /// Why the job failed.
    pub exceptions: Option<Evidence<RootException>>,
    /// Its checkpoint counters.
    pub checkpoints: Option<Evidence<Checkpoints>>,
    /// The Deployment; always `None` for standalone jobs.
    pub deployment: Option<Evidence<Deployment>>,
    /// A deletion of the tracked Deployment that was seen.
    pub deletion: Option<Deletion>,
    /// JobManager pods, the newest first.
    pub pods: Option<Evidence<Vec<Pod>>>,
    /// Recent warning events.
    pub events: Option<Evidence<Vec<KubeEvent>>>,
    /// Flink's HA ConfigMaps.
    pub ha_data: Option<Evidence<HaData>>,
    /// The end that the JobManager's log names; absent if the log was read and names none.
    pub last_words: Option<Evidence<JobEnd>>,
    /// The end that archive, HistoryServer or JobResultStore name; absent if all were read and name none.
    pub archive: Option<Evidence<JobEnd>>,
    /// The operator's resource that stands for the job; `None` where such resources are not watched.
    pub flink_resource: Option<Evidence<FlinkResource>>,
    /// TaskManager pods, looked up on request, the newest first.
    pub task_managers: Option<Evidence<Vec<Pod>>>,
    /// The cluster's health.
    pub fleet: Fleet,
    /// `[timing]` of the configuration.
    pub timing: Timing,
}

impl Snapshot {
    /// When a source last said something of the job itself, present or absent; `None` before any did.
    pub fn known_at(&self) -> Option<Timestamp> {
        let newest = [
            known_at(self.flink.as_ref()),
            known_at(self.deployment.as_ref()),
            known_at(self.pods.as_ref()),
            known_at(self.flink_resource.as_ref()),
            known_at(self.last_words.as_ref()),
            known_at(self.archive.as_ref()),
        ];
        newest.into_iter().max().flatten()
    }
}

fn known_at<T>(evidence: Option<&Evidence<T>>) -> Option<Timestamp> {
    evidence?.known_at
}

/// How many of a cluster's targets are dark: no source has a fresh answer for them, present or absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fleet {
    /// All targets of the cluster.
    pub targets: u32,
    /// Those that are dark.
    pub dark: u32,
}
