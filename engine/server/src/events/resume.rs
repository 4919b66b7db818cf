//! Where a client goes on, and whether what it had last is of this journal.

use http::HeaderMap;
use serde::Deserialize;
use steadfast_core::error_chain::error_chain;
use steadfast_core::journal::{EntriesOf, Row, Sequence, Store};
use utoipa::IntoParams;

use crate::problem::Problem;
use crate::query::{Moment, Position, truth};
use crate::state::Api;

/// What a client had last.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// The last sequence that was received, for clients that cannot set the header.
    #[param(value_type = Option<u64>)]
    after: Option<Position>,
    /// The `store` of what was received.
    store: Option<String>,
    /// The `at` of the event at `after`; not looked at where the header says the position.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Moment>,
    /// Whether each event comes with the job as it is shown when the event is sent (`record`).
    #[serde(default, deserialize_with = "truth")]
    #[param(value_type = Option<bool>)]
    job: bool,
}

/// Where a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// With the entry after this one.
    Behind(Sequence),
    /// The same, but the client had something else before, and is told so first.
    Reset(Sequence),
}

impl EventsQuery {
    /// What the jobs are read from, where events are to come with them.
    pub(super) fn records(&self, api: &Api) -> Option<Api> {
        self.job.then(|| api.clone())
    }

    /// A browser that reconnects sends the header beside the address it began with: the header is newer.
    pub(super) fn with_header(self, headers: &HeaderMap) -> Result<Self, Problem> {
        const HEADER: &str = "Last-Event-ID";
        let Some(header) = headers.get(HEADER).filter(|header| !header.is_empty()) else {
            return Ok(self);
        };
        let text = header.to_str().unwrap_or("(not text)").to_owned();
        let position = Position::try_from(text).map_err(|why| Problem::parameter(HEADER, format!("{HEADER}={why}")))?;
        Ok(Self {
            after: Some(position),
            at: None,
            ..self
        })
    }

    /// Where the stream begins, of a journal that shows everything up to `newest`.
    ///
    /// Fails if the journal cannot be read: then nobody knows whether the client is of this history.
    pub(super) async fn start(&self, journal: &dyn Store, newest: Sequence) -> Result<Start, Problem> {
        if self.store.as_deref().is_some_and(|store| store != journal.store_id()) {
            return Ok(Start::Reset(newest));
        }
        let Some(Position(after)) = self.after else {
            return Ok(Start::Behind(newest));
        };
        // Waiting for a position that is not there yet would be silence that looks like peace.
        if after > newest || !self.is_of(journal, after).await? {
            return Ok(Start::Reset(newest));
        }
        Ok(Start::Behind(after))
    }

    /// Whether the entry at a position is of the time the client has for it. One that is not there was never there,
    /// or is no longer kept: then nobody can say, and the client reads anew.
    async fn is_of(&self, journal: &dyn Store, position: Sequence) -> Result<bool, Problem> {
        let Some(Moment(at)) = self.at else {
            return Ok(true);
        };
        let before = Sequence(position.0.saturating_sub(1));
        let found = journal.page(EntriesOf::Everything, before, 1).await;
        let found = found.map_err(|error| Problem::unavailable(error_chain(&error)))?;
        Ok(found.rows.first().is_some_and(|row| match row {
            Row::Entry(entry) => entry.sequence == position && entry.at == at,
            // What does not read has no time that could be another; the client has that of when it was told so.
            Row::Unreadable(unreadable) => unreadable.sequence == position,
        }))
    }
}
