//! Alerts of one cause, which many records raise and people hear of once.
//!
//! A policy decides job by job, so one cause raises the same alert in many records. What is told of it is decided here, on
//! the way into the journal; each record keeps its own alert all the same.
//!
//! - *About a Kubernetes cluster* ([`AlertScope::Cluster`]): told once more than one Flink cluster is affected, and resolved
//!   with the last record that has it. One that rests on a single Flink cluster is not told: one silent Flink is no outage,
//!   its condition shows it, and as an alert about all it would hide what befalls all later. That the API server gives no
//!   answer rests on no job, and is told with the first.
//! - *About a policy* ([`AlertScope::Policy`]): told with the first of its jobs, and resolved with the last that has it.
//! - *About the jobs of a session cluster that went together*: told with one of them, which lists the others.
//!
//! With a record that is forgotten, what it alone had ends.
//!
//! While any record of the cluster or the policy has a silence of its name, such an alert is told to nobody: its entry says so. When the last
//! of these silences ends and the alert still stands, it is told with the record that had that silence.
//!
//! A record that another policy decides from now on takes its silences and its alerts along: what that leaves of the policy of before is
//! told if nobody silences it any more, with a record that has it, and so is what comes to the new one.
//!
//! What counts is what was committed: a commit that a store refuses changes nothing here, and the alert is delivered with
//! the next. What was told is kept in memory, and in each record that raises an alert whether anybody had been told of it. After a
//! restart it is presumed from the records; in doubt an end is told once too often, never a beginning: so it is where a record has come
//! from another policy with what nobody was told of, and a newer silence of a third one hides it there.

mod pass;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use crate::alert::AlertStatus;
use crate::id::{ClusterName, JobKey, PolicyName, TargetId};
use crate::journal::{Change, Event};
use crate::record::{AlertScope, JobRecord, StandingAlert};
use crate::state::ConditionType;
use crate::time::Timestamp;

use pass::Pass;
use records::Records;

/// What many records may have an alert about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// A Kubernetes cluster.
    Cluster(ClusterName),
    /// A policy of the configuration.
    Policy(PolicyName),
}

impl Cause {
    fn scope(&self) -> AlertScope {
        match self {
            Self::Cluster(_) => AlertScope::Cluster,
            Self::Policy(_) => AlertScope::Policy,
        }
    }
}

/// An alert or a condition, by what it is about and its name.
type Shared = (Cause, String);
/// An alert about jobs of a session cluster, by that and its name.
type InSession = (TargetId, String);

/// Who has which alert, and what was told of it.
#[derive(Debug, Default)]
pub struct ClusterAlerts {
    records: Records,
    /// Whether an alert about a cluster or a policy that some record has was told, where that is known.
    told: BTreeMap<Shared, bool>,
    /// Those of them whose entry said that nobody is to be told.
    silent: BTreeSet<Shared>,
    /// When the jobs went of which an alert told last.
    sessions: BTreeMap<InSession, Timestamp>,
    /// Alerts that were told with another record's.
    joined: BTreeMap<JobKey, BTreeSet<String>>,
}

impl ClusterAlerts {
    /// Takes in that a record is another now: what it was before (`None`: it is new here), and what it is now (`None`: it
    /// was deleted).
    pub fn committed(&mut self, before: Option<&JobRecord>, after: Option<&JobRecord>) {
        if let Some(record) = before {
            self.records.remove(record);
        }
        if let Some(record) = after {
            self.records.add(record);
        }
        let Some(JobRecord { key, .. }) = before.or(after) else {
            return;
        };
        let records = &self.records;
        self.told.retain(|name, _| records.is_raised(name));
        self.silent.retain(|name| records.is_raised(name));
        if let Some(names) = self.joined.get_mut(key) {
            names.retain(|name| after.is_some_and(|record| has_alert(record, name)));
            if names.is_empty() {
                self.joined.remove(key);
            }
        }
        if before.is_some_and(records::goes_with_its_cluster) && !self.records.has_gone(&key.target) {
            self.sessions.retain(|(target, _), _| *target != key.target);
        }
        if let Some(record) = after.filter(|record| records::goes_with_its_cluster(record)) {
            // What was told to nobody stands for no other.
            let told = |alert: &&StandingAlert| alert.scope == AlertScope::Job && !alert.silenced;
            let alerts = record.alerts.iter().filter(told);
            for alert in alerts {
                self.sessions
                    .entry(in_session(record, &alert.name))
                    .and_modify(|at| {
                        if !records::are_together(*at, record.since) {
                            *at = record.since;
                        }
                    })
                    .or_insert(record.since);
            }
        }
    }

