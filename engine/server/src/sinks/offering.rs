//! For how long an event is offered to a receiver, and what becomes of one that is not taken.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use steadfast_core::journal::Sequence;
use steadfast_core::time::Timestamp;
use tokio::time::Instant;

use super::deliver::Refusal;

/// How often, and for how long, a receiver must refuse an event before it is believed: one that is just being set up, or a
/// proxy before it, may say so too.
pub(super) const REFUSALS: u32 = 3;
pub(super) const INSISTS: Duration = Duration::from_secs(60);
/// How often an event is offered, however old it is: after a long stop all of them are.
const OFFERS: u32 = 3;

/// The tries of one event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tries {
    pub(super) failures: u32,
    /// How many refusals came in a row, and since when.
    refusals: u32,
    refused_since: Option<Instant>,
    /// How often in a row there was no answer.
    unanswered: u32,
}

/// Why an event is offered no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// The receiver refuses it for good.
    Refused,
    /// It is too old.
    TooOld,
    /// Too many wait behind it.
    TooMany,
}

impl GivenUp {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "the receiver refuses it for good",
            Self::TooOld => "it is older than max_age",
            Self::TooMany => "too many wait behind it",
        }
    }
}

impl Tries {
    /// Those of a message that begins to wait by itself: its pauses are short again, however often it failed while the receiver
    /// took nothing. How often it was itself refused counts on.
    pub(super) const fn afresh(self) -> Self {
        Self { failures: 1, ..self }
    }

    /// Whether there was no answer at least twice in a row.
    pub(super) const fn are_unanswered(&self) -> bool {
        self.unanswered >= 2
    }

    /// Notes one more that failed, of an event of that age. Says whether it was the last.
    pub(super) fn failed(&mut self, refusal: Refusal, age: Duration, max_age: Duration) -> Option<GivenUp> {
        self.failures = self.failures.saturating_add(1);
        self.unanswered = match refusal {
            Refusal::Unanswered => self.unanswered.saturating_add(1),
            Refusal::ForNow | Refusal::OfTheEvent | Refusal::OfThePlace => 0,
        };
        let refused_for = match refusal {
            Refusal::OfTheEvent => {
                self.refusals = self.refusals.saturating_add(1);
                self.refused_since.get_or_insert_with(Instant::now).elapsed()
            }
            Refusal::ForNow | Refusal::OfThePlace | Refusal::Unanswered => {
                (self.refusals, self.refused_since) = (0, None);
                Duration::ZERO
            }
        };
        if self.refusals >= REFUSALS && refused_for >= INSISTS.min(max_age) {
            Some(GivenUp::Refused)
        } else if age >= max_age && self.failures >= OFFERS {
            Some(GivenUp::TooOld)
        } else {
            None
        }
    }
}

/// Which sink.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SinkLabel {
    sink: String,
}

/// What the sinks count, each for itself.
#[derive(Clone, Debug, Default)]
pub struct SinkMetrics {
    delivered: Family<SinkLabel, Counter>,
    failures: Family<SinkLabel, Counter>,
    dead: Family<SinkLabel, Counter>,
    cursor: Family<SinkLabel, Gauge>,
    waiting: Family<SinkLabel, Gauge>,
}

/// What one sink counts.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) delivered: Counter,
    pub(super) failures: Counter,
    pub(super) dead: Counter,
    cursor: Gauge,
    waiting: Gauge,
}

impl SinkMetrics {
    /// Makes them known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_sink_deliveries",
            "Events that a sink delivered",
            self.delivered.clone(),
        );
        registry.register(
            "steadfast_sink_failures",
            "Deliveries that failed, whether they are tried again or not",
            self.failures.clone(),
        );
        registry.register(
            "steadfast_sink_dead_letters",
            "Events that a sink gave up: refused for good, not taken within max_age, or too many for one place",
            self.dead.clone(),
        );
        registry.register(
            "steadfast_sink_sequence",
            "The last journal sequence that a sink is done with",
            self.cursor.clone(),
        );
        registry.register(
            "steadfast_sink_waiting_since_seconds",
            "When the oldest event was decided that a sink has not delivered, as a Unix time; 0 while none waits",
            self.waiting.clone(),
        );
    }

    /// Those of one sink, which show from now on.
    pub(super) fn of(&self, sink: &str) -> Counts {
        let label = SinkLabel { sink: sink.to_owned() };
        Counts {
            delivered: self.delivered.get_or_create_owned(&label),
            failures: self.failures.get_or_create_owned(&label),
            dead: self.dead.get_or_create_owned(&label),
            cursor: self.cursor.get_or_create_owned(&label),
            waiting: self.waiting.get_or_create_owned(&label),
        }
    }
}

impl Counts {
    pub(super) fn reached(&self, position: Sequence) {
        self.cursor.set(i64::try_from(position.0).unwrap_or(i64::MAX));
    }

    /// An event that was decided at that time waits; `None`: none does.
    pub(super) fn waits(&self, since: Option<Timestamp>) {
        self.waiting.set(since.map_or(0, |at| at.as_millis().div_euclid(1000)));
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[tokio::test(start_paused = true)]
    async fn only_what_is_refused_again_and_again_or_is_too_old_is_given_up() {
        let mut tries = Tries::default();
        for refusal in [
            Refusal::OfTheEvent,
            Refusal::OfTheEvent,
            Refusal::ForNow,
            Refusal::OfTheEvent,
            Refusal::OfTheEvent,
        ] {
            assert_eq!(tries.failed(refusal, Duration::ZERO, DAY), None);
            advance(INSISTS / 2).await;
        }
        assert_eq!(
            tries.failed(Refusal::OfTheEvent, Duration::ZERO, DAY),
            Some(GivenUp::Refused)
        );
        let mut old = Tries::default();
        assert_eq!(
            old.failed(Refusal::ForNow, DAY, DAY),
            None,
            "after a stop of a day the first trouble loses nothing"
        );
        assert_eq!(old.failed(Refusal::ForNow, DAY, DAY), None);
        assert_eq!(old.failed(Refusal::ForNow, DAY, DAY), Some(GivenUp::TooOld));
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_is_being_set_up_has_a_minute() {
        let mut tries = Tries::default();
        for _ in 0..10 {
            assert_eq!(tries.failed(Refusal::OfTheEvent, Duration::ZERO, DAY), None);
            advance(INSISTS / 11).await;
        }
    }
}
