//! `[[sink]] kind = "webhook"`: transitions and alerts, each at least once, in the order of the journal. What a receiver
//! refuses for good, or does not take for too long, is given up, so that it does not hold up the rest for ever.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use sha2::{Digest as _, Sha256};
use steadfast_core::backoff::Backoff;
use steadfast_core::error_chain::error_chain;
use steadfast_core::journal::{EntriesOf, Entry, JournalError, Sequence, Store};
use steadfast_core::secret_url::SecretUrl;
use steadfast_core::time::Clock;
use steadfast_crash_points::CrashPoint;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::board::SinkBoard;
use super::cloud_event;
use super::deliver::{Deliver, DeliveryError, Refusal};
use super::offering::{Counts, GivenUp, SinkMetrics, Tries};

/// How long a receiver may take for one event.
pub const DELIVERY_DEADLINE: Duration = Duration::from_secs(10);
/// How many events are delivered before the cursor is written: each write is a commit of its own beside the
/// record's. After a crash at most as many come again, under the same ids.
const BATCH: u32 = 32;

/// The name of a webhook that has none: a digest, since a webhook's URL is often its password.
pub fn cursor_name(url: &SecretUrl) -> String {
    let digest = Sha256::digest(url.expose().as_bytes());
    let mut name = const_hex::encode(digest);
    name.truncate(16);
    format!("webhook-{name}")
}

/// A sink of the configuration.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Its name: its cursor is kept under it, and metrics, log and probes show it.
    pub name: String,
    /// The name its cursor was kept under before it had this one.
    pub formerly: Option<String>,
    /// The pauses between tries.
    pub retry: Backoff,
    /// How old an event may become that the receiver does not take.
    pub max_age: Duration,
}

/// A webhook with its place in the journal.
pub struct Webhook {
    sink: Sink,
    store: Arc<dyn Store>,
    to: Arc<dyn Deliver>,
    clock: Arc<dyn Clock>,
    counts: Counts,
    board: SinkBoard,
    /// Everything up to here was delivered or given up, or is nothing a sink is told.
    position: Sequence,
    /// The cursor as the store has it, at or behind `position`.
    persisted: Sequence,
}

/// What a webhook works with.
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

