//! One round of offers to a receiver that is told what stands.

use std::time::Duration;

use tokio::time::Instant;

use crate::sinks::alertmanager::{Due, Identity};
use crate::sinks::deliver::{DeliveryError, Refusal};

/// How many offers of one round may fail: enough to find one alert among the 200 of a request, halving by halving.
const MOST_FAIL: u32 = 9;
/// How many may where none was taken, and rounds before have not found out more: who is away is not asked often.
const MOST_FAIL_AT_FIRST: u32 = 3;

/// Alerts that are offered at once.
pub(super) struct Part {
    pub(super) alerts: Vec<Identity>,
    pub(super) offered: Offered,
}

/// Whether those of a part were offered in this round.
#[derive(Clone, Copy)]
pub(super) enum Offered {
    NotYet,
    /// In a part that was not taken.
    WithOthers,
}

/// What came of a round.
#[derive(Default)]
pub(super) struct Round {
    pub(super) taken: u32,
    pub(super) failed: u32,
    /// How many of those that failed say something of the receiver: not that one alert is refused, which is known.
    pub(super) away: u32,
    /// Those that were refused by themselves.
    pub(super) alone: Vec<Identity>,
    /// How many parts are left of which it is not known whom the receiver does not take.
    pub(super) unresolved: u32,
    /// For how long the receiver asked us to wait.
    pub(super) retry_after: Option<Duration>,
    /// When what was put off together is offered again: at once, so that who is away is asked no more often for there being more.
    pub(super) next: Option<Instant>,
}

impl Round {
    pub(super) fn is_in_vain(&self) -> bool {
        self.away > 0 && self.taken == 0
    }

    /// Whether the receiver takes what there is to say, as far as the round shows: all that was offered was taken, or nothing of
    /// what stands was to be said.
    pub(super) fn is_well(&self, what: Due) -> bool {
        self.failed == 0 && (self.taken > 0 || what == Due::All)
    }

    /// How many offers may fail before the rest is put off, after so many rounds that came to nothing.
    pub(super) fn most_may_fail(&self, refused: &DeliveryError, failures: u32) -> u32 {
        if refused.retry_after.is_some() {
            return 0;
        }
        match refused.refusal {
            Refusal::OfTheEvent => MOST_FAIL,
            Refusal::ForNow | Refusal::OfThePlace | Refusal::Unanswered if self.taken > 0 => MOST_FAIL,
            Refusal::ForNow | Refusal::OfThePlace | Refusal::Unanswered => {
                MOST_FAIL_AT_FIRST.saturating_add(failures).min(MOST_FAIL)
            }
        }
    }
}

impl Part {
    pub(super) fn new(alerts: Vec<Identity>) -> Self {
        Self {
            alerts,
            offered: Offered::NotYet,
        }
    }

    pub(super) fn halves(&self) -> [Self; 2] {
        let (left, right) = self.alerts.split_at(self.alerts.len() / 2);
        [left, right].map(|half| Self {
            alerts: half.to_vec(),
            offered: Offered::WithOthers,
        })
    }
}
