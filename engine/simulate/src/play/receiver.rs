//! A sink of a play's engine, and who is told by it: takes events, refuses them, hangs, or is cut off while it answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use steadfast_core::backoff::Backoff;
use steadfast_core::journal::{JournalError, Sequence, Store};
use steadfast_core::time::Clock;
use steadfast_crash_points::CrashPoint;
use steadfast_server::sinks::{
    Courier, Deliver, DeliveryError, Events, Following, Message, Renderer, Selection, Sink, SinkBoard, SinkMetrics,
    SinkPorts,
};
use tokio_util::sync::CancellationToken;

use super::mishaps::{AtDelivery, Dice, Life};

/// The name of the sink.
const NAME: &str = "play";
/// Longer than any story: what is not taken is offered again until it is.
const MAX_AGE: Duration = Duration::from_secs(365 * 86_400);

/// What was taken, over all engines of a play, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Receiver(Arc<Mutex<Vec<String>>>);

impl Receiver {
    /// Begins a sink of an engine, which goes on where the one before was. It delivers until `cancel`.
    pub(super) async fn sink(&self, ports: Ports) -> Result<Pending, JournalError> {
        let to = Delivery {
            taken: self.clone(),
            dice: ports.dice,
            life: ports.life,
        };
        let sink = Sink {
            name: NAME.into(),
            formerly: None,
            retry: ports.retry,
            max_age: MAX_AGE,
            selection: Selection::all(Events::All),
            renderer: Renderer::CloudEvents,
            batch_wait: Duration::ZERO,
        };
        let ports = SinkPorts {
            store: ports.store,
            to: Arc::new(to),
            clock: ports.clock,
            metrics: SinkMetrics::default(),
            board: SinkBoard::default(),
            tracer: None,
        };
        Courier::begin(sink, ports).await.map(Pending)
    }

    /// What is wrong with what was taken of a store, of whose entries these are what sinks are told, in order.
    pub(super) fn objection(&self, store: &str, told: &[Sequence]) -> Option<String> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = BTreeSet::new();
        let mut firsts: Vec<Sequence> = Vec::new();
        let mut different = BTreeSet::new();
        for event in taken.iter() {
            let id = id(event);
            if seen.insert(event.as_str()) && !different.insert(id.clone()) {
                return Some(format!("two events came under the id {id}"));
            }
            let sequence = id
                .strip_prefix(store)
                .and_then(|rest| rest.strip_prefix('-')?.parse().ok());
            let Some(sequence) = sequence.map(Sequence) else {
                return Some(format!("{id} is no id of the store {store}"));
            };
            if !firsts.contains(&sequence) {
                firsts.push(sequence);
            }
        }
        // What is committed while the play ends may be under way.
        let is_same = firsts.iter().zip(told).all(|(taken, told)| taken == told) && firsts.len() >= told.len();
        (!is_same).then(|| format!("the receiver was told {firsts:?}, and the journal has {told:?}"))
    }
}

/// The id of a CloudEvent.
fn id(event: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(event).unwrap_or_default();
    event
        .get("id")
        .and_then(|id| id.as_str())
        .unwrap_or_default()
        .to_owned()
}

/// What a sink of a play works with.
pub(super) struct Ports {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) dice: Dice,
    pub(super) life: Arc<Life>,
    pub(super) retry: Backoff,
}

/// A sink that has its place, and has delivered nothing yet.
pub(super) struct Pending(Courier);

impl Pending {
    /// Delivers from now on.
    pub(super) fn deliver(self, following: Following, seed: u64) -> CancellationToken {
        let cancel = CancellationToken::new();
        tokio::spawn(self.0.run(following, cancel.clone(), StdRng::seed_from_u64(seed)));
        cancel
    }
}

/// The way of one engine to the receiver.
struct Delivery {
    taken: Receiver,
    dice: Dice,
    life: Arc<Life>,
}

impl Delivery {
    /// The process is at this point. If it was killed, no event leaves it, and no answer reaches it.
    async fn reach(&self, point: CrashPoint, event: &str) {
        self.dice.reach(point, event, &self.life);
        if self.life.is_over() {
            std::future::pending().await
        }
    }

    fn take(&self, event: &str) {
        self.taken
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.to_owned());
    }
}

#[async_trait]
impl Deliver for Delivery {
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let event = message.body.as_str();
        self.reach(CrashPoint::SinkOffered, event).await;
        let refused = |message: &str| Err(DeliveryError::for_now(message));
        let answer = match self.dice.delivery(event) {
            AtDelivery::Refused => refused("the receiver answered 503"),
            AtDelivery::Hangs => std::future::pending().await,
            AtDelivery::CutOff => {
                self.take(event);
                refused("the connection was cut off")
            }
            AtDelivery::Taken => {
                self.take(event);
                Ok(())
            }
        };
        if answer.is_ok() {
            self.reach(CrashPoint::SinkTaken, event).await;
        }
        answer
    }
}
