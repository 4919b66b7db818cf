//! Goes through one commit, and leaves out what is told already.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::alert::{AlertEvent, AlertStatus};
use crate::id::JobKey;
use crate::journal::{Change, Event};
use crate::record::{AlertScope, JobRecord, StandingAlert};
use crate::silences;
use crate::time::Timestamp;

use super::records::{Records, are_together, goes_with_its_cluster};
use super::{Cause, ClusterAlerts, InSession, Shared, in_session, shared};

/// How many jobs an alert lists by name.
const LISTED: usize = 50;

/// What is so while a commit goes on: ten jobs may raise one alert in it.
pub(super) struct Pass<'a> {
    alerts: &'a ClusterAlerts,
    /// The records of the commit as they will be, beside those that were committed. Nothing of a fleet is copied for a commit.
    added: Records,
    told: BTreeMap<Shared, Option<bool>>,
    /// How many records have an alert about a cluster or a policy.
    counts: BTreeMap<Shared, usize>,
    /// When the jobs went of which this commit tells.
    sessions: BTreeMap<InSession, Timestamp>,
    /// What the records silence once the commit is made.
    silences: Records,
    /// Those told alerts of which nobody was to be told.
    silent: BTreeMap<Shared, bool>,
    /// Who has an alert about a policy no longer, since another policy decides from now on.
    left: BTreeMap<Shared, BTreeSet<JobKey>>,
    /// The records of which that is so, whether by an alert or by a silence.
    handed: BTreeSet<JobKey>,
    /// What is to be told with other records than those that silenced it.
    of_others: Vec<(JobKey, AlertEvent)>,
}

impl<'a> Pass<'a> {
    pub(super) fn over(alerts: &'a ClusterAlerts, changes: &[Change]) -> Self {
        let mut added = Records::default();
        let shares = |change: &&Change| change.events.iter().any(|event| matches!(event, Event::Alert(_)));
        if changes.iter().any(|change| shares(&change)) {
            for change in changes {
                added.add(&change.record);
            }
        }
        let mut silences = alerts.records.only_silences();
        let mut left: BTreeMap<Shared, BTreeSet<JobKey>> = BTreeMap::new();
        let mut handed = BTreeSet::new();
        for change in changes {
            let key = &change.record.key;
            let is_another = |name: &&Shared| {
                matches!(&name.0, Cause::Policy(policy) if *policy != change.record.policy) && !change.forgets()
            };
            for name in alerts.records.of_policies(key).filter(is_another) {
                left.entry(name.clone()).or_default().insert(key.clone());
                handed.insert(key.clone());
            }
            if alerts.records.silenced_by(key).any(|name| is_another(&name)) {
                handed.insert(key.clone());
            }
            let after = (!change.forgets()).then_some(&*change.record);
            silences.silence_as(key, after);
        }
        Self {
            silences,
            silent: BTreeMap::new(),
            left,
            handed,
            of_others: Vec::new(),
            alerts,
            added,
            told: BTreeMap::new(),
            counts: BTreeMap::new(),
            sessions: BTreeMap::new(),
        }
    }

    /// A change without the alerts that another record's stands for.
    pub(super) fn filter(&mut self, change: Change) -> Change {
        let Change { mut record, events } = change;
        let begun = events.iter().filter_map(|event| match event {
            Event::Alert(alert) if alert.status == AlertStatus::Firing => shared(&record, alert.scope, &alert.alert),
            Event::Alert(_) | Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
        });
        let begun: Vec<Shared> = begun.collect();
        let events = events.into_iter().flat_map(|event| self.tell(&record, event));
        let mut events: Vec<Event> = events.collect();
        self.note_untold(&mut record, &begun);
        // What is forgotten is so with the last of its entries.
        let end = events
            .iter()
            .position(|event| *event == Event::Forgotten)
            .unwrap_or(events.len());
        let handed = self.take_over(&record);
        self.note_handed(&mut record);
        let anew = self.tell_anew(&record).into_iter().chain(handed).map(Event::Alert);
        events.splice(end..end, anew);
        Change { record, events }
    }

    /// What is to be told besides, and of which record: what an ended silence of another one kept from being told, and what was to be
    /// told so with a commit that a store did not take.
    pub(super) fn of_others(mut self) -> Vec<(JobKey, AlertEvent)> {
        let alerts = self.alerts;
        let is_owed = |name: &&Shared| !self.silent.contains_key(*name) && !alerts.records.is_silenced(name);
        let owed: Vec<&Shared> = alerts.silent.iter().filter(is_owed).collect();
        for name in owed {
            let told = self.anew(name);
            self.of_others.extend(told);
        }
        self.of_others
    }

