//! The alerts of a play, as the journal tells them: each from when it was raised until it was resolved.

use std::collections::BTreeMap;

use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::id::{ClusterName, JobKey};
use steadfast_core::journal::{Entry, Event, Sequence};
use steadfast_core::record::AlertScope;
use steadfast_world::story::Moment;

use super::Committed;
use crate::judge::RaisedAlert;

/// What an alert is about: its end may be told with another record than its beginning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Job(JobKey),
    Cluster(ClusterName),
    Policy,
}

impl About {
    fn of(key: &JobKey, scope: AlertScope) -> Self {
        match scope {
            AlertScope::Job => Self::Job(key.clone()),
            AlertScope::Cluster => Self::Cluster(key.target.cluster.clone()),
            AlertScope::Policy => Self::Policy,
        }
    }
}

/// All that were raised, in their order. `name_of` says what the story calls a record.
pub(super) fn raised(
    entries: &[Entry],
    commits: &BTreeMap<Sequence, Committed>,
    name_of: impl Fn(&JobKey) -> String,
) -> Vec<RaisedAlert> {
    let mut all: Vec<RaisedAlert> = Vec::new();
    let mut open: BTreeMap<(About, String), usize> = BTreeMap::new();
    for (entry, alert, at) in told(entries, commits) {
        let about = (About::of(&entry.key, alert.scope), alert.alert.clone());
        match alert.status {
            AlertStatus::Firing => {
                open.insert(about, all.len());
                all.push(RaisedAlert {
                    name: alert.alert.clone(),
                    scope: alert.scope,
                    record: name_of(&entry.key),
                    raised: at,
                    resolved: None,
                    message: alert.message.clone(),
                });
            }
            AlertStatus::Resolved => {
                if let Some(raised) = open.remove(&about).and_then(|place| all.get_mut(place)) {
                    raised.resolved = Some(at);
                }
            }
        }
    }
    all
}

/// A line for each beginning and each end.
pub(super) fn lines(
    entries: &[Entry],
    commits: &BTreeMap<Sequence, Committed>,
    name_of: impl Fn(&JobKey) -> String,
) -> Vec<(Moment, String)> {
    let line = |(entry, alert, at): (&Entry, &AlertEvent, Moment)| {
        let (name, scope) = (&alert.alert, alert.scope);
        let what = match alert.status {
            AlertStatus::Firing => format!("raised: {}", alert.message),
            AlertStatus::Resolved => "resolved".to_owned(),
        };
        (at, format!("alert   {}: {name} ({scope}) {what}", name_of(&entry.key)))
    };
    told(entries, commits).map(line).collect()
}

fn told<'a>(
    entries: &'a [Entry],
    commits: &'a BTreeMap<Sequence, Committed>,
) -> impl Iterator<Item = (&'a Entry, &'a AlertEvent, Moment)> {
    entries.iter().filter_map(|entry| match &entry.event {
        Event::Alert(alert) => Some((entry, alert, commits.get(&entry.sequence)?.at)),
        Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
    })
}