impl Webhook {
    /// Takes up its place: the cursor in the store, or the end of the journal for a sink that was never seen. One that has
    /// been given a name goes on where it was under the name before.
    /// Called before the reconcile loop begins, so that nothing of its first turn is missed.
    ///
    /// Fails if the store cannot be read, or the cursor under a new name cannot be written.
    pub async fn begin(sink: Sink, ports: SinkPorts) -> Result<Self, JournalError> {
        let SinkPorts {
            store,
            to,
            clock,
            metrics,
            board,
        } = ports;
        let position = match store.sink_cursor(&sink.name).await? {
            Some(cursor) => cursor,
            None => {
                let position = first_place(&sink, store.as_ref()).await?;
                store.advance_sink(&sink.name, position).await?;
                position
            }
        };
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
            position,
            persisted: position,
        })
    }

    /// Delivers until it is cancelled, or `entries` (the newest sequence) has no sender any more and all was
    /// delivered. Whatever fails is tried again.
    pub async fn run(mut self, mut entries: watch::Receiver<Sequence>, cancel: CancellationToken, mut rng: impl Rng) {
        let mut failures = 0_u32;
        loop {
            entries.mark_unchanged();
            match self.catch_up(&cancel, &mut rng).await {
                Ok(()) => failures = 0,
                Err(Interrupted::Cancelled) => break,
                Err(Interrupted::Store(error)) => {
                    failures = failures.saturating_add(1);
                    tracing::warn!(
                        sink = self.sink.name,
                        error = error_chain(&error),
                        "the sink waits for the store"
                    );
                    let wait = self.sink.retry.delay(failures, None, &mut rng);
                    if cancel.run_until_cancelled(sleep(wait)).await.is_none() {
                        break;
                    }
                    continue;
                }
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                changed = entries.changed() => if changed.is_err() { break },
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

    /// Delivers all that is in the journal.
    async fn catch_up(&mut self, cancel: &CancellationToken, rng: &mut impl Rng) -> Result<(), Interrupted> {
        loop {
            // Read before the entries: what is committed in between is above it, and is found next time.
            let newest = self.store.newest().await?;
            let entries = self.store.entries(EntriesOf::ForSinks, self.position, BATCH).await?;
            for entry in &entries {
                self.deliver(entry, cancel, rng).await?;
                self.position = entry.sequence;
            }
            if entries.is_empty() {
                // Updates in between are skipped in memory alone: not worth a commit each.
                self.position = self.position.max(newest);
                return Ok(());
            }
            self.write_cursor().await?;
        }
    }

    async fn write_cursor(&mut self) -> Result<(), JournalError> {
        if self.position > self.persisted {
            self.store.advance_sink(&self.sink.name, self.position).await?;
            self.persisted = self.position;
            self.counts.reached(self.position);
        }
        Ok(())
    }

    /// Offers one event until it is taken, or given up.
    async fn deliver(&self, entry: &Entry, cancel: &CancellationToken, rng: &mut impl Rng) -> Result<(), Interrupted> {
        let event = match cloud_event::write(self.store.store_id(), entry) {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::error!(sink = self.sink.name, sequence = entry.sequence.0, %error, "the event cannot be written");
                return Ok(());
            }
        };
        let mut tries = Tries::default();
        loop {
            CrashPoint::SinkOffered.reach();
            let offered = timeout(DELIVERY_DEADLINE, self.to.deliver(&event));
            let refused = match cancel.run_until_cancelled(offered).await {
                None => return Err(Interrupted::Cancelled),
                Some(Ok(Ok(()))) => {
                    CrashPoint::SinkTaken.reach();
                    self.counts.delivered.inc();
                    self.board.delivers(&self.sink.name);
                    return Ok(());
                }
                Some(Ok(Err(refused))) => refused,
                Some(Err(_)) => DeliveryError {
                    message: format!("no answer within {DELIVERY_DEADLINE:?}"),
                    retry_after: None,
                    refusal: Refusal::ForNow,
                },
            };
            self.counts.failures.inc();
            let now = self.clock.now();
            self.board.fails(&self.sink.name, now);
            let age = self.clock.surely().since(entry.at);
            if let Some(why) = tries.failed(refused.refusal, age, self.sink.max_age) {
                self.give_up(entry, why, &refused.message);
                return Ok(());
            }
            tracing::warn!(
                sink = self.sink.name,
                sequence = entry.sequence.0,
                failures = tries.failures,
                error = refused.message,
                "a delivery failed and is tried again"
            );
            let wait = self.sink.retry.delay(tries.failures, refused.retry_after, rng);
            if cancel.run_until_cancelled(sleep(wait)).await.is_none() {
                return Err(Interrupted::Cancelled);
            }
        }
    }

    /// A dead letter: it is counted and told, stays in the journal, and holds up no other.
    fn give_up(&self, entry: &Entry, why: GivenUp, said: &str) {
        self.counts.dead.inc();
        let why = format!("{}: {said}", why.as_str());
        self.board
            .gave_up(&self.sink.name, entry.sequence, self.clock.now(), &why);
        tracing::error!(
            sink = self.sink.name,
            sequence = entry.sequence.0,
            job = %entry.key,
            "an event is given up, and the next ones go on ({why}); it stays in the journal"
        );
    }
}

/// Where a sink begins that has no cursor under its name.
async fn first_place(sink: &Sink, store: &dyn Store) -> Result<Sequence, JournalError> {
    if let Some(formerly) = &sink.formerly
        && let Some(cursor) = store.sink_cursor(formerly).await?
    {
        tracing::info!(sink = sink.name, "the sink goes on where it was as {formerly}");
        return Ok(cursor);
    }
    let newest = store.newest().await?;
    if newest > Sequence(0) {
        tracing::info!(
            sink = sink.name,
            "a new sink begins behind entry {} of the journal; one whose URL changes goes on where it was if it has a `name`",
            newest.0
        );
    }
    Ok(newest)
}

#[cfg(test)]
mod tests;
