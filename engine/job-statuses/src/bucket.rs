//! How many writes there may be.

use std::time::Duration;

/// Writes that a cluster gets a second, however much changes.
pub const WRITES_A_SECOND: u32 = 20;
/// Writes at once after a pause.
pub const BURST: u32 = 20;

/// Fills by [`WRITES_A_SECOND`] up to [`BURST`]. Time is what has passed since somebody began to count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// When it was, or will be, full again, if nothing more is taken.
    full_at: Duration,
}

/// In which one write is paid for.
const EACH: Duration = Duration::from_nanos(1_000_000_000 / WRITES_A_SECOND as u64);

impl Bucket {
    pub(crate) const fn full() -> Self {
        Self {
            full_at: Duration::ZERO,
        }
    }

    /// How many writes there may be now.
    pub(crate) fn holds(&self, now: Duration) -> u32 {
        let lacks = self.full_at.saturating_sub(now).as_nanos().div_ceil(EACH.as_nanos());
        BURST.saturating_sub(u32::try_from(lacks).unwrap_or(u32::MAX))
    }

    /// When it holds one.
    pub(crate) fn next(&self, now: Duration) -> Duration {
        now.max(self.full_at.saturating_sub(EACH * (BURST - 1)))
    }

    /// A write is made.
    pub(crate) fn take(&mut self, now: Duration) {
        self.full_at = self.full_at.max(now) + EACH;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_any_time_there_are_no_more_writes_than_it_pays_for() {
        let mut bucket = Bucket::full();
        let mut taken = 0;
        for millis in 0..10_000 {
            let now = Duration::from_millis(millis);
            while bucket.holds(now) > 0 {
                assert_eq!(bucket.next(now), now);
                bucket.take(now);
                taken += 1;
            }
            let next = bucket.next(now);
            assert!(next > now && next <= now + EACH, "{next:?}");
        }
        assert_eq!(taken, BURST + 10 * WRITES_A_SECOND - 1);
        let rested = Duration::from_secs(1_000);
        assert_eq!(bucket.holds(rested), BURST, "a long rest saves up no more");
    }
}
