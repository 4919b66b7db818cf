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
use super::{ClusterAlerts, InSession, Shared, in_session, shared};

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
        Self {
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
        let events = events.collect();
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
                if tells {
                    *told = Some(true);
                }
                tells.then_some(alert)
            }
            AlertStatus::Resolved => {
                *count = count.saturating_sub(1);
                // In doubt an end is told once too often, never a beginning.
                (*count == 0 && *told != Some(false)).then_some(alert)
            }
        }
    }

    /// An alert about a job; `None` if it was told with another's.
    fn of_job(&mut self, record: &JobRecord, alert: AlertEvent) -> Option<AlertEvent> {
        match alert.status {
            AlertStatus::Firing if goes_with_its_cluster(record) => {
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
