//! How much a job's decisions may write into the journal.
//!
//! Nothing leaves the journal soon, sinks are told of what stands in it, and the commit is everybody's. So a policy that
//! changes its mind with each look may do so a while, and then at a pace. What is held up is late by less than a poll, and
//! never lost: the job is judged again when there is room, on what is there by then.

use std::time::Duration;

use crate::time::Timestamp;
use crate::timing::Timing;

/// How many entries a job's decisions may make at once. A job whose Flink, pods and alerts all change together makes ten.
pub const AT_ONCE: u32 = 120;
/// How many they may make for each `[timing] poll` that passes. Flink is asked once in it, so honest changes are fewer.
pub const EACH_POLL: u32 = 4;

/// How many entries a decision may make now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance(u32);

impl Allowance {
    /// Nothing was spent.
    pub const WHOLE: Self = Self(AT_ONCE);

    /// Entries that may be made beside that of the state.
    pub(super) fn beside_the_state(self) -> usize {
        usize::try_from(self.0.saturating_sub(1)).unwrap_or(usize::MAX)
    }

    /// Whether this decision's entry is the last for now.
    pub(super) fn is_the_last(self) -> bool {
        self.0 <= 1
    }

    /// Whether so much is there again that the job counts as calm.
    pub(super) fn is_ample(self) -> bool {
        self.0 > AT_ONCE / 2
    }
}

/// What a job's decisions have spent. (The generic cell rate algorithm: one moment says it all.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// When all of it will be made up for.
    made_up: Timestamp,
}

impl Spent {
    /// Notes entries, beside those that were spent before.
    pub fn more(before: Option<Self>, entries: usize, now: Timestamp, timing: &Timing) -> Self {
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        let debt = before.map_or(Duration::ZERO, |spent| spent.debt(now, timing));
        let debt = debt.saturating_add(price(timing).saturating_mul(entries));
        Self {
            made_up: now.after(debt.min(whole(timing))),
        }
    }

    /// What is left.
    pub fn allowance(self, now: Timestamp, timing: &Timing) -> Allowance {
        let room = whole(timing).saturating_sub(self.debt(now, timing));
        let entries = room.as_millis() / price(timing).as_millis().max(1);
        Allowance(u32::try_from(entries).unwrap_or(u32::MAX))
    }

    /// When there is room for an entry again; `None` if there is now.
    pub fn exhausted_until(self, now: Timestamp, timing: &Timing) -> Option<Timestamp> {
        let missing = (self.debt(now, timing) + price(timing)).saturating_sub(whole(timing));
        (!missing.is_zero()).then(|| now.after(missing))
    }

    /// Whether all of it is made up for.
    pub fn is_made_up(self, now: Timestamp) -> bool {
        self.made_up <= now
    }

    /// At most what may be spent: a clock that was set back holds nobody up for longer.
    fn debt(self, now: Timestamp, timing: &Timing) -> Duration {
        self.made_up.since(now).min(whole(timing))
    }
}

/// How long it takes until one entry is made up for.
fn price(timing: &Timing) -> Duration {
    let millis = u64::try_from(timing.poll.as_millis()).unwrap_or(u64::MAX) / u64::from(EACH_POLL);
    Duration::from_millis(millis.max(1))
}

fn whole(timing: &Timing) -> Duration {
    price(timing).saturating_mul(AT_ONCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn so_much_at_once_and_then_at_a_pace() {
        let timing = Timing::default();
        let mut spent: Option<Spent> = None;
        let mut made = 0;
        // Whoever would write each 100 ms, over ten polls.
        for now in (0..50_000)
            .step_by(100)
            .map(|millis| at(0).after(Duration::from_millis(millis)))
        {
            if spent.is_none_or(|spent| spent.exhausted_until(now, &timing).is_none()) {
                spent = Some(Spent::more(spent, 1, now, &timing));
                made += 1;
            }
        }
        assert_eq!(made, AT_ONCE + 10 * EACH_POLL - 1);
    }

    #[test]
    fn one_poll_makes_room_again_and_a_clock_set_back_takes_none() {
        let timing = Timing::default();
        let spent = Spent::more(None, 1_000_000, at(100), &timing);
        assert_eq!(spent.allowance(at(100), &timing), Allowance(0));
        for now in [at(100), at(0)] {
            let until = spent.exhausted_until(now, &timing).unwrap();
            assert!(until.since(now) <= timing.poll, "{now} until {until}");
        }
        let calm = at(100).after(whole(&timing));
        let spent = Spent::more(None, 1, at(100), &timing);
        assert!(spent.is_made_up(calm) && spent.allowance(calm, &timing) == Allowance::WHOLE);
    }
}
