//! `GET /api/v1/jobs`: the jobs on record, by page.

mod order;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use steadfast_core::projection::JobView;
use utoipa::{IntoParams, ToSchema};

use crate::cursor;
use crate::filter::JobFilter;
use crate::problem::Problem;
use crate::query::{Both, Cursor, Limit, Page, first};
use crate::state::Api;
use crate::view::Job;
use crate::words::schema;

pub use order::sorts;
pub(crate) use order::{Behind, Sort};

/// A page of jobs, in the order that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    items: Vec<Job>,
    /// How many jobs there are in all, of all pages.
    #[schema(example = 1)]
    total: u64,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    cursor: Option<String>,
}

/// Which part of the list is asked for, and in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// In which order; a `-` in front turns it round. By id, if not given.
    ///
    /// `severity` is the worst first, then what stands longest, then by id. `state` is by the word; `since` what stands longest first;
    /// `confirmed` what was longest not confirmed first; `cluster` by cluster, then by id.
    #[serde(default)]
    #[param(value_type = Option<schema::Sort>, example = "severity")]
    sort: Sort,
    /// Items of a page: 1 to 5000, 500 if not given.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit,
    /// The `cursor` of the page before; it goes with its filters and its `sort`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<Behind>>,
}

/// The jobs on record.
///
/// A job that changes between two pages may be on neither or on both where they are sorted by what has changed; by id each is on
/// one.
#[utoipa::path(get, path = "/api/v1/jobs", operation_id = "listJobs", tag = "jobs", params(JobFilter, ListQuery),
    responses(
        (status = 200, description = "A page of jobs", body = JobPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(api): State<Api>,
    Both(filter, query): Both<JobFilter, ListQuery>,
) -> Result<Json<JobPage>, Problem> {
    let (total, page) = page(&api, &filter, query.sort, query.limit, query.cursor)?;
    Ok(Json(JobPage {
        items: page.items.iter().map(|view| api.job(view)).collect(),
        total,
        cursor: page.cursor,
    }))
}

/// A page of the jobs that pass, and how many there are in all.
pub(crate) fn page(
    api: &Api,
    filter: &JobFilter,
    sort: Sort,
    limit: Limit,
    cursor: Option<Cursor<Behind>>,
) -> Result<(u64, Page<JobView>), Problem> {
    let fingerprint = filter.fingerprint();
    let behind = cursor.map(|Cursor(behind)| behind);
    if let Some(behind) = &behind {
        behind.must_go_with(sort, &fingerprint)?;
    }
    let mut taker = filter.taker();
    let (total, views) = api.jobs.look(|jobs| {
        let all = jobs.values().filter(|view| taker.takes(view));
        let mut all: Vec<_> = all.map(|view| (sort.place(view), view)).collect();
        let total = all.len();
        if let Some(behind) = &behind {
            all.retain(|(place, _)| sort.is_behind(place, behind));
        }
        let page = first(all, limit.and_one(), |(one, _), (other, _)| sort.compare(one, other));
        let page = page.into_iter().map(|(_, view)| view.clone());
        (total as u64, page.collect())
    });
    let page = Page::of(views, limit, |view| {
        cursor::write(&Behind::new(sort, fingerprint, &sort.place(view)))
    });
    Ok((total, page))
}

#[cfg(test)]
mod tests;
