//! Intervals, deadlines and retry delays: `[timing]` of the configuration, the same for every cluster, job and policy.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::backoff::Backoff;

/// `[timing]` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// How often Flink is asked.
    pub poll: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How often everything is listed afresh and memory is compared with the store.
    pub validate: Duration,
    /// The first retry's delay.
    pub retry_initial: Duration,
    /// The longest retry delay.
    pub retry_max: Duration,
    /// How long after the engine's start nothing turns terminal.
    pub startup_grace: Duration,
    /// How often a terminal job is polled.
    pub terminal_poll: Duration,
    /// How long an intent stands at most that nobody takes back.
    pub intent_timeout: Duration,
}

impl Timing {
    /// The paces there are, of the configuration and of policies: below it is the clock's own noise, and a watch that polls
    /// once a year would have ended in all but name.
    pub const PACES: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(24 * 60 * 60);

    /// The paces of polls that a policy may ask for: not far below what is configured, or one policy's polls would be a
    /// burden that nobody asked Flink to bear.
    pub fn poll_paces(&self) -> RangeInclusive<Duration> {
        let (shortest, longest) = (*Self::PACES.start(), *Self::PACES.end());
        let tenth = self.poll.min(self.terminal_poll) / 10;
        tenth.clamp(shortest, Duration::from_secs(1))..=longest
    }

    /// The bounds of every retry but those that a policy or a server asks for.
    pub fn backoff(&self) -> Backoff {
        Backoff {
            initial: self.retry_initial,
            max: self.retry_max,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(5),
            timeout: Duration::from_secs(3),
            validate: Duration::from_secs(60),
            retry_initial: Duration::from_millis(800),
            retry_max: Duration::from_secs(30),
            startup_grace: Duration::ZERO,
            terminal_poll: Duration::from_secs(60),
            intent_timeout: Duration::from_secs(15 * 60),
        }
    }
}
