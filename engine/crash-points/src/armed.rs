//! How a process that was told to dies.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};

use crate::CrashPoint;

/// Names the point, and behind a colon which time that it is reached: `commit-marked`, `commit-marked:3`.
const VARIABLE: &str = "STEADFAST_CRASH_AT";

/// Where this process dies.
struct Order {
    at: CrashPoint,
    /// 1 is the first time.
    time: u32,
    reached: AtomicU32,
}

static ORDER: LazyLock<Option<Order>> = LazyLock::new(|| {
    let text = std::env::var(VARIABLE).ok()?;
    let order = Order::parse(&text);
    if order.is_none() {
        // A test that names no point must not pass for one that was never reached.
        std::process::abort();
    }
    order
});

impl Order {
    fn parse(text: &str) -> Option<Self> {
        let (name, time) = text.split_once(':').unwrap_or((text, "1"));
        Some(Self {
            at: name.parse().ok()?,
            time: time.parse().ok().filter(|time| *time > 0)?,
            reached: AtomicU32::new(0),
        })
    }

    /// Whether this is the time.
    fn is_now(&self, point: CrashPoint) -> bool {
        self.at == point && self.reached.fetch_add(1, Ordering::SeqCst) + 1 == self.time
    }
}

pub(crate) fn reach(point: CrashPoint) {
    if ORDER.as_ref().is_some_and(|order| order.is_now(point)) {
        if kill_process(getpid(), Signal::KILL).is_err() {
            std::process::abort();
        }
        // It takes effect before this thread has done anything more.
        loop {
            std::thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn an_order_names_a_point_and_a_time() {
        for point in CrashPoint::iter() {
            let order = Order::parse(&point.to_string()).unwrap();
            assert!(order.is_now(point) && !order.is_now(point));
        }
        let third = Order::parse("commit-marked:3").unwrap();
        let deaths: Vec<bool> = (0..4).map(|_| third.is_now(CrashPoint::CommitMarked)).collect();
        assert_eq!(deaths, [false, false, true, false]);
        assert!(!third.is_now(CrashPoint::CommitBegun));
        for no_order in ["", "commit", "commit-marked:", "commit-marked:0"] {
            assert!(Order::parse(no_order).is_none(), "{no_order}");
        }
    }
}
