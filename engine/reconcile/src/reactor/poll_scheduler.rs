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
//! two bounds on what begins, and what they hold back stays due: how much is in flight ([`lanes`]), and how much begins in a while
//! ([`pacer`]). Nothing waits in a queue behind these, where it would be neither asked nor due.
//!
//! *While what it answered waits to be judged*, its next poll is left out, one at a time: when thirty thousand jobs wait for the
//! processor, asking them again makes them wait longer, and a decision that a newer answer overtakes is thrown away.

mod canaries;
mod lanes;
mod pacer;
mod slots;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use steadfast_core::backoff::{Backoff, RETRY_AFTER_CAP};
use steadfast_core::evidence::Fault;
use steadfast_core::id::TargetId;
use steadfast_core::state::Attention;
use steadfast_core::time::Timestamp;

use canaries::Canaries;
use lanes::{Lane, Lanes, Waiting};
use pacer::{Demand, Pacer};
use slots::Slot;

/// So many targets are first polled at once; those of a larger fleet at their places.
const FIRST_AT_ONCE: usize = 64;

#[derive(Debug)]
pub(super) struct PollScheduler {
    /// `timing.poll`.
    poll: Duration,
    backoff: Backoff,
    rng: StdRng,
    lanes: Lanes,
    targets: BTreeMap<TargetId, Polled>,
    canaries: Canaries,
    demand: Demand,
    pacer: Pacer,
}

