//! When each target's Flink is polled.
//!
//! *While it answers*, at the interval its policy asks for, each at a place of its own in that interval ([`slots`]).
//! *While it does not*, after growing pauses with full jitter, so that a thousand silent Flinks cost little. But pauses alone
//! would show healing up to `retry_max` late. Therefore each cluster has one *canary*: of its failing targets, one in turn is
//! polled at the poll's own interval, and the first that answers ends the pauses of all, each at its place in the next
//! interval, so that they are no herd. Healing shows within two polls, at the cost of one request an interval and cluster.
//!
//! `Retry-After` binds the canary too, up to a cap: a server that asks for a day must not blind us for one.
//! What was weighed: a shorter `retry_max` (the cost grows with the fleet, just when it is ill), and a probe of the API server
//! instead of a Flink (it says nothing of the way to Flink, which is what failed).
//!
//! A poll in flight is not scheduled: its answer schedules the next, and the fetcher's deadline sees to it that one comes. There are
//! two bounds on what begins, and what they hold back stays due: how much is in flight, by [`Lane`], since a Flink that fails takes all of its time
//! (the bulkhead pattern); and how much begins in a while ([`pacer`]). Nothing waits in a queue behind this one, where it would be
//! neither asked nor due.

mod pacer;
mod slots;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use rand::rngs::StdRng;
use steadfast_core::backoff::{Backoff, RETRY_AFTER_CAP};
use steadfast_core::evidence::Fault;
use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::schedule::Schedule;
use steadfast_core::state::Attention;
use steadfast_core::time::Timestamp;

use pacer::Pacer;
use slots::Slot;

/// So many targets are first polled at once; those of a larger fleet at their places.
const FIRST_AT_ONCE: usize = 64;
/// Polls in flight at once to Flinks that answer.
const ANSWERING_LIMIT: usize = 2048;
/// And to those that do not: they take all of their time, and must not hold up the others.
const FAILING_LIMIT: usize = 128;

#[derive(Debug)]
pub(super) struct PollScheduler {
    /// `timing.poll`.
    poll: Duration,
    backoff: Backoff,
    rng: StdRng,
    due: Schedule<TargetId>,
    targets: BTreeMap<TargetId, Polled>,
    canaries: BTreeMap<ClusterName, Canary>,
    in_flight: InFlight,
    pacer: Pacer,
}

/// The shares of the polls in flight: targets that fail must not hold up those that answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// The last poll was answered, there was none, or one is expected to be answered again.
    Answering,
    /// The last poll gave no answer.
    Failing,
}

/// How many polls are in flight.
#[derive(Debug, Default)]
struct InFlight {
    answering: usize,
    failing: usize,
}

impl InFlight {
    fn of(&mut self, lane: Lane) -> (&mut usize, usize) {
        match lane {
            Lane::Answering => (&mut self.answering, ANSWERING_LIMIT),
            Lane::Failing => (&mut self.failing, FAILING_LIMIT),
        }
    }

    fn has_room(&mut self, lane: Lane) -> bool {
        let (count, limit) = self.of(lane);
        *count < limit
    }

    fn begins(&mut self, lane: Lane) {
        *self.of(lane).0 += 1;
    }

    /// A poll ended, or nobody waits for it any more.
    fn ends(&mut self, last: LastPoll) {
        if let LastPoll::InFlight(_, lane) = last {
            let count = self.of(lane).0;
            *count = count.saturating_sub(1);
        }
    }
}

