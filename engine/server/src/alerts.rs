//! `GET /api/v1/alerts`: the alerts that stand, each once, however many jobs have it.

mod standing;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use steadfast_core::record::AlertScope;
use utoipa::{IntoParams, ToSchema};

use crate::cursor;
use crate::filter::JobFilter;
use crate::problem::Problem;
use crate::query::{Both, Cursor, Limit, Page, first};
use crate::state::Api;
use crate::words::{Word, schema};

use standing::{Place, Row};

pub(crate) use standing::{AlertCounts, Standing, Told};

/// A page of alerts, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertPage {
    items: Vec<AlertRow>,
    /// How many alerts there are in all, of all pages.
    #[schema(example = 1)]
    total: u64,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    cursor: Option<String>,
}

/// An alert that stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertRow {
    #[schema(example = "JobFailed")]
    alert: String,
    /// What it is about.
    #[schema(value_type = schema::AlertScope, example = "job")]
    scope: &'static str,
    /// The cluster of the job it is shown with; `-` for standalone jobs.
    #[schema(example = "prod")]
    cluster: String,
    /// The policy that it is about; absent where it is about something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// The job it is shown with: of all that have it, the one that has had it longest.
    #[schema(example = "prod/default/orders")]
    job: String,
    /// How many of the jobs that were asked for have it.
    #[schema(example = 1)]
    jobs: u64,
    /// Since when it stands, at that job.
    #[schema(format = DateTime)]
    since: String,
    message: String,
    /// Until when no sink is told of it; absent where sinks are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    silenced_until: Option<String>,
    /// Who silenced it, as they said or by what they showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ann")]
    silenced_by: Option<String>,
    /// The job that the silence is noted at, and where it can be taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "prod/default/orders")]
    silenced_job: Option<String>,
}

/// Which alerts are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertQuery {
    /// Only those that sinks are told of (`firing`), or that somebody has silenced (`silenced`).
    #[param(value_type = Option<schema::AlertTold>)]
    status: Option<Word<Told>>,
    /// Items of a page: 1 to 5000, 500 if not given.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit,
    /// The `cursor` of the page before; it goes with its filters and its `status`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<Behind>>,
}

/// Where a page ended, and of which list it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Behind {
    status: Option<Word<Told>>,
    filter: String,
    place: Place,
}

/// The alerts that stand.
///
/// The filters say of which jobs. One about a cluster is listed once for the cluster, one about a policy once for the policy, with the
/// number of jobs that have it. It is listed from the first job on; sinks are told of one about a cluster once more than one
/// Flink has it.
#[utoipa::path(get, path = "/api/v1/alerts", operation_id = "listAlerts", tag = "alerts", params(JobFilter, AlertQuery),
    responses(
        (status = 200, description = "A page of alerts, the oldest first", body = AlertPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(api): State<Api>,
    Both(filter, query): Both<JobFilter, AlertQuery>,
) -> Result<Json<AlertPage>, Problem> {
    let fingerprint = filter.fingerprint();
    let behind = query.cursor.map(|Cursor(behind)| behind);
    if behind
        .as_ref()
        .is_some_and(|behind| behind.filter != fingerprint || behind.status != query.status)
    {
        let detail = "cursor=... is of a list with other filters or another `status`; ask for the next page with those of the page \
                      before, or leave the cursor out";
        return Err(Problem::parameter("cursor", detail));
    }
    let mut standing = Standing::among(&api.jobs);
    let mut taker = filter.taker();
    api.jobs.walk(
        |view| !view.record.alerts.is_empty() && taker.takes(view),
        |view| standing.add(view, &filter),
    );
    let mut rows = standing.rows();
    rows.retain(|row| query.status.is_none_or(|Word(told)| row.told() == told));
    let total = rows.len() as u64;
    if let Some(Behind { place, .. }) = &behind {
        rows.retain(|row| row.place > *place);
    }
    let rows = first(rows, query.limit.and_one(), |one, other| one.place.cmp(&other.place));
    let page = Page::of(rows, query.limit, |row| {
        cursor::write(&Behind {
            status: query.status,
            filter: fingerprint,
            place: row.place.clone(),
        })
    });
    Ok(Json(AlertPage {
        items: page.items.iter().filter_map(AlertRow::new).collect(),
        total,
        cursor: page.cursor,
    }))
}

impl AlertRow {
    fn new(row: &Row) -> Option<Self> {
        let (record, alert) = (&row.record, row.alert()?);
        let silence = row.silence();
        Some(Self {
            alert: alert.name.clone(),
            scope: alert.scope.as_str(),
            cluster: record.key.target.cluster.to_string(),
            policy: (alert.scope == AlertScope::Policy).then(|| record.policy.to_string()),
            job: record.key.to_string(),
            jobs: row.jobs,
            since: alert.since.to_string(),
            message: alert.message.clone(),
            silenced_until: silence.map(|(_, silence)| silence.until.to_string()),
            silenced_by: silence.and_then(|(_, silence)| silence.by.as_deref().map(str::to_owned)),
            silenced_job: silence.map(|(job, _)| job.to_string()),
        })
    }
}

#[cfg(test)]
mod tests;
