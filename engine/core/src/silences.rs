//! Silences: for how long nobody is told of an alert.
//!
//! A silence takes nothing from the record: the alert stands in it as ever, and the journal has its beginning and its end. It says that
//! sinks are not to be told, until a time that somebody named. So each entry about an alert says itself whether it is to be told
//! ([`AlertEvent::silenced`](crate::alert::AlertEvent)), and a sink goes by that entry alone:
//!
//! - A beginning under a silence is not told, and neither is the end of an alert whose beginning was not.
//! - When the silence ends, by its time or because somebody takes it back, and the alert still stands, its beginning is
//!   committed once more, and is told then.
//! - A silence that comes while an alert fires tells nothing new. Its end is told, since its beginning was.
//!
//! An alert about a job is silenced in the record of the job. One about a cluster or a policy, which many records have and which is
//! told once, is silenced while any record of that cluster or policy has a silence of its name
//! ([`ClusterAlerts`](crate::cluster_alerts::ClusterAlerts)).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::alert::{AlertEvent, AlertStatus};
use crate::call::Call;
use crate::id::{ClusterName, PolicyName};
use crate::journal::{Change, Event};
use crate::record::{AlertScope, JobRecord, Silence, StandingAlert};
use crate::time::Timestamp;

/// The most silences of a job.
pub const MOST: usize = 32;

/// The longest silence.
pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Why a silence is not noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There are as many of the job as there may be.
    #[error("the job has {MOST} silences already; take one of them back")]
    TooMany,
    /// It would have ended by now.
    #[error("`until` is not in the future: it is {0} now")]
    Past(Timestamp),
    /// It would last too long.
    #[error("`until` is more than 30 days ahead: a silence that nobody remembers hides an alert for good")]
    TooLong,
}

/// Notes a silence in the record, in the place of one of the same alert. `silence.since` is now. Where an alert that many records share
/// stands and nobody was told of it, `untold` says since when ([`ClusterAlerts::untold_since`](crate::cluster_alerts::ClusterAlerts)).
///
/// What is noted counts from where nobody was told first, so that a restart does not take for told what was not.
///
/// # Errors
/// If it is none that may be noted.
pub fn silence(
    before: &JobRecord,
    silence: Silence,
    untold: Option<Timestamp>,
    call: Option<Call>,
) -> Result<Change, Refused> {
    let now = silence.since;
    if silence.until <= now {
        return Err(Refused::Past(now));
    }
    if silence.until.since(silence.since) > LONGEST {
        return Err(Refused::TooLong);
    }
    let mut silences = before.silences.clone();
    silences.retain(|other| other.alert != silence.alert);
    if silences.len() >= MOST {
        return Err(Refused::TooMany);
    }
    let replaced = before.silence(&silence.alert).filter(|replaced| replaced.until > now);
    let since = [Some(now), replaced.map(|replaced| replaced.since), untold];
    silences.push(Silence {
        since: since.into_iter().flatten().min().unwrap_or(now),
        ..silence
    });
    silences.sort_by(|a, b| a.alert.cmp(&b.alert));
    let after = JobRecord {
        silences,
        ..before.clone()
    };
    Ok(Change::update(
        before,
        after,
        vec![call.map_or(Event::updated(before), Event::Called)],
    ))
}

/// Takes a silence back. Without one nothing changes.
pub fn take_back(before: &JobRecord, alert: &str, call: Option<Call>) -> Change {
    let mut after = before.clone();
    after.silences.retain(|silence| silence.alert != alert);
    if after.silences.len() == before.silences.len() {
        return Change::update(before, after, Vec::new());
    }
    let told = tell_anew(&mut after);
    let events =
        std::iter::once(call.map_or(Event::updated(before), Event::Called)).chain(told.into_iter().map(Event::Alert));
    let events = events.collect();
    Change::update(before, after, events)
}

/// Those that have not ended by now.
pub fn lasting(silences: &[Silence], now: Timestamp) -> Vec<Silence> {
    silences.iter().filter(|silence| silence.until > now).cloned().collect()
}