/// How the polls of one target stand.
#[derive(Debug)]
struct Polled {
    last: LastPoll,
    slot: Slot,
    /// How many in a row gave no answer.
    failures: u32,
    /// Another target of its cluster answers again since it failed: it is expected to, too.
    is_released: bool,
    /// Nothing is asked before this moment (`Retry-After`).
    not_before: Option<Timestamp>,
    /// The interval its job's policy asked for.
    interval: Duration,
    attention: Attention,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastPoll {
    /// None has begun yet.
    None,
    /// One is in flight, begun then.
    InFlight(Timestamp, Lane),
    /// The last one began then, and has ended.
    Ended(Timestamp),
}

/// A cluster's canary.
#[derive(Debug)]
struct Canary {
    failing: BTreeSet<TargetId>,
    /// Which of them was polled last.
    last: Option<TargetId>,
    /// When the next may be.
    due: Timestamp,
    /// When the pauses of all were last ended.
    released_at: Option<Timestamp>,
}

/// How the polls of a target stand, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PollStatus {
    /// When the poll in flight began.
    pub(super) in_flight_since: Option<Timestamp>,
    /// When the next one begins; `None` while one is in flight, or the watch sleeps.
    pub(super) next: Option<Timestamp>,
    /// How many in a row gave no answer.
    pub(super) failures: u32,
}

impl PollScheduler {
    pub(super) fn new(poll: Duration, backoff: Backoff, rng: StdRng) -> Self {
        Self {
            poll,
            backoff,
            rng,
            due: Schedule::default(),
            targets: BTreeMap::new(),
            canaries: BTreeMap::new(),
            in_flight: InFlight::default(),
            pacer: Pacer::default(),
        }
    }

    /// Polls a target from now on.
    pub(super) fn add(&mut self, id: TargetId, now: Timestamp) {
        let slot = Slot::of(&id);
        let first = if self.targets.len() < FIRST_AT_ONCE {
            now
        } else {
            slot.next(now, self.poll)
        };
        self.due.set(id.clone(), first);
        let polled = Polled {
            last: LastPoll::None,
            slot,
            failures: 0,
            is_released: false,
            not_before: None,
            interval: self.poll,
            attention: Attention::Active,
        };
        if let Some(before) = self.targets.insert(id, polled) {
            self.in_flight.ends(before.last);
        }
    }

    pub(super) fn remove(&mut self, id: &TargetId) {
        if let Some(before) = self.targets.remove(id) {
            self.in_flight.ends(before.last);
        }
        self.due.remove(id);
        if let Some(canary) = self.canaries.get_mut(&id.cluster) {
            canary.failing.remove(id);
        }
    }

    /// Begins the polls that are due, as far as there is room for them.
    pub(super) fn begin_due(&mut self, now: Timestamp) -> Vec<TargetId> {
        self.release_canaries(now);
        self.pacer.fill(now, self.targets.len(), self.poll);
        let mut begun = Vec::new();
        while self.in_flight.has_room(Lane::Answering) && self.due.next().is_some_and(|due| due <= now) {
            if !self.pacer.take() {
                break;
            }
            let Some(id) = self.due.pop_due(now) else { break };
            if self.begin(&id, now) {
                begun.push(id);
            }
        }
        begun
    }

