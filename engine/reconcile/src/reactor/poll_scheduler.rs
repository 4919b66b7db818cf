//! When each target's Flink is polled.
//!
//! *While it answers*, at the interval its policy asks for, from the beginning of one poll to the beginning of the next.
//! *While it does not*, after growing pauses with full jitter, so that a thousand silent Flinks cost little. But pauses alone
//! would show healing up to `retry_max` late. Therefore each cluster has one *canary*: of its failing targets, one in turn is
//! polled at the poll's own interval, and the first that answers ends the pauses of all, spread over one interval so that
//! they are no herd. Healing shows within two polls, at the cost of one request an interval and cluster.
//!
//! `Retry-After` binds the canary too, up to a cap: a server that asks for a day must not blind us for one.
//! What was weighed: a shorter `retry_max` (the cost grows with the fleet, just when it is ill), and a probe of the API server
//! instead of a Flink (it says nothing of the way to Flink, which is what failed).
//!
//! A poll in flight is not scheduled: its answer schedules the next, and the fetcher's deadline sees to it that one comes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use rand::rngs::StdRng;
use steadfast_core::backoff::{Backoff, RETRY_AFTER_CAP, spread};
use steadfast_core::evidence::Fault;
use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::schedule::Schedule;
use steadfast_core::state::Attention;
use steadfast_core::time::Timestamp;

use crate::fetch::Lane;

/// Targets added at the start are first polled this far apart, so that a large fleet does not come all at once.
const FIRST_POLL_GAP: Duration = Duration::from_micros(250);

#[derive(Debug)]
pub(super) struct PollScheduler {
    /// `timing.poll`.
    poll: Duration,
    backoff: Backoff,
    rng: StdRng,
    due: Schedule<TargetId>,
    targets: BTreeMap<TargetId, Polled>,
    canaries: BTreeMap<ClusterName, Canary>,
}

/// How the polls of one target stand.
#[derive(Debug)]
struct Polled {
    last: LastPoll,
    /// How many in a row gave no answer.
    failures: u32,
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
    InFlight(Timestamp),
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
        }
    }

    /// Polls a target from now on.
    pub(super) fn add(&mut self, id: TargetId, now: Timestamp) {
        let before = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        let first = now.after(FIRST_POLL_GAP.saturating_mul(before).min(self.poll));
        self.due.set(id.clone(), first);
        let polled = Polled {
            last: LastPoll::None,
            failures: 0,
            not_before: None,
            interval: self.poll,
            attention: Attention::Active,
        };
        self.targets.insert(id, polled);
    }

    pub(super) fn remove(&mut self, id: &TargetId) {
        self.targets.remove(id);
        self.due.remove(id);
        if let Some(canary) = self.canaries.get_mut(&id.cluster) {
            canary.failing.remove(id);
        }
    }

    /// Begins the polls that are due.
    pub(super) fn begin_due(&mut self, now: Timestamp) -> Vec<(TargetId, Lane)> {
        self.release_canaries(now);
        let mut begun = Vec::new();
        while let Some(id) = self.due.pop_due(now) {
            begun.extend(self.begin(&id, now).map(|lane| (id, lane)));
        }
        begun
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let canaries = self.canaries.values().filter(|canary| !canary.failing.is_empty());
        self.due
            .next()
            .into_iter()
            .chain(canaries.map(|canary| canary.due))
            .min()
    }

    /// Begins a poll, unless one is in flight.
    fn begin(&mut self, id: &TargetId, now: Timestamp) -> Option<Lane> {
        let polled = self.targets.get_mut(id)?;
        if matches!(polled.last, LastPoll::InFlight(_)) {
            return None;
        }
        polled.last = LastPoll::InFlight(now);
        if polled.failures == 0 {
            return Some(Lane::Answering);
        }
        // Whichever failing target is polled, for whatever reason, is this interval's canary.
        if let Some(canary) = self.canaries.get_mut(&id.cluster) {
            canary.last = Some(id.clone());
            canary.due = now.after(self.poll);
        }
        Some(Lane::Failing)
    }

    /// A poll that began at `asked` was answered.
    pub(super) fn answered(&mut self, id: &TargetId, asked: Timestamp, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        let has_recovered = polled.failures > 0;
        polled.last = LastPoll::Ended(asked);
        polled.failures = 0;
        polled.not_before = None;
        if has_recovered {
            self.end_pauses(id, now);
        }
        self.schedule(id, now);
    }

    /// A poll that began at `asked` gave no answer: the next one waits, longer each time.
    pub(super) fn failed(&mut self, id: &TargetId, asked: Timestamp, fault: &Fault, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        polled.last = LastPoll::Ended(asked);
        polled.failures = polled.failures.saturating_add(1);
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
        });
        canary.failing.insert(id.clone());
    }

    /// Something is new about the target: it is polled at once, unless it just was, or asked us to wait. This wakes a
    /// sleeping watch for one poll; what that brings is for the policy to judge.
    pub(super) fn poll_soon(&mut self, id: &TargetId, now: Timestamp) {
        let Some(polled) = self.targets.get(id) else { return };
        let soonest = match polled.last {
            LastPoll::InFlight(_) => return,
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
                LastPoll::InFlight(since) => Some(since),
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
            (Attention::Active, LastPoll::InFlight(_)) => {}
            (Attention::Active, LastPoll::None) => self.due.bring_forward(id.clone(), now),
            (Attention::Active, LastPoll::Ended(began)) => {
                self.due.set(id.clone(), began.after(polled.interval).max(now));
            }
        }
    }

    /// One target answers again: the others of its cluster that wait need not wait longer, spread over one interval.
    fn end_pauses(&mut self, id: &TargetId, now: Timestamp) {
        let Some(canary) = self.canaries.get_mut(&id.cluster) else {
            return;
        };
        canary.failing.remove(id);
        for other in canary.failing.iter() {
            let Some(polled) = self.targets.get(other) else {
                continue;
            };
            if polled.waits_for_recovery(self.poll) {
                let at = now.after(spread(self.poll, &mut self.rng));
                let at = polled.not_before.map_or(at, |wait| wait.max(at));
                self.due.bring_forward(other.clone(), at);
            }
        }
        if canary.failing.is_empty() {
            self.canaries.remove(&id.cluster);
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
    /// Whether its Flink is failing, nobody is asking it now, and it is still expected to answer at the poll's interval.
    fn waits_for_recovery(&self, poll: Duration) -> bool {
        let is_idle = match self.last {
            LastPoll::InFlight(_) => false,
            LastPoll::None | LastPoll::Ended(_) => true,
        };
        is_idle && self.failures > 0 && self.attention == Attention::Active && self.interval <= poll
    }
}

#[cfg(test)]
mod tests;