/// How the polls of one target stand.
#[derive(Debug)]
struct Polled {
    last: LastPoll,
    slot: Slot,
    /// How many in a row gave no answer.
    failures: u32,
    /// Something speaks for an answer since it failed: another target of its cluster answers again, it is its cluster's canary, or
    /// there is news of it.
    is_expected: bool,
    /// Nothing has been made yet of what it last answered.
    is_unjudged: bool,
    /// When there last was news of it while a poll was in flight, whose answer is older.
    news_at: Option<Timestamp>,
    /// Nothing is asked before this moment (`Retry-After`).
    not_before: Option<Timestamp>,
    /// The interval its job's policy asked for.
    interval: Duration,
    attention: Attention,
    /// For the next poll; `None` while one is in flight, or the watch sleeps.
    waits: Option<Waiting>,
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
            lanes: Lanes::default(),
            targets: BTreeMap::new(),
            canaries: Canaries::default(),
            demand: Demand::default(),
            pacer: Pacer::default(),
        }
    }

    /// Polls a target from now on.
    pub(super) fn add(&mut self, id: TargetId, now: Timestamp) {
        self.remove(&id);
        let slot = Slot::of(&id);
        let first = if self.targets.len() < FIRST_AT_ONCE {
            now
        } else {
            slot.next(now, self.poll)
        };
        let polled = Polled {
            last: LastPoll::None,
            slot,
            failures: 0,
            is_expected: false,
            is_unjudged: false,
            news_at: None,
            not_before: None,
            interval: self.poll,
            attention: Attention::Active,
            waits: None,
        };
        self.demand.add(polled.interval);
        self.targets.insert(id.clone(), polled);
        self.set(&id, first);
    }

    pub(super) fn remove(&mut self, id: &TargetId) {
        self.canaries.remove(id);
        let Some(polled) = self.targets.remove(id) else { return };
        if let Some(waiting) = polled.waits {
            self.lanes.leave(id, waiting);
        }
        if let LastPoll::InFlight(_, lane) = polled.last {
            self.lanes.end(&id.cluster, lane);
        }
        if polled.attention == Attention::Active {
            self.demand.remove(polled.interval);
        }
    }

    /// Begins the polls that are due, as far as there is room for them.
    pub(super) fn begin_due(&mut self, now: Timestamp) -> Vec<TargetId> {
        self.release_canaries(now);
        self.pacer.fill(now, &self.demand);
        let mut begun = Vec::new();
        while self.pacer.allows() {
            let Some((id, lane)) = self.lanes.begin(now) else { break };
            if let Some(later) = self.left_out_until(&id, now) {
                self.lanes.end(&id.cluster, lane);
                self.set(&id, later);
                continue;
            }
            self.pacer.take();
            self.begin(&id, lane, now);
            begun.push(id);
        }
        begun
    }

    /// When something is due next that there is room for.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let due = self.lanes.next();
        let due = due.map(|due| due.max(self.pacer.next(&self.demand)));
        due.into_iter().chain(self.canaries.due()).min()
    }

    /// When the poll is that comes instead of one that is left out now; `None` where it is not.
    fn left_out_until(&self, id: &TargetId, now: Timestamp) -> Option<Timestamp> {
        let polled = self.targets.get(id)?;
        let LastPoll::Ended(began) = polled.last else {
            return None;
        };
        let is_regular = polled.failures == 0 && !polled.is_expected;
        let is_too_soon = polled.is_unjudged && now.since(began) < polled.interval * 2;
        (is_regular && is_too_soon).then(|| polled.slot.next(now, polled.interval))
    }

    fn begin(&mut self, id: &TargetId, lane: Lane, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        polled.waits = None;
        let is_canary = polled.waits_for_recovery(self.poll);
        polled.last = LastPoll::InFlight(now, lane);
        // Whichever of those that may recover is polled is this interval's canary; one at `terminal_poll` is none.
        if is_canary {
            self.canaries.begin(id, now, self.poll);
        }
    }

    /// Its next poll is due then, instead of when it was, unless one is in flight: its answer says when the next is.
    fn set(&mut self, id: &TargetId, at: Timestamp) {
        let Some(polled) = self.targets.get_mut(id).filter(|polled| !polled.is_in_flight()) else {
            return;
        };
        let waiting = Waiting {
            lane: polled.lane(),
            failures: polled.failures,
            at,
        };
        if let Some(before) = polled.waits.replace(waiting) {
            self.lanes.leave(id, before);
        }
        self.lanes.wait(id.clone(), waiting);
    }

    /// The same at that moment at the latest.
    fn bring_forward(&mut self, id: &TargetId, at: Timestamp) {
        let Some(polled) = self.targets.get(id) else { return };
        match polled.waits {
            Some(waits) if waits.at <= at && waits.lane == polled.lane() => {}
            Some(waits) => self.set(id, at.min(waits.at)),
            None => self.set(id, at),
        }
    }

    /// No next poll is due.
    fn unset(&mut self, id: &TargetId) {
        let waits = self.targets.get_mut(id).and_then(|polled| polled.waits.take());
        if let Some(waiting) = waits {
            self.lanes.leave(id, waiting);
        }
    }

    /// The poll in flight has ended; its target, unless it is gone.
    fn ended(&mut self, id: &TargetId, asked: Timestamp) -> Option<&mut Polled> {
        let polled = self.targets.get_mut(id)?;
        if let LastPoll::InFlight(_, lane) = polled.last {
            self.lanes.end(&id.cluster, lane);
        }
        polled.last = LastPoll::Ended(asked);
        polled.is_expected = false;
        Some(polled)
    }

    /// A poll that began at `asked` was answered.
    pub(super) fn answered(&mut self, id: &TargetId, asked: Timestamp, now: Timestamp) {
        let Some(polled) = self.ended(id, asked) else { return };
        let has_recovered = polled.failures > 0;
        polled.failures = 0;
        polled.not_before = None;
        if has_recovered {
            self.end_pauses(id, now);
        }
        self.schedule(id, now);
        self.look_at_news(id, asked, now);
    }

    /// What it answered has changed what jobs are judged on: until [`judged`](Self::judged) its regular polls can be left out.
    pub(super) fn await_judgement(&mut self, id: &TargetId) {
        if let Some(polled) = self.targets.get_mut(id) {
            polled.is_unjudged = true;
        }
    }

    /// A job of it was judged, or waits for something else.
    pub(super) fn judged(&mut self, id: &TargetId) {
        if let Some(polled) = self.targets.get_mut(id) {
            polled.is_unjudged = false;
        }
    }

    /// A poll that began at `asked` gave no answer: the next one waits, longer each time.
    pub(super) fn failed(&mut self, id: &TargetId, asked: Timestamp, fault: &Fault, now: Timestamp) {
        let Some(polled) = self.ended(id, asked) else { return };
        polled.failures = polled.failures.saturating_add(1);
        polled.not_before = fault.retry_after.map(|wait| now.after(wait.min(RETRY_AFTER_CAP)));
        let (failures, interval, attention) = (polled.failures, polled.interval, polled.attention);
        let pause = self.backoff.delay(failures, fault.retry_after, &mut self.rng);
        match attention {
            Attention::Active => {
                // An ended job is not polled more often because nobody answers for it any more.
                let slow = if interval > self.poll {
                    asked.after(interval)
                } else {
                    now
                };
                self.set(id, now.after(pause).max(slow));
            }
            // What woke it was asked about; the next update wakes it again.
            Attention::Sleeping => self.unset(id),
        }
        if self.canaries.failed(id, asked, self.poll) {
            self.release(id, now);
        }
        self.look_at_news(id, asked, now);
    }

    /// A poll that began at `asked` ended: what came while it was in flight is looked at now.
    fn look_at_news(&mut self, id: &TargetId, asked: Timestamp, now: Timestamp) {
        let news = self.targets.get_mut(id).and_then(|polled| polled.news_at.take());
        if news.is_some_and(|at| at > asked) {
            self.poll_soon(id, now);
        }
    }

    /// A target that waits need not wait longer than to its place in the next interval, unless it was asked to.
    fn release(&mut self, id: &TargetId, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        if polled.waits_for_recovery(self.poll) {
            polled.is_expected = true;
            let at = polled.slot.next(now, self.poll);
            let at = polled.not_before.map_or(at, |wait| wait.max(at));
            self.bring_forward(id, at);
        }
    }

    /// Something is new about the target: it is polled at once, unless it just was, or asked us to wait. This wakes a
    /// sleeping watch for one poll; what that brings is for the policy to judge.
    pub(super) fn poll_soon(&mut self, id: &TargetId, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        let soonest = match polled.last {
            LastPoll::InFlight(..) => {
                polled.news_at = Some(now);
                return;
            }
            LastPoll::None => now,
            LastPoll::Ended(began) => began.after(self.poll / 20).max(now),
        };
        polled.is_expected = true;
        let soonest = polled.not_before.map_or(soonest, |wait| wait.max(soonest));
        self.bring_forward(id, soonest);
    }

    /// A target is polled at that moment at the latest, unless it asked us to wait longer.
    pub(super) fn poll_by(&mut self, id: &TargetId, at: Timestamp) {
        if let Some(polled) = self.targets.get(id) {
            let at = polled.not_before.map_or(at, |wait| wait.max(at));
            self.bring_forward(id, at);
        }
    }

    /// Takes over the interval and the attention that a policy asks for.
    pub(super) fn set_interval(&mut self, id: &TargetId, interval: Duration, attention: Attention, now: Timestamp) {
        let Some(polled) = self.targets.get_mut(id) else { return };
        if (polled.interval, polled.attention) == (interval, attention) {
            // Setting the same date anew with each decision would push it ahead for ever.
            return;
        }
        if polled.attention == Attention::Active {
            self.demand.remove(polled.interval);
        }
        if attention == Attention::Active {
            self.demand.add(interval);
        }
        (polled.interval, polled.attention) = (interval, attention);
        match (attention, polled.failures) {
            (Attention::Sleeping, _) => self.unset(id),
            (Attention::Active, 0) => self.schedule(id, now),
            (Attention::Active, _) => {
                let at = now.after(interval.min(self.backoff.max));
                let at = polled.not_before.map_or(at, |wait| wait.max(at));
                self.bring_forward(id, at);
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
            next: polled.and_then(|polled| polled.waits).map(|waits| waits.at),
            failures: polled.map_or(0, |polled| polled.failures),
        }
    }

    /// Sets the next poll of a target that answers (or was never polled) by its interval.
    fn schedule(&mut self, id: &TargetId, now: Timestamp) {
        let Some(polled) = self.targets.get(id) else { return };
        match (polled.attention, polled.last) {
            (Attention::Sleeping, _) => self.unset(id),
            (Attention::Active, LastPoll::InFlight(..)) => {}
            (Attention::Active, LastPoll::None) => self.bring_forward(id, now),
            (Attention::Active, LastPoll::Ended(began)) => {
                let next = polled.slot.follows(began, polled.interval);
                self.set(id, next.max(now));
            }
        }
    }

    /// One target answers again: the others of its cluster that wait need not wait longer, each until its place in the next interval.
    /// Those of them that answer next end no pauses again: all have been.
    fn end_pauses(&mut self, id: &TargetId, now: Timestamp) {
        for other in self.canaries.recovered(id, now, self.poll) {
            self.release(&other, now);
        }
    }

    /// Lets one failing target of each cluster be polled at the poll's interval, in turn.
    fn release_canaries(&mut self, now: Timestamp) {
        let targets = &self.targets;
        let chosen = self.canaries.choose(now, self.poll, |id| {
            targets.get(id).is_some_and(|polled| {
                polled.waits_for_recovery(self.poll) && polled.not_before.is_none_or(|wait| wait <= now)
            })
        });
        for id in chosen {
            if let Some(polled) = self.targets.get_mut(&id) {
                polled.is_expected = true;
            }
            self.bring_forward(&id, now);
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

    /// Which places its next poll takes.
    fn lane(&self) -> Lane {
        match (self.failures, self.is_expected) {
            (0, _) => Lane::Answering,
            (_, true) => Lane::Returning,
            (_, false) => Lane::Failing,
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
