//! The evidence board: the newest evidence of each source about each thing.

mod kubernetes;

use std::collections::BTreeMap;

pub use kubernetes::{Accepted, KubernetesBoard, Place};

use crate::evidence::{Evidence, Observed, accept};
use crate::facts::{Checkpoints, FlinkOverview, HaData, JobEnd, KubeEvent, Pod, RootException};
use crate::id::{ClusterName, JobKey, TargetId};
use crate::news::KubeNews;
use crate::record::JobRecord;
use crate::snapshot::{Fleet, Snapshot};
use crate::time::Timestamp;
use crate::timing::Timing;

/// All that is known, by source. It holds evidence only; what it means is the policy's business.
#[derive(Clone, Debug, Default)]
pub struct Board {
    clusters: BTreeMap<ClusterName, KubernetesBoard>,
    targets: BTreeMap<TargetId, TargetEvidence>,
    jobs: BTreeMap<JobKey, JobEvidence>,
}

/// Evidence about one Flink cluster.
#[derive(Clone, Debug, Default)]
pub struct TargetEvidence {
    /// Its `/jobs/overview`.
    pub overview: Option<Evidence<FlinkOverview>>,
    /// Warning events of its Kubernetes objects.
    pub events: Option<Evidence<Vec<KubeEvent>>>,
    /// Its HA ConfigMaps.
    pub ha_data: Option<Evidence<HaData>>,
    /// Its TaskManagers' pods.
    pub task_managers: Option<Evidence<Vec<Pod>>>,
}

/// Evidence about one job, looked up on request.
#[derive(Clone, Debug, Default)]
pub struct JobEvidence {
    /// `/jobs/<id>/exceptions`.
    pub exceptions: Option<Evidence<RootException>>,
    /// `/jobs/<id>/checkpoints`.
    pub checkpoints: Option<Evidence<Checkpoints>>,
    /// The JobManager's log.
    pub last_words: Option<Evidence<JobEnd>>,
    /// Archive, HistoryServer, JobResultStore.
    pub archive: Option<Evidence<JobEnd>>,
}

/// What bears on a decision beside the evidence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// The health of the job's cluster.
    pub fleet: Fleet,
    /// The pace.
    pub timing: Timing,
    /// When the engine began to look.
    pub engine_since: Timestamp,
}

impl Board {
    /// Takes in news of a Kubernetes list or watch.
    pub fn accept_news(&mut self, news: KubeNews) -> Accepted {
        self.clusters
            .entry(news.scope.cluster.clone())
            .or_default()
            .accept(news)
    }

    /// Takes in an answer of a Flink cluster. Says whether it was newer than the last.
    pub fn accept_overview(
        &mut self,
        target: &TargetId,
        answer: Observed<FlinkOverview>,
        asked: Timestamp,
        at: Timestamp,
    ) -> bool {
        accept(&mut self.target_mut(target).overview, answer, asked, at)
    }

    /// The slots of one Flink cluster.
    pub fn target_mut(&mut self, target: &TargetId) -> &mut TargetEvidence {
        self.targets.entry(target.clone()).or_default()
    }

    /// The slots of one job.
    pub fn job_mut(&mut self, key: &JobKey) -> &mut JobEvidence {
        self.jobs.entry(key.clone()).or_default()
    }

    /// What is known of one Flink cluster beside its Kubernetes objects.
    pub fn target(&self, target: &TargetId) -> Option<&TargetEvidence> {
        self.targets.get(target)
    }

    /// What was looked up about one job.
    pub fn job(&self, key: &JobKey) -> Option<&JobEvidence> {
        self.jobs.get(key)
    }

    /// The last overview of a Flink cluster.
    pub fn overview(&self, target: &TargetId) -> Option<&Evidence<FlinkOverview>> {
        self.targets.get(target)?.overview.as_ref()
    }

    /// What is known of a Kubernetes cluster.
    pub fn kubernetes(&self, cluster: &ClusterName) -> Option<&KubernetesBoard> {
        self.clusters.get(cluster)
    }

    /// Forgets what was looked up about a job's end and troubles: a new attempt must not inherit it.
    pub fn clear_job(&mut self, key: &JobKey) {
        self.jobs.remove(key);
    }

    /// Drops all evidence about a target that is no longer watched.
    pub fn forget(&mut self, target: &TargetId) {
        self.targets.remove(target);
        self.jobs.retain(|key, _| key.target != *target);
    }

    /// Whether no source has a fresh answer for the target: Flink is unknown, and so is its Deployment's list.
    /// A target that was never looked at is dark.
    pub fn is_dark(&self, target: &TargetId, place: Option<&Place>) -> bool {
        let flink = self.overview(target).is_some_and(|o| o.latest.is_known());
        let kubernetes = place
            .and_then(|place| self.kubernetes(&target.cluster)?.deployment(place))
            .is_some_and(|deployment| deployment.latest.is_known());
        !flink && !kubernetes
    }

    /// Freezes everything that bears on one job.
    pub fn snapshot(
        &self,
        record: JobRecord,
        place: Option<&Place>,
        surroundings: Surroundings,
        now: Timestamp,
    ) -> Snapshot {
        let key = &record.key;
        let tracked = record.incarnation.flink_job_id;
        let flink = self.overview(&key.target).cloned().map(|overview| {
            overview.map(|answer| match answer {
                Observed::Present(overview) => overview
                    .jobs
                    .into_iter()
                    .find(|job| Some(job.id) == tracked)
                    .map_or(Observed::Absent, Observed::Present),
                Observed::Absent => Observed::Absent,
                Observed::Unknown(fault) => Observed::Unknown(fault),
            })
        });
        let kubernetes = self.kubernetes(&key.target.cluster);
        let target = self.targets.get(&key.target);
        let job = self.jobs.get(key);
        Snapshot {
            now,
            engine_since: surroundings.engine_since,
            flink,
            exceptions: job.and_then(|j| j.exceptions.clone()),
            checkpoints: job.and_then(|j| j.checkpoints.clone()),
            deployment: place.and_then(|p| kubernetes?.deployment(p)),
            deletion: place.and_then(|p| kubernetes?.deletion(p)).cloned(),
            pods: place.and_then(|p| kubernetes?.pods(p)),
            events: target.and_then(|t| t.events.clone()),
            ha_data: target.and_then(|t| t.ha_data.clone()),
            last_words: job.and_then(|j| j.last_words.clone()),
            archive: job.and_then(|j| j.archive.clone()),
            flink_resource: place.and_then(|p| match key.session_job {
                None => kubernetes?.flink_deployment(p),
                Some(job) => kubernetes?.flink_session_job(&p.namespace, job),
            }),
            task_managers: target.and_then(|t| t.task_managers.clone()),
            fleet: surroundings.fleet,
            timing: surroundings.timing,
            record,
        }
    }
}
