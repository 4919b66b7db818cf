//! The engine's clock, as its answers tell it: ages of what it wrote are counted by it, whatever this machine's clock says.

use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::header::{DATE, HeaderMap};
use steadfast_core::time::{Clock as _, Timestamp};

use crate::run::SystemClock;

/// `Date` is cut to the second, and an answer takes its time: clocks closer than this count as one, in milliseconds.
const CLOSE: i64 = 2_000;

/// How far the engine's clock is ahead of this machine's, in milliseconds, by its last answer; 0 until there was one.
#[derive(Debug, Default)]
pub(super) struct EngineClock(AtomicI64);

impl EngineClock {
    /// Notes what an answer's head says.
    pub(super) fn heard(&self, headers: &HeaderMap) {
        if let Some(date) = date(headers) {
            let ahead = date.as_millis() + 500 - SystemClock.now().as_millis();
            let ahead = if ahead.abs() < CLOSE { 0 } else { ahead };
            self.0.store(ahead, Ordering::Relaxed);
        }
    }

    /// The time by the engine's clock.
    pub(super) fn now(&self) -> Timestamp {
        let ahead = self.0.load(Ordering::Relaxed);
        Timestamp::from_millis(SystemClock.now().as_millis().saturating_add(ahead))
    }
}

/// When an answer says that it was given, cut to the second.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let since = date.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    /// What an engine says whose clock is so many seconds ahead.
    fn said(clock: &EngineClock, ahead: i64) -> i64 {
        let now = SystemTime::now();
        let span = Duration::from_secs(ahead.unsigned_abs());
        let there = if ahead < 0 { now - span } else { now + span };
        let mut headers = HeaderMap::new();
        headers.insert(DATE, httpdate::fmt_http_date(there).parse().unwrap());
        clock.heard(&headers);
        clock.0.load(Ordering::Relaxed)
    }

    #[test]
    fn a_clock_that_is_far_off_is_the_one_that_ages_are_counted_by() {
        let clock = EngineClock::default();
        assert_eq!(said(&clock, 0), 0, "the same clock, cut to the second");
        for ahead in [3_600, -3_600] {
            let off = said(&clock, ahead) - ahead * 1_000;
            assert!(off.abs() <= 1_000, "{off}");
            assert!((clock.now().as_millis() - SystemClock.now().as_millis() - ahead * 1_000).abs() <= 1_100);
        }
    }

    #[test]
    fn an_answer_without_a_date_changes_nothing() {
        let clock = EngineClock::default();
        let ahead = said(&clock, 60);
        for text in [None, Some("yesterday")] {
            let mut headers = HeaderMap::new();
            headers.extend(text.map(|text| (DATE, text.parse().unwrap())));
            clock.heard(&headers);
            assert_eq!(clock.0.load(Ordering::Relaxed), ahead);
        }
    }
}
