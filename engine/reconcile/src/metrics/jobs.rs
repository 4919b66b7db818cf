//! The record in numbers: how many jobs are in which state, and what stands beside it.
//!
//! Each family has at most as many series as there are jobs, and mostly a handful: names of jobs are no labels here. The one
//! label that others choose the values of is an alert's name, which a policy invents: a number of names is shown as they
//! are, and the rest under one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use steadfast_core::id::{ClusterName, Namespace};
use steadfast_core::projection::{JobView, Projection};
use steadfast_core::record::AlertScope;
use steadfast_core::silences::Silenced;
use steadfast_core::state::{ConditionType, Confidence, JobState};

use super::write::{Named, gauges};

/// How many different names of alerts are shown.
const ALERT_NAMES: usize = 64;
/// What the others are shown as.
const OTHERS: &str = "(others)";

const JOBS: Named = Named::new(
    "steadfast_jobs",
    "Jobs on record, by their state and how sure it is; what has no job has no sample.",
);
const ALERTS: Named = Named::new(
    "steadfast_alerts",
    "Jobs in whose record an alert stands, by its name, what it is about (this job, its cluster or its policy), and whether a silence keeps it from being told.",
);
const CONDITIONS: Named = Named::new(
    "steadfast_conditions",
    "Jobs beside whose state a condition stands, by its type.",
);
const GUARDED: Named = Named::new(
    "steadfast_fleet_guard_jobs",
    "Jobs that the fleet guard holds: most of their cluster is dark, and nothing in it turns terminal.",
);

/// Reads the record.
#[derive(Debug)]
pub(super) struct Jobs(pub(super) Arc<Projection>);

type Place = (ClusterName, Namespace);

/// How many jobs there are of each kind.
#[derive(Debug, Default)]
struct Tally {
    states: BTreeMap<(Place, JobState, Confidence), u64>,
    alerts: BTreeMap<(String, AlertScope, Place, bool), u64>,
    silenced: Arc<Silenced>,
    conditions: BTreeMap<(ConditionType, Place), u64>,
    guarded: BTreeMap<ClusterName, u64>,
}

impl Tally {
    fn count(&mut self, view: &JobView) {
        let (record, target) = (&view.record, &view.record.key.target);
        let place = (target.cluster.clone(), target.namespace.clone());
        let is_guarded = record.condition(ConditionType::FleetDisrupted).is_some();
        *self.guarded.entry(target.cluster.clone()).or_default() += u64::from(is_guarded);
        for alert in &record.alerts {
            let silenced = self.silenced.has(record, alert.scope, &alert.name);
            let alert = (alert.name.clone(), alert.scope, place.clone(), silenced);
            *self.alerts.entry(alert).or_default() += 1;
        }
        for condition in &record.conditions {
            *self.conditions.entry((condition.kind, place.clone())).or_default() += 1;
        }
        let state = (place, record.state, view.confidence());
        *self.states.entry(state).or_default() += 1;
    }

    /// Puts alerts under one name that are of more names than are shown.
    fn bounded(mut self) -> Self {
        let names: BTreeSet<String> = self.alerts.keys().map(|(name, ..)| name.clone()).collect();
        let Some(first) = names.into_iter().nth(ALERT_NAMES) else {
            return self;
        };
        let beyond = self.alerts.split_off(&(
            first,
            AlertScope::Job,
            (ClusterName::new(""), Namespace::new("")),
            false,
        ));
        for ((_, scope, place, silenced), count) in beyond {
            *self
                .alerts
                .entry((OTHERS.to_owned(), scope, place, silenced))
                .or_default() += count;
        }
        self
    }
}

impl Collector for Jobs {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut tally = Tally {
            silenced: self.0.silenced(),
            ..Tally::default()
        };
        self.0.for_each(|view| tally.count(view));
        let tally = tally.bounded();
        let encoder = &mut encoder;
        let states = tally
            .states
            .iter()
            .map(|(((cluster, namespace), state, confidence), jobs)| {
                let labels = [
                    ("cluster", cluster.as_str()),
                    ("namespace", namespace.as_str()),
                    ("state", state.as_str()),
                    ("confidence", confidence.as_str()),
                ];
                (labels, *jobs)
            });
        gauges(encoder, JOBS, states)?;
        let alerts = tally
            .alerts
            .iter()
            .map(|((name, scope, (cluster, namespace), silenced), jobs)| {
                let labels = [
                    ("cluster", cluster.as_str()),
                    ("namespace", namespace.as_str()),
                    ("alert", name.as_str()),
                    ("scope", scope.as_str()),
                    ("silenced", if *silenced { "true" } else { "false" }),
                ];
                (labels, *jobs)
            });
        gauges(encoder, ALERTS, alerts)?;
        let conditions = tally.conditions.iter().map(|((kind, (cluster, namespace)), jobs)| {
            let labels = [
                ("cluster", cluster.as_str()),
                ("namespace", namespace.as_str()),
                ("condition", kind.as_str()),
            ];
            (labels, *jobs)
        });
        gauges(encoder, CONDITIONS, conditions)?;
        let guarded = tally.guarded.iter();
        let guarded = guarded.map(|(cluster, jobs)| ([("cluster", cluster.as_str())], *jobs));
        gauges(encoder, GUARDED, guarded)
    }
}

#[cfg(test)]
mod tests;
