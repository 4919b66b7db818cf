//! The world's time: story time laid over tokio's clock, so that a paused runtime plays a day in a moment.

use steadfast_core::time::{Clock, Timestamp};
use tokio::time::Instant;

use crate::story::Moment;

/// Story time 0 is the moment this was made.
#[derive(Clone, Copy, Debug)]
pub struct WorldClock {
    zero: Timestamp,
    began: Instant,
}

impl WorldClock {
    /// A clock that shows `now` now, and makes it the story's beginning.
    pub fn starting_at(now: Timestamp) -> Self {
        Self {
            zero: now,
            began: Instant::now(),
        }
    }

    /// The story's time now.
    pub fn story_now(&self) -> Moment {
        Moment::from_millis(i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// The moment of a story on this clock.
    pub fn at(&self, moment: Moment) -> Timestamp {
        Timestamp::from_millis(self.zero.as_millis().saturating_add(moment.as_millis()))
    }

    /// When that moment comes.
    pub fn when(&self, moment: Moment) -> Instant {
        self.began + moment.elapsed()
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
