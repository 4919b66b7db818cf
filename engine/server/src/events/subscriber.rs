//! One client's place in the journal.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::response::sse::Event as Frame;
use serde::Serialize;
use steadfast_core::error_chain::error_chain;
use steadfast_core::journal::{Entry, Event, Row, Sequence, Store, Unreadable};
use steadfast_core::time::Clock;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::followers::{Followers, Place};
use super::resume::Start;
use super::shared_pages::{SharedPage, SharedRow};
use crate::audit::AuditLine;
use crate::state::Api;
use crate::view::{AlertChange, Job, Transition};
use crate::words::schema;

/// The data of an event. Its name is `transition`, `update`, `alert` or `forgotten`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventData<'a> {
    /// The id of the job.
    #[schema(example = "prod/default/orders")]
    job: String,
    /// Its position in the journal: the event's id.
    #[schema(example = 42)]
    sequence: u64,
    /// When it was decided, by Steadfast's clock.
    #[schema(format = DateTime)]
    at: String,
    /// What happened. Of a `call` the event's name is `update`, as it changes something beside the state.
    #[schema(value_type = schema::EventKind, example = "transition")]
    kind: &'static str,
    /// The record's revision after it.
    revision: u64,
    /// A transition or an alert; else null.
    #[schema(value_type = Option<Body>)]
    body: Option<Body>,
    /// Of a `call`: who asked for what. Absent of all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<AuditLine>,
    /// The id of the store.
    #[schema(example = "0123456789abcdef")]
    store: &'a str,
    /// With `job=true`: the job as it is shown, null if there is none any more. Absent without.
    #[schema(value_type = Option<Job>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Option<Job>>,
}

/// The data of an event named `unreadable`: one that is in the journal and does not read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnreadableEvent)]
pub(crate) struct UnreadableData<'a> {
    /// The job as the row names it.
    job: &'a str,
    sequence: u64,
    /// Why it does not read.
    why: &'a str,
    store: &'a str,
    /// When this was sent, by Steadfast's clock.
    #[schema(format = DateTime)]
    at: String,
}

/// The data of an event named `reset`: what the client had is not of this journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResetEvent)]
pub(crate) struct ResetData<'a> {
    store: &'a str,
    /// Where the stream goes on.
    newest: u64,
    /// When this was sent, by Steadfast's clock.
    #[schema(format = DateTime)]
    at: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = EventBody)]
pub(crate) enum Body {
    Transition(Transition),
    Alert(AlertChange),
}

/// What a client is told from.
pub(super) struct Source {
    pub(super) journal: Arc<dyn Store>,
    /// With whom it reads.
    pub(super) followers: Arc<Followers>,
    /// Where the jobs are, if each event comes with its own.
    pub(super) records: Option<Api>,
    pub(super) clock: Arc<dyn Clock>,
}

/// One client's place in the journal. It reads on only when the client has taken what was read before.
pub(super) struct Subscriber {
    source: Source,
    entries: watch::Receiver<Sequence>,
    place: Place,
    position: Sequence,
    /// Behind which entry it goes on, where it is told so before anything else.
    reset: Option<Sequence>,
    /// Read, and not yet taken by the client. The job that comes with an event is as it is when it is taken.
    pending: VecDeque<Arc<SharedRow>>,
}

impl Subscriber {
    pub(super) fn new(source: Source, entries: watch::Receiver<Sequence>, start: Start, place: Place) -> Self {
        let (position, reset) = match start {
            Start::Behind(position) => (position, None),
            Start::Reset(newest) => (newest, Some(newest)),
        };
        Self {
            source,
            entries,
            place,
            position,
            reset,
            pending: VecDeque::new(),
        }
    }

