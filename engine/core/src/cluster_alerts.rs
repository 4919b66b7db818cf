//! Alerts about a whole Kubernetes cluster, which every job of it raises and people hear of once.
//!
//! A policy decides job by job, so an outage raises the same alert in each record. It is delivered with the first record
//! that has it and resolved with the last. What counts is what was committed: a commit that a store refuses leaves the
//! counts as they are, and the alert is delivered with the next.

use std::collections::BTreeMap;

use crate::alert::{AlertEvent, AlertStatus};
use crate::id::ClusterName;
use crate::journal::{Change, Event};
use crate::record::{AlertScope, JobRecord};

/// By cluster and alert, how many committed records have it.
#[derive(Debug, Default)]
pub struct ClusterAlerts {
    records: BTreeMap<(ClusterName, String), u64>,
}

impl ClusterAlerts {
    /// Takes in that a record was committed: what it was before (`None`: it is new here), and what it is now (`None`: it
    /// was deleted).
    pub fn committed(&mut self, before: Option<&JobRecord>, after: Option<&JobRecord>) {
        for key in before.into_iter().flat_map(keys) {
            if let Some(count) = self.records.get_mut(&key) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.records.remove(&key);
                }
            }
        }
        for key in after.into_iter().flat_map(keys) {
            *self.records.entry(key).or_default() += 1;
        }
    }

    /// Leaves out of a commit each alert that another record has raised before, and each end that is not the last record's.
    pub fn dedupe(&self, changes: Vec<Change>) -> Vec<Change> {
        // Counts as they will be while the commit goes on: ten jobs may raise one alert in it.
        let mut counts: BTreeMap<(ClusterName, String), u64> = BTreeMap::new();
        let mut is_delivered = |cluster: &ClusterName, alert: &AlertEvent| {
            let key = (cluster.clone(), alert.alert.clone());
            let known = || self.records.get(&key).copied().unwrap_or_default();
            let count = counts.entry(key.clone()).or_insert_with(known);
            match alert.status {
                AlertStatus::Firing => {
                    *count += 1;
                    *count == 1
                }
                AlertStatus::Resolved => {
                    *count = count.saturating_sub(1);
                    *count == 0
                }
            }
        };
        changes
            .into_iter()
            .map(|change| {
                let Change { record, mut events } = change;
                let cluster = &record.key.target.cluster;
                events.retain(|event| match event {
                    Event::Alert(alert) => match alert.scope {
                        AlertScope::Cluster => is_delivered(cluster, alert),
                        AlertScope::Job => true,
                    },
                    Event::Transition(_) | Event::Update | Event::Forgotten => true,
                });
                Change { record, events }
            })
            .collect()
    }
}

fn keys(record: &JobRecord) -> impl Iterator<Item = (ClusterName, String)> {
    record
        .alerts
        .iter()
        .filter(|alert| alert.scope == AlertScope::Cluster)
        .map(|alert| (record.key.target.cluster.clone(), alert.name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{JobKey, PolicyName};
    use crate::record::{Origin, StandingAlert};
    use crate::state::Mode;
    use crate::time::Timestamp;

    const AT: Timestamp = Timestamp::from_millis(1_000);
    const NAME: &str = "KubernetesUnreachable";

    fn record(name: &str, alerts: &[AlertScope]) -> JobRecord {
        let key = JobKey::parse(&format!("local/default/{name}")).unwrap();
        let alert = |scope: &AlertScope| StandingAlert {
            name: NAME.into(),
            scope: *scope,
            since: AT,
            message: String::new(),
        };
        JobRecord {
            alerts: alerts.iter().map(alert).collect(),
            ..JobRecord::unseen(key, Mode::Application, Origin::Configured, PolicyName::new("p"), AT)
        }
    }

    fn change(record: &JobRecord, scope: AlertScope, status: AlertStatus) -> Change {
        let event = AlertEvent {
            alert: NAME.into(),
            scope,
            status,
            since: AT,
            message: String::new(),
        };
        Change::update(record, record.clone(), vec![Event::Alert(event)])
    }

    fn delivered(changes: Vec<Change>) -> Vec<usize> {
        changes.iter().map(|change| change.events.len()).collect()
    }

    #[test]
    fn the_first_job_raises_it_and_the_last_one_ends_it() {
        let mut alerts = ClusterAlerts::default();
        let (calm, raised) = ([record("a", &[]), record("b", &[])], [AlertScope::Cluster]);
        let [a, b] = ["a", "b"].map(|name| record(name, &raised));
        let fires = |record| change(record, AlertScope::Cluster, AlertStatus::Firing);
        let ends = |record| change(record, AlertScope::Cluster, AlertStatus::Resolved);
        assert_eq!(delivered(alerts.dedupe(vec![fires(&a), fires(&b)])), [1, 0]);
        // The store refused it: nothing was delivered.
        assert_eq!(delivered(alerts.dedupe(vec![fires(&a)])), [1]);
        alerts.committed(Some(&calm[0]), Some(&a));
        assert_eq!(delivered(alerts.dedupe(vec![fires(&b)])), [0]);
        alerts.committed(Some(&calm[1]), Some(&b));
        assert_eq!(delivered(alerts.dedupe(vec![ends(&a)])), [0]);
        alerts.committed(Some(&a), None);
        assert_eq!(
            delivered(alerts.dedupe(vec![ends(&b)])),
            [1],
            "a forgotten job does not keep it"
        );
    }

    #[test]
    fn alerts_of_a_job_are_its_own() {
        let alerts = ClusterAlerts::default();
        let fires = |name| change(&record(name, &[]), AlertScope::Job, AlertStatus::Firing);
        assert_eq!(delivered(alerts.dedupe(vec![fires("a"), fires("b")])), [1, 1]);
    }
}
