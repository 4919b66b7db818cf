//! The clock of an engine: the time that passes, whatever becomes of the system's clock meanwhile.
//!
//! The system's clock may be set while the engine runs, by a day as well as by a second. Ages and windows would jump with
//! it: set ahead, an absence window of 50 s would be over at once; set back, nothing would be polled for as long. So the
//! engine counts the time that passes by the machine's monotonic clock, and lets its own time drift towards the system's,
//! by a hundredth of the time that passes: no span it measures is wrong by more. It never runs backwards, and an engine that
//! starts goes on behind the newest time on record. (The monotonic clock stands still while a machine is suspended; what is
//! missed is caught up with in the same way.)

use std::sync::{Mutex, PoisonError};

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
                 hour; if it was set to the right time, start the engine anew to take it over at once"
            ),
            Some(Notice::Together) => tracing::info!("the engine's clock shows the system's time again"),
            None => {}
        }
        now
    }

    fn go_on_from(&self, newest: Timestamp) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        reading.go_on_from(newest);
    }
}

/// The clocks are apart if they show times that differ by more.
const APART: i64 = 2_000_000_000;
/// The share of the time that passes by which the difference shrinks, one in so many.
const SLEW: i64 = 100;

/// A clock when it was last read.
#[derive(Debug)]
struct Reading {
    /// Nanoseconds since the Unix epoch.
    nanos: i64,
    at: Instant,
    is_apart: bool,
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
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.nanos / NANOS_A_MILLI)
    }

    fn go_on_from(&mut self, newest: Timestamp) {
        self.nanos = self.nanos.max(nanos(newest));
    }

    fn advance(&mut self, at: Instant, system: Timestamp) -> Option<Notice> {
        let passed = i64::try_from(at.saturating_duration_since(self.at).as_nanos()).unwrap_or(i64::MAX);
        let steady = self.nanos.saturating_add(passed);
        let ahead = nanos(system).saturating_sub(steady);
        self.nanos = steady.saturating_add(ahead.clamp(-(passed / SLEW), passed / SLEW));
        self.at = self.at.max(at);
        let is_apart = ahead.saturating_abs() > APART;
        let turned = is_apart != self.is_apart;
        self.is_apart = is_apart;
        let by = ahead / 1_000_000_000;
        match (turned, is_apart) {
            (true, true) => Some(Notice::Parted { by }),
            (true, false) => Some(Notice::Together),
            (false, _) => None,
        }
    }
}

const NANOS_A_MILLI: i64 = 1_000_000;

fn nanos(time: Timestamp) -> i64 {
    time.as_millis().saturating_mul(NANOS_A_MILLI)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        reading.go_on_from(on_record);
        assert_eq!(reading.advance(start, truth), Some(Notice::Parted { by: -3600 }));
        assert_eq!(reading.now(), on_record);
        reading.go_on_from(truth);
        assert_eq!(reading.now(), on_record);
    }
}
