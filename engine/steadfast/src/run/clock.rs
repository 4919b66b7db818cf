//! The clock of the system.

use std::time::{SystemTime, UNIX_EPOCH};

use steadfast_core::time::{Clock, Timestamp};

/// The system's clock, which may be set back.
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
