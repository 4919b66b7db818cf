//! `GET /api/v1/history`: what happened, over all jobs or some, as JSON or as a table.

mod csv;
mod item;

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use steadfast_core::error_chain::error_chain;
use steadfast_core::id::{ClusterName, JobKey, Namespace};
use steadfast_core::journal::{EventKind, History, JournalError, Order, Row, Sequence};
use utoipa::{IntoParams, ToSchema};

use crate::cursor;
use crate::problem::Problem;
use crate::query::{Both, Cursor, Limit, Moment, comma_separated};
use crate::state::Api;
use crate::words::{Word, schema};

use item::{HistoryItem, UnreadableItem};

/// How often the journal is asked for one page; each time it looks at some thousand entries.
const READS: usize = 64;
/// Where the next page of a table begins.
const CURSOR: HeaderName = HeaderName::from_static("steadfast-cursor");

/// A page of what happened.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryPage {
    items: Vec<HistoryItem>,
    /// Entries that are there and do not read; they may be among those that were asked for. Absent if all do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<UnreadableItem>,
    /// Entries up to this sequence may have been dropped, since they were older than what is kept (`[retention] journal`); 0: none
    /// were.
    #[schema(example = 0)]
    dropped_until: u64,
    /// Where the next page begins; null on the last one. Where little is found in much, a page may have fewer items than its
    /// limit, or none, and go on.
    #[schema(required)]
    cursor: Option<String>,
}

/// What is asked for.
#[derive(Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryFilter {
    /// Only this job, by its id; one that was forgotten, too.
    #[param(value_type = Option<String>, example = "prod/default/orders")]
    job: Option<JobName>,
    /// Only jobs of these clusters, `-` being no cluster at all; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>)]
    cluster: BTreeSet<String>,
    /// Only jobs of these namespaces; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>)]
    namespace: BTreeSet<String>,
    /// Only events of these kinds; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<schema::EventKind>>, example = json!(["transition", "alert"]))]
    kind: BTreeSet<Word<EventKind>>,
    /// Only what was decided then or later, by Steadfast's clock.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Moment>,
    /// Only what was decided before then: with `since` it is a span whose end is the beginning of the next.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Moment>,
    /// Which come first; `newest`, if not given.
    #[param(value_type = Option<schema::Order>)]
    order: Option<Word<Order>>,
}

/// Which part of it is asked for, and how it is written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryPart {
    /// Items of a page: 1 to 5000, 500 if not given.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit,
    /// The `cursor` of the page before; it goes with its filters and its `order`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<Behind>>,
    /// `json` or `csv`; what `Accept` says, if not given.
    #[param(value_type = Option<schema::Format>)]
    format: Option<Word<Format>>,
}

/// A job as a request names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
struct JobName(JobKey);

impl TryFrom<String> for JobName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        JobKey::parse(&text).map(Self).ok_or_else(|| {
            format!("`{text}` is not a job's id; write cluster/namespace/name, as `id` in GET /api/v1/jobs")
        })
    }
}

/// How a history is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Format {
    Json,
    Csv,
}

impl crate::words::Words for Format {
    const ONE: &'static str = "a format";

    fn all() -> &'static [Self] {
        &[Self::Json, Self::Csv]
    }

    fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

impl Format {
    /// As the header `Accept` asks for it.
    fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges = accepted.flat_map(|value| value.split(','));
        let is_csv = ranges.any(|range| {
            let range = range.split(';').next().unwrap_or_default();
            range.trim().eq_ignore_ascii_case("text/csv")
        });
        if is_csv { Self::Csv } else { Self::Json }
    }
}

/// Where a page ended, and of which list it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Behind {
    filter: String,
    sequence: u64,
}

