//! Goes through one commit, and leaves out what is told already.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::alert::{AlertEvent, AlertStatus};
use crate::id::JobKey;
use crate::journal::{Change, Event};
use crate::record::{AlertScope, JobRecord};
use crate::time::Timestamp;

use super::records::{Records, are_together, goes_with_its_cluster};
use super::{Cause, ClusterAlerts, InSession, Shared, in_session, shared};

/// How many jobs an alert lists by name.
const LISTED: usize = 50;

/// What is so while a commit goes on: ten jobs may raise one alert in it.
pub(super) struct Pass<'a> {
    alerts: &'a ClusterAlerts,
    /// The records as they will be, of the clusters in the commit.
    records: Records,
    told: BTreeMap<Shared, Option<bool>>,
    /// How many records have an alert about a cluster or a policy.
    counts: BTreeMap<Shared, usize>,
    sessions: BTreeMap<InSession, Timestamp>,
    /// What the records silence once the commit is made.
    silences: Records,
    /// Those told alerts of which nobody was to be told.
    silent: BTreeMap<Shared, bool>,
}

impl<'a> Pass<'a> {
    pub(super) fn over(alerts: &'a ClusterAlerts, changes: &[Change]) -> Self {
        let mut records = Records::default();
        let shares = |change: &&Change| change.events.iter().any(|event| matches!(event, Event::Alert(_)));
        if changes.iter().any(|change| shares(&change)) {
            records = alerts.records.clone();
            for change in changes {
                records.add(&change.record);
            }
        }
        let mut silences = alerts.records.only_silences();
        for change in changes {
            let after = (!change.forgets()).then_some(&*change.record);
            silences.silence_as(&change.record.key, after);
        }
        Self {
            silences,
            silent: BTreeMap::new(),
            alerts,
            records,
            told: BTreeMap::new(),
            counts: BTreeMap::new(),
            sessions: alerts.sessions.clone(),
        }
    }

    /// A change without the alerts that another record's stands for.
    pub(super) fn filter(&mut self, change: Change) -> Change {
        let Change { record, events } = change;
        let events = events.into_iter().flat_map(|event| self.tell(&record, event));
        let mut events: Vec<Event> = events.collect();
        // What is forgotten is so with the last of its entries.
        let end = events
            .iter()
            .position(|event| *event == Event::Forgotten)
            .unwrap_or(events.len());
        let anew = self.tell_anew(&record).into_iter().map(Event::Alert);
        events.splice(end..end, anew);
        Change { record, events }
    }

    fn tell(&mut self, record: &Arc<JobRecord>, event: Event) -> Option<Event> {
        let Event::Alert(alert) = event else {
            return Some(event);
        };
        let told = match alert.scope {
            scope @ (AlertScope::Cluster | AlertScope::Policy) => {
                shared(record, scope, &alert.alert).and_then(|name| self.of_many(name, alert))
            }
            AlertScope::Job => self.of_job(record, alert),
        };
        told.map(Event::Alert)
    }

    /// What stands of clusters and policies, was told to nobody, and is silenced no longer now that a silence of this record has ended.
    fn tell_anew(&mut self, record: &JobRecord) -> Vec<AlertEvent> {
        let alerts = self.alerts;
        let had: Vec<&Shared> = alerts.records.silenced_by(&record.key).collect();
        let mut told = Vec::new();
        for name in had {
            let count = self.counts.get(name).copied();
            let stands = count.unwrap_or_else(|| alerts.records.raised_count(name)) > 0;
            let was_told = self.told.get(name).copied().unwrap_or_else(|| alerts.was_told(name));
            if self.silences.is_silenced(name) || !stands || was_told != Some(true) || !self.was_silent(name) {
                continue;
            }
            let Some((since, message)) = alerts.records.first_raised(name) else {
                continue;
            };
            self.silent.insert(name.clone(), false);
            told.push(AlertEvent {
                alert: name.1.clone(),
                scope: match name.0 {
                    Cause::Cluster(_) => AlertScope::Cluster,
                    Cause::Policy(_) => AlertScope::Policy,
                },
                status: AlertStatus::Firing,
                since: *since,
                message: message.clone(),
                silenced: false,
            });
        }
        told
    }

    fn was_silent(&self, name: &Shared) -> bool {
        let known = self.silent.get(name).copied();
        known.unwrap_or_else(|| self.alerts.was_silent(name))
    }

    /// An alert about what many records share.
    fn of_many(&mut self, name: Shared, alert: AlertEvent) -> Option<AlertEvent> {
        let alerts = self.alerts;
        let count = self.counts.entry(name.clone());
        let count = count.or_insert_with(|| alerts.records.raised_count(&name));
        let told = self.told.entry(name.clone());
        let told = told.or_insert_with(|| alerts.was_told(&name));
        match alert.status {
            AlertStatus::Firing => {
                *count += 1;
                let tells = *told != Some(true) && !self.records.rests_on_one(&name);
                if !tells {
                    return None;
                }
                *told = Some(true);
                let silenced = self.silences.is_silenced(&name);
                self.silent.insert(name, silenced);
                Some(AlertEvent { silenced, ..alert })
            }
            AlertStatus::Resolved => {
                *count = count.saturating_sub(1);
                // In doubt an end is told once too often, never a beginning.
                let tells = *count == 0 && *told != Some(false);
                let silenced = tells && self.was_silent(&name);
                tells.then_some(AlertEvent { silenced, ..alert })
            }
        }
    }

    /// An alert about a job; `None` if it was told with another's.
    fn of_job(&mut self, record: &JobRecord, alert: AlertEvent) -> Option<AlertEvent> {
        match alert.status {
            // What is told to nobody stands for no other.
            AlertStatus::Firing if goes_with_its_cluster(record) && !alert.silenced => {
                let group = in_session(record, &alert.alert);
                let told = self.sessions.get(&group);
                if told.is_some_and(|at| are_together(*at, record.since)) {
                    return None;
                }
                self.sessions.insert(group, record.since);
                Some(self.listing(record, alert))
            }
            AlertStatus::Firing => Some(alert),
            AlertStatus::Resolved => {
                let joined = self.alerts.joined.get(&record.key);
                let is_told = !joined.is_some_and(|names| names.contains(&alert.alert));
                is_told.then_some(alert)
            }
        }
    }

    /// The alert, with all the jobs that went together.
    fn listing(&self, record: &JobRecord, alert: AlertEvent) -> AlertEvent {
        let jobs: BTreeSet<&JobKey> = self.records.went_with(record).collect();
        if jobs.len() < 2 {
            return alert;
        }
        let mut message = format!(
            "{} jobs of session cluster {} went together: {}; they are",
            jobs.len(),
            record.key.target,
            alert.message
        );
        let ids = jobs.iter().filter_map(|key| key.session_job.as_ref());
        for (index, id) in ids.take(LISTED).enumerate() {
            // Writing to a string does not fail.
            let _ = write!(message, "{} {id}", if index == 0 { "" } else { "," });
        }
        if jobs.len() > LISTED {
            let _ = write!(message, " and {} more", jobs.len() - LISTED);
        }
        AlertEvent { message, ..alert }
    }
}
