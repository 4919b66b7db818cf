//! The evidence board: the newest evidence of each source about each thing.

mod kubernetes;
pub mod lookups;

use std::collections::BTreeMap;

pub use kubernetes::{Accepted, KubernetesBoard, ObjectRef};

use crate::evidence::{Evidence, Fault, FaultKind, Observation, Observed, accept};
use crate::facts::{FlinkJob, FlinkOverview, Untold};
use crate::id::{ClusterName, FlinkJobId, JobKey, TargetId};
use crate::kube_update::{KubeUpdate, Scope};
use crate::lookup::{AttemptLookups, TargetLookups};
use crate::record::JobRecord;
use crate::time::Timestamp;

/// All that is known, by source. It holds evidence only; what it means is the policy's business.
#[derive(Clone, Debug, Default)]
pub struct Board {
    clusters: BTreeMap<ClusterName, KubernetesBoard>,
    targets: BTreeMap<TargetId, TargetEvidence>,
    /// By job, for its present attempt.
    attempts: BTreeMap<JobKey, AttemptLookups>,
}

/// Evidence about one Flink cluster.
#[derive(Clone, Debug, Default)]
struct TargetEvidence {
    /// What it says of its jobs.
    overview: Option<Evidence<FlinkOverview>>,
    /// Followed jobs about which its last answers said nothing usable, though it may answer for others: each with a
    /// history of its own.
    untold: BTreeMap<FlinkJobId, Evidence<FlinkJob>>,
    lookups: TargetLookups,
}

impl TargetEvidence {
    fn accept_overview(&mut self, observation: Observation<FlinkOverview>) -> bool {
        let Observation {
            asked_at, observed_at, ..
        } = observation;
        let unknown = |fault: &Fault| Observation::new(Observed::Unknown(fault.clone()), asked_at, observed_at);
        let untold: BTreeMap<FlinkJobId, Observation<FlinkJob>> = match &observation.answer {
            Observed::Present(overview) => {
                let without_answer = overview.untold.iter().filter_map(|(id, untold)| match untold {
                    Untold::Unknown(fault) => Some((*id, unknown(fault))),
                    Untold::Gone => None,
                });
                without_answer.collect()
            }
            // Nobody answers for anybody: the history is the list's.
            Observed::Unknown(_) | Observed::Absent => BTreeMap::new(),
        };
        // Until now the answers of the whole list were those about the job.
        let before = self.overview.as_ref().map(|overview| overview.with(Observed::Absent));
        if !accept(&mut self.overview, observation) {
            return false;
        }
        let mut kept = std::mem::take(&mut self.untold);
        for (id, observation) in untold {
            let mut slot = kept.remove(&id).or_else(|| before.clone());
            accept(&mut slot, observation);
            self.untold.extend(slot.map(|evidence| (id, evidence)));
        }
        true
    }

    fn job(&self, id: Option<FlinkJobId>, before: &JobRecord) -> Option<Evidence<FlinkJob>> {
        let overview = self.overview.as_ref()?;
        if let Some(untold) = id.and_then(|id| self.untold.get(&id)) {
            return Some(untold.clone());
        }
        Some(match &overview.latest {
            Observed::Present(list) => match told(list, id, before) {
                // The list is known, and the job is not.
                Observed::Unknown(fault) => Evidence {
                    unknown_since: Some(overview.asked_at),
                    failures: 1,
                    ..overview.with(Observed::Unknown(fault))
                },
                known @ (Observed::Present(_) | Observed::Absent) => overview.with(known),
            },
            Observed::Absent => overview.with(Observed::Absent),
            Observed::Unknown(fault) => overview.with(Observed::Unknown(fault.clone())),
        })
    }
}

/// What a list says of a job.
fn told(overview: &FlinkOverview, id: Option<FlinkJobId>, before: &JobRecord) -> Observed<FlinkJob> {
    let Some(id) = id else {
        // What cannot be read may be the job; in a session cluster that other jobs are listed says nothing.
        let is_open = before.key.session_job.is_some() || overview.jobs.is_empty();
        return match overview.unreadable.first() {
            Some(why) if is_open => {
                let message = format!("Flink lists a job that cannot be read: {why}");
                Observed::Unknown(Fault::new(FaultKind::Other, message))
            }
            Some(_) | None => Observed::Absent,
        };
    };
    if let Some(job) = overview.job(id) {
        return Observed::Present(job.clone());
    }
    match overview.untold.get(&id) {
        Some(Untold::Gone) => Observed::Absent,
        Some(Untold::Unknown(fault)) => Observed::Unknown(fault.clone()),
        None if before.state.is_terminal() => Observed::Absent,
        None => {
            let message = format!("Flink's list leaves job {id} out, and it was not asked for by its id yet");
            Observed::Unknown(Fault::new(FaultKind::Other, message))
        }
    }
}

