//! The work queue: jobs to judge now, and those to judge later whatever comes in.
//!
//! A job stands in it at most once on each side. Evidence enqueues; a deadline (the policy's `validate-after`, a backoff, the
//! end of a wait) requeues. What a job is judged on is read when its turn comes, so that two pieces of evidence in between
//! cost one decision.

use std::collections::BTreeSet;

use steadfast_core::id::JobKey;
use steadfast_core::schedule::Schedule;
use steadfast_core::time::Timestamp;

#[derive(Debug, Default)]
pub(super) struct WorkQueue {
    ready: BTreeSet<JobKey>,
    later: Schedule<JobKey>,
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

    /// Takes out up to `limit` jobs whose turn it is.
    pub(super) fn take(&mut self, limit: usize, now: Timestamp) -> Vec<JobKey> {
        while let Some(key) = self.later.pop_due(now) {
            self.ready.insert(key);
        }
        let mut taken = Vec::new();
        while taken.len() < limit {
            let Some(key) = self.ready.pop_first() else { break };
            taken.push(key);
        }
        taken
    }

    pub(super) fn remove(&mut self, key: &JobKey) {
        self.ready.remove(key);
        self.later.remove(key);
    }

    /// When a job is judged whatever comes in.
    pub(super) fn planned(&self, key: &JobKey) -> Option<Timestamp> {
        self.later.get(key)
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.later.next()
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::id::TargetId;

    use super::*;

    fn key(name: &str) -> JobKey {
        JobKey::application(TargetId::standalone(name))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_job_is_judged_once_however_much_came_in() {
        let mut queue = WorkQueue::default();
        queue.enqueue(key("a"));
        queue.enqueue(key("a"));
        queue.requeue_by(key("a"), at(0));
        assert_eq!(queue.take(10, at(0)), [key("a")]);
        assert!(!queue.has_ready() && queue.next_due().is_none());
    }

    #[test]
    fn what_is_over_the_limit_stays_ready() {
        let mut queue = WorkQueue::default();
        ["c", "a", "b"].iter().for_each(|name| queue.enqueue(key(name)));
        assert_eq!(queue.take(2, at(0)), [key("a"), key("b")]);
        assert!(queue.has_ready());
        assert_eq!(queue.take(2, at(0)), [key("c")]);
    }

    #[test]
    fn a_deadline_is_brought_forward_and_only_set_back_on_purpose() {
        let mut queue = WorkQueue::default();
        queue.requeue_at(key("a"), at(60));
        queue.requeue_by(key("a"), at(90));
        assert_eq!(queue.planned(&key("a")), Some(at(60)));
        queue.requeue_by(key("a"), at(30));
        assert_eq!(queue.planned(&key("a")), Some(at(30)));
        queue.requeue_at(key("a"), at(90));
        assert!(queue.take(1, at(89)).is_empty());
        queue.remove(&key("a"));
        assert!(queue.take(1, at(90)).is_empty());
    }
}
