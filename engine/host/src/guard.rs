//! The limits of an instance: how long a call may run, and how much memory it may have.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use steadfast_core::decision::{Interrupt, PolicyFailure, PolicyFailureKind};
use wasmtime::{Engine, ResourceLimiter, Store, Trap, UpdateDeadline};

use crate::frames;
use crate::limits::PolicyLimits;
use crate::output::Printed;

/// The least that a call may hand to the host at once, in bytes, however little memory it may have.
const HANDED_LEAST: usize = 1024 * 1024;

/// What wasmtime says where a call hands over more than it may; the error has no type that is public.
const HANDED_TOO_MUCH: &str = "fuel allocated for hostcalls has been exhausted";

/// The most entries a table may have: what a slot of the pool has room for.
pub(crate) const TABLE_LIMIT: usize = 20_000;

/// What an entry of a table takes, in bytes.
const TABLE_ENTRY: usize = size_of::<usize>();

/// What a store keeps about the instance in it.
#[derive(Debug)]
pub(crate) struct Guard {
    limits: PolicyLimits,
    /// Ends a call although it has time left.
    interrupt: Interrupt,
    /// What all memories and tables of the instance hold together, in bytes.
    held: usize,
    /// How much in all was asked for in vain since the call began.
    denied: Option<usize>,
    /// The thread's processor time at the call's first tick.
    began: Option<Duration>,
    /// What the call has printed.
    pub(crate) printed: Printed,
}

/// A store whose calls end by their deadline.
pub(crate) fn store(engine: &Engine, limits: PolicyLimits, interrupt: Interrupt) -> Store<Guard> {
    let handed = handed_at_most(limits);
    let guard = Guard::new(limits, interrupt);
    let mut store = Store::new(engine, guard);
    store.limiter(|guard| guard);
    store.set_hostcall_fuel(handed);
    store.epoch_deadline_callback(|mut context| Ok(context.data_mut().epoch_tick()));
    store
}

/// The most a call may hand to the host at once, in bytes. Without it a few bytes of guest memory, named a million times over, would
/// become gigabytes outside the memory cap. It is as much as the memory may hold, so that printing all of it at once fails no
/// decision; of that next to nothing is copied.
fn handed_at_most(limits: PolicyLimits) -> usize {
    usize::try_from(limits.memory_bytes)
        .unwrap_or(usize::MAX)
        .max(HANDED_LEAST)
}

/// Gives the next call into the store its full deadline.
pub(crate) fn begin_call(store: &mut Store<Guard>) {
    store.data_mut().denied = None;
    store.data_mut().began = None;
    store.data_mut().printed.clear();
    store.set_epoch_deadline(1);
}

impl Guard {
    fn new(limits: PolicyLimits, interrupt: Interrupt) -> Self {
        Self {
            limits,
            interrupt,
            held: 0,
            denied: None,
            began: None,
            printed: Printed::default(),
        }
    }

    /// Whether a memory or a table may grow: what counts is the sum, not the part. What the system does not give then counts
    /// all the same, until the instance ends.
    fn grows(&mut self, current: usize, desired: usize) -> bool {
        let more = desired.saturating_sub(current);
        let all = self.held.saturating_add(more);
        let allowed = u64::try_from(all).is_ok_and(|all| all <= self.limits.memory_bytes);
        if allowed {
            self.held = all;
        } else {
            self.denied = Some(all);
        }
        allowed
    }

    /// Whether a call may go on, asked at each tick of the epoch. What counts is the processor time the call took: a
    /// machine too busy to run it is not the policy's fault. Most calls end before the first tick, and never pay for
    /// the measurement.
    fn epoch_tick(&mut self) -> UpdateDeadline {
        let now = thread_time();
        let began = *self.began.get_or_insert(now);
        if self.interrupt.is_raised() || now.saturating_sub(began) >= self.limits.deadline {
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::Continue(1)
        }
    }

