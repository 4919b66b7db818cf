//! One message for many jobs of one cause.

use std::collections::BTreeMap;

use steadfast_core::alert::AlertStatus;
use steadfast_core::id::{ClusterName, JobKey};
use steadfast_core::journal::{Entry, Event};
use steadfast_core::record::AlertScope;
use steadfast_core::state::JobState;

/// What events have in common that are told together: the cluster, and what happened there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cause {
    pub(super) cluster: ClusterName,
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// An alert of that name.
    Alert(String, Turn),
    /// A transition into that state, for a reason with that code.
    Transition(JobState, String),
}

/// Whether an alert began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    Firing,
    Resolved,
}

impl From<AlertStatus> for Turn {
    fn from(status: AlertStatus) -> Self {
        match status {
            AlertStatus::Firing => Self::Firing,
            AlertStatus::Resolved => Self::Resolved,
        }
    }
}

impl Cause {
    /// That of an entry; `None` for those that sinks are not told of.
    fn of(entry: &Entry) -> Option<Self> {
        let what = match &entry.event {
            Event::Alert(alert) => What::Alert(alert.alert.clone(), alert.status.into()),
            Event::Transition(transition) => What::Transition(transition.to, transition.reason.code.clone()),
            Event::Update(_) | Event::Called(_) | Event::Forgotten => return None,
        };
        Some(Self {
            cluster: entry.key.target.cluster.clone(),
            what,
        })
    }
}

/// What an entry is about. An alert that many records share begins with one job's key, and may end with another's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject<'a> {
    Job(&'a JobKey),
    /// A cluster, by an alert of that name.
    Cluster(&'a ClusterName, &'a str),
    /// Policies, by an alert of that name.
    Policy(&'a str),
}

impl<'a> Subject<'a> {
    fn of(entry: &'a Entry) -> Self {
        match &entry.event {
            Event::Alert(alert) => match alert.scope {
                AlertScope::Job => Self::Job(&entry.key),
                AlertScope::Cluster => Self::Cluster(&entry.key.target.cluster, &alert.alert),
                AlertScope::Policy => Self::Policy(&alert.alert),
            },
            Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => Self::Job(&entry.key),
        }
    }
}

/// Puts together what has one cause, in the order of the first of each. Of one job, and of one alert that many share, all stays in
/// order: what happened later is in the same group or in a later one.
pub(super) fn by_cause<'a>(entries: &[&'a Entry]) -> Vec<(Cause, Vec<&'a Entry>)> {
    let mut groups: Vec<(Cause, Vec<&Entry>)> = Vec::new();
    // The newest group of each cause, and the last group that tells of each subject.
    let mut newest: BTreeMap<Cause, usize> = BTreeMap::new();
    let mut told: BTreeMap<Subject<'_>, usize> = BTreeMap::new();
    for entry in entries {
        let Some(cause) = Cause::of(entry) else { continue };
        let subject = Subject::of(entry);
        let from = told.get(&subject).copied().unwrap_or(0);
        let open = newest.get(&cause).copied().filter(|group| *group >= from);
        let group = match open.and_then(|open| groups.get_mut(open).map(|group| (open, group))) {
            Some((open, (_, members))) => {
                members.push(entry);
                open
            }
            None => {
                groups.push((cause.clone(), vec![entry]));
                groups.len() - 1
            }
        };
        newest.insert(cause, group);
        told.insert(subject, group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::testing::{alert, entry};

    fn sequences(entries: &[Entry]) -> Vec<Vec<u64>> {
        let entries: Vec<&Entry> = entries.iter().collect();
        let groups = by_cause(&entries);
        let of = |(_, members): &(Cause, Vec<&Entry>)| members.iter().map(|entry| entry.sequence.0).collect();
        groups.iter().map(of).collect()
    }

    fn lost(sequence: u64, job: &str, status: AlertStatus) -> Entry {
        entry(sequence, job, alert("JobLost", AlertScope::Job, status))
    }

    #[test]
    fn many_jobs_of_one_cause_are_one_message_and_other_clusters_another() {
        let fires = AlertStatus::Firing;
        let entries = [
            lost(1, "a/n/x", fires),
            lost(2, "b/n/x", fires),
            lost(3, "a/n/y", fires),
        ];
        assert_eq!(sequences(&entries), [vec![1, 3], vec![2]]);
    }

    #[test]
    fn no_event_of_a_job_is_told_before_an_earlier_one() {
        let (fires, ends) = (AlertStatus::Firing, AlertStatus::Resolved);
        let entries = [
            lost(1, "a/n/x", fires),
            lost(2, "a/n/x", ends),
            lost(3, "a/n/x", fires),
            lost(4, "a/n/y", fires),
            lost(5, "a/n/y", ends),
        ];
        assert_eq!(sequences(&entries), [vec![1], vec![2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn the_last_word_on_an_alert_that_many_share_is_told_last_whoever_says_it() {
        for scope in [AlertScope::Cluster, AlertScope::Policy] {
            let entries = [
                (1, "a/n/x", AlertStatus::Resolved),
                (2, "a/n/y", AlertStatus::Firing),
                (3, "a/n/z", AlertStatus::Resolved),
            ];
            let entries = entries.map(|(sequence, job, status)| entry(sequence, job, alert("Outage", scope, status)));
            assert_eq!(sequences(&entries), [[1], [2], [3]], "{scope:?}");
        }
    }
}
