//! `[[sink]] kind = "webhook"`: transitions and alerts, each at least once, in the order of the journal.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rand::Rng;
use sha2::{Digest as _, Sha256};
use steadfast_core::backoff::Backoff;
use steadfast_core::error_chain::error_chain;
use steadfast_core::journal::{EntriesOf, Entry, JournalError, Sequence, Store};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::cloud_event;
use super::deliver::{Deliver, DeliveryError};

/// How long a receiver may take for one event.
pub const DELIVERY_DEADLINE: Duration = Duration::from_secs(10);
/// How many events are delivered before the cursor is written: each write is a commit of its own beside the
/// record's. After a crash at most as many come again, under the same ids.
const BATCH: u32 = 32;

/// What the sinks count, over all of them.
#[derive(Clone, Debug, Default)]
pub struct SinkMetrics {
    delivered: Counter,
    failures: Counter,
    cursor: Gauge,
}

impl SinkMetrics {
    /// Makes them known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_sink_deliveries",
            "Events that sinks delivered",
            self.delivered.clone(),
        );
        registry.register(
            "steadfast_sink_failures",
            "Deliveries that failed and are tried again",
            self.failures.clone(),
        );
        registry.register(
            "steadfast_sink_sequence",
            "The last journal sequence delivered",
            self.cursor.clone(),
        );
    }
}

/// The name a webhook's cursor is kept under: a digest, since a webhook's URL is often its password.
pub fn cursor_name(url: &str) -> String {
    let digest = Sha256::digest(url.as_bytes());
    let mut name = const_hex::encode(digest);
    name.truncate(16);
    format!("webhook-{name}")
}

/// A webhook with its place in the journal.
pub struct Webhook {
    name: String,
    store: Arc<dyn Store>,
    to: Arc<dyn Deliver>,
    retry: Backoff,
    metrics: SinkMetrics,
    /// Everything up to here was delivered, or is nothing a sink is told.
    position: Sequence,
    /// The cursor as the store has it, at or behind `position`.
    persisted: Sequence,
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
    /// Takes up its place: the cursor in the store, or the end of the journal for a sink that was never seen.
    /// Called before the reconcile loop begins, so that nothing of its first turn is missed.
    ///
    /// Fails if the store cannot be read, or the cursor of a new sink cannot be written.
    pub async fn begin(
        name: impl Into<String>,
        store: Arc<dyn Store>,
        to: Arc<dyn Deliver>,
        retry: Backoff,
        metrics: SinkMetrics,
    ) -> Result<Self, JournalError> {
        let name = name.into();
        let position = match store.sink_cursor(&name).await? {
            Some(cursor) => cursor,
            None => {
                let newest = store.newest().await?;
                store.advance_sink(&name, newest).await?;
                newest
            }
        };
        Ok(Self {
            name,
            store,
            to,
            retry,
            metrics,
            position,
            persisted: position,
        })
    }

    /// Delivers until it is cancelled, or `entries` (the newest sequence) has no sender any more and all was
    /// delivered. Whatever fails is tried again, without an end.
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
                        sink = self.name,
                        error = error_chain(&error),
                        "the sink waits for the store"
                    );
                    let wait = self.retry.delay(failures, None, &mut rng);
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
                sink = self.name,
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
            self.store.advance_sink(&self.name, self.position).await?;
            self.persisted = self.position;
            self.metrics
                .cursor
                .set(i64::try_from(self.position.0).unwrap_or(i64::MAX));
        }
        Ok(())
    }

    /// Offers one event until it is taken.
    async fn deliver(&self, entry: &Entry, cancel: &CancellationToken, rng: &mut impl Rng) -> Result<(), Interrupted> {
        let event = match cloud_event::write(self.store.store_id(), entry) {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::error!(sink = self.name, sequence = entry.sequence.0, %error, "the event cannot be written");
                return Ok(());
            }
        };
        let mut failures = 0_u32;
        loop {
            let offered = timeout(DELIVERY_DEADLINE, self.to.deliver(&event));
            let refused = match cancel.run_until_cancelled(offered).await {
                None => return Err(Interrupted::Cancelled),
                Some(Ok(Ok(()))) => {
                    self.metrics.delivered.inc();
                    return Ok(());
                }
                Some(Ok(Err(refused))) => refused,
                Some(Err(_)) => DeliveryError {
                    message: format!("no answer within {DELIVERY_DEADLINE:?}"),
                    retry_after: None,
                },
            };
            failures = failures.saturating_add(1);
            self.metrics.failures.inc();
            tracing::warn!(
                sink = self.name,
                sequence = entry.sequence.0,
                failures,
                error = refused.message,
                "a delivery failed and is tried again"
            );
            let wait = self.retry.delay(failures, refused.retry_after, rng);
            if cancel.run_until_cancelled(sleep(wait)).await.is_none() {
                return Err(Interrupted::Cancelled);
            }
        }
    }
}

#[cfg(test)]
mod tests;
