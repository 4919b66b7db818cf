//! `GET /api/v1/jobs`: the jobs on record, by page.

use std::collections::BTreeSet;
use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use steadfast_core::id::JobKey;
use steadfast_core::record::JobRecord;
use steadfast_core::state::JobState;
use utoipa::{IntoParams, ToSchema};

use crate::cursor;
use crate::problem::Problem;
use crate::query::{Cursor, Limit, Page, Parameters, comma_separated};
use crate::state::Api;
use crate::view::Job;

/// A page of jobs, in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    items: Vec<Job>,
    /// Where the next page begins; null on the last one.
    cursor: Option<String>,
}

/// Which jobs are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only jobs in one of these states; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>)]
    state: BTreeSet<StateWord>,
    /// Only jobs of these namespaces; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>)]
    namespace: BTreeSet<String>,
    /// Items of a page: 1 to 5000, 500 if not given.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit,
    /// The `cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<JobKey>>,
}

/// A state as a request writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct StateWord(JobState);

impl FromStr for StateWord {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        JobState::parse(word).map(Self).ok_or_else(|| {
            let known: Vec<&str> = JobState::ALL.iter().map(|state| state.as_str()).collect();
            format!("`{word}` is not a state; use one of {}", known.join(", "))
        })
    }
}

impl ListQuery {
    fn takes(&self, record: &JobRecord) -> bool {
        let namespace = record.key.target.namespace.as_str();
        (self.state.is_empty() || self.state.contains(&StateWord(record.state)))
            && (self.namespace.is_empty() || self.namespace.contains(namespace))
    }
}

/// The jobs on record.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(ListQuery),
    responses(
        (status = 200, description = "A page of jobs", body = JobPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(api): State<Api>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<JobPage>, Problem> {
    let after = query.cursor.as_ref().map(|cursor| &cursor.0);
    let views = api
        .jobs
        .page(after, query.limit.and_one(), |view| query.takes(&view.record));
    let page = Page::of(views, query.limit, |view| cursor::write(&view.record.key));
    Ok(Json(JobPage {
        items: page.items.iter().map(Job::from).collect(),
        cursor: page.cursor,
    }))
}

#[cfg(test)]
mod tests;