    /// Takes in a change that was committed, and with it what it told.
    pub fn delivered(&mut self, before: Option<&JobRecord>, change: &Change) {
        let record = change.record.as_ref();
        self.presume(before.into_iter().chain([record]));
        let handed = before
            .map(|before| self.handed_over(before, change))
            .unwrap_or_default();
        if change.forgets() {
            self.note_silence(change);
            // What is forgotten at a start was nothing before.
            self.committed(Some(record), None);
            self.committed(before, None);
            return;
        }
        self.committed(before, Some(record));
        for (name, is_silent) in handed {
            if is_silent {
                self.silent.insert(name.clone());
            }
            self.told.insert(name, true);
        }
        self.note_silence(change);
        let firing = |name: &str| {
            change.events.iter().find_map(|event| match event {
                Event::Alert(alert) if alert.status == AlertStatus::Firing && alert.alert == name => Some(alert),
                Event::Alert(_) | Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
            })
        };
        for standing in &record.alerts {
            let name = &standing.name;
            let is_new = !before.is_some_and(|before| has_alert(before, name));
            match (standing.scope, firing(name)) {
                (scope @ (AlertScope::Cluster | AlertScope::Policy), Some(_)) => {
                    self.told.extend(shared(record, scope, name).map(|name| (name, true)));
                }
                (scope @ (AlertScope::Cluster | AlertScope::Policy), None) if is_new => {
                    if let Some(name) = shared(record, scope, name) {
                        self.told.entry(name).or_insert(false);
                    }
                }
                (AlertScope::Job, None) if is_new => {
                    self.joined.entry(record.key.clone()).or_default().insert(name.clone());
                }
                (AlertScope::Cluster | AlertScope::Policy | AlertScope::Job, _) => {}
            }
        }
    }

    /// What a record takes along to the policy that decides it from now on and that this one has not, and whether nobody was told of it.
    fn handed_over(&self, before: &JobRecord, change: &Change) -> Vec<(Shared, bool)> {
        let record = &change.record;
        if before.policy == record.policy || change.forgets() {
            return Vec::new();
        }
        let alerts = record.alerts.iter().filter(|alert| alert.scope == AlertScope::Policy);
        let handed = alerts.filter_map(|alert| {
            let was = shared(before, alert.scope, &alert.name).filter(|_| has_alert(before, &alert.name))?;
            let is = shared(record, alert.scope, &alert.name)?;
            (!self.records.is_raised(&is)).then(|| (is, self.was_silent(&was)))
        });
        handed.collect()
    }

    /// Notes whether anybody was to be told of what a change tells of many records.
    fn note_silence(&mut self, change: &Change) {
        for event in &change.events {
            let Event::Alert(alert) = event else { continue };
            let Some(name) = shared(&change.record, alert.scope, &alert.alert) else {
                continue;
            };
            match (alert.status, alert.silenced) {
                (AlertStatus::Firing, true) => drop(self.silent.insert(name)),
                (AlertStatus::Firing, false) | (AlertStatus::Resolved, _) => drop(self.silent.remove(&name)),
            }
        }
    }