    /// Notes in the record which of the shared alerts that it raises nobody was told of.
    fn note_untold(&self, record: &mut Arc<JobRecord>, begun: &[Shared]) {
        for name in begun {
            let was_told = self.told.get(name).copied().flatten() == Some(true);
            if was_told && self.was_silent(name) {
                let alerts = &mut Arc::make_mut(record).alerts;
                let is_it = |alert: &&mut StandingAlert| alert.name == name.1 && alert.scope == name.0.scope();
                for alert in alerts.iter_mut().filter(is_it) {
                    alert.silenced = true;
                }
            }
        }
    }

    /// Notes in a record that another policy decides from now on what was told of that one: no silence that comes along reaches back to
    /// what stands there.
    fn note_handed(&self, record: &mut Arc<JobRecord>) {
        if !self.handed.contains(&record.key) {
            return;
        }
        let alerts = self.alerts;
        let about = Cause::Policy(record.policy.clone());
        let record = Arc::make_mut(record);
        for alert in &mut record.alerts {
            if alert.scope == AlertScope::Policy {
                alert.silenced = self.was_silent(&(about.clone(), alert.name.clone()));
            }
        }
        for silence in &mut record.silences {
            let name = (about.clone(), silence.alert.clone());
            if let Some(raised) = alerts.records.last_raised(&name).filter(|_| !alerts.was_silent(&name)) {
                silence.since = silence.since.max(raised.after(Duration::from_millis(1)));
            }
        }
    }

    /// What nobody was told of the policy that a record leaves, and that comes with it to the next policy, of which nobody silences it.
    fn take_over(&mut self, record: &JobRecord) -> Vec<AlertEvent> {
        let alerts = self.alerts;
        let mut told = Vec::new();
        for alert in record.alerts.iter().filter(|alert| alert.scope == AlertScope::Policy) {
            let Some(name) = shared(record, alert.scope, &alert.name) else {
                continue;
            };
            let mut before = alerts.records.of_policies(&record.key);
            let before = before.find(|before| before.1 == name.1 && before.0 != name.0);
            let is_new = !alerts.records.is_raised(&name) && !self.told.contains_key(&name);
            if let Some(before) = before
                && is_new
            {
                let untold = alerts.was_silent(before);
                let silenced = untold && self.silences.is_silenced(&name);
                self.told.insert(name.clone(), Some(true));
                self.silent.insert(name, silenced);
                if untold && !silenced {
                    let event = silences::event(alert, AlertStatus::Firing);
                    told.push(AlertEvent { silenced, ..event });
                }
            }
        }
        told
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
            let Some((key, event)) = self.anew(name) else { continue };
            if shared(record, name.0.scope(), &name.1).as_ref() == Some(name) {
                told.push(event);
            } else {
                self.of_others.push((key, event));
            }
        }
        told
    }

    /// What is told of an alert that stands, was told to nobody and is silenced no longer, and a record that has it.
    fn anew(&mut self, name: &Shared) -> Option<(JobKey, AlertEvent)> {
        let alerts = self.alerts;
        let count = self.counts.get(name).copied();
        let count = count.unwrap_or_else(|| alerts.records.raised_count(name));
        let left = self.left.get(name).cloned().unwrap_or_default();
        let stands = count > left.len();
        let was_told = self.told.get(name).copied().unwrap_or_else(|| alerts.was_told(name));
        if self.silences.is_silenced(name) || !stands || was_told != Some(true) || !self.was_silent(name) {
            return None;
        }
        let (key, first) = alerts.records.first_raised_but(name, &left)?;
        self.silent.insert(name.clone(), false);
        let event = AlertEvent {
            alert: name.1.clone(),
            scope: name.0.scope(),
            status: AlertStatus::Firing,
            since: first.since,
            message: first.message.clone(),
            silenced: false,
        };
        Some((key.clone(), event))
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
                let tells = *told != Some(true) && !alerts.records.rests_on_one(&self.added, &name);
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
                let told = self.sessions.get(&group).or_else(|| self.alerts.sessions.get(&group));
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
        let committed = self.alerts.records.went_with(record);
        let jobs: BTreeSet<&JobKey> = committed.chain(self.added.went_with(record)).collect();
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
