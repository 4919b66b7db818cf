//! Points in time, as numbers that come from outside.

use std::fmt;
use std::time::Duration;

/// Milliseconds since the Unix epoch. Written as RFC 3339 with milliseconds in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest moment that is taken from anybody: 2261-12-31T23:59:59.999Z. The engine counts its time in nanoseconds since
    /// 1970, which 64 bits end in April 2262, and behind the end there is no going on.
    pub const LATEST: Self = Self(9_214_646_399_999);

    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From milliseconds that somebody else wrote; `None` if they lie behind [`LATEST`](Self::LATEST), or before what can be written
    /// as RFC 3339 and read back.
    pub fn written(millis: i64) -> Option<Self> {
        let can_be_written = jiff::Timestamp::from_millisecond(millis).is_ok();
        (can_be_written && millis <= Self::LATEST.0).then_some(Self(millis))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time that has passed since `earlier`; zero if `earlier` lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment moved back by `span`, at most to the beginning of time.
    pub fn before(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment moved ahead by `span`, at most to the end of time.
    pub fn after(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Parses RFC 3339, as Kubernetes writes it; `None` also for moments behind [`LATEST`](Self::LATEST).
    pub fn parse(text: &str) -> Option<Self> {
        let time = text.parse::<jiff::Timestamp>().ok()?;
        Self::written(time.as_millisecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

/// Where "now" comes from: the system in production, a virtual clock in simulations.
pub trait Clock: Send + Sync {
    /// The present moment; never runs backwards within one process by more than the system's clock does.
    fn now(&self) -> Timestamp;

    /// Shows no time before `newest`, the newest on record, from now on; unless that is a time that an engine with a wrong clock
    /// has written. Until `settled` time has certainly come to, by what is on record. A clock that runs ahead of all it was asked
    /// for before, in other processes too, has nothing to do.
    fn go_on_from(&self, _newest: Timestamp, _settled: Timestamp) {}

    /// A moment that has come, whichever clock is wrong: the present one, or an earlier one where clocks differ, or where one
    /// that has just started is far ahead of the newest time on record. What cannot be undone goes by it.
    fn surely(&self) -> Timestamp {
        self.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        let time = Timestamp::from_millis(1_795_396_409_838);
        assert_eq!(time.to_string(), "2026-11-23T01:13:29.838Z");
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        assert_eq!(
            Timestamp::parse("2026-11-23T01:13:29Z"),
            Some(Timestamp::from_millis(1_795_396_409_000))
        );
    }

    #[test]
    fn what_is_taken_from_others_reads_back() {
        for millis in [
            i64::MIN,
            -377_705_023_201_001,
            9_214_646_400_000,
            253_402_207_199_999,
            253_402_300_800_000,
            999_999_999_999_999,
            i64::MAX,
        ] {
            assert_eq!(Timestamp::written(millis), None, "{millis}");
        }
        for millis in [-1, 0, 1_795_396_409_838, 9_214_646_399_999] {
            let time = Timestamp::written(millis).unwrap();
            assert_eq!(Timestamp::parse(&time.to_string()), Some(time), "{millis}");
        }
    }

    #[test]
    fn what_is_parsed_is_written_as_what_parses() {
        for text in ["9999-12-30T22:00:00.000Z", "2262-01-01T00:00:00Z"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        for text in ["2261-12-31T23:59:59.999Z", "-009999-01-02T01:59:59.000Z"] {
            let time = Timestamp::parse(text).unwrap();
            assert_eq!(time.to_string(), text);
        }
    }

    #[test]
    fn a_clock_set_back_gives_no_negative_age() {
        assert_eq!(
            Timestamp::from_millis(5).since(Timestamp::from_millis(9)),
            Duration::ZERO
        );
    }

    #[test]
    fn a_moment_is_moved_back_to_the_beginning_of_time_at_most() {
        let at = Timestamp::from_millis;
        assert_eq!(at(5_000).before(Duration::from_secs(3)), at(2_000));
        assert_eq!(at(5_000).before(Duration::MAX), at(5_000 - i64::MAX));
    }
}
