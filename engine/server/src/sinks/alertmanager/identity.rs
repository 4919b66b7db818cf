//! Which alert, and what is said of it.

use steadfast_core::alert::AlertEvent;
use steadfast_core::id::{ClusterName, JobKey, PolicyName};
use steadfast_core::journal::Entry;
use steadfast_core::projection::Projection;
use steadfast_core::record::{AlertScope, JobRecord};
use steadfast_core::time::Timestamp;

/// Which alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sinks) struct Identity {
    pub(super) name: String,
    pub(super) about: About,
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    Job(JobKey),
    Cluster(ClusterName),
    Policy(PolicyName),
}

/// What is said of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) since: Timestamp,
    pub(super) message: String,
}

impl Identity {
    pub(super) fn in_record(record: &JobRecord, name: &str, scope: AlertScope) -> Self {
        let about = match scope {
            AlertScope::Job => About::Job(record.key.clone()),
            AlertScope::Cluster => About::Cluster(record.key.target.cluster.clone()),
            AlertScope::Policy => About::Policy(record.policy.clone()),
        };
        Self {
            name: name.to_owned(),
            about,
        }
    }

    /// That of an entry. Which policy one is about the record says; `None` if it is gone.
    pub(super) fn of(entry: &Entry, alert: &AlertEvent, records: &Projection) -> Option<Self> {
        let about = match alert.scope {
            AlertScope::Job => About::Job(entry.key.clone()),
            AlertScope::Cluster => About::Cluster(entry.key.target.cluster.clone()),
            AlertScope::Policy => About::Policy(records.get(&entry.key)?.record.policy.clone()),
        };
        Some(Self {
            name: alert.alert.clone(),
            about,
        })
    }
}

impl From<&AlertEvent> for Said {
    fn from(alert: &AlertEvent) -> Self {
        Self {
            since: alert.since,
            message: alert.message.clone(),
        }
    }
}
