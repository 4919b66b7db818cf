//! `GET /api/v1/events`: what was committed, as it is committed, with resume.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Sse;
use axum::response::sse::{Event as Frame, KeepAlive};
use futures::Stream;
use futures::stream::unfold;
use http::HeaderMap;
use serde::Serialize;
use steadfast_core::journal::{EntriesOf, Entry, Event, Journal, Sequence};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::health::chain;
use crate::jobs::unknown;
use crate::one_job::position;
use crate::problem::Problem;
use crate::view::{AlertChange, Transition};

/// How many entries a stream holds in memory at most; more is read when they were sent.
const PAGE: u32 = 256;
/// How often a silent stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How many may follow at a time.
#[derive(Debug)]
pub(crate) struct Seats(Arc<Semaphore>);

impl Seats {
    pub(crate) fn new(seats: usize) -> Self {
        Self(Arc::new(Semaphore::new(seats)))
    }
}

/// Ends the streams when the server stops: they would never end by themselves.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) CancellationToken);

/// An event's data.
#[derive(Debug, Serialize)]
struct Told {
    job: String,
    sequence: u64,
    at: String,
    revision: u64,
    body: Option<Body>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Body {
    Transition(Transition),
    Alert(AlertChange),
}

/// Follows the journal.
///
/// The stream begins behind `Last-Event-ID` (or `after`), without a gap, and else with what is committed next.
/// Each event's `id` is its sequence, its name `transition`, `update`, `alert` or `forgotten`, its data
/// `{"job","sequence","at","revision","body"}`; the body is a transition or an alert, else null. An event named
/// `reset` says that the position asked for is not of this journal: read the jobs anew.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(
    ("Last-Event-ID" = Option<u64>, Header, description = "The last sequence that was received"),
    ("after" = Option<u64>, Query, description = "The same, for clients that cannot set the header, which wins")),
    responses((status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream"),
        (status = 400, description = "Not a position", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many clients follow", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn events(
    State(api): State<Api>,
    Extension(seats): Extension<Arc<Seats>>,
    stopping: Option<Extension<Stopping>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Sse<impl Stream<Item = Result<Frame, Infallible>>>, Problem> {
    let asked = asked_position(&headers, &query)?;
    let seat = Arc::clone(&seats.0).try_acquire_owned();
    let seat = seat.map_err(|_| Problem::unavailable("too many clients follow the events; come again later"))?;
    let newest = *api.entries.borrow();
    let position = asked.unwrap_or(newest);
    let mut waiting = VecDeque::new();
    if position > newest {
        // A position of another store: waiting for it would be silence that looks like peace.
        waiting.push_back(
            Frame::default()
                .event("reset")
                .data(format!("{{\"newest\":{}}}", newest.0)),
        );
    }
    let follower = Follower {
        journal: api.journal,
        entries: api.entries,
        stop: stopping.map_or_else(CancellationToken::new, |Extension(stopping)| stopping.0),
        position: position.min(newest),
        waiting,
        _seat: seat,
    };
    let frames = unfold(follower, async |mut follower| {
        let frame = follower.next().await?;
        Some((Ok(frame), follower))
    });
    Ok(Sse::new(frames).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

fn asked_position(headers: &HeaderMap, query: &[(String, String)]) -> Result<Option<Sequence>, Problem> {
    let mut asked = None;
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "after" => asked = Some(Sequence(position("after", value)?)),
            _ => return Err(unknown(name, "after")),
        }
    }
    // A browser that reconnects sends the header beside the address it began with.
    if let Some(header) = headers.get("last-event-id").filter(|header| !header.is_empty()) {
        let text = header.to_str().unwrap_or("(not text)");
        asked = Some(Sequence(position("Last-Event-ID", text)?));
    }
    Ok(asked)
}

/// One client's place in the journal. It reads on only when the client has taken what was read before.
struct Follower {
    journal: Arc<dyn Journal>,
    entries: watch::Receiver<Sequence>,
    stop: CancellationToken,
    position: Sequence,
    waiting: VecDeque<Frame>,
    _seat: OwnedSemaphorePermit,
}

impl Follower {
    /// The next frame; `None` ends the stream, and the client comes again with its last id.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return Some(frame);
            }
            // Marked as seen before the journal is read: what is committed meanwhile wakes the wait below.
            let shown = *self.entries.borrow_and_update();
            if shown > self.position {
                self.read_until(shown).await?;
                continue;
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                changed = self.entries.changed() => changed.ok()?,
            }
        }
    }

    /// Reads a page. What is committed but not shown yet is left for later, so that a client that asks for the
    /// job on hearing of it finds the new record.
    async fn read_until(&mut self, shown: Sequence) -> Option<()> {
        let read = self.journal.entries(EntriesOf::Everything, self.position, PAGE);
        let entries = tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            entries = read => entries,
        };
        match entries {
            Ok(entries) => {
                let visible = entries.iter().filter(|entry| entry.sequence <= shown);
                self.waiting.extend(visible.filter_map(frame));
                let is_last = entries.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
                let read = entries.last().map_or(shown, |entry| entry.sequence).min(shown);
                self.position = if is_last { shown } else { read };
                Some(())
            }
            Err(error) => {
                tracing::warn!(
                    error = chain(&error),
                    "an event stream ends: the journal cannot be read"
                );
                None
            }
        }
    }
}

fn frame(entry: &Entry) -> Option<Frame> {
    let (name, body) = match &entry.event {
        Event::Transition(transition) => ("transition", Some(Body::Transition(Transition::new(entry, transition)))),
        Event::Alert(alert) => ("alert", Some(Body::Alert(AlertChange::new(entry, alert)))),
        Event::Update => ("update", None),
        Event::Forgotten => ("forgotten", None),
    };
    let told = Told {
        job: entry.key.to_string(),
        sequence: entry.sequence.0,
        at: entry.at.to_string(),
        revision: entry.revision,
        body,
    };
    let data = serde_json::to_string(&told).ok()?;
    Some(Frame::default().id(entry.sequence.0.to_string()).event(name).data(data))
}

#[cfg(test)]
mod tests;
