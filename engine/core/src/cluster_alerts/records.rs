//! What the committed records show of causes that they share.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::{JobKey, TargetId};
use crate::record::{AlertScope, JobRecord};
use crate::state::{ConditionType, JobState};
use crate::time::Timestamp;

use super::{InCluster, in_cluster};

/// How far apart the jobs of a session cluster may go and still have gone together: polls are spread, and looks may fail.
const TOGETHER: Duration = Duration::from_secs(120);

/// The committed records, by what they have in common. A record whose state, conditions and alerts change is taken out and
/// put in again.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    /// Those that have a condition or an alert about the cluster.
    marked: BTreeMap<InCluster, BTreeSet<JobKey>>,
    /// Those that have the alert.
    raised: BTreeMap<InCluster, BTreeSet<JobKey>>,
    /// Jobs of session clusters that are gone, and since when.
    gone: BTreeMap<(TargetId, JobState), BTreeMap<JobKey, Timestamp>>,
}

impl Records {
    pub(super) fn add(&mut self, record: &JobRecord) {
        let key = &record.key;
        for name in marks(record) {
            self.marked.entry(name).or_default().insert(key.clone());
        }
        for name in raised(record) {
            self.raised.entry(name).or_default().insert(key.clone());
        }
        if goes_with_its_cluster(record) {
            let jobs = self.gone.entry((key.target.clone(), record.state)).or_default();
            jobs.insert(key.clone(), record.since);
        }
    }

    pub(super) fn remove(&mut self, record: &JobRecord) {
        let key = &record.key;
        for name in marks(record) {
            take(&mut self.marked, &name, key);
        }
        for name in raised(record) {
            take(&mut self.raised, &name, key);
        }
        let place = (key.target.clone(), record.state);
        if let Some(jobs) = self.gone.get_mut(&place) {
            jobs.remove(key);
            if jobs.is_empty() {
                self.gone.remove(&place);
            }
        }
    }

    /// Whether some record has the alert.
    pub(super) fn is_raised(&self, name: &InCluster) -> bool {
        self.raised.contains_key(name)
    }

    /// How many have it.
    pub(super) fn raised_count(&self, name: &InCluster) -> usize {
        self.raised.get(name).map_or(0, BTreeSet::len)
    }

    /// Whether one Flink cluster alone shows it, by its condition or its alert.
    pub(super) fn rests_on_one(&self, name: &InCluster) -> bool {
        // It is about the API server, whoever says so.
        if name.1 == ConditionType::KubernetesUnreachable.as_str() {
            return false;
        }
        // They are ordered by their targets.
        let ends = self
            .marked
            .get(name)
            .and_then(|records| records.first().zip(records.last()));
        ends.is_none_or(|(first, last)| first.target == last.target)
    }

    /// The jobs that went together with that one, itself among them.
    pub(super) fn went_with(&self, record: &JobRecord) -> impl Iterator<Item = &JobKey> {
        let jobs = self.gone.get(&(record.key.target.clone(), record.state));
        let since = record.since;
        let together = move |at: &Timestamp| are_together(*at, since);
        jobs.into_iter()
            .flatten()
            .filter(move |(_, at)| together(at))
            .map(|(key, _)| key)
    }
}

fn take<K: Ord>(sets: &mut BTreeMap<K, BTreeSet<JobKey>>, name: &K, key: &JobKey) {
    if let Some(records) = sets.get_mut(name) {
        records.remove(key);
        if records.is_empty() {
            sets.remove(name);
        }
    }
}

/// Whether jobs that went at these moments went together.
pub(super) fn are_together(one: Timestamp, other: Timestamp) -> bool {
    one.since(other).max(other.since(one)) <= TOGETHER
}

/// Whether a record is of a session cluster's job that went as all of its jobs do: with the cluster, or with what its
/// JobManager knew. A job that FAILED has a cause of its own.
pub(super) fn goes_with_its_cluster(record: &JobRecord) -> bool {
    record.key.session_job.is_some() && matches!(record.state, JobState::Lost | JobState::Terminated)
}

/// The alerts about its cluster that a record has.
fn raised(record: &JobRecord) -> impl Iterator<Item = InCluster> {
    let alerts = record.alerts.iter();
    let of_cluster = alerts.filter(|alert| alert.scope == AlertScope::Cluster);
    of_cluster.map(|alert| in_cluster(record, &alert.name))
}

/// These, and its conditions: a condition comes before the alert of its name.
fn marks(record: &JobRecord) -> impl Iterator<Item = InCluster> {
    let conditions = record.conditions.iter();
    raised(record).chain(conditions.map(|condition| in_cluster(record, condition.kind.as_str())))
}
