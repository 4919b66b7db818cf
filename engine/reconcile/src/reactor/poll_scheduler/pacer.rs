//! How many polls may begin in a while.
//!
//! Whatever makes a fleet due at one moment (a return of its cluster, a reload, a clock), it is not asked at one moment: Flinks behind
//! one network, and this engine, have just come back, and a herd of requests could take them down again.

use std::time::Duration;

use steadfast_core::time::Timestamp;

use super::FIRST_AT_ONCE;
use super::slots::PLACES;

/// So many times the steady rate may polls begin.
const HASTE: f64 = 2.5;
/// A fleet that is polled less often than this, in polls a second, is held back by nothing.
const LEAST: f64 = 200.0;
/// What may begin at once, in seconds of the rate.
const BURST: f64 = 0.1;
/// And at least so many.
const LEAST_AT_ONCE: f64 = FIRST_AT_ONCE as f64;
/// The clock's resolution: sooner nothing would have changed.
const TICK: Duration = Duration::from_millis(1);

/// How often a fleet is to be polled: each target by the interval that its policy asks for.
#[derive(Debug, Default)]
pub(super) struct Demand {
    /// Polls in a million seconds: whole numbers, so that what is taken away leaves nothing behind.
    rate: u64,
    targets: usize,
}

impl Demand {
    pub(super) fn add(&mut self, interval: Duration) {
        self.rate = self.rate.saturating_add(rate(interval));
        self.targets += 1;
    }

    pub(super) fn remove(&mut self, interval: Duration) {
        self.rate = self.rate.saturating_sub(rate(interval));
        self.targets = self.targets.saturating_sub(1);
    }

    /// Polls that may begin in a second.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn allowed(&self) -> f64 {
        (self.rate as f64 / 1e6 * HASTE).max(LEAST)
    }

    /// Polls that may begin at once: of those that share a place in their interval all.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn at_once(&self) -> f64 {
        let of_a_place = self.targets as f64 / PLACES as f64;
        (self.allowed() * BURST).max(of_a_place * HASTE).max(LEAST_AT_ONCE)
    }
}

fn rate(interval: Duration) -> u64 {
    let millis = interval.as_millis().max(1);
    u64::try_from(1_000_000_000 / millis).unwrap_or(u64::MAX)
}

/// A bucket of polls that fills with time.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Polls that may begin at `filled`.
    allowed: f64,
    filled: Timestamp,
}

impl Default for Pacer {
    fn default() -> Self {
        Self {
            allowed: f64::INFINITY,
            filled: Timestamp::default(),
        }
    }
}

impl Pacer {
    /// Fills the bucket.
    pub(super) fn fill(&mut self, now: Timestamp, demand: &Demand) {
        let passed = now.since(self.filled).as_secs_f64();
        self.allowed = (self.allowed + passed * demand.allowed()).min(demand.at_once());
        self.filled = now;
    }

    /// Whether one may begin.
    pub(super) fn allows(&self) -> bool {
        self.allowed >= 1.0
    }

    /// One begins.
    pub(super) fn take(&mut self) {
        self.allowed -= 1.0;
    }

    /// When the next may begin.
    pub(super) fn next(&self, demand: &Demand) -> Timestamp {
        let lacks = (1.0 - self.allowed).max(0.0);
        if lacks == 0.0 {
            return self.filled;
        }
        self.filled
            .after(Duration::from_secs_f64(lacks / demand.allowed()).max(TICK))
    }
}
