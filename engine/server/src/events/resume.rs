//! Where a client goes on.

use http::HeaderMap;
use serde::Deserialize;
use steadfast_core::journal::Sequence;
use utoipa::IntoParams;

use crate::problem::Problem;
use crate::query::Position;

/// What a client had last.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// The last sequence that was received, for clients that cannot set the header.
    #[param(value_type = Option<u64>)]
    after: Option<Position>,
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
    /// A browser that reconnects sends the header beside the address it began with: the header is newer.
    pub(super) fn with_header(self, headers: &HeaderMap) -> Result<Self, Problem> {
        const HEADER: &str = "Last-Event-ID";
        let Some(header) = headers.get(HEADER).filter(|header| !header.is_empty()) else {
            return Ok(self);
        };
        let text = header.to_str().unwrap_or("(not text)").to_owned();
        let position = Position::try_from(text).map_err(|why| Problem::parameter(HEADER, format!("{HEADER}={why}")))?;
        Ok(Self { after: Some(position) })
    }

    /// Where the stream begins, of a journal that shows everything up to `newest`.
    pub(super) fn start(&self, newest: Sequence) -> Start {
        match self.after {
            None => Start::Behind(newest),
            // Waiting for a position that is not there yet would be silence that looks like peace.
            Some(Position(after)) if after > newest => Start::Reset(newest),
            Some(Position(after)) => Start::Behind(after),
        }
    }
}