/// What happened: changes of state, alerts, updates beside the state, calls, removals.
///
/// Of an update `confidence` says how sure the state was after it, so that a line of time can show when a record was stale;
/// entries from before it was kept have none. A table (`text/csv`) has a line for each item under a line of names; a cell that a
/// spreadsheet would take for a formula has an apostrophe in front, and the header `Steadfast-Cursor` says where the next page
/// begins.
#[utoipa::path(get, path = "/api/v1/history", operation_id = "listHistory", tag = "events", params(HistoryFilter, HistoryPart),
    responses(
        (status = 200, description = "A page of what happened", content((HistoryPage = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The journal cannot be read", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    Both(filter, part): Both<HistoryFilter, HistoryPart>,
) -> Result<Response, Problem> {
    let of = filter.history();
    let fingerprint = filter.fingerprint();
    let behind = part.cursor.map(|Cursor(behind)| behind);
    if behind.as_ref().is_some_and(|behind| behind.filter != fingerprint) {
        let detail = "cursor=... is of a history with other filters or another `order`; ask for the next page with those of the page \
                      before, or leave the cursor out";
        return Err(Problem::parameter("cursor", detail));
    }
    let behind = behind.map(|behind| Sequence(behind.sequence));
    let read = Found::read(&api, &of, behind, part.limit).await;
    let found = read.map_err(|error| Problem::unavailable(error_chain(&error)))?;
    let next = found.next.and_then(|Sequence(sequence)| {
        cursor::write(&Behind {
            filter: fingerprint,
            sequence,
        })
    });
    let format = part
        .format
        .map_or_else(|| Format::accepted(&headers), |Word(format)| format);
    let mut response = match format {
        Format::Json => Json(HistoryPage::new(&found, next)).into_response(),
        Format::Csv => table(&found, next.as_deref()),
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

fn table(found: &Found, next: Option<&str>) -> Response {
    let mut response = csv::table(&found.rows).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
    );
    let name = HeaderValue::from_static("attachment; filename=\"history.csv\"");
    headers.insert(CONTENT_DISPOSITION, name);
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(next).ok()) {
        headers.insert(CURSOR, next);
    }
    response
}

impl HistoryFilter {
    fn history(&self) -> History {
        History {
            job: self.job.clone().map(|JobName(key)| key),
            clusters: self.cluster.iter().map(ClusterName::new).collect(),
            namespaces: self.namespace.iter().map(Namespace::new).collect(),
            kinds: self.kind.iter().map(|Word(kind)| *kind).collect(),
            since: self.since.map(|Moment(at)| at),
            until: self.until.map(|Moment(at)| at),
            order: self.order.map_or_else(Order::default, |Word(order)| order),
        }
    }

    fn fingerprint(&self) -> String {
        let digest = Sha256::digest(serde_json::to_vec(self).unwrap_or_default());
        const_hex::encode(digest.get(..8).unwrap_or_default())
    }
}

/// The rows of a page.
#[derive(Debug)]
struct Found {
    rows: Vec<Row>,
    dropped_until: Sequence,
    /// Behind which the next page goes on.
    next: Option<Sequence>,
}

impl Found {
    /// Reads a page. What is committed but not shown yet is left out: who asks for the job would find the record of before.
    async fn read(api: &Api, of: &History, behind: Option<Sequence>, limit: Limit) -> Result<Self, JournalError> {
        let shown = *api.entries.borrow();
        let mut from = match of.order {
            Order::Newest => Some(behind.unwrap_or(Sequence(shown.0.saturating_add(1)))),
            Order::Oldest => behind,
        };
        let wanted = limit.and_one();
        let mut found = Self {
            rows: Vec::new(),
            dropped_until: Sequence(0),
            next: None,
        };
        for _ in 0..READS {
            let most = u32::try_from(wanted.saturating_sub(found.rows.len())).unwrap_or(u32::MAX);
            let page = api.journal.history(of, from, most).await?;
            found.dropped_until = page.dropped_until;
            found
                .rows
                .extend(page.rows.into_iter().filter(|row| row.sequence() <= shown));
            found.next = page.next.filter(|next| *next <= shown);
            from = found.next;
            if found.rows.len() >= wanted || found.next.is_none() {
                break;
            }
        }
        if found.rows.len() >= wanted {
            found.rows.truncate(wanted.saturating_sub(1));
            found.next = found.rows.last().map(Row::sequence);
        }
        Ok(found)
    }
}

impl HistoryPage {
    fn new(found: &Found, cursor: Option<String>) -> Self {
        let mut page = Self {
            dropped_until: found.dropped_until.0,
            cursor,
            ..Self::default()
        };
        for row in &found.rows {
            match row {
                Row::Entry(entry) => page.items.push(HistoryItem::new(entry)),
                Row::Unreadable(unreadable) => page.unreadable.push(UnreadableItem::new(unreadable)),
            }
        }
        page
    }
}

#[cfg(test)]
mod tests;
