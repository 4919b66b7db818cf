//! A sink's way through the journal: each event at least once, in order for each job. What a receiver refuses for good, or
//! does not take for too long, is given up, so that it does not hold up the rest for ever.

mod aside;
mod held;
mod insistence;
mod offer;
mod standing;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use steadfast_core::backoff::Backoff;
use steadfast_core::error_chain::error_chain;
use steadfast_core::journal::{EntriesOf, Entry, JournalError, Sequence, Store};
use steadfast_core::projection::Projection;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_core::trace::Tracer;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::held::Held;
use self::offer::Delivery;
use super::board::SinkBoard;
use super::deliver::Deliver;
use super::message::{Message, reached};
use super::offering::{Counts, SinkMetrics};
use super::place::{first_place, look_back};
use super::render::{Context, Renderer};
use super::selection::Selection;

/// A message that is not taken is told of no more often.
pub(super) const TOLD_AGAIN: Duration = Duration::from_secs(60);
/// How many entries that a sink is not told of it may pass over without a write of its cursor, which is a commit of its own
/// beside the record's.
const PASSED_OVER: u64 = 1_000;

/// A sink of the configuration.
#[derive(Debug)]
pub struct Sink {
    /// Its name: its cursor is kept under it, and metrics, log and probes show it.
    pub name: String,
    /// The name its cursor was kept under before it had this one.
    pub formerly: Option<String>,
    /// The pauses between tries.
    pub retry: Backoff,
    /// How old an event may become that the receiver does not take.
    pub max_age: Duration,
    /// Which events it is told of.
    pub selection: Selection,
    /// What makes messages of them.
    pub renderer: Renderer,
    /// How long the first event waits for others that are told with it.
    pub batch_wait: Duration,
}

/// A sink with its place in the journal.
pub struct Courier {
    sink: Sink,
    store: Arc<dyn Store>,
    to: Arc<dyn Deliver>,
    clock: Arc<dyn Clock>,
    counts: Counts,
    board: SinkBoard,
    tracer: Option<Arc<dyn Tracer>>,
    /// Everything up to here was delivered or given up, is nothing the sink is told, or waits in `held`.
    position: Sequence,
    /// What waits while other messages go on.
    held: Held,
    /// When the receiver last took something, since the start.
    last_taken: Option<Instant>,
    /// The cursor as the store has it, at or behind `position`.
    persisted: Sequence,
}

/// What a sink works with.
pub struct SinkPorts {
    /// The journal, and where cursors are kept.
    pub store: Arc<dyn Store>,
    /// The way to the receiver.
    pub to: Arc<dyn Deliver>,
    /// By which the age of an event is told.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: SinkMetrics,
    /// Where it is shown how the sink stands.
    pub board: SinkBoard,
    /// Who is told of deliveries; `None`: nobody is.
    pub tracer: Option<Arc<dyn Tracer>>,
}

/// What a running engine shows its sinks.
pub struct Following {
    /// The newest sequence.
    pub entries: watch::Receiver<Sequence>,
    /// The committed records.
    pub records: Arc<Projection>,
}

/// Why a delivery loop broke off.
enum Interrupted {
    /// The engine stops.
    Cancelled,
    /// The journal could not be read, or the cursor not be written.
    Store(JournalError),
}

impl From<JournalError> for Interrupted {
    fn from(error: JournalError) -> Self {
        Self::Store(error)
    }
}

impl Courier {
    /// Takes up its place: the cursor in the store, or the end of the journal for a sink that was never seen. One that has
    /// been given a name goes on where it was under the name before.
    /// Called before the reconcile loop begins, so that nothing of its first turn is missed.
    ///
    /// Fails if the store cannot be read, or the cursor under a new name cannot be written.
    pub async fn begin(mut sink: Sink, ports: SinkPorts) -> Result<Self, JournalError> {
        let SinkPorts {
            store,
            to,
            clock,
            metrics,
            board,
            tracer,
        } = ports;
        let position = match store.sink_cursor(&sink.name).await? {
            Some(cursor) => cursor,
            None => {
                let position = first_place(&sink, store.as_ref()).await?;
                store.advance_sink(&sink.name, position).await?;
                position
            }
        };
        if let Renderer::Alerts(alerts) = &mut sink.renderer {
            look_back(store.as_ref(), position, |entry| alerts.note(entry)).await?;
        }
        let counts = metrics.of(&sink.name);
        counts.reached(position);
        board.delivers(&sink.name);
        Ok(Self {
            sink,
            store,
            to,
            clock,
            counts,
            board,
            tracer,
            position,
            held: Held::default(),
            last_taken: None,
            persisted: position,
        })
    }

    /// Delivers until it is cancelled, or `entries` has no sender any more and all was delivered. Whatever fails is tried
    /// again.
    pub async fn run(mut self, following: Following, cancel: CancellationToken, mut rng: impl Rng) {
        match &self.sink.renderer {
            Renderer::Alerts(alerts) => {
                let alerts = alerts.clone();
                self.tell_what_stands(alerts, following, &cancel, &mut rng).await;
            }
            Renderer::CloudEvents | Renderer::KubernetesEvents(..) | Renderer::Each(_) | Renderer::ByCause(..) => {
                self.tell_each(following, &cancel, &mut rng).await
            }
        }
        // What was delivered in a batch that was broken off need not come again.
        if let Err(error) = self.write_cursor().await {
            tracing::warn!(
                sink = self.sink.name,
                error = error_chain(&error),
                "the sink's last cursor was not written"
            );
        }
    }

