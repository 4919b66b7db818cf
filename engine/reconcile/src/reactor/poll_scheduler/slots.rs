//! Where in its interval each target is polled.
//!
//! Targets that are found together, or that fall silent together, would be polled together for ever. So each has a place in the
//! interval that follows from its id alone: polls of a fleet are spread evenly, and spread again the same way after whatever
//! drove them together.
//!
//! There are a hundred places in an interval. Polls that begin at one moment are answered about together, and share a turn of the
//! loop, a batch of their policy and a commit; where each came by itself, ten thousand jobs cost twice the processor time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use steadfast_core::id::TargetId;
use steadfast_core::time::Timestamp;

/// How many places an interval has.
pub(super) const PLACES: u64 = 100;

/// A place in intervals of any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(u64);

impl Slot {
    pub(super) fn of(id: &TargetId) -> Self {
        // Its keys are constants: one id has one place.
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        Self(hasher.finish() % PLACES)
    }

    /// Its first moment after `after`; at most an interval later.
    pub(super) fn next(self, after: Timestamp, interval: Duration) -> Timestamp {
        let interval = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let place = u128::from(self.0) * u128::from(interval.unsigned_abs()) / u128::from(PLACES);
        let place = i64::try_from(place).unwrap_or(0);
        let behind = after.as_millis().saturating_sub(place).rem_euclid(interval);
        after.after(Duration::from_millis((interval - behind).unsigned_abs()))
    }

    /// When the poll is that follows one which began then: never later than an interval, and not just after one that came between.
    /// Where its place is too near it comes once in between, and is at its place from then on.
    pub(super) fn follows(self, began: Timestamp, interval: Duration) -> Timestamp {
        let next = self.next(began, interval);
        if next.since(began) < interval / 4 {
            began.after(interval / 4 * 3)
        } else {
            next
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(5);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn its_moments_are_an_interval_apart_whatever_it_is_asked_after() {
        for place in [0, 1, PLACES / 3, PLACES - 1] {
            let slot = Slot(place);
            let first = slot.next(at(1_000_003), POLL);
            assert!(first > at(1_000_003) && first <= at(1_005_003));
            assert_eq!(slot.next(first, POLL), first.after(POLL));
            assert_eq!(
                slot.next(first.after(Duration::from_millis(4_999)), POLL),
                first.after(POLL)
            );
            assert_eq!(slot.next(first.before(Duration::from_millis(1)), POLL), first);
        }
    }

    #[test]
    fn the_poll_that_follows_is_at_its_place_or_leads_to_it() {
        for place in 0..PLACES {
            let slot = Slot(place);
            for began in (0..5_000).step_by(125) {
                let next = slot.follows(at(began), POLL);
                let after = next.since(at(began));
                assert!(after >= POLL / 4 && after <= POLL, "{after:?}");
                let then = slot.follows(next, POLL);
                assert_eq!(then, slot.next(next, POLL));
                assert_eq!(slot.follows(then, POLL), then.after(POLL));
            }
        }
    }

    #[test]
    fn a_fleet_is_spread_evenly_and_one_id_has_one_place() {
        let mut tenths = [0_u32; 10];
        for n in 0..10_000 {
            let slot = Slot::of(&TargetId::standalone(&format!("job-{n}")));
            assert_eq!(slot, Slot::of(&TargetId::standalone(&format!("job-{n}"))));
            let place = slot.next(at(0), POLL).as_millis() % 5_000;
            tenths[usize::try_from(place / 500).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (900..1_100).contains(count)), "{tenths:?}");
    }
}