/// When the first of a record's silences ends.
pub fn expires_at(record: &JobRecord) -> Option<Timestamp> {
    record.silences.iter().map(|silence| silence.until).min()
}

/// Tells of alerts about the job whose beginnings were not told and that are silenced no longer. What is about many records is for
/// [`ClusterAlerts`](crate::cluster_alerts::ClusterAlerts) to know.
pub(crate) fn tell_anew(record: &mut JobRecord) -> Vec<AlertEvent> {
    let silences = &record.silences;
    let due = record.alerts.iter_mut().filter(|alert| is_due(alert, silences));
    let told = due.map(|alert| {
        alert.silenced = false;
        event(alert, AlertStatus::Firing)
    });
    told.collect()
}

/// Whether an alert about the job, of whose beginning nobody was told, is silenced no longer.
pub(crate) fn is_due(alert: &StandingAlert, silences: &[Silence]) -> bool {
    alert.scope == AlertScope::Job && alert.silenced && !has(silences, alert.scope, &alert.name)
}

/// Whether an alert about the job is silenced by these.
pub(crate) fn has(silences: &[Silence], scope: AlertScope, alert: &str) -> bool {
    scope == AlertScope::Job && silences.iter().any(|silence| silence.alert == alert)
}

/// What is told of an alert of a record.
pub(crate) fn event(alert: &StandingAlert, status: AlertStatus) -> AlertEvent {
    AlertEvent {
        alert: alert.name.clone(),
        scope: alert.scope,
        status,
        since: alert.since,
        message: alert.message.clone(),
        silenced: alert.silenced,
    }
}

/// What all records together silence of clusters and policies, each with the record whose silence of it lasts longest.
#[derive(Clone, Debug, Default)]
pub struct Silenced {
    clusters: BTreeMap<(ClusterName, String), Longest>,
    policies: BTreeMap<(PolicyName, String), Longest>,
}

/// Which record has the silence that lasts longest, and until when.
#[derive(Clone, Debug)]
struct Longest {
    until: Timestamp,
    record: Arc<JobRecord>,
}

impl Silenced {
    /// Takes in a record's silences.
    pub fn add(&mut self, record: &Arc<JobRecord>) {
        for silence in &record.silences {
            let longest = || Longest {
                until: silence.until,
                record: Arc::clone(record),
            };
            let cluster = (record.key.target.cluster.clone(), silence.alert.clone());
            let policy = (record.policy.clone(), silence.alert.clone());
            self.clusters.entry(cluster).or_insert_with(longest).or(longest());
            self.policies.entry(policy).or_insert_with(longest).or(longest());
        }
    }

    /// Whether an alert of a record is silenced.
    pub fn has(&self, record: &JobRecord, scope: AlertScope, alert: &str) -> bool {
        match scope {
            AlertScope::Job => record.silence(alert).is_some(),
            AlertScope::Cluster | AlertScope::Policy => self.of_many(record, scope, alert).is_some(),
        }
    }

    /// The record whose silence keeps an alert of a record from being told: its own, or of what many share the one that lasts longest.
    pub fn by<'a>(&'a self, record: &'a Arc<JobRecord>, scope: AlertScope, alert: &str) -> Option<&'a Arc<JobRecord>> {
        match scope {
            AlertScope::Job => record.silence(alert).map(|_| record),
            AlertScope::Cluster | AlertScope::Policy => self.of_many(record, scope, alert),
        }
    }

    fn of_many(&self, record: &JobRecord, scope: AlertScope, alert: &str) -> Option<&Arc<JobRecord>> {
        let longest = match scope {
            AlertScope::Job => None,
            AlertScope::Cluster => self
                .clusters
                .get(&(record.key.target.cluster.clone(), alert.to_owned())),
            AlertScope::Policy => self.policies.get(&(record.policy.clone(), alert.to_owned())),
        };
        longest.map(|longest| &longest.record)
    }
}

impl Longest {
    /// The first of those that last equally long stays.
    fn or(&mut self, other: Self) {
        if other.until > self.until {
            *self = other;
        }
    }
}

#[cfg(test)]
mod tests;
