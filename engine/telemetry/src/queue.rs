//! The engine's end: what is to be told waits in a bounded queue, or is lost and counted. Nobody waits for it.

use steadfast_core::trace::{DecisionTrace, DeliveryTrace, Tracer};
use tokio::sync::mpsc;

use crate::metrics::Metrics;

/// How many decisions and deliveries may wait. They are some hundred bytes each, and a delivery of many entries, of which
/// [`DeliveryTrace::MOST_TOLD`] are named, some ten KiB: at worst all of them are 100 MiB.
pub(crate) const QUEUE: usize = 4096;

/// What the engine tells.
#[derive(Debug)]
pub(crate) enum Told {
    Decision(Box<DecisionTrace>),
    Delivery(Box<DeliveryTrace>),
}

impl Told {
    /// How many spans it makes.
    pub(crate) fn spans(&self) -> u64 {
        match self {
            Self::Decision(decision) => {
                let looks = u64::try_from(decision.looks.len()).unwrap_or(u64::MAX);
                // The one over all, and the decision itself.
                looks.saturating_add(2 + u64::from(decision.commit.is_some()))
            }
            Self::Delivery(_) => 1,
        }
    }
}

/// Takes what the engine tells. A clone is the same queue.
#[derive(Clone, Debug)]
pub struct Telemetry {
    queue: mpsc::Sender<Told>,
    metrics: Metrics,
}

impl Telemetry {
    pub(crate) fn new(metrics: Metrics) -> (Self, mpsc::Receiver<Told>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        (Self { queue, metrics }, waiting)
    }

    fn tell(&self, told: Told) {
        if let Err(mpsc::error::TrySendError::Full(told) | mpsc::error::TrySendError::Closed(told)) =
            self.queue.try_send(told)
        {
            self.metrics.dropped.inc_by(told.spans());
        }
    }
}

impl Tracer for Telemetry {
    fn decided(&self, decision: DecisionTrace) {
        self.tell(Told::Decision(Box::new(decision)));
    }

    fn delivered(&self, delivery: DeliveryTrace) {
        self.tell(Told::Delivery(Box::new(delivery)));
    }
}
