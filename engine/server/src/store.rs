//! `GET /api/v1/store`: what of the record could not be read or written, job by job.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use steadfast_core::error_chain::error_chain;
use steadfast_core::journal::EntriesOf;
use utoipa::ToSchema;

use crate::ports::{QuarantinedRecord, UnwrittenJob};
use crate::problem::Problem;
use crate::state::Api;

/// The most jobs of a kind that are named; `steadfast store check` names all.
const NAMED: usize = 1000;

/// What the store holds, and what of it is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreState {
    /// The store's id; with a sequence it names an entry for ever.
    #[schema(example = "0123456789abcdef")]
    pub store: String,
    /// The newest sequence of the journal.
    pub newest: u64,
    /// Entries up to this one may have been dropped, since they were older than what is kept; 0: none were.
    pub dropped_until: u64,
    /// Records that did not read and were set aside, the oldest first; at most 1000. Each is kept as it was.
    pub quarantined: Vec<QuarantinedRecord>,
    /// Jobs of which the store does not take what is decided; at most 1000. Each is shown as committed last, and as stale.
    pub unwritten: Vec<UnwrittenJob>,
}

/// What of the record could not be read or written.
#[utoipa::path(get, path = "/api/v1/store", operation_id = "getStore", tag = "engine", responses(
    (status = 200, description = "The store, and what of it is not as it should be", body = StoreState),
    (status = 503, description = "The journal cannot be read", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn show(State(api): State<Api>) -> Result<Json<StoreState>, Problem> {
    let newest = *api.entries.borrow();
    let end = api.journal.page(EntriesOf::Everything, newest, 1).await;
    let end = end.map_err(|error| Problem::unavailable(error_chain(&error)))?;
    let mut records = api.health.records();
    records.quarantined.truncate(NAMED);
    records.unwritten.truncate(NAMED);
    Ok(Json(StoreState {
        store: api.journal.store_id().to_owned(),
        newest: newest.0,
        dropped_until: end.dropped_until.0,
        quarantined: records.quarantined,
        unwritten: records.unwritten,
    }))
}

#[cfg(test)]
mod tests;