    /// Says what an error out of a call means.
    pub(crate) fn classify(&self, call: &str, error: &wasmtime::Error) -> PolicyFailure {
        let (kind, message) = match (error.downcast_ref::<Trap>(), self.denied) {
            (Some(Trap::Interrupt), _) if self.interrupt.is_raised() => (
                PolicyFailureKind::Error,
                format!("`{call}` was broken off: nobody waits for the policy any more"),
            ),
            (Some(Trap::Interrupt), _) => (
                PolicyFailureKind::Deadline,
                format!(
                    "`{call}` ran for longer than {:?}{}; mend what goes on without end there, or, if it needs so long, allow it \
                     more with `deadline` in its [[policy]]",
                    self.limits.deadline,
                    frames::called(error)
                ),
            ),
            (_, Some(bytes)) => (
                PolicyFailureKind::Memory,
                format!(
                    "`{call}` wanted {bytes} bytes of memory and tables, more than the {} it may have; allow it more with \
                     `memory = \"{}MiB\"` in its [[policy]]",
                    self.limits.memory_bytes,
                    ample(bytes)
                ),
            ),
            (Some(trap), None) => (
                PolicyFailureKind::Trap,
                format!("`{call}` ended in a {trap}{}", frames::called(error)),
            ),
            (None, None) => (PolicyFailureKind::Invalid, self.unreadable(call, error)),
        };
        PolicyFailure {
            kind,
            message: self.printed.behind(message).into(),
        }
    }

    /// What is wrong with what a call returned, or handed to a function of the host on its way.
    fn unreadable(&self, call: &str, error: &wasmtime::Error) -> String {
        let why = error.root_cause().to_string();
        let frames = frames::called(error);
        if why.contains(HANDED_TOO_MUCH) {
            let most = handed_at_most(self.limits);
            return format!(
                "`{call}` handed the engine more than {most} bytes at once{frames}; return fewer or shorter texts and lists"
            );
        }
        if frames.is_empty() {
            return format!("`{call}` returned what cannot be read: {error:#}");
        }
        format!("`{call}` printed what cannot be read: {why}{frames}")
    }
}

/// A memory cap with room for what was wanted and as much again, in MiB.
fn ample(bytes: usize) -> usize {
    const MIB: usize = 1024 * 1024;
    bytes.saturating_mul(2).div_ceil(MIB).next_power_of_two()
}

impl ResourceLimiter for Guard {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(is_within(desired, maximum) && self.grows(current, desired))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = |entries: usize| entries.saturating_mul(TABLE_ENTRY);
        let is_possible = desired <= TABLE_LIMIT && is_within(desired, maximum);
        Ok(is_possible && self.grows(bytes(current), bytes(desired)))
    }
}

/// Whether it is within what the module itself declares: what is not fails anyway, and must not count.
fn is_within(desired: usize, maximum: Option<usize>) -> bool {
    maximum.is_none_or(|maximum| desired <= maximum)
}

/// The processor time this thread has used. It tells nothing about the world outside a call.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn guard() -> Guard {
        let limits = PolicyLimits {
            deadline: Duration::from_millis(5),
            memory_bytes: 1000,
        };
        Guard::new(limits, Interrupt::default())
    }

    fn goes_on(guard: &mut Guard) -> bool {
        matches!(guard.epoch_tick(), UpdateDeadline::Continue(_))
    }

    #[test]
    fn a_call_that_had_to_wait_for_the_processor_goes_on() {
        let mut guard = guard();
        assert!(goes_on(&mut guard));
        std::thread::sleep(Duration::from_millis(50));
        assert!(goes_on(&mut guard));
    }

    #[test]
    fn a_call_that_nobody_waits_for_any_more_ends_at_once() {
        let mut guard = guard();
        assert!(goes_on(&mut guard));
        guard.interrupt.raise();
        assert!(!goes_on(&mut guard));
        let told = guard.classify("decide", &Trap::Interrupt.into());
        assert_eq!(told.kind, PolicyFailureKind::Error, "it missed no deadline");
    }

    #[test]
    fn memories_and_tables_have_one_sum() {
        let mut guard = guard();
        assert!(guard.memory_growing(0, 600, None).unwrap());
        assert!(guard.table_growing(0, 40, None).unwrap(), "320 bytes");
        assert!(!guard.memory_growing(0, 100, None).unwrap(), "of another memory");
        assert_eq!(guard.denied, Some(1020));
        assert!(guard.memory_growing(600, 680, None).unwrap(), "up to the last byte");
        assert!(!guard.table_growing(40, 41, None).unwrap());
    }

    #[test]
    fn what_a_module_forbids_itself_does_not_count() {
        let mut guard = guard();
        for _ in 0..3 {
            assert!(!guard.memory_growing(0, 900, Some(800)).unwrap());
        }
        assert!(guard.memory_growing(0, 800, Some(800)).unwrap());
        assert_eq!((guard.held, guard.denied), (800, None));
    }

    #[test]
    fn a_call_that_used_the_processor_for_too_long_ends() {
        let mut guard = guard();
        assert!(goes_on(&mut guard));
        let began = Instant::now();
        while goes_on(&mut guard) {
            assert!(began.elapsed() < Duration::from_secs(60), "it was never ended");
        }
    }
}
