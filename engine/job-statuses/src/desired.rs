//! From a record to its resource.

mod conditions;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use serde_json::json;
use steadfast_core::id::ClusterName;
use steadfast_core::projection::JobView;
use steadfast_core::record::AlertScope;
use steadfast_core::time::Timestamp;

use crate::cluster::{Found, Place};
use crate::name::{label_value, object_name};
use crate::resource::{Alert, Deployment, GROUP, KIND, Spec, Status, VERSION};

use conditions::{Own, Truth, conditions};

/// Who made an object, by a label that many tools know.
pub(crate) const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "steadfast");
/// The label with the name of the `[[kubernetes]]` entry: whose objects these are, where two keep some in one cluster.
pub(crate) const CLUSTER: &str = "steadfast.dev/cluster";

/// The label with the id of the store that has the record: another store's records are not known here.
pub(crate) const STORE: &str = "steadfast.dev/store";

/// A record as a resource, but for what the cluster and the clock add.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    pub(crate) place: Place,
    labels: BTreeMap<String, String>,
    spec: Spec,
    /// Without generations, and without the times at which conditions of ours changed.
    status: Status,
    /// Since when conditions of ours stand that were not written yet; `None`: since now.
    since: [Option<Timestamp>; Own::ALL.len()],
}

/// What is the same in two resources that need not be written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Of the labels and the spec.
    pub(crate) head: u64,
    /// Of the status.
    pub(crate) status: Said,
}

/// What a status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// The state alone.
    pub(crate) state: u64,
    /// All of it, without what changes alone: generations, the last confirmation, and the times that follow from what is there.
    all: u64,
}

/// What the conditions of ours said last, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transitions([Option<(Truth, Timestamp)>; Own::ALL.len()]);

impl Desired {
    pub(crate) fn of(view: &JobView, store: &str) -> Self {
        let record = &*view.record;
        let target = &record.key.target;
        let alerting = record.alerts.iter().map(|alert| alert.since).min();
        Self {
            place: Place {
                namespace: target.namespace.clone(),
                name: object_name(&record.key),
            },
            labels: labels(&target.cluster, store),
            spec: Spec {
                job: record.key.to_string(),
            },
            status: status(view),
            since: [Some(record.since), None, alerting, Some(record.since)],
        }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.labels, &self.spec, &self.status)
    }

    /// What is applied to the object itself.
    pub(crate) fn head(&self) -> Vec<u8> {
        let Self {
            place, labels, spec, ..
        } = self;
        let object = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"), "kind": KIND, "spec": spec,
            "metadata": {"namespace": place.namespace.as_str(), "name": place.name, "labels": labels},
        });
        object.to_string().into_bytes()
    }

    /// What is applied to its status, when it is at that generation and its conditions said that before.
    pub(crate) fn status(&self, generation: i64, before: Transitions, now: Timestamp) -> (Vec<u8>, Transitions) {
        let mut status = self.status.clone();
        status.observed_generation = generation;
        let mut after = before;
        for condition in &mut status.conditions {
            condition.observed_generation = generation;
            let Some(own) = Own::of(&condition.kind) else { continue };
            let place = own.place();
            let truth = Truth::of(&condition.status).unwrap_or(Truth::Unknown);
            let (Some(kept), Some(first)) = (after.0.get_mut(place), self.since.get(place)) else {
                continue;
            };
            let since = match *kept {
                Some((said, since)) if said == truth => since,
                Some(_) => now,
                None => first.unwrap_or(now),
            };
            *kept = Some((truth, since));
            condition.last_transition_time = seconds(since);
        }
        let object = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"), "kind": KIND, "status": status,
            "metadata": {"namespace": self.place.namespace.as_str(), "name": self.place.name},
        });
        (object.to_string().into_bytes(), after)
    }
}

/// The labels that we set.
pub(crate) fn labels(cluster: &ClusterName, store: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned()),
        (CLUSTER.to_owned(), label_value(cluster.as_str())),
        (STORE.to_owned(), label_value(store)),
    ])
}

/// What an object that is there says, in the same terms; no fingerprint of a status that is about another generation.
pub(crate) fn found(found: &Found) -> (u64, Option<Said>, Transitions) {
    let ours = |(name, _): &(&String, &String)| [MANAGED_BY.0, CLUSTER, STORE].contains(&name.as_str());
    let labels = found.labels.iter().filter(ours);
    let labels = labels.map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut transitions = Transitions::default();
    for condition in &found.status.conditions {
        let since = Timestamp::parse(&condition.last_transition_time);
        let truth = Truth::of(&condition.status);
        if let Some(own) = Own::of(&condition.kind)
            && let Some(kept) = transitions.0.get_mut(own.place())
        {
            *kept = truth.zip(since);
        }
    }
    let print = fingerprint(&labels, &found.spec, &found.status);
    let is_current = found.status.observed_generation == found.generation;
    (print.head, is_current.then_some(print.status), transitions)
}

fn fingerprint(labels: &BTreeMap<String, String>, spec: &Spec, status: &Status) -> Fingerprint {
    let mut bare = status.clone();
    bare.observed_generation = 0;
    bare.last_seen = None;
    for condition in &mut bare.conditions {
        condition.observed_generation = 0;
        if Own::of(&condition.kind).is_some() {
            condition.last_transition_time.clear();
        }
    }
    // The order is the API server's own, once it has merged them.
    bare.conditions.sort_by(|one, other| one.kind.cmp(&other.kind));
    bare.alerts
        .sort_by(|one, other| (&one.name, &one.scope).cmp(&(&other.name, &other.scope)));
    Fingerprint {
        head: hash(&(labels, spec)),
        status: Said {
            state: hash(&bare.state),
            all: hash(&bare),
        },
    }
}

/// Compared within one process alone.
fn hash(value: &impl Hash) -> u64 {
    FixedState::default().hash_one(value)
}

fn status(view: &JobView) -> Status {
    let record = &*view.record;
    let confidence = view.confidence();
    let incarnation = &record.incarnation;
    let deployment = incarnation.deployment_uid.as_ref().map(|uid| Deployment {
        name: match &incarnation.deployment_name {
            Some(name) => name.clone(),
            None => record.key.target.name.to_string(),
        },
        uid: uid.to_string(),
    });
    let alerts: BTreeMap<(&str, &str), &_> = record
        .alerts
        .iter()
        .map(|alert| ((alert.name.as_str(), scope(alert.scope)), alert))
        .collect();
    let alerts = alerts.into_iter().map(|((name, scope), alert)| Alert {
        name: name.to_owned(),
        scope: scope.to_owned(),
        since: seconds(alert.since),
        message: alert.message.clone(),
    });
    Status {
        state: record.state.as_str().to_owned(),
        confidence: confidence.as_str().to_owned(),
        reason: record.reason.code.clone(),
        message: record.reason.message.clone(),
        since: seconds(record.began()),
        last_seen: record.confirmed_at.max(view.watch.confirmed_at).map(seconds),
        attempt: incarnation.attempt,
        job_id: incarnation.flink_job_id.map(|id| id.to_string()),
        mode: record.mode.as_str().to_owned(),
        deployment,
        policy: record.policy.to_string(),
        alerts: alerts.collect(),
        conditions: conditions(record, confidence),
        observed_generation: 0,
    }
}

const fn scope(scope: AlertScope) -> &'static str {
    match scope {
        AlertScope::Job => "job",
        AlertScope::Cluster => "cluster",
        AlertScope::Policy => "policy",
    }
}

/// As Kubernetes writes times: to the second.
fn seconds(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

#[cfg(test)]
mod tests;
