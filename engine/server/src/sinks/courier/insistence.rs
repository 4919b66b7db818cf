//! When a place of a receiver is believed that it takes nothing.

use std::time::Duration;

use tokio::time::Instant;

use super::super::deliver::Refusal;
use super::super::offering::{INSISTS, REFUSALS};

/// For how long a place must be silent where nobody else is heard meanwhile: it may as well be the receiver that is away.
const SILENT: Duration = Duration::from_secs(600);

/// How often in a row a place took nothing, and since when.
#[derive(Debug, Default)]
pub(super) struct Insistence {
    times: u32,
    since: Option<Instant>,
    /// The last time it said so itself.
    is_told: bool,
}

impl Insistence {
    /// Notes one more time.
    pub(super) fn note(&mut self, refusal: Refusal) {
        self.is_told = match refusal {
            // It is about the receiver.
            Refusal::ForNow => return *self = Self::default(),
            Refusal::OfTheEvent | Refusal::OfThePlace => true,
            Refusal::Unanswered => false,
        };
        self.times = self.times.saturating_add(1);
        self.since.get_or_insert_with(Instant::now);
    }

    /// Whether it is to be believed, when something was last taken of the receiver at that time.
    pub(super) fn is_enough(&self, last_taken: Option<Instant>) -> bool {
        self.since.is_some_and(|since| {
            // What is taken of the place itself ends this, so that it was of another.
            let is_sure = self.is_told || last_taken.is_some_and(|at| at > since);
            self.times >= REFUSALS && since.elapsed() >= if is_sure { INSISTS } else { SILENT }
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_place_is_believed_after_three_times_in_a_row_and_a_minute() {
        let mut insistence = Insistence::default();
        for refusal in [Refusal::OfThePlace, Refusal::OfThePlace, Refusal::ForNow] {
            insistence.note(refusal);
            advance(INSISTS).await;
            assert!(!insistence.is_enough(None));
        }
        insistence.note(Refusal::OfThePlace);
        insistence.note(Refusal::OfThePlace);
        advance(INSISTS).await;
        assert!(!insistence.is_enough(None), "twice in a row");
        insistence.note(Refusal::OfTheEvent);
        assert!(insistence.is_enough(None));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_silent_is_believed_when_others_are_heard_or_after_long() {
        let mut insistence = Insistence::default();
        let before = Instant::now();
        advance(Duration::from_secs(1)).await;
        for _ in 0..3 {
            insistence.note(Refusal::Unanswered);
            advance(INSISTS / 2).await;
        }
        assert!(!insistence.is_enough(Some(before)), "the receiver may be away");
        assert!(insistence.is_enough(Some(Instant::now())));
        advance(SILENT).await;
        assert!(insistence.is_enough(None));
    }
}
