//! `GET /api/v1/summary`: how many jobs there are of each kind, without one of them being sent.

mod facets;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use steadfast_core::severity::Severity;
use utoipa::ToSchema;

use crate::alerts::{AlertCounts, Standing};
use crate::filter::JobFilter;
use crate::problem::Problem;
use crate::query::Parameters;
use crate::state::Api;

use facets::{Facets, Tally};

/// What the jobs that were asked for come to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Summary {
    /// How many jobs there are.
    #[schema(example = 3)]
    jobs: u64,
    /// The newest entry of the journal when they were counted: whoever follows the events from here on misses nothing.
    #[schema(example = 42)]
    sequence: u64,
    severity: SeverityCounts,
    alerts: AlertCounts,
    facets: Facets,
}

/// How many jobs have each severity.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct SeverityCounts {
    #[schema(example = 1)]
    alerting: u64,
    #[schema(example = 0)]
    failed: u64,
    #[schema(example = 0)]
    degraded: u64,
    #[schema(example = 0)]
    unconfirmed: u64,
    #[schema(example = 0)]
    changing: u64,
    #[schema(example = 2)]
    running: u64,
    #[schema(example = 0)]
    ended: u64,
}

impl SeverityCounts {
    fn add(&mut self, severity: Severity) {
        let count = match severity {
            Severity::Alerting => &mut self.alerting,
            Severity::Failed => &mut self.failed,
            Severity::Degraded => &mut self.degraded,
            Severity::Unconfirmed => &mut self.unconfirmed,
            Severity::Changing => &mut self.changing,
            Severity::Running => &mut self.running,
            Severity::Ended => &mut self.ended,
        };
        *count += 1;
    }
}

/// How many jobs there are, and of what.
///
/// Everything is counted over the jobs that pass the filters. Alerts are counted as `GET /api/v1/alerts` lists them.
#[utoipa::path(get, path = "/api/v1/summary", operation_id = "getSummary", tag = "jobs", params(JobFilter),
    responses(
        (status = 200, description = "The jobs in numbers", body = Summary),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(State(api): State<Api>, Parameters(filter): Parameters<JobFilter>) -> Json<Summary> {
    // Read first: what is committed while the jobs are counted may be counted, and is heard of again.
    let sequence = api.entries.borrow().0;
    let (mut jobs, mut severity) = (0, SeverityCounts::default());
    let (mut standing, mut tally) = (Standing::among(&api.jobs), Tally::default());
    let mut taker = filter.taker();
    api.jobs.walk(
        |view| taker.takes(view),
        |view| {
            jobs += 1;
            severity.add(view.severity());
            standing.add(view, &filter);
            tally.add(view);
        },
    );
    Json(Summary {
        jobs,
        sequence,
        severity,
        alerts: standing.counts(),
        facets: tally.facets(),
    })
}

#[cfg(test)]
mod tests;
