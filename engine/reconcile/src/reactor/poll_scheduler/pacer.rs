//! How many polls may begin in a while.
//!
//! Whatever makes a fleet due at one moment (a return of its cluster, a reload, a clock), it is not asked at one moment: Flinks behind
//! one network, and this engine, have just come back, and a herd of requests could take them down again.

use std::time::Duration;

use steadfast_core::time::Timestamp;

/// So many times the steady rate may polls begin.
const HASTE: f64 = 2.5;
/// A fleet that is polled less often than this, in polls a second, is held back by nothing.
const LEAST: f64 = 200.0;
/// What may begin at once, in seconds of the rate.
const BURST: f64 = 0.1;
/// The clock's resolution: sooner nothing would have changed.
const TICK: Duration = Duration::from_millis(1);

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
    /// Fills the bucket, for so many targets.
    pub(super) fn fill(&mut self, now: Timestamp, targets: usize, poll: Duration) {
        let rate = rate(targets, poll);
        let passed = now.since(self.filled).as_secs_f64();
        self.allowed = (self.allowed + passed * rate).min(rate * BURST);
        self.filled = now;
    }

    /// Takes one out, if there is one.
    pub(super) fn take(&mut self) -> bool {
        let may = self.allowed >= 1.0;
        if may {
            self.allowed -= 1.0;
        }
        may
    }

    /// When the next may begin.
    pub(super) fn next(&self, targets: usize, poll: Duration) -> Timestamp {
        let lacks = (1.0 - self.allowed).max(0.0);
        if lacks == 0.0 {
            return self.filled;
        }
        self.filled
            .after(Duration::from_secs_f64(lacks / rate(targets, poll)).max(TICK))
    }
}

fn rate(targets: usize, poll: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "targets are far below 2^52")]
    let steady = targets as f64 / poll.as_secs_f64().max(0.001);
    (steady * HASTE).max(LEAST)
}
