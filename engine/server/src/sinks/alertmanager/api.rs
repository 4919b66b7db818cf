//! An alert as Alertmanager's API has it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use steadfast_core::record::AlertScope;
use steadfast_core::time::Timestamp;

use super::super::message::json;
use super::identity::{About, Said};
use super::{Alerts, Identity};

/// How long a test stands.
const TEST: Duration = Duration::from_secs(60);

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Postable<'a> {
    labels: BTreeMap<&'a str, String>,
    annotations: BTreeMap<&'static str, &'a str>,
    starts_at: String,
    ends_at: String,
}

impl Alerts {
    /// An alert that ends by itself.
    pub(in crate::sinks) fn test(&self, message: &str, now: Timestamp) -> String {
        let mut labels = self.labels_of("SteadfastSinkTest");
        labels.insert("scope", "test".to_owned());
        json(&[Postable {
            labels,
            annotations: BTreeMap::from([("summary", message)]),
            starts_at: now.to_string(),
            ends_at: now.after(TEST).to_string(),
        }])
    }

    fn labels_of(&self, name: &str) -> BTreeMap<&str, String> {
        let mut labels: BTreeMap<&str, String> = self
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        labels.insert("alertname", name.to_owned());
        labels.insert("source", "steadfast".to_owned());
        labels
    }

    pub(super) fn postable<'a>(&'a self, identity: &Identity, said: &'a Said, end: Timestamp) -> Postable<'a> {
        let mut labels = self.labels_of(&identity.name);
        let scope = match &identity.about {
            About::Job(key) => {
                labels.insert("cluster", key.target.cluster.to_string());
                labels.insert("namespace", key.target.namespace.to_string());
                labels.insert("name", key.target.name.to_string());
                labels.insert("flink_job", key.to_string());
                AlertScope::Job
            }
            About::Cluster(cluster) => {
                labels.insert("cluster", cluster.to_string());
                AlertScope::Cluster
            }
            About::Policy(policy) => {
                labels.insert("policy", policy.to_string());
                AlertScope::Policy
            }
        };
        labels.insert("scope", scope.as_str().to_owned());
        Postable {
            labels,
            annotations: BTreeMap::from([("summary", said.message.as_str())]),
            starts_at: said.since.to_string(),
            // An end before its beginning would be refused, and with it all that is in the request.
            ends_at: end.max(said.since).to_string(),
        }
    }
}
