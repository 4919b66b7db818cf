//! `GET /api/v1/events`: what was committed, as it is committed, with resume.
//!
//! **No gap.** A subscriber is a position in the journal, and the journal is the only queue: nothing is buffered for
//! a client, so nothing can overflow or be dropped. It waits on `entries`, the newest sequence that is shown, and
//! marks that value as seen *before* it reads the journal. What is committed while it reads wakes it again; marked
//! afterwards, such a commit would be slept through.
//!
//! **No early word.** The loop commits, updates the projection, and only then raises `entries`. The journal may hold
//! more than that; entries above it are left for the next round. So a client that asks for a job on hearing of it
//! finds the record the event is about, never the one before.
//!
//! **Bounded.** A subscriber holds one page of rows and reads on when the client has taken them. Those who follow at one place share
//! what is read and the text that is made of it ([`shared_pages`]), so a thousand cost little more than one. How many may follow is
//! bounded, and a place is nobody's for ever ([`followers`]): where all are taken, the stream that has lasted longest ends for
//! a new one. Its client comes again with its last id, and misses nothing.
//!
//! **The same history.** A sequence names an entry of one journal. A client that comes back may meet another one:
//! a new store, or the same restored from a backup, which gave the number to something else. The first is noticed by
//! the store's id, the second by the time of the entry the client had last; a position beyond the newest is either.
//! And entries that are older than what is kept are gone. None of them can be mended here: the client is sent `reset`, reads the jobs anew, and goes on from now. Tokens in
//! the place of the plain sequence would say all of it at once, but `Last-Event-ID` is a sequence by contract.

mod followers;
mod resume;
mod shared_pages;
mod subscriber;

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event as Frame, KeepAlive};
use axum::response::{IntoResponse as _, Response, Sse};
use futures::StreamExt as _;
use futures::stream::unfold;
use http::HeaderMap;
use steadfast_core::call::{Caller, Through};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;
use crate::query::Parameters;
use crate::state::Api;

use resume::EventsQuery;
use subscriber::{Source, Subscriber};

pub(crate) use subscriber::{EventData, ResetData, UnreadableData};

pub(crate) use followers::Followers;

/// How many clients may follow at a time.
pub(crate) const MAX_FOLLOWERS: usize = 1024;
/// How often a silent stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts that was opened by a key.
const KEY: Duration = Duration::from_secs(60 * 60);

/// Ends the streams when the server stops: they would never end by themselves.
#[derive(Clone, Debug)]
pub(crate) struct ShutdownSignal(pub(crate) CancellationToken);

/// Follows the journal.
///
/// The stream begins behind `Last-Event-ID` (or `after`), without a gap, and else with what is committed next.
/// Each event's `id` is its sequence, its name `transition`, `update`, `alert` or `forgotten`, its data
/// `{"job","sequence","at","kind","revision","body","store"}`; the body is a transition or an alert, else null. `kind` is that of
/// `GET /api/v1/history`: somebody's call comes as an `update` of the kind `call`, with `call` beside it.
///
/// With `job=true` the data of an event has `record` besides: the job as `GET /api/v1/jobs/...` shows it when the event is sent,
/// null when there is none any more. Where more has happened since, it is newer than the event, as its `revision` says; so the newest is
/// never missed.
///
/// An event named `reset`, with the data `{"store","newest","at"}`, says that what the client had is not of this journal,
/// and that the stream goes on behind `newest`: read the jobs anew. It comes when the position is beyond the newest
/// one, when `store` is not this store's id (each event's `store`, and the header `Steadfast-Store`), when the
/// event at `after` is not of the time `at`, as in a store that was restored from a backup, and when events behind the
/// position are no longer kept (`[retention] journal`). A client that keeps `store`, `sequence` and `at` of the last event
/// and resumes with all three misses nothing unnoticed.
///
/// An event named `unreadable`, with the data `{"job","sequence","why","store","at"}`, stands for one that is in the journal and
/// does not read, as after damage: read that job anew. The stream goes on.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "streamEvents", tag = "events", params(
    ("Last-Event-ID" = Option<u64>, Header, description = "The last sequence that was received; it wins over `after`"),
    EventsQuery),
    responses((status = 200, description = "Server-sent events; the data of each is JSON: an `Event`, a `ResetEvent` or an `UnreadableEvent`", body = String, content_type = "text/event-stream",
            headers(("Steadfast-Store" = String, description = "The id of the store that the positions are of"))),
        (status = 400, description = "Not a position", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many clients follow, or the journal cannot be read", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn events(
    State(api): State<Api>,
    Extension(followers): Extension<Arc<Followers>>,
    Extension(caller): Extension<Caller>,
    shutdown: Option<Extension<ShutdownSignal>>,
    headers: HeaderMap,
    Parameters(query): Parameters<EventsQuery>,
) -> Result<Response, Problem> {
    let query = query.with_header(&headers)?;
    let shutdown = shutdown.map_or_else(CancellationToken::new, |Extension(signal)| signal.0);
    let place = followers.join(&shutdown)?;
    let newest = *api.entries.borrow();
    let start = query.start(&*api.journal, newest).await?;
    let source = Source {
        records: query.records(&api),
        clock: Arc::clone(&api.clock),
        journal: api.journal,
        followers,
    };
    let subscriber = Subscriber::new(source, api.entries, start, place);
    let frames = unfold(subscriber, async |mut subscriber| {
        let frame: Frame = subscriber.next().await?;
        Some((Ok::<_, Infallible>(frame), subscriber))
    });
    let stream = Sse::new(frames.take_until(key_is_shown_again(caller.through)))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok(stream.into_response())
}

/// A stream ends then, so that a key that was taken back opens nothing for longer. Who still has one misses nothing.
async fn key_is_shown_again(through: Through) {
    match through {
        Through::Nothing => pending().await,
        Through::SharedToken | Through::Token | Through::Certificate | Through::Kubernetes => sleep(KEY).await,
    }
}

#[cfg(test)]
mod tests;
