//! What is shown, as an engine says it.

use serde_json::Value;

use crate::cli::Failure;
use crate::cli::client::{Client, with_query};
use crate::cli::filter::Filter;
use crate::cli::names::JOBS;

/// The most jobs that are shown: the worst.
const MOST: usize = 1000;
/// The severities, worst first.
pub(super) const SEVERITIES: [&str; 7] = [
    "alerting",
    "failed",
    "degraded",
    "unconfirmed",
    "changing",
    "running",
    "ended",
];

/// The jobs at a time, worst first.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    pub(super) jobs: Vec<Value>,
    /// How many there are of each severity, also of those that are not shown.
    pub(super) counts: [u64; 7],
}

/// Asks for them.
pub(super) async fn jobs(client: &Client, filter: &Filter) -> Result<Read, Failure> {
    let mut query = filter.query();
    let summary = match client.find(&with_query("/api/v1/summary", &query)).await? {
        Some(summary) => summary,
        // An earlier version sorts and counts nothing.
        None => return Ok(Read::of(client.items(JOBS, &query).await?, &Value::Null)),
    };
    query.push(("sort", "severity".to_owned()));
    query.push(("limit", MOST.to_string()));
    Ok(Read::of(client.first(JOBS, &query, MOST).await?, &summary))
}

impl Read {
    /// Of jobs in any order; without a summary they are counted.
    pub(super) fn of(mut jobs: Vec<Value>, summary: &Value) -> Self {
        jobs.sort_by_cached_key(|job| {
            let text = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            (rank(job), text("since"), text("id"))
        });
        let mut counts = [0; 7];
        let told = summary.get("severity").and_then(Value::as_object);
        for (rank_of, (count, word)) in counts.iter_mut().zip(SEVERITIES).enumerate() {
            *count = match told {
                Some(told) => told.get(word).and_then(Value::as_u64).unwrap_or(0),
                None => jobs.iter().filter(|job| rank(job) == rank_of).map(|_| 1).sum(),
            };
        }
        Self { jobs, counts }
    }
}

/// How bad a job is, 0 for the worst. An earlier version does not say, and then the same is told from what it says.
fn rank(job: &Value) -> usize {
    let text = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default();
    if let Some(rank) = SEVERITIES.iter().position(|word| *word == text("severity")) {
        return rank;
    }
    let any = |list: &str| {
        job.get(list)
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty())
    };
    let scoped = job.get("alerts").and_then(Value::as_array).into_iter().flatten();
    let alerting = scoped
        .filter(|alert| alert.get("scope").and_then(Value::as_str) == Some("job"))
        .count()
        > 0;
    match text("state") {
        _ if alerting => 0,
        "FAILED" | "LOST" | "TERMINATED" => 1,
        _ if any("conditions") => 2,
        _ if text("confidence") != "confirmed" => 3,
        "RUNNING" => 5,
        "FINISHED" | "CANCELED" | "SUSPENDED" => 6,
        _ => 4,
    }
}