    /// The next frame; `None` ends the stream, and the client comes again with its last id.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        loop {
            if self.place.has_ended() {
                return None;
            }
            if let Some(frame) = self.reset.take().and_then(|newest| self.source.reset(newest)) {
                return Some(frame);
            }
            if let Some(row) = self.pending.pop_front() {
                match self.source.frame(&row) {
                    Some(frame) => return Some(frame),
                    None => continue,
                }
            }
            // Marked as seen before the journal is read: what is committed meanwhile wakes the wait below.
            let shown = *self.entries.borrow_and_update();
            if shown > self.position {
                self.read_until(shown).await?;
                continue;
            }
            tokio::select! {
                biased;
                () = self.place.is_over() => return None,
                changed = self.entries.changed() => changed.ok()?,
            }
        }
    }

    /// Reads a page. What is committed but not shown yet is left for later, so that a client that asks for the
    /// job on hearing of it finds the new record.
    async fn read_until(&mut self, shown: Sequence) -> Option<()> {
        let pages = &self.source.followers.pages;
        let read = pages.behind(&*self.source.journal, self.position, shown);
        let page = tokio::select! {
            biased;
            () = self.place.is_over() => return None,
            page = read => page,
        };
        match page {
            Ok(page) => {
                self.take(&page, shown);
                Some(())
            }
            Err(error) => {
                tracing::warn!(
                    error = error_chain(&error),
                    "an event stream ends: the journal cannot be read"
                );
                None
            }
        }
    }

    /// Takes in a page. Where entries that the client has not had are no longer kept, it is told so instead.
    fn take(&mut self, page: &SharedPage, shown: Sequence) {
        if page.dropped_until > self.position {
            self.reset = Some(shown);
            self.position = shown;
            return;
        }
        self.position = page.until;
        self.pending.extend(page.rows.iter().cloned());
    }
}

impl Source {
    fn frame(&self, shared: &SharedRow) -> Option<Frame> {
        let store = self.journal.store_id();
        match (&shared.row, &self.records) {
            (Row::Entry(entry), Some(api)) => {
                let record = api.jobs.get(&entry.key).map(|view| api.job(&view));
                entry_frame(store, entry, Some(record))
            }
            (Row::Entry(entry), None) => shared.frame(|| entry_frame(store, entry, None)),
            (Row::Unreadable(unreadable), _) => self.unreadable(unreadable),
        }
    }

    /// Something was committed of a job, and nobody can say what: whoever follows reads the job anew.
    fn unreadable(&self, unreadable: &Unreadable) -> Option<Frame> {
        let sequence = unreadable.sequence.0;
        let data = UnreadableData {
            job: &unreadable.job,
            sequence,
            why: &unreadable.why,
            store: self.journal.store_id(),
            at: self.clock.now().to_string(),
        };
        let data = serde_json::to_string(&data).ok()?;
        Some(Frame::default().id(sequence.to_string()).event("unreadable").data(data))
    }

    /// What the client had is not of this journal.
    fn reset(&self, newest: Sequence) -> Option<Frame> {
        let data = ResetData {
            store: self.journal.store_id(),
            newest: newest.0,
            at: self.clock.now().to_string(),
        };
        let data = serde_json::to_string(&data).ok()?;
        // With its id: a client that is cut off at once comes again with a position of this history.
        let frame = Frame::default().id(newest.0.to_string()).event("reset");
        Some(frame.data(data))
    }
}

fn entry_frame(store: &str, entry: &Entry, record: Option<Option<Job>>) -> Option<Frame> {
    let (name, body) = match &entry.event {
        Event::Transition(transition) => ("transition", Some(Body::Transition(Transition::new(entry, transition)))),
        Event::Alert(alert) => ("alert", Some(Body::Alert(AlertChange::new(entry, alert)))),
        Event::Update(_) | Event::Called(_) => ("update", None),
        Event::Forgotten => ("forgotten", None),
    };
    let call = match &entry.event {
        Event::Called(call) => Some(AuditLine::new(entry, call)),
        Event::Transition(_) | Event::Alert(_) | Event::Update(_) | Event::Forgotten => None,
    };
    let data = EventData {
        kind: entry.event.kind().as_str(),
        call,
        job: entry.key.to_string(),
        sequence: entry.sequence.0,
        at: entry.at.to_string(),
        revision: entry.revision,
        body,
        store,
        record,
    };
    let data = serde_json::to_string(&data).ok()?;
    Some(Frame::default().id(entry.sequence.0.to_string()).event(name).data(data))
}