    /// When something is due next that there is room for.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let canaries = self.canaries.values().filter(|canary| !canary.failing.is_empty());
        let canaries = canaries.map(|canary| canary.due);
        // Without room an answer comes first, and brings the next turn.
        let has_room = self.in_flight.answering < ANSWERING_LIMIT;
        let due = self.due.next().filter(|_| has_room);
        let due = due.map(|due| due.max(self.pacer.next(self.targets.len(), self.poll)));
        due.into_iter().chain(canaries).min()
    }

    /// Begins a poll, unless one is in flight. One that there is no room for waits for as long again as it has. Says whether it
    /// began.
    fn begin(&mut self, id: &TargetId, now: Timestamp) -> bool {
        let Some(polled) = self.targets.get_mut(id).filter(|polled| !polled.is_in_flight()) else {
            return false;
        };
        let lane = polled.lane();
        if !self.in_flight.has_room(lane) {
            let pause = self.backoff.delay(polled.failures, None, &mut self.rng);
            self.due.set(id.clone(), now.after(pause));
            return false;
        }
        self.in_flight.begins(lane);
        polled.last = LastPoll::InFlight(now, lane);
        if polled.failures > 0
            && let Some(canary) = self.canaries.get_mut(&id.cluster)
        {
            // Whichever failing target is polled, for whatever reason, is this interval's canary.
            canary.last = Some(id.clone());
            canary.due = now.after(self.poll);
        }
        true
    }

    /// A poll that began at `asked` was answered.
    pub(super) fn answered(&mut self, id: &TargetId, asked: Timestamp, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        let has_recovered = polled.failures > 0;
        self.in_flight.ends(polled.last);
        polled.last = LastPoll::Ended(asked);
        polled.failures = 0;
        polled.is_released = false;
        polled.not_before = None;
        if has_recovered {
            self.end_pauses(id, now);
        }
        self.schedule(id, now);
    }

    /// A poll that began at `asked` gave no answer: the next one waits, longer each time.
    pub(super) fn failed(&mut self, id: &TargetId, asked: Timestamp, fault: &Fault, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        self.in_flight.ends(polled.last);
        polled.last = LastPoll::Ended(asked);
        polled.failures = polled.failures.saturating_add(1);
        polled.is_released = false;
        polled.not_before = fault.retry_after.map(|wait| now.after(wait.min(RETRY_AFTER_CAP)));
        let pause = self.backoff.delay(polled.failures, fault.retry_after, &mut self.rng);
        match polled.attention {
            Attention::Active => {
                // An ended job is not polled more often because nobody answers for it any more.
                let slow = if polled.interval > self.poll {
                    asked.after(polled.interval)
                } else {
                    now
                };
                self.due.set(id.clone(), now.after(pause).max(slow));
            }
            // What woke it was asked about; the next update wakes it again.
            Attention::Sleeping => self.due.remove(id),
        }
        let canary = self.canaries.entry(id.cluster.clone()).or_insert_with(|| Canary {
            failing: BTreeSet::new(),
            last: Some(id.clone()),
            due: asked.after(self.poll),
            released_at: None,
        });
        canary.failing.insert(id.clone());
        if canary.released_at.is_some_and(|at| asked < at) {
            // It was in flight when the pauses of all were ended.
            self.release(id, now);
        }
    }

    /// A target that waits need not wait longer than to its place in the next interval, unless it was asked to.
    fn release(&mut self, id: &TargetId, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        if polled.waits_for_recovery(self.poll) {
            polled.is_released = true;
            let at = polled.slot.next(now, self.poll);
            let at = polled.not_before.map_or(at, |wait| wait.max(at));
            self.due.bring_forward(id.clone(), at);
        }
    }

    /// Something is new about the target: it is polled at once, unless it just was, or asked us to wait. This wakes a
    /// sleeping watch for one poll; what that brings is for the policy to judge.
    pub(super) fn poll_soon(&mut self, id: &TargetId, now: Timestamp) {
        let Some(polled) = self.targets.get(id) else { return };
        let soonest = match polled.last {
            LastPoll::InFlight(..) => return,
            LastPoll::None => now,
            LastPoll::Ended(began) => began.after(self.poll / 20).max(now),
        };
        let soonest = polled.not_before.map_or(soonest, |wait| wait.max(soonest));
        self.due.bring_forward(id.clone(), soonest);
    }

    /// A target is polled at that moment at the latest, unless it asked us to wait longer.
    pub(super) fn poll_by(&mut self, id: &TargetId, at: Timestamp) {
        if let Some(polled) = self.targets.get(id) {
            let at = polled.not_before.map_or(at, |wait| wait.max(at));
            self.due.bring_forward(id.clone(), at);
        }
    }

    /// Takes over the interval and the attention that a policy asks for.
    pub(super) fn set_interval(&mut self, id: &TargetId, interval: Duration, attention: Attention, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        if (polled.interval, polled.attention) == (interval, attention) {
            // Setting the same date anew with each decision would push it ahead for ever.
            return;
        }
        (polled.interval, polled.attention) = (interval, attention);
        match (attention, polled.failures) {
            (Attention::Sleeping, _) => self.due.remove(id),
            (Attention::Active, 0) => self.schedule(id, now),
            (Attention::Active, _) => {
                let at = now.after(interval.min(self.backoff.max));
                self.due.bring_forward(id.clone(), at);
            }
        }
    }

    pub(super) fn status(&self, id: &TargetId) -> PollStatus {
        let polled = self.targets.get(id);
        PollStatus {
            in_flight_since: polled.and_then(|polled| match polled.last {
                LastPoll::InFlight(since, _) => Some(since),
                LastPoll::None | LastPoll::Ended(_) => None,
            }),
            next: self.due.get(id),
            failures: polled.map_or(0, |polled| polled.failures),
        }
    }

    /// Sets the next poll of a target that answers (or was never polled) by its interval.
    fn schedule(&mut self, id: &TargetId, now: Timestamp) {
        let Some(polled) = self.targets.get(id) else { return };
        match (polled.attention, polled.last) {
            (Attention::Sleeping, _) => self.due.remove(id),
            (Attention::Active, LastPoll::InFlight(..)) => {}
            (Attention::Active, LastPoll::None) => self.due.bring_forward(id.clone(), now),
            (Attention::Active, LastPoll::Ended(began)) => {
                let next = polled.slot.follows(began, polled.interval);
                self.due.set(id.clone(), next.max(now));
            }
        }
    }

    /// One target answers again: the others of its cluster that wait need not wait longer, each until its place in the next interval.
    /// Those of them that answer next end no pauses again: all have been.
    fn end_pauses(&mut self, id: &TargetId, now: Timestamp) {
        let Some(canary) = self.canaries.get_mut(&id.cluster) else {
            return;
        };
        canary.failing.remove(id);
        if canary.failing.is_empty() {
            self.canaries.remove(&id.cluster);
        } else if canary.released_at.is_none_or(|at| at.after(self.poll) <= now) {
            canary.released_at = Some(now);
            for other in canary.failing.clone() {
                self.release(&other, now);
            }
        }
    }

    /// Lets one failing target of each cluster be polled at the poll's interval, in turn.
    fn release_canaries(&mut self, now: Timestamp) {
        for canary in self.canaries.values_mut().filter(|canary| canary.due <= now) {
            canary.due = now.after(self.poll);
            let behind = canary.last.iter().flat_map(|last| {
                let behind = (Bound::Excluded(last), Bound::Unbounded);
                canary.failing.range::<TargetId, _>(behind)
            });
            let next = behind.chain(canary.failing.iter()).find(|id| {
                self.targets.get(*id).is_some_and(|polled| {
                    polled.waits_for_recovery(self.poll) && polled.not_before.is_none_or(|wait| wait <= now)
                })
            });
            if let Some(next) = next.cloned() {
                self.due.bring_forward(next.clone(), now);
                canary.last = Some(next);
            }
        }
    }
}

impl Polled {
    fn is_in_flight(&self) -> bool {
        match self.last {
            LastPoll::InFlight(..) => true,
            LastPoll::None | LastPoll::Ended(_) => false,
        }
    }

    /// Which share of the polls in flight it takes.
    fn lane(&self) -> Lane {
        if self.failures == 0 || self.is_released {
            Lane::Answering
        } else {
            Lane::Failing
        }
    }

    /// Whether its Flink is failing, nobody is asking it now, and it is still expected to answer at the poll's interval.
    fn waits_for_recovery(&self, poll: Duration) -> bool {
        let is_idle = !self.is_in_flight();
        is_idle && self.failures > 0 && self.attention == Attention::Active && self.interval <= poll
    }
}

#[cfg(test)]
mod tests;
