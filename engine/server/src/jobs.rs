//! `GET /api/v1/jobs`: the jobs on record, by page.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Query, State};
use serde::Serialize;
use steadfast_core::id::JobKey;
use steadfast_core::state::JobState;
use utoipa::ToSchema;

use crate::api::Api;
use crate::cursor;
use crate::problem::Problem;
use crate::view::Job;

/// Items of a page unless `limit` says otherwise.
pub(crate) const DEFAULT_LIMIT: usize = 500;
/// The most `limit` may ask for.
pub(crate) const MAX_LIMIT: usize = 5000;

/// A page of jobs, in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    items: Vec<Job>,
    /// Where the next page begins; null on the last one.
    cursor: Option<String>,
}

/// What a list request asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// Empty: all states.
    states: BTreeSet<JobState>,
    /// Empty: all namespaces.
    namespaces: BTreeSet<String>,
    limit: Option<usize>,
    after: Option<JobKey>,
}

/// The jobs on record.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(
    ("state" = Option<Vec<String>>, Query, description = "Only jobs in one of these states; repeated, or separated by commas"),
    ("namespace" = Option<Vec<String>>, Query, description = "Only jobs of these namespaces; repeated, or separated by commas"),
    ("limit" = Option<u32>, Query, description = "Items of a page: 1 to 5000, 500 if not given"),
    ("cursor" = Option<String>, Query, description = "The `cursor` of the page before")),
    responses(
        (status = 200, description = "A page of jobs", body = JobPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(api): State<Api>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<JobPage>, Problem> {
    let wanted = Wanted::parse(&query)?;
    let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT);
    // One more than asked for tells whether there is another page.
    let mut views = api.jobs.page(wanted.after.as_ref(), limit.saturating_add(1), |view| {
        let namespace = view.record.key.target.namespace.as_str();
        (wanted.states.is_empty() || wanted.states.contains(&view.record.state))
            && (wanted.namespaces.is_empty() || wanted.namespaces.contains(namespace))
    });
    let more = views.len() > limit;
    views.truncate(limit);
    let cursor = views
        .last()
        .filter(|_| more)
        .and_then(|view| cursor::write(&view.record.key));
    Ok(Json(JobPage {
        items: views.iter().map(Job::from).collect(),
        cursor,
    }))
}

impl Wanted {
    fn parse(query: &[(String, String)]) -> Result<Self, Problem> {
        let mut wanted = Self::default();
        for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "state" => wanted.states.extend(states(value)?),
                "namespace" => wanted.namespaces.extend(value.split(',').map(str::to_owned)),
                "limit" => wanted.limit = Some(limit(value)?),
                "cursor" => wanted.after = Some(cursor::read(value)?),
                _ => return Err(unknown(name, "state, namespace, limit, cursor")),
            }
        }
        Ok(wanted)
    }
}

fn states(value: &str) -> Result<Vec<JobState>, Problem> {
    let parse = |word: &str| {
        JobState::parse(word).ok_or_else(|| {
            let known: Vec<&str> = JobState::ALL.iter().map(|state| state.as_str()).collect();
            Problem::parameter(
                "state",
                format!("state=`{word}` is not a state; use one of {}", known.join(", ")),
            )
        })
    };
    value.split(',').map(str::trim).map(parse).collect()
}

/// Reads a `limit`.
pub(crate) fn limit(value: &str) -> Result<usize, Problem> {
    let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| {
        let detail = format!("limit=`{value}` is not a whole number from 1 to {MAX_LIMIT}; follow `cursor` for more");
        Problem::parameter("limit", detail)
    })
}

/// A misspelt parameter, which would otherwise be an answer to another question.
pub(crate) fn unknown(name: &str, known: &str) -> Problem {
    Problem::parameter(name, format!("`{name}` is not a parameter here; there are {known}"))
}

#[cfg(test)]
mod tests;
