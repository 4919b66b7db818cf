//! The work queue: jobs to judge now, and those to judge later whatever comes in.
//!
//! A job stands in it at most once on each side. Evidence enqueues; a deadline (the policy's `validate-after`, a backoff, the
//! end of a wait) requeues. What a job is judged on is read when its turn comes, so that two pieces of evidence in between
//! cost one decision.
//!
//! Those to judge now stand in a line for each policy, first come, first served, so that a policy that takes its time holds
//! up its own jobs alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::schedule::Schedule;
use steadfast_core::time::Timestamp;

use super::Reactor;

impl Reactor {
    /// How many jobs wait to be judged.
    pub fn waiting(&self) -> usize {
        let lines: usize = self.queue.lines.values().map(|line| line.jobs.len()).sum();
        lines + self.queue.ready.len()
    }
}

#[derive(Debug, Default)]
pub(super) struct WorkQueue {
    /// Not yet in a line.
    ready: BTreeSet<JobKey>,
    lines: BTreeMap<PolicyName, Line>,
    /// When those who stand in a line have waited too long.
    overdue: Schedule<JobKey>,
    later: Schedule<JobKey>,
}

/// The jobs that wait for one policy.
#[derive(Debug, Default)]
struct Line {
    places: BTreeMap<i64, JobKey>,
    jobs: BTreeMap<JobKey, i64>,
}

impl Line {
    fn stand_at(&mut self, place: i64, key: JobKey) {
        self.jobs.insert(key.clone(), place);
        self.places.insert(place, key);
    }

    fn join(&mut self, key: JobKey) {
        if !self.jobs.contains_key(&key) {
            let last = self.places.last_key_value().map_or(0, |(place, _)| *place);
            self.stand_at(last.saturating_add(1), key);
        }
    }

    fn go_first(&mut self, key: JobKey) {
        self.leave(&key);
        let first = self.places.first_key_value().map_or(0, |(place, _)| *place);
        self.stand_at(first.saturating_sub(1), key);
    }

    fn leave(&mut self, key: &JobKey) {
        if let Some(place) = self.jobs.remove(key) {
            self.places.remove(&place);
        }
    }

    fn pop(&mut self) -> Option<JobKey> {
        let (_, key) = self.places.pop_first()?;
        self.jobs.remove(&key);
        Some(key)
    }
}

impl WorkQueue {
    /// To be judged with the next turn.
    pub(super) fn enqueue(&mut self, key: JobKey) {
        self.ready.insert(key);
    }

    /// To be judged at that time, or sooner if it was to be.
    pub(super) fn requeue_by(&mut self, key: JobKey, at: Timestamp) {
        self.later.bring_forward(key, at);
    }

    /// To be judged at that time, whatever was planned before.
    pub(super) fn requeue_at(&mut self, key: JobKey, at: Timestamp) {
        self.later.set(key, at);
    }

    /// Lets those whose turn it is stand in the line of their policy; those who have none any more go. They are overdue once
    /// they have stood in it for `patience`.
    pub(super) fn line_up(
        &mut self,
        now: Timestamp,
        patience: Duration,
        policy: impl Fn(&JobKey) -> Option<PolicyName>,
    ) {
        while let Some(key) = self.later.pop_due(now) {
            self.ready.insert(key);
        }
        for key in std::mem::take(&mut self.ready) {
            if let Some(policy) = policy(&key) {
                self.overdue.bring_forward(key.clone(), now.after(patience));
                self.lines.entry(policy).or_default().join(key);
            }
        }
    }

    /// The policies that somebody waits for.
    pub(super) fn policies(&self) -> impl Iterator<Item = &PolicyName> {
        let lines = self.lines.iter().filter(|(_, line)| !line.places.is_empty());
        lines.map(|(policy, _)| policy)
    }

    /// How many wait for that policy.
    pub(super) fn waiting(&self, policy: &PolicyName) -> usize {
        self.lines.get(policy).map_or(0, |line| line.places.len())
    }

    /// Takes out the first up to `limit` who wait for that policy.
    pub(super) fn take(&mut self, policy: &PolicyName, limit: usize) -> Vec<JobKey> {
        let Some(line) = self.lines.get_mut(policy) else {
            return Vec::new();
        };
        let taken: Vec<JobKey> = std::iter::from_fn(|| line.pop()).take(limit).collect();
        if line.places.is_empty() {
            self.lines.remove(policy);
        }
        taken
    }

    /// Nobody came to these, who were taken out: they stand before all others, in their order.
    pub(super) fn put_back(&mut self, policy: &PolicyName, keys: Vec<JobKey>, overdue_at: Timestamp) {
        for key in keys.into_iter().rev() {
            self.overdue.bring_forward(key.clone(), overdue_at);
            self.lines.entry(policy.clone()).or_default().go_first(key);
        }
    }

    /// A job was judged.
    pub(super) fn served(&mut self, key: &JobKey) {
        self.overdue.remove(key);
    }

    /// Those who have waited too long, each once.
    pub(super) fn take_overdue(&mut self, now: Timestamp) -> Vec<JobKey> {
        let overdue: Vec<JobKey> = std::iter::from_fn(|| self.overdue.pop_due(now)).collect();
        let stands = |key: &JobKey| self.lines.values().any(|line| line.jobs.contains_key(key));
        overdue.into_iter().filter(stands).collect()
    }

    /// Whether a job is to be judged with one of the next turns, since something came in.
    pub(super) fn is_waiting(&self, key: &JobKey) -> bool {
        self.ready.contains(key) || self.lines.values().any(|line| line.jobs.contains_key(key))
    }

    /// Other policies decide: whoever stands in a line looks for a new one.
    pub(super) fn mix(&mut self) {
        for line in std::mem::take(&mut self.lines).into_values() {
            self.ready.extend(line.jobs.into_keys());
        }
    }

    pub(super) fn remove(&mut self, key: &JobKey) {
        self.ready.remove(key);
        self.lines.values_mut().for_each(|line| line.leave(key));
        self.overdue.remove(key);
        self.later.remove(key);
    }

    /// When a job is judged whatever comes in.
    pub(super) fn planned(&self, key: &JobKey) -> Option<Timestamp> {
        self.later.get(key)
    }

    /// Whether some have not found their line yet.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        [self.later.next(), self.overdue.next()].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
