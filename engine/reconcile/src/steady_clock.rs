//! The clock of an engine: the time that passes, whatever becomes of the system's clock meanwhile.
//!
//! The system's clock may be set while the engine runs, by a day as well as by a second. Ages and windows would jump with
//! it: set ahead, an absence window of 50 s would be over at once; set back, nothing would be polled for as long. So the
//! engine counts the time that passes by the machine's monotonic clock, and lets its own time drift towards the system's,
//! by a hundredth of the time that passes: no span it measures is wrong by more. It never runs backwards, and an engine that
//! starts goes on behind the newest time on record. (The monotonic clock stands still while a machine is suspended; what is
//! missed is caught up with in the same way.)
//!
//! An engine may start with a clock that is wrong by years, or after one that did. Times on record that are days ahead of a
//! system's clock that may be right are not gone on from. And what cannot be undone, such as dropping what is old, goes by
//! [`Clock::surely`]: by the earlier of the two clocks, and for a day after a start by no more than has passed since the newest
//! time on record, as far as anybody can tell.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use steadfast_core::time::{Clock, Timestamp};
use tokio::time::Instant;

/// The time that passes, which drifts towards what the system's clock shows.
#[derive(Debug)]
pub struct SteadyClock<System> {
    system: System,
    reading: Mutex<Reading>,
}

impl<System: Clock> SteadyClock<System> {
    /// A clock that shows what the system's shows now.
    pub fn start(system: System) -> Self {
        let reading = Mutex::new(Reading::new(system.now(), Instant::now()));
        Self { system, reading }
    }
}

impl<System: Clock> Clock for SteadyClock<System> {
    fn now(&self) -> Timestamp {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let notice = reading.advance(Instant::now(), self.system.now());
        let now = reading.now();
        drop(reading);
        match notice {
            Some(Notice::Parted { by }) => tracing::warn!(
                "the system's clock is {by} s off the engine's, which goes on by the time that passes and follows it by 36 s an \
                 hour; if it was set to the right time, start the engine anew to take it over at once: it does not where the \
                 newest entry on record is up to two days ahead"
            ),
            Some(Notice::Together) => tracing::info!("the engine's clock shows the system's time again"),
            None => {}
        }
        now
    }

    fn go_on_from(&self, newest: Timestamp, settled: Timestamp) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = reading.now();
        let is_believed = reading.go_on_from(newest, settled);
        drop(reading);
        if !is_believed {
            tracing::warn!(
                "the newest entry on record is of {newest}, and the system's clock shows {begins}: an engine whose clock was wrong \
                 wrote it, or this clock is wrong now; times go on from this clock"
            );
        } else if begins.since(settled) > SETTLES {
            tracing::warn!(
                "what is on record goes on until {settled}, and the system's clock shows {begins}: if this clock is wrong, correct \
                 it and start the engine anew; until an engine has run for a day nothing is dropped for its age"
            );
        }
    }

    fn surely(&self) -> Timestamp {
        let now = self.now();
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        now.min(self.system.now()).min(reading.settled_by(Instant::now()))
    }
}

/// Nobody's clock is earlier than this: the year in which this engine was written.
const WRITTEN: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// A time on record that is further ahead of the system's clock is not gone on from: clocks of hosts that take over from each
/// other are less far apart, and time zones are not in them.
const FAR: Duration = Duration::from_secs(2 * 24 * 60 * 60);
/// How long an engine runs before it takes a clock's word that more time than this has passed since the newest time on record.
pub(crate) const SETTLES: Duration = Duration::from_secs(24 * 60 * 60);

/// The clocks are apart if they show times that differ by more.
const APART: i128 = 2_000_000_000;
/// The share of the time that passes by which the difference shrinks, one in so many.
const SLEW: i128 = 100;

/// A clock when it was last read.
#[derive(Debug)]
struct Reading {
    /// Nanoseconds since the Unix epoch.
    nanos: i128,
    at: Instant,
    is_apart: bool,
    /// The newest time on record when the engine started, and when that was.
    on_record: Option<(Timestamp, Instant)>,
}

/// What there is to say of a reading.
#[derive(Debug, PartialEq, Eq)]
enum Notice {
    /// The system's clock has been set.
    Parted {
        /// Seconds, positive if it is ahead.
        by: i64,
    },
    /// Both show the same again.
    Together,
}

impl Reading {
    fn new(now: Timestamp, at: Instant) -> Self {
        Self {
            nanos: nanos(now),
            at,
            is_apart: false,
            on_record: None,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.nanos / NANOS_A_MILLI).unwrap_or(i64::MAX))
    }

    /// Returns whether the newest time on record may be right. A system's clock that shows a year before this engine was written
    /// is wrong, and any time on record is better.
    fn go_on_from(&mut self, newest: Timestamp, settled: Timestamp) -> bool {
        let now = self.now();
        self.on_record = Some((settled.min(now), self.at));
        let is_believed = newest.since(now) <= FAR || now < WRITTEN;
        if is_believed {
            self.nanos = self.nanos.max(nanos(newest));
        }
        is_believed
    }

    /// The latest moment that may be taken to have come.
    fn settled_by(&self, at: Instant) -> Timestamp {
        match self.on_record {
            Some((newest, began)) if at.saturating_duration_since(began) < SETTLES => {
                newest.after(SETTLES).after(at.saturating_duration_since(began))
            }
            Some(_) | None => Timestamp::from_millis(i64::MAX),
        }
    }

    fn advance(&mut self, at: Instant, system: Timestamp) -> Option<Notice> {
        let passed = i128::try_from(at.saturating_duration_since(self.at).as_nanos()).unwrap_or(i128::MAX);
        let steady = self.nanos + passed;
        let ahead = nanos(system) - steady;
        self.nanos = steady + ahead.clamp(-(passed / SLEW), passed / SLEW);
        self.at = self.at.max(at);
        let is_apart = ahead.abs() > APART;
        let turned = is_apart != self.is_apart;
        self.is_apart = is_apart;
        let by = i64::try_from(ahead / 1_000_000_000).unwrap_or(i64::MAX);
        match (turned, is_apart) {
            (true, true) => Some(Notice::Parted { by }),
            (true, false) => Some(Notice::Together),
            (false, _) => None,
        }
    }
}

