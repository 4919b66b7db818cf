//! What the committed records show of causes that they share.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::{JobKey, PolicyName, TargetId};
use crate::record::{AlertScope, JobRecord, StandingAlert};
use crate::state::JobState;
use crate::time::Timestamp;

use super::{Cause, Shared, in_cluster, rests_on_no_job, shared};

/// How far apart the jobs of a session cluster may go and still have gone together: polls are spread, and looks may fail.
const TOGETHER: Duration = Duration::from_secs(120);

/// The committed records, by what they have in common. A record whose state, conditions and alerts change is taken out and
/// put in again.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Those that have a condition, or an alert about a cluster or a policy.
    marked: BTreeMap<Shared, BTreeSet<JobKey>>,
    /// Those that have the alert, and what each says of it.
    raised: BTreeMap<Shared, BTreeMap<JobKey, Raised>>,
    /// Those that silence it, and since when.
    silenced: BTreeMap<Shared, BTreeMap<JobKey, Timestamp>>,
    /// Jobs of session clusters that are gone, and since when.
    gone: BTreeMap<(TargetId, JobState), BTreeMap<JobKey, Timestamp>>,
}

/// What a record says of an alert that it has.
#[derive(Clone, Debug)]
pub(super) struct Raised {
    pub(super) since: Timestamp,
    pub(super) message: String,
    /// Nobody had been told of it when the record raised it.
    is_untold: bool,
}

impl Records {
    pub(super) fn add(&mut self, record: &JobRecord) {
        let key = &record.key;
        for name in marks(record) {
            self.marked.entry(name).or_default().insert(key.clone());
        }
        for (name, alert) in raised(record) {
            let said = Raised {
                since: alert.since,
                message: alert.message.clone(),
                is_untold: alert.silenced,
            };
            self.raised.entry(name).or_default().insert(key.clone(), said);
        }
        for (name, since) in silences(record) {
            self.silenced.entry(name).or_default().insert(key.clone(), since);
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
        for (name, _) in raised(record) {
            take_from(&mut self.raised, &name, key);
        }
        for (name, _) in silences(record) {
            take_from(&mut self.silenced, &name, key);
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
    pub(super) fn is_raised(&self, name: &Shared) -> bool {
        self.raised.contains_key(name)
    }

    /// How many have it.
    pub(super) fn raised_count(&self, name: &Shared) -> usize {
        self.raised.get(name).map_or(0, BTreeMap::len)
    }

    /// What a record has of policies.
    pub(super) fn of_policies<'a>(&'a self, key: &'a JobKey) -> impl Iterator<Item = &'a Shared> {
        let policies = self.raised.range((Cause::Policy(PolicyName::new("")), String::new())..);
        policies
            .filter(move |(_, records)| records.contains_key(key))
            .map(|(name, _)| name)
    }

    /// Nothing but what they silence.
    pub(super) fn only_silences(&self) -> Self {
        Self {
            silenced: self.silenced.clone(),
            ..Self::default()
        }
    }

    /// The record that has had it longest, and what that says of it.
    pub(super) fn first_raised(&self, name: &Shared) -> Option<(&JobKey, &Raised)> {
        self.first_raised_but(name, &BTreeSet::new())
    }

    /// The same, of all but those.
    pub(super) fn first_raised_but(&self, name: &Shared, but: &BTreeSet<JobKey>) -> Option<(&JobKey, &Raised)> {
        let records = self.raised.get(name)?.iter();
        records
            .filter(|(key, _)| !but.contains(*key))
            .min_by_key(|(_, raised)| raised.since)
    }

    /// Since when the record has it that raised it last.
    pub(super) fn last_raised(&self, name: &Shared) -> Option<Timestamp> {
        self.raised.get(name)?.values().map(|raised| raised.since).max()
    }

    /// Whether some record silences it.
    pub(super) fn is_silenced(&self, name: &Shared) -> bool {
        self.silenced.contains_key(name)
    }

    /// Whether nobody was told of it, as far as the records show: one of them raised it when nobody had been, and it is silenced since
    /// before that. What was told later, when that silence ended, a newer silence does not reach back to.
    pub(super) fn is_untold(&self, name: &Shared) -> bool {
        let silenced = self.silenced.get(name).and_then(|records| records.values().min());
        let untold = self.raised.get(name).into_iter().flat_map(BTreeMap::values);
        let untold = untold
            .filter(|raised| raised.is_untold)
            .map(|raised| raised.since)
            .max();
        silenced
            .zip(untold)
            .is_some_and(|(silenced, raised)| *silenced <= raised)
    }

    /// What a record silences.
    pub(super) fn silenced_by<'a>(&'a self, key: &'a JobKey) -> impl Iterator<Item = &'a Shared> {
        let has = move |records: &BTreeMap<JobKey, Timestamp>| records.contains_key(key);
        self.silenced
            .iter()
            .filter(move |(_, records)| has(records))
            .map(|(name, _)| name)
    }

    /// The records silence what that one does after a commit, and no more.
    pub(super) fn silence_as(&mut self, key: &JobKey, record: Option<&JobRecord>) {
        self.silenced.retain(|_, records| {
            records.remove(key);
            !records.is_empty()
        });
        for (name, since) in record.into_iter().flat_map(silences) {
            self.silenced.entry(name).or_default().insert(key.clone(), since);
        }
    }

    /// Whether one Flink cluster alone shows what is told of all, by its condition or its alert, here or among those that are added.
    pub(super) fn rests_on_one(&self, added: &Self, name: &Shared) -> bool {
        // It is about the API server, or about the policy, whoever says so.
        let is_of_all = match &name.0 {
            Cause::Cluster(_) => rests_on_no_job(&name.1),
            Cause::Policy(_) => true,
        };
        if is_of_all {
            return false;
        }
        // They are ordered by their targets.
        let marked = [self, added].map(|records| records.marked.get(name));
        let marked = || marked.into_iter().flatten();
        let first = marked().filter_map(BTreeSet::first).min();
        let last = marked().filter_map(BTreeSet::last).max();
        first.zip(last).is_none_or(|(first, last)| first.target == last.target)
    }

    /// Whether jobs of a session cluster are gone.
    pub(super) fn has_gone(&self, target: &TargetId) -> bool {
        self.gone.keys().any(|(of, _)| of == target)
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

fn take_from<T>(sets: &mut BTreeMap<Shared, BTreeMap<JobKey, T>>, name: &Shared, key: &JobKey) {
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

/// The alerts of a record that are about more than its job.
fn raised(record: &JobRecord) -> impl Iterator<Item = (Shared, &StandingAlert)> {
    let alerts = record.alerts.iter();
    alerts.filter_map(|alert| Some((shared(record, alert.scope, &alert.name)?, alert)))
}

/// What it silences of its cluster and its policy, and since when.
pub(super) fn silences(record: &JobRecord) -> impl Iterator<Item = (Shared, Timestamp)> {
    record.silences.iter().flat_map(|silence| {
        let scopes = [AlertScope::Cluster, AlertScope::Policy];
        let names = scopes.map(|scope| shared(record, scope, &silence.alert));
        names.into_iter().flatten().map(|name| (name, silence.since))
    })
}

/// These, and its conditions: a condition comes before the alert of its name.
fn marks(record: &JobRecord) -> impl Iterator<Item = Shared> {
    let conditions = record.conditions.iter();
    let raised = raised(record).map(|(name, _)| name);
    raised.chain(conditions.map(|condition| in_cluster(record, condition.kind.as_str())))
}
