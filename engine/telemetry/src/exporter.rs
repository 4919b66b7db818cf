//! Posts what the engine tells.

use std::time::Duration;

use rand::Rng;
use steadfast_core::backoff::Backoff;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::answer::{Answer, Trouble};
use crate::collector::Way;
use crate::metrics::Metrics;
use crate::otlp::{Request, Span};
use crate::queue::{Telemetry, Told};
use crate::spans::Spans;

/// How long what is left may take at the end.
pub const FLUSH: Duration = Duration::from_secs(3);
/// How many spans one request has; a decision more, as its spans stay together.
const BATCH: usize = 512;
/// How long the first span waits for others of its request.
const LINGER: Duration = Duration::from_secs(1);
/// A collector's warning is told no more often.
const WARNED_AGAIN: Duration = Duration::from_secs(600);

/// Posts spans, as long as the engine runs.
pub struct Exporter {
    waiting: mpsc::Receiver<Told>,
    spans: Spans,
    way: Way,
    retry: Backoff,
    metrics: Metrics,
    /// The log has said that spans are lost or wait, and not yet that they do so no longer.
    fails: bool,
    /// When a collector's warning was told last.
    warned: Option<Instant>,
}

/// What becomes of a request after its answer.
enum Next {
    Done,
    Again(Option<Duration>),
}

impl Exporter {
    /// With the engine's end of the queue. Between two tries are the pauses of `retry`.
    pub fn new(spans: Spans, way: Way, retry: Backoff, metrics: &Metrics) -> (Telemetry, Self) {
        let (telemetry, waiting) = Telemetry::new(metrics.clone());
        let exporter = Self {
            waiting,
            spans,
            way,
            retry,
            metrics: metrics.clone(),
            fails: false,
            warned: None,
        };
        (telemetry, exporter)
    }

    /// Posts until it is cancelled; then what is left, for [`FLUSH`] at most.
    pub async fn run(mut self, cancel: CancellationToken, mut rng: impl Rng) {
        while let Some(batch) = self.batch(&cancel).await {
            let count = batch.len() as u64;
            let request = self.spans.request(batch);
            if !self.offer(&request, count, &cancel, &mut rng).await {
                // Whatever is left is tried once more.
                self.flush(Some((request, count))).await;
                return;
            }
        }
        self.flush(None).await;
    }

    /// The next spans to send; `None` once it is cancelled.
    async fn batch(&mut self, cancel: &CancellationToken) -> Option<Vec<Span>> {
        let mut batch = Vec::new();
        let first = cancel.run_until_cancelled(self.waiting.recv()).await??;
        self.add(&mut batch, &first);
        let until = Instant::now() + LINGER;
        while batch.len() < BATCH {
            let next = timeout_at(until, self.waiting.recv());
            match cancel.run_until_cancelled(next).await {
                Some(Ok(Some(told))) => self.add(&mut batch, &told),
                // The rest goes with the flush.
                Some(Ok(None) | Err(_)) | None => break,
            }
        }
        Some(batch)
    }

    fn add(&self, batch: &mut Vec<Span>, told: &Told) {
        match told {
            Told::Decision(decision) => batch.extend(self.spans.of_decision(decision)),
            Told::Delivery(delivery) => batch.extend(self.spans.of_delivery(delivery)),
        }
    }

    /// Offers spans until they are taken or given up. Says whether they were, before it was cancelled.
    async fn offer(&mut self, request: &Request, count: u64, cancel: &CancellationToken, rng: &mut impl Rng) -> bool {
        let mut failures = 0_u32;
        loop {
            let posted = cancel.run_until_cancelled(self.way.post(request)).await;
            let Some(answer) = posted else { return false };
            let Next::Again(asked) = self.note(answer, count) else {
                return true;
            };
            failures = failures.saturating_add(1);
            let pause = self.retry.delay(failures, asked, rng);
            if cancel.run_until_cancelled(sleep(pause)).await.is_none() {
                return false;
            }
        }
    }

    /// Counts what an answer says, and tells the log of what is new.
    fn note(&mut self, answer: Answer, count: u64) -> Next {
        match answer {
            Answer::Taken { rejected: 0, said } => {
                self.metrics.exported.inc_by(count);
                if std::mem::take(&mut self.fails) {
                    tracing::info!("the collector takes traces again");
                }
                self.warned_by(&said);
                Next::Done
            }
            Answer::Taken { rejected, said } => {
                let rejected = rejected.min(count);
                self.metrics.exported.inc_by(count - rejected);
                self.metrics.rejected.inc_by(rejected);
                self.failed(&Trouble {
                    why: format!("the collector took not all spans: {said}"),
                    fix: "look into the collector's own log",
                });
                Next::Done
            }
            Answer::Rejected(trouble) => {
                self.metrics.rejected.inc_by(count);
                self.failed(&trouble);
                Next::Done
            }
            Answer::NotNow(trouble, asked) => {
                self.failed(&trouble);
                Next::Again(asked)
            }
        }
    }

    /// OTLP has a collector that takes all spans and says something warn by it.
    fn warned_by(&mut self, said: &str) {
        if said.is_empty() || self.warned.is_some_and(|at| at.elapsed() < WARNED_AGAIN) {
            return;
        }
        self.warned = Some(Instant::now());
        tracing::warn!("the collector took all spans and warns: {said}; told once in ten minutes at most");
    }

    fn failed(&mut self, Trouble { why, fix }: &Trouble) {
        self.metrics.failures.inc();
        if std::mem::replace(&mut self.fails, true) {
            tracing::debug!("traces are not taken: {why}");
        } else {
            tracing::warn!(
                "traces are not taken, and some will be lost: {why}; {fix}. Said once, until they are taken again; records, sinks and \
                 the API do without"
            );
        }
    }

    /// What is left, each once. What there is no time for is lost.
    async fn flush(mut self, unanswered: Option<(Request, u64)>) {
        let until = Instant::now() + FLUSH;
        let mut left = unanswered;
        self.waiting.close();
        loop {
            let Some((request, count)) = left.or_else(|| self.rest()) else {
                return;
            };
            match timeout_at(until, self.way.post(&request)).await {
                Ok(answer) => {
                    if let Next::Again(_) = self.note(answer, count) {
                        self.metrics.dropped.inc_by(count);
                    }
                }
                Err(_) => {
                    let mut lost = count;
                    while let Ok(told) = self.waiting.try_recv() {
                        lost = lost.saturating_add(told.spans());
                    }
                    self.metrics.dropped.inc_by(lost);
                    tracing::warn!(
                        "{lost} spans were lost at the stop, as the collector did not answer within {FLUSH:?}"
                    );
                    return;
                }
            }
            left = None;
        }
    }

    /// The next request of what waits at the end.
    fn rest(&mut self) -> Option<(Request, u64)> {
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Ok(told) = self.waiting.try_recv()
        {
            self.add(&mut batch, &told);
        }
        let count = batch.len() as u64;
        (count > 0).then(|| (self.spans.request(batch), count))
    }
}

#[cfg(test)]
mod tests;
