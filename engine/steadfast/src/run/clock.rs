//! The clocks of a process that runs in real time.
//!
//! The system's clock may be set while the engine runs, by a day as well as by a second. Ages and windows would jump with
//! it: set ahead, an absence window of 50 s would be over at once; set back, nothing would be polled for as long. So the
//! engine counts the time that passes by the machine's monotonic clock, and lets its own time drift towards the system's,
//! by a tenth of the time that passes: no span it measures is wrong by more. It never runs backwards. (The monotonic clock
//! stands still while a machine is suspended; what is missed is caught up with in the same way.)

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use steadfast_core::time::{Clock, Timestamp};

/// The system's clock, which may be set back. For what asks once.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| age.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// The clock of the engine: the time that passes, whatever happens to the system's clock meanwhile.
#[derive(Debug)]
pub struct SteadyClock {
    reading: Mutex<Reading>,
}

impl SteadyClock {
    /// A clock that shows what the system's shows now.
    pub fn start() -> Self {
        Self {
            reading: Mutex::new(Reading::new(SystemClock.now(), Instant::now())),
        }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let notice = reading.advance(Instant::now(), SystemClock.now());
        let now = reading.now();
        drop(reading);
        match notice {
            Some(Notice::Parted { by }) => tracing::warn!(
                "the system's clock was set: it is {by} s off the engine's, which goes on by the time that passes and follows \
                 slowly; start the engine anew to take it over at once"
            ),
            Some(Notice::Together) => tracing::info!("the engine's clock shows the system's time again"),
            None => {}
        }
        now
    }
}

/// The clocks are apart if they show times that differ by more.
const APART: i64 = 2_000_000_000;
/// The share of the time that passes by which the difference shrinks, one in so many.
const SLEW: i64 = 10;

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
            nanos: now.as_millis().saturating_mul(1_000_000),
            at,
            is_apart: false,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.nanos / 1_000_000)
    }

    fn advance(&mut self, at: Instant, system: Timestamp) -> Option<Notice> {
        let passed = i64::try_from(at.saturating_duration_since(self.at).as_nanos()).unwrap_or(i64::MAX);
        let steady = self.nanos.saturating_add(passed);
        let ahead = system.as_millis().saturating_mul(1_000_000).saturating_sub(steady);
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
            assert!((89..=111).contains(&passed), "{passed} ms for 100 ms");
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
            run(&mut reading, &mut truth, Duration::from_secs(65), off);
            assert_eq!(reading.now().as_millis() - truth, off * 1000);
        }
    }
}