    /// Leaves out of a commit what was told before with another record, or is told with another record of the commit, and adds what
    /// is silenced no longer once it is made. Where that is to be told with a record that the commit leaves as it is, `committed` has
    /// it.
    pub fn dedupe<'a>(
        &self,
        changes: Vec<Change>,
        committed: impl Fn(&JobKey) -> Option<&'a JobRecord>,
    ) -> Vec<Change> {
        let mut pass = Pass::over(self, &changes);
        let mut changes: Vec<Change> = changes.into_iter().map(|change| pass.filter(change)).collect();
        for (key, told) in pass.of_others() {
            let told = Event::Alert(told);
            match changes.iter_mut().find(|change| change.record.key == key) {
                Some(change) => change.events.push(told),
                None => {
                    let change = committed(&key).map(|record| Change::update(record, record.clone(), vec![told]));
                    changes.extend(change);
                }
            }
        }
        changes
    }

    /// Since when an alert stands that a record would silence for many, where nobody was told of it.
    pub fn untold_since(&self, record: &JobRecord, alert: &str) -> Option<Timestamp> {
        let scopes = [AlertScope::Cluster, AlertScope::Policy];
        let names = scopes.into_iter().filter_map(|scope| shared(record, scope, alert));
        let untold = names.filter(|name| self.was_told(name) == Some(true) && self.was_silent(name));
        let since = untold.filter_map(|name| Some(self.records.first_raised(&name)?.1.since));
        since.min()
    }

    /// Notes what is presumed of alerts that stood before a restart, while the records still show it: those that a record has, and those
    /// that it silences.
    fn presume<'a>(&mut self, records: impl Iterator<Item = &'a JobRecord>) {
        for record in records {
            let alerts = record.alerts.iter();
            let raised = alerts.filter_map(|alert| shared(record, alert.scope, &alert.name));
            for name in raised.chain(records::silences(record).map(|(name, _)| name)) {
                if self.records.is_raised(&name)
                    && let Some(told) = self.was_told(&name)
                {
                    if told && self.was_silent(&name) {
                        self.silent.insert(name.clone());
                    }
                    self.told.insert(name, told);
                }
            }
        }
    }

    /// Whether an alert was told. Where that was before a restart, it is presumed of one that more than one Flink cluster
    /// shows, and of one that the record of the one says nobody was told of; `None`: one shows it, and it may have been told while others did.
    fn was_told(&self, name: &Shared) -> Option<bool> {
        if let Some(told) = self.told.get(name) {
            return Some(*told);
        }
        match (
            self.records.is_raised(name),
            self.records.rests_on_one(&Records::default(), name),
        ) {
            (false, _) => Some(false),
            (true, false) => Some(true),
            // Nobody was told of it, and it was not one alone when the record raised it so.
            (true, true) => self.records.is_untold(name).then_some(true),
        }
    }
}

impl ClusterAlerts {
    /// Whether nobody was to be told of an alert that was told. Where that was before a restart, the records say so.
    fn was_silent(&self, name: &Shared) -> bool {
        if self.told.contains_key(name) {
            return self.silent.contains(name);
        }
        self.records.is_untold(name)
    }
}

/// Whether an alert about a cluster is told with the first record that has it, whichever that is: it is about the API server.
pub fn rests_on_no_job(alert: &str) -> bool {
    alert == ConditionType::KubernetesUnreachable.as_str()
}

fn has_alert(record: &JobRecord, name: &str) -> bool {
    record.alerts.iter().any(|alert| alert.name == name)
}

fn in_cluster(record: &JobRecord, name: &str) -> Shared {
    (Cause::Cluster(record.key.target.cluster.clone()), name.to_owned())
}

/// What an alert of a record is about beside the record; `None`: about its job alone.
fn shared(record: &JobRecord, scope: AlertScope, name: &str) -> Option<Shared> {
    match scope {
        AlertScope::Job => None,
        AlertScope::Cluster => Some(in_cluster(record, name)),
        AlertScope::Policy => Some((Cause::Policy(record.policy.clone()), name.to_owned())),
    }
}

fn in_session(record: &JobRecord, name: &str) -> InSession {
    (record.key.target.clone(), name.to_owned())
}

#[cfg(test)]
mod tests;
