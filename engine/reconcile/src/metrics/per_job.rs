//! Series of each job, for those who ask for them: `[metrics] per_job`. Some 25 for a job.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use steadfast_core::id::{JobKey, SessionJob};
use steadfast_core::projection::{JobView, Projection};
use steadfast_core::state::{Confidence, JobState};
use steadfast_core::time::Clock;

use super::write::{Named, gauges, seconds};

const STATE: Named = Named::new(
    "steadfast_job_state",
    "The state of a job: 1 for the one it is in, else 0.",
);
const CONFIDENCE: Named = Named::new(
    "steadfast_job_confidence",
    "How sure the state of a job is: 1 for the word that holds, else 0.",
);
const CONFIRMED_AGE: Named = Named::seconds(
    "steadfast_job_confirmed_age",
    "How long ago the state of a job was last confirmed; absent if it never was.",
);
const SINCE: Named = Named::seconds(
    "steadfast_job_state_since_timestamp",
    "When the state of a job began: by Flink's word where it tells, else when it was first seen.",
);
const FAILURES: Named = Named::new(
    "steadfast_job_poll_failures",
    "How many polls of its Flink in a row gave no usable answer.",
);
const ALERT: Named = Named::new("steadfast_job_alert", "1 while an alert stands in the record of a job.");
const CONDITION: Named = Named::new(
    "steadfast_job_condition",
    "1 while a condition stands beside the state of a job.",
);
const ATTEMPTS: Named = Named::new(
    "steadfast_job_attempts",
    "Which attempt a job is at, counted since it was first seen; absent before.",
);
const RESTARTS: Named = Named::new(
    "steadfast_job_restarts",
    "How often a job was recorded as RESTARTING since this process started.",
);

/// How often each job was recorded as RESTARTING. A clone shares the counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Restarts(Arc<Mutex<BTreeMap<JobKey, u64>>>);

impl Restarts {
    pub(super) fn count(&self, job: &JobKey) {
        *self.lock().entry(job.clone()).or_default() += 1;
    }

    pub(super) fn forget(&self, job: &JobKey) {
        self.lock().remove(job);
    }

    fn of(&self, job: &JobKey) -> u64 {
        self.lock().get(job).copied().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<JobKey, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the record, job by job.
pub(super) struct PerJob {
    pub(super) projection: Arc<Projection>,
    pub(super) restarts: Restarts,
    pub(super) clock: Arc<dyn Clock>,
}

impl fmt::Debug for PerJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerJob").finish_non_exhaustive()
    }
}

/// A job, and what tells it from others of its session; empty where it is in none.
struct Job {
    view: JobView,
    session_job: String,
}

type Labels<'a> = [(&'static str, &'a str); 4];

impl Job {
    fn labels(&self) -> Labels<'_> {
        let target = &self.view.record.key.target;
        [
            ("cluster", target.cluster.as_str()),
            ("namespace", target.namespace.as_str()),
            ("name", &target.name),
            ("session_job", &self.session_job),
        ]
    }

    fn labels_and<'a>(&'a self, name: &'static str, value: &'a str) -> [(&'static str, &'a str); 5] {
        let [cluster, namespace, job, session_job] = self.labels();
        [cluster, namespace, job, session_job, (name, value)]
    }
}

impl Collector for PerJob {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let now = self.clock.now();
        let views = self.projection.page(None, usize::MAX, |_| true);
        let jobs = views.into_iter().map(|view| Job {
            session_job: view
                .record
                .key
                .session_job
                .as_ref()
                .map_or_else(String::new, SessionJob::to_string),
            view,
        });
        let (jobs, encoder): (Vec<Job>, _) = (jobs.collect(), &mut encoder);
        sets(&jobs, encoder)?;
        let confirmed = jobs.iter().filter_map(|job| {
            let at = job.view.watch.confirmed_at.max(job.view.record.confirmed_at)?;
            Some((job.labels(), now.since(at).as_secs_f64()))
        });
        gauges(encoder, CONFIRMED_AGE, confirmed)?;
        let since = jobs.iter().map(|job| (job.labels(), seconds(job.view.record.began())));
        gauges(encoder, SINCE, since)?;
        let failures = jobs.iter().map(|job| (job.labels(), job.view.watch.failures));
        gauges(encoder, FAILURES, failures)?;
        let attempts = jobs.iter().filter_map(|job| {
            let attempt = u64::from(job.view.record.incarnation.attempt);
            (attempt > 0).then(|| (job.labels(), attempt))
        });
        counters(encoder, ATTEMPTS, attempts)?;
        let restarts = jobs
            .iter()
            .map(|job| (job.labels(), self.restarts.of(&job.view.record.key)));
        counters(encoder, RESTARTS, restarts)
    }
}

/// What of a job is one of several words, or stands.
fn sets(jobs: &[Job], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let states = jobs.iter().flat_map(|job| {
        let is = |state: &JobState| u64::from(job.view.record.state == *state);
        JobState::ALL
            .iter()
            .map(move |state| (job.labels_and("state", state.as_str()), is(state)))
    });
    gauges(encoder, STATE, states)?;
    let confidence = jobs.iter().flat_map(|job| {
        let is = |word: &Confidence| u64::from(job.view.confidence() == *word);
        Confidence::ALL
            .iter()
            .map(move |word| (job.labels_and("confidence", word.as_str()), is(word)))
    });
    gauges(encoder, CONFIDENCE, confidence)?;
    let alerts = jobs.iter().flat_map(|job| {
        let alerts = job.view.record.alerts.iter();
        alerts.map(|alert| (job.labels_and("alert", &alert.name), 1_u64))
    });
    gauges(encoder, ALERT, alerts)?;
    let conditions = jobs.iter().flat_map(|job| {
        let conditions = job.view.record.conditions.iter();
        conditions.map(|condition| (job.labels_and("condition", condition.kind.as_str()), 1_u64))
    });
    gauges(encoder, CONDITION, conditions)
}

fn counters<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    named: Named,
    samples: impl Iterator<Item = (Labels<'a>, u64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(named.name, named.help, named.unit, MetricType::Counter)?;
    for (labels, value) in samples {
        ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
