//! The alerts that stand, each once: those about a cluster or a policy are gathered over the jobs that have them.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use steadfast_core::id::{ClusterName, JobKey, PolicyName};
use steadfast_core::projection::{JobView, Projection};
use steadfast_core::record::{AlertScope, JobRecord, Silence, StandingAlert};
use steadfast_core::silences::Silenced;
use utoipa::ToSchema;

use crate::filter::JobFilter;
use crate::words::Words;

/// Whether sinks are told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Firing,
    Silenced,
}

impl Words for Told {
    const ONE: &'static str = "a status of an alert that stands";

    fn all() -> &'static [Self] {
        &[Self::Firing, Self::Silenced]
    }

    fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Silenced => "silenced",
        }
    }
}

/// How many alerts stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct AlertCounts {
    /// Those that sinks are told of.
    #[schema(example = 1)]
    firing: u64,
    /// Those that somebody has silenced.
    #[schema(example = 0)]
    silenced: u64,
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum About {
    Job(JobKey),
    Cluster(ClusterName),
    Policy(PolicyName),
}

impl About {
    fn new(scope: AlertScope, record: &JobRecord) -> Self {
        match scope {
            AlertScope::Job => Self::Job(record.key.clone()),
            AlertScope::Cluster => Self::Cluster(record.key.target.cluster.clone()),
            AlertScope::Policy => Self::Policy(record.policy.clone()),
        }
    }
}

/// The place of an alert in the list: the oldest comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    /// In milliseconds since the Unix epoch.
    since: i64,
    alert: String,
    about: About,
}

/// An alert that stands.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(super) place: Place,
    /// The job it is shown with. What the alert says is in here, so that no message is copied for a page it is not on.
    pub(super) record: Arc<JobRecord>,
    /// Which of the record's alerts it is.
    index: usize,
    pub(super) jobs: u64,
    /// The record that has the silence, if somebody has silenced it: one job's is enough for what many share.
    silenced_in: Option<Arc<JobRecord>>,
}

impl Row {
    pub(super) fn alert(&self) -> Option<&StandingAlert> {
        self.record.alerts.get(self.index)
    }

    pub(super) fn told(&self) -> Told {
        match self.silenced_in {
            Some(_) => Told::Silenced,
            None => Told::Firing,
        }
    }

    /// The silence, and the job that it is noted at.
    pub(super) fn silence(&self) -> Option<(&JobKey, &Silence)> {
        let record = self.silenced_in.as_ref()?;
        Some((&record.key, record.silence(&self.place.alert)?))
    }

    /// Takes in that another job has it too. It is shown with the one that has had it longest.
    fn join(&mut self, other: Self) {
        let jobs = self.jobs + other.jobs;
        if (other.place.since, &other.record.key) < (self.place.since, &self.record.key) {
            *self = other;
        }
        self.jobs = jobs;
    }
}

/// Gathers the alerts of jobs.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    of_jobs: Vec<Row>,
    shared: HashMap<(String, About), Row>,
    /// By all jobs, whichever are asked for: one's silence is enough for what many share.
    silenced: Arc<Silenced>,
}

impl Standing {
    /// Of these jobs none yet.
    pub(crate) fn among(jobs: &Projection) -> Self {
        Self {
            silenced: jobs.silenced(),
            ..Self::default()
        }
    }

    /// Takes in a job's alerts, as far as the filter asks for their names.
    pub(crate) fn add(&mut self, view: &JobView, filter: &JobFilter) {
        let asked = view.record.alerts.iter().enumerate();
        for (index, alert) in asked.filter(|(_, alert)| filter.takes_alert(&alert.name)) {
            let about = About::new(alert.scope, &view.record);
            let row = Row {
                place: Place {
                    since: alert.since.as_millis(),
                    alert: alert.name.clone(),
                    about: about.clone(),
                },
                record: Arc::clone(&view.record),
                index,
                jobs: 1,
                silenced_in: self.silenced.by(&view.record, alert.scope, &alert.name).cloned(),
            };
            if alert.scope == AlertScope::Job {
                self.of_jobs.push(row);
                continue;
            }
            match self.shared.get_mut(&(alert.name.clone(), about.clone())) {
                Some(known) => known.join(row),
                None => drop(self.shared.insert((alert.name.clone(), about), row)),
            }
        }
    }

    /// All of them, in no order.
    pub(super) fn rows(self) -> Vec<Row> {
        let mut rows = self.of_jobs;
        rows.extend(self.shared.into_values());
        rows
    }

    /// How many there are.
    pub(crate) fn counts(&self) -> AlertCounts {
        let mut counts = AlertCounts::default();
        for row in self.of_jobs.iter().chain(self.shared.values()) {
            match row.told() {
                Told::Firing => counts.firing += 1,
                Told::Silenced => counts.silenced += 1,
            }
        }
        counts
    }
}