    /// Delivers what happens, in order.
    async fn tell_each(&mut self, following: Following, cancel: &CancellationToken, rng: &mut impl Rng) {
        let Following { mut entries, records } = following;
        let mut failures = 0_u32;
        loop {
            entries.mark_unchanged();
            match self.catch_up(&records, cancel, rng).await {
                Ok(()) => failures = 0,
                Err(Interrupted::Cancelled) => break,
                Err(Interrupted::Store(error)) => {
                    failures = failures.saturating_add(1);
                    self.waits_for_the_store(&error);
                    let wait = self.sink.retry.delay(failures, None, rng);
                    if cancel.run_until_cancelled(sleep(wait)).await.is_none() {
                        break;
                    }
                    continue;
                }
            }
            let next = self.held.next();
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
                changed = entries.changed() => if changed.is_err() { break },
            }
        }
    }

    fn waits_for_the_store(&self, error: &JournalError) {
        tracing::warn!(
            sink = self.sink.name,
            error = error_chain(error),
            "the sink waits for the store"
        );
    }

    /// Delivers all that is in the journal, and what waits and is due between its batches. Where no more may wait, the journal keeps
    /// the rest.
    async fn catch_up(
        &mut self,
        records: &Projection,
        cancel: &CancellationToken,
        rng: &mut impl Rng,
    ) -> Result<(), Interrupted> {
        let mut waits = !self.sink.batch_wait.is_zero();
        let batch = self.sink.renderer.batch();
        loop {
            self.offer_held(cancel, rng).await?;
            if !self.held.has_room_for(batch) {
                break;
            }
            // Read before the entries: what is committed in between is above it, and is found next time.
            let newest = self.store.newest().await?;
            let of = EntriesOf::ForSinks;
            let entries = self.store.entries(of, self.position, batch).await?;
            let Some(last) = entries.last().map(|entry| entry.sequence) else {
                // Updates in between are skipped in memory alone: not worth a commit each.
                self.position = self.position.max(newest);
                self.counts.reached(self.held.done_up_to(self.position));
                self.show_what_waits(None);
                return Ok(());
            };
            let selected = self.selected(&entries, records);
            let first = selected.first().map(|entry| entry.at);
            self.show_what_waits(first);
            if first.is_some() && std::mem::take(&mut waits) {
                if cancel.run_until_cancelled(sleep(self.sink.batch_wait)).await.is_none() {
                    return Err(Interrupted::Cancelled);
                }
                continue;
            }
            let messages = self.sink.renderer.messages(&selected, self.context(records));
            let is_through = self.tell(&messages, last, cancel, rng).await?;
            self.show_what_waits(None);
            if !messages.is_empty() || self.position.0 - self.persisted.0 > PASSED_OVER {
                self.write_cursor().await?;
            }
            if !is_through {
                break;
            }
        }
        self.show_what_waits(None);
        Ok(())
    }

    /// Delivers the messages of a batch that ends at `last`, or has them wait. Says whether it came through: it ends before one for
    /// which there is no room.
    async fn tell(
        &mut self,
        messages: &[Message],
        last: Sequence,
        cancel: &CancellationToken,
        rng: &mut impl Rng,
    ) -> Result<bool, Interrupted> {
        for (number, message) in messages.iter().enumerate() {
            let before = self.held.before(message);
            // What goes to all places tells of entries here and there in the batch: it is begun only where all of it has room.
            let may_end_here = number == 0 || message.place.is_some();
            if may_end_here && self.held.is_full(&before, self.last_taken) {
                return Ok(false);
            }
            if message.place.is_some() && !before.is_empty() {
                self.wait_behind(&before, message);
            } else {
                match self.deliver(message, &before, cancel, rng).await? {
                    Delivery::Taken(not_yet) => {
                        self.wait_behind(&before, message);
                        self.hold_for(message, not_yet, rng);
                    }
                    Delivery::GivenUp => {}
                    Delivery::Refused(tries, refused) => self.hold(message.clone(), tries, &refused, rng),
                }
            }
            let rest = messages.get(number + 1..).unwrap_or_default();
            self.position = self.position.max(reached(rest, last));
        }
        self.position = self.position.max(last);
        Ok(true)
    }

    /// Those entries that it is told of.
    fn selected<'a>(&self, entries: &'a [Entry], records: &Projection) -> Vec<&'a Entry> {
        let selects = |entry: &&Entry| {
            let record = records.get(&entry.key).map(|view| view.record);
            let labels = record.as_ref().map(|record| &record.labels);
            self.sink.selection.selects(entry, labels)
        };
        entries.iter().filter(selects).collect()
    }

    async fn write_cursor(&mut self) -> Result<(), JournalError> {
        let done = self.held.done_up_to(self.position);
        if done > self.persisted {
            self.store.advance_sink(&self.sink.name, done).await?;
            self.persisted = done;
            self.counts.reached(done);
        }
        Ok(())
    }

    /// Shows since when the oldest event waits, of those that are held and the one that is next, if any.
    fn show_what_waits(&self, next: Option<Timestamp>) {
        let waits = self.held.first().map(|told| told.at).or(next);
        self.board.waits(&self.sink.name, waits);
        self.counts.waits(waits);
    }

    /// What messages are made of at this moment.
    fn context<'a>(&'a self, records: &'a Projection) -> Context<'a> {
        Context {
            store_id: self.store.store_id(),
            selection: &self.sink.selection,
            records,
            now: self.clock.now(),
        }
    }
}

#[cfg(test)]
mod tests;
