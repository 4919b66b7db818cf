//! The world's time: story time laid over tokio's clock, so that a paused runtime plays a day in a moment.

use std::num::NonZeroU32;
use std::time::Duration;

use steadfast_core::time::{Clock, Timestamp};
use tokio::time::Instant;

use crate::story::Moment;

/// How much faster than the clock a story runs: a story played at scale 12 has five seconds where it says a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(NonZeroU32);

impl Scale {
    /// Story time is the clock's time.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// So many times as fast.
    pub const fn times(factor: NonZeroU32) -> Self {
        Self(factor)
    }

    /// How many times as fast.
    pub const fn factor(self) -> u32 {
        self.0.get()
    }

    /// How long a span of the story takes on the clock.
    pub fn shorten(self, span: Duration) -> Duration {
        span / self.factor()
    }
}

/// Story time 0 is the moment this was made.
#[derive(Clone, Copy, Debug)]
pub struct WorldClock {
    zero: Timestamp,
    began: Instant,
    scale: Scale,
}

impl WorldClock {
    /// A clock that shows `now` now, and makes it the story's beginning.
    pub fn starting_at(now: Timestamp) -> Self {
        Self::scaled(now, Scale::ONE)
    }

    /// The same for a story that runs faster than the clock.
    pub fn scaled(now: Timestamp, scale: Scale) -> Self {
        Self {
            zero: now,
            began: Instant::now(),
            scale,
        }
    }

    /// The story's time now.
    pub fn story_now(&self) -> Moment {
        self.moment_after(i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// The moment of a story on this clock.
    pub fn at(&self, moment: Moment) -> Timestamp {
        let passed = moment.as_millis() / i64::from(self.scale.factor());
        Timestamp::from_millis(self.zero.as_millis().saturating_add(passed))
    }

    /// The story's time when this clock showed that.
    pub fn moment(&self, time: Timestamp) -> Moment {
        self.moment_after(time.as_millis().saturating_sub(self.zero.as_millis()))
    }

    /// When that moment comes.
    pub fn when(&self, moment: Moment) -> Instant {
        self.began + self.shorten(moment.elapsed())
    }

    /// How long a span of the story takes on this clock.
    pub fn shorten(&self, span: Duration) -> Duration {
        self.scale.shorten(span)
    }

    fn moment_after(&self, millis: i64) -> Moment {
        Moment::from_millis(millis.saturating_mul(i64::from(self.scale.factor())))
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.at(self.story_now())
    }
}

/// RFC 3339 in whole seconds, as Kubernetes writes times.
pub(crate) fn whole_seconds(time: Timestamp) -> String {
    let millis = time.as_millis();
    Timestamp::from_millis(millis - millis.rem_euclid(1000))
        .to_string()
        .replace(".000Z", "Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_scaled_story_runs_faster_than_its_clock() {
        let zero = Timestamp::from_millis(1_000);
        let clock = WorldClock::scaled(zero, Scale::times(NonZeroU32::new(12).unwrap()));
        tokio::time::sleep(Duration::from_secs(5)).await;
        let minute = Moment::from_millis(60_000);
        assert_eq!(
            (clock.story_now(), clock.now()),
            (minute, Timestamp::from_millis(6_000))
        );
        assert_eq!((clock.at(minute), clock.moment(clock.now())), (clock.now(), minute));
        assert_eq!(clock.when(minute), Instant::now());
    }
}