const NANOS_A_MILLI: i128 = 1_000_000;

fn nanos(time: Timestamp) -> i128 {
    i128::from(time.as_millis()) * NANOS_A_MILLI
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    /// Reads the clock every 100 ms for `span`, while the system's is off by so many seconds.
    fn run(reading: &mut Reading, truth: &mut i64, span: Duration, off: i64) -> Vec<Notice> {
        let mut notices = Vec::new();
        for _ in 0..span.as_millis() / 100 {
            let before = reading.now();
            *truth += 100;
            let at = reading.at + Duration::from_millis(100);
            notices.extend(reading.advance(at, Timestamp::from_millis(*truth + off * 1000)));
            let passed = reading.now().since(before).as_millis();
            assert!((98..=102).contains(&passed), "{passed} ms for 100 ms");
        }
        notices
    }

    #[test]
    fn spans_stay_true_while_the_system_clock_jumps_by_a_day() {
        let mut truth = 1_800_000_000_000;
        let mut reading = Reading::new(Timestamp::from_millis(truth), Instant::now());
        let minute = Duration::from_secs(60);
        assert_eq!(run(&mut reading, &mut truth, minute, 0), []);
        assert_eq!(run(&mut reading, &mut truth, minute, DAY), [Notice::Parted { by: DAY }]);
        assert_eq!(run(&mut reading, &mut truth, minute, -DAY), []);
        assert_eq!(run(&mut reading, &mut truth, minute, 0), [Notice::Together]);
    }

    #[test]
    fn it_comes_to_show_the_time_that_was_set() {
        let mut truth = 1_800_000_000_000;
        let mut reading = Reading::new(Timestamp::from_millis(truth), Instant::now());
        for off in [3, -3] {
            run(&mut reading, &mut truth, Duration::from_secs(605), off);
            assert_eq!(reading.now().as_millis() - truth, off * 1000);
        }
    }

    #[test]
    fn an_engine_that_starts_goes_on_behind_what_is_on_record() {
        let truth = Timestamp::from_millis(1_800_000_000_000);
        let start = Instant::now();
        let mut reading = Reading::new(truth, start);
        let on_record = truth.after(Duration::from_secs(3600));
        reading.go_on_from(on_record, on_record);
        assert_eq!(reading.advance(start, truth), Some(Notice::Parted { by: -3600 }));
        assert_eq!(reading.now(), on_record);
        reading.go_on_from(truth, truth);
        assert_eq!(reading.now(), on_record);
    }

    #[test]
    fn a_time_on_record_that_is_years_ahead_is_not_gone_on_from() {
        let truth = Timestamp::from_millis(1_800_000_000_000);
        let start = Instant::now();
        for ahead in [3 * DAY, 3650 * DAY, 100_000 * DAY, i64::MAX / 1000] {
            let mut reading = Reading::new(truth, start);
            let newest = Timestamp::from_millis(truth.as_millis().saturating_add(ahead.saturating_mul(1000)));
            assert!(!reading.go_on_from(newest, newest), "{ahead}");
            assert_eq!(reading.now(), truth);
        }
    }

    #[test]
    fn a_clock_from_before_this_engine_was_written_is_worse_than_any_record() {
        let newest = Timestamp::from_millis(1_800_000_000_000);
        let mut reading = Reading::new(Timestamp::from_millis(0), Instant::now());
        assert!(reading.go_on_from(newest, newest));
        assert_eq!(reading.now(), newest);
    }

    #[test]
    fn time_passes_at_the_end_of_the_calendar_too() {
        let start = Instant::now();
        for year in [2262, 2264, 9999, 200_000_000] {
            let begins = Timestamp::from_millis((year - 1970) * 365 * DAY * 1000);
            let mut reading = Reading::new(begins, start);
            let later = start + Duration::from_secs(60);
            reading.advance(later, begins.after(Duration::from_secs(60)));
            assert_eq!(reading.now().since(begins), Duration::from_secs(60), "{year}");
        }
    }

    #[test]
    fn for_a_day_nothing_is_older_than_the_record_tells() {
        let newest = Timestamp::from_millis(1_800_000_000_000);
        let start = Instant::now();
        let hour = Duration::from_secs(60 * 60);
        let mut reading = Reading::new(newest.after(Duration::from_secs(3650 * 24 * 60 * 60)), start);
        assert!(reading.go_on_from(newest, newest));
        assert_eq!(reading.settled_by(start + hour), newest.after(SETTLES + hour));
        assert!(reading.settled_by(start + SETTLES) > newest.after(SETTLES * 1000));
    }
}
