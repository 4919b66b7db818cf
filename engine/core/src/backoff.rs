//! How long to wait after a failure: doubling, with full jitter, without an end.

use std::time::Duration;

use rand::{Rng, RngExt};

/// The longest wait another party may ask of us with `Retry-After`: a day of silence on its word would be blindness.
pub const RETRY_AFTER_CAP: Duration = Duration::from_secs(60);

/// The bounds of a retry delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The bound after the first failure.
    pub initial: Duration,
    /// The bound that is never passed.
    pub max: Duration,
}

impl Backoff {
    /// The delay before the next try, after that many failures in a row: uniform between an eighth of the
    /// bound and the bound (the floor keeps a lucky draw from being a hot loop), where the bound doubles from
    /// `initial` up to `max`. What the other side asked for is honoured up to [`RETRY_AFTER_CAP`].
    pub fn delay(&self, failures: u32, retry_after: Option<Duration>, rng: &mut impl Rng) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let bound = self.initial.saturating_mul(1 << doublings).min(self.max);
        let drawn = spread(bound, rng).max(bound / 8);
        retry_after.map_or(drawn, |asked| drawn.max(asked.min(RETRY_AFTER_CAP)))
    }
}

/// A random part of `span`, so that many do not act at one moment.
pub fn spread(span: Duration, rng: &mut impl Rng) -> Duration {
    span.mul_f64(rng.random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const BACKOFF: Backoff = Backoff {
        initial: Duration::from_millis(800),
        max: Duration::from_secs(30),
    };

    #[test]
    fn stays_within_its_bounds_for_ever() {
        let mut rng = StdRng::seed_from_u64(1);
        for failures in [1, 2, 3, 6, 7, 100, u32::MAX] {
            let bound = BACKOFF
                .initial
                .saturating_mul(1 << (failures - 1).min(20))
                .min(BACKOFF.max);
            for _ in 0..200 {
                let delay = BACKOFF.delay(failures, None, &mut rng);
                assert!(delay <= bound && delay >= bound / 8, "{failures}: {delay:?}");
            }
        }
    }

    #[test]
    fn retry_after_is_honoured_but_not_for_a_day() {
        let mut rng = StdRng::seed_from_u64(1);
        assert_eq!(
            BACKOFF.delay(1, Some(Duration::from_secs(20)), &mut rng),
            Duration::from_secs(20)
        );
        assert_eq!(
            BACKOFF.delay(1, Some(Duration::from_secs(86_400)), &mut rng),
            RETRY_AFTER_CAP
        );
    }

    #[test]
    fn many_do_not_act_at_one_moment() {
        let mut rng = StdRng::seed_from_u64(1);
        let drawn: std::collections::BTreeSet<Duration> =
            (0..100).map(|_| spread(Duration::from_secs(10), &mut rng)).collect();
        assert!(drawn.len() > 90 && drawn.iter().all(|drawn| *drawn <= Duration::from_secs(10)));
    }
}