impl Board {
    /// Takes in what a Kubernetes list or watch said. Returns what it changed.
    pub fn accept_update(&mut self, update: KubeUpdate) -> Accepted {
        self.clusters
            .entry(update.scope.cluster.clone())
            .or_default()
            .accept(update)
    }

    /// Forgets deletions that were seen before a complete list of Deployments was asked for, of those that are not there and of
    /// which nobody needs to know any more.
    pub fn forget_deletions(&mut self, scope: &Scope, asked_at: Timestamp, is_needed: impl Fn(&ObjectRef) -> bool) {
        if let Some(kubernetes) = self.clusters.get_mut(&scope.cluster) {
            kubernetes.forget_deletions(scope.namespace.as_ref(), asked_at, is_needed);
        }
    }

    /// Takes in an answer of a Flink cluster. Returns whether it was newer than the last.
    pub fn accept_overview(&mut self, target: &TargetId, observation: Observation<FlinkOverview>) -> bool {
        self.target_mut(target).accept_overview(observation)
    }

    fn target_mut(&mut self, target: &TargetId) -> &mut TargetEvidence {
        self.targets.entry(target.clone()).or_default()
    }

    /// The last overview of a Flink cluster.
    pub fn overview(&self, target: &TargetId) -> Option<&Evidence<FlinkOverview>> {
        self.targets.get(target)?.overview.as_ref()
    }

    /// What Flink says of the job that a record follows, `before` as it was committed; `None` while its Flink was never
    /// asked.
    ///
    /// Absent is only what Flink itself says it does not know, or what has ended: an ended job may drop out of the list, and
    /// nothing hangs on it any more.
    pub(crate) fn flink_job(&self, before: &JobRecord, tracked: Option<FlinkJobId>) -> Option<Evidence<FlinkJob>> {
        self.targets.get(&before.key.target)?.job(tracked, before)
    }

    /// What is known of a Kubernetes cluster.
    pub fn kubernetes(&self, cluster: &ClusterName) -> Option<&KubernetesBoard> {
        self.clusters.get(cluster)
    }

    /// A record was committed. If it is of another run, what was looked up about the one before is dropped, since it
    /// says nothing of this one.
    pub fn committed(&mut self, before: &JobRecord, after: &JobRecord) {
        if !before.incarnation.is_same_run(&after.incarnation) {
            self.attempts.remove(&after.key);
        }
    }

    /// Drops what was looked up about a job whose record was deleted.
    pub fn forget_job(&mut self, key: &JobKey) {
        self.attempts.remove(key);
    }

    /// Drops all evidence about a target that is no longer watched.
    pub fn forget(&mut self, target: &TargetId) {
        self.targets.remove(target);
        self.attempts.retain(|key, _| key.target != *target);
    }

    /// Whether no source has a fresh answer for the target: Flink is unknown, and so is its Deployment's list.
    /// A target of which nothing was ever asked is dark.
    pub fn is_dark(&self, target: &TargetId, object: Option<&ObjectRef>) -> bool {
        let flink = self.overview(target).is_some_and(|o| o.latest.is_known());
        let kubernetes = object
            .and_then(|object| self.kubernetes(&target.cluster)?.deployment(object))
            .is_some_and(|deployment| deployment.latest.is_known());
        !flink && !kubernetes
    }

    /// What was looked up about a job's present attempt.
    pub(crate) fn attempt(&self, key: &JobKey) -> Option<&AttemptLookups> {
        self.attempts.get(key)
    }

    /// What was looked up about a Flink cluster.
    pub(crate) fn target(&self, target: &TargetId) -> Option<&TargetLookups> {
        Some(&self.targets.get(target)?.lookups)
    }
}

#[cfg(test)]
mod tests;
