//! What is shown, as an engine says it.

use serde_json::Value;
use steadfast_core::severity::Severity;
use steadfast_core::state::JobState;

use crate::cli::client::{Client, with_query};
use crate::cli::filter::Filter;
use crate::cli::names::JOBS;
use crate::cli::{Failure, clusters};

/// The most jobs that are shown: the worst.
const MOST: usize = 1000;

/// The jobs at a time, worst first.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    pub(super) jobs: Vec<Value>,
    /// How many there are of each severity, in the order of [`Severity::ALL`], also of those that are not shown.
    pub(super) counts: Vec<u64>,
    /// A line for each cluster that is not wholly readable: jobs may be missing.
    pub(super) unread: Vec<String>,
    /// Whether jobs are left out, since there are more than can be shown.
    pub(super) is_cut: bool,
}

/// Asks for them: those with a text in their ids, which is looked for among all jobs, and not among those that are shown.
pub(super) async fn jobs(client: &Client, filter: &Filter, wanted: &str) -> Result<Read, Failure> {
    let list = clusters::read(client).await?;
    let now = client.clock();
    list.refuse_unknown(client, &filter.cluster).await?;
    let concerned = list.items.iter().filter(|cluster| filter.concerns(cluster));
    let unread = concerned.filter_map(|cluster| clusters::line(cluster, now)).collect();
    let query = filter.query();
    let summary = match client.find(&with_query("/api/v1/summary", &query)).await? {
        Some(summary) => summary,
        // An earlier version sorts, counts and finds nothing.
        None => {
            let read = Read::of(client.items(JOBS, &query).await?, &Value::Null);
            return Ok(Read { unread, ..read });
        }
    };
    let mut query = if wanted.is_empty() {
        query
    } else {
        filter.searching(wanted).query()
    };
    query.push(("sort", "severity".to_owned()));
    // One more shows that there are more.
    query.push(("limit", (MOST + 1).to_string()));
    let mut jobs = client.first(JOBS, &query, MOST + 1).await?;
    let is_cut = jobs.len() > MOST;
    jobs.truncate(MOST);
    jobs.retain(|job| filter.finds(job));
    Ok(Read {
        unread,
        is_cut,
        ..Read::of(jobs, &summary)
    })
}

impl Read {
    /// Of jobs in any order; without a summary they are counted.
    pub(super) fn of(mut jobs: Vec<Value>, summary: &Value) -> Self {
        jobs.sort_by_cached_key(|job| {
            let text = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            (rank(job), text("since"), text("id"))
        });
        let told = summary.get("severity").and_then(Value::as_object);
        let count = |severity: &Severity| match told {
            Some(told) => told.get(severity.as_str()).and_then(Value::as_u64).unwrap_or(0),
            None => jobs.iter().filter(|job| rank(job) == *severity).map(|_| 1).sum(),
        };
        let counts = Severity::ALL.iter().map(count).collect();
        Self {
            jobs,
            counts,
            unread: Vec::new(),
            is_cut: false,
        }
    }

    /// How many jobs there are, shown or not.
    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// How bad a job is. An earlier version does not say, and then the same is told from what it says; a later one may have another
/// word.
fn rank(job: &Value) -> Severity {
    let text = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default();
    if let Some(severity) = Severity::parse(text("severity")) {
        return severity;
    }
    let listed = |list: &str| job.get(list).and_then(Value::as_array).into_iter().flatten();
    let is_own = |alert: &Value| alert.get("scope").and_then(Value::as_str) == Some("job");
    let of_state = JobState::parse(text("state")).map_or(Severity::Changing, Severity::of_state);
    if listed("alerts").any(is_own) {
        Severity::Alerting
    } else if of_state == Severity::Failed {
        Severity::Failed
    } else if listed("conditions").next().is_some() {
        Severity::Degraded
    } else if text("confidence") != "confirmed" {
        Severity::Unconfirmed
    } else {
        of_state
    }
}
