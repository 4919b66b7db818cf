//! When Flink is asked: at its pace while it answers, with growing pauses while it does not, and by one
//! canary a cluster at the poll's pace, whose success ends the pauses of all.

use std::time::Duration;

use steadfast_core::backoff::{RETRY_AFTER_CAP, spread};
use steadfast_core::evidence::Fault;
use steadfast_core::id::{FlinkJobId, JobKey, TargetId};
use steadfast_core::state::Attention;
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::looks::{Class, Endpoint, Look};
use crate::target::Poll;

/// Targets added at the start are first asked this far apart, so that a large fleet is no herd.
const FIRST_POLL_GAP: Duration = Duration::from_micros(250);

/// A cluster's canary: which failing target was asked last, and when the next may be.
#[derive(Debug)]
pub(super) struct Canary {
    failing: std::collections::BTreeSet<TargetId>,
    last: Option<TargetId>,
    due: Timestamp,
}

impl Reactor {
    pub(super) fn first_poll(&self, now: Timestamp) -> Timestamp {
        let place = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        now.after(FIRST_POLL_GAP.saturating_mul(place).min(self.timing.poll))
    }

    /// Begins a poll, unless one is under way.
    pub(super) fn begin_poll(&mut self, id: &TargetId, now: Timestamp) -> Option<Look> {
        let endpoint = self.endpoint(id)?;
        let target = self.targets.get_mut(id)?;
        if matches!(target.poll, Poll::UnderWay(_)) {
            return None;
        }
        target.poll = Poll::UnderWay(now);
        let class = if target.failures > 0 {
            Class::Failing
        } else {
            Class::Answering
        };
        if class == Class::Failing
            && let Some(canary) = self.canaries.get_mut(&id.cluster)
        {
            canary.last = Some(id.clone());
            canary.due = now.after(self.timing.poll);
        }
        Some(Look::Overview { endpoint, class })
    }

    /// Where a target's Flink is.
    pub(super) fn endpoint(&self, id: &TargetId) -> Option<Endpoint> {
        let target = self.targets.get(id)?;
        // Where a pod was last seen, Flink may still answer while Kubernetes does not. A pod that has ended keeps an
        // address in its status that may be another's by now.
        let last = target
            .place
            .as_ref()
            .and_then(|place| Some(self.board.kubernetes(&id.cluster)?.last_pods(place)));
        let pod_ip = last
            .into_iter()
            .flatten()
            .filter(|pod| !pod.has_ended())
            .find_map(|pod| pod.ip.clone());
        let runs = if target.route.is_by_address() {
            self.runs_of(id)
        } else {
            Vec::new()
        };
        let deployment = target
            .place
            .as_ref()
            .map_or_else(|| id.name.to_string(), |place| place.name.clone());
        Some(Endpoint {
            route: target.route.clone(),
            target: id.clone(),
            deployment,
            pod_ip,
            runs,
        })
    }

    /// The runs by which a Flink cluster is known: its records' jobs with their start-times.
    fn runs_of(&self, id: &TargetId) -> Vec<(FlinkJobId, Timestamp)> {
        let records = self.jobs_of(id).into_iter().filter_map(|key| self.records.get(&key));
        records
            .filter_map(|record| record.incarnation.flink_job_id.zip(record.incarnation.started_at))
            .collect()
    }

    /// A poll was answered: the target's pace goes on, and if it had failed, all that fail are tried again soon.
    pub(super) fn poll_answered(&mut self, id: &TargetId, asked: Timestamp, now: Timestamp) {
        let Some(target) = self.targets.get_mut(id) else { return };
        let recovered = target.failures > 0;
        target.poll = Poll::Began(asked);
        target.failures = 0;
        target.not_before = None;
        if recovered {
            self.end_pauses(id, now);
        }
        self.schedule_poll(id, now);
    }

    /// A poll gave no answer: the next one waits, longer each time.
    pub(super) fn poll_failed(&mut self, id: &TargetId, asked: Timestamp, fault: &Fault, now: Timestamp) {
        let Some(target) = self.targets.get_mut(id) else { return };
        target.poll = Poll::Began(asked);
        target.failures = target.failures.saturating_add(1);
        target.not_before = fault.retry_after.map(|wait| now.after(wait.min(RETRY_AFTER_CAP)));
        let failures = target.failures;
        let pause = self.backoff.delay(failures, fault.retry_after, &mut self.rng);
        if target.attention == Attention::Active {
            // An ended job is not asked more often because nobody answers for it any more.
            let slow = if target.pace > self.timing.poll {
                asked.after(target.pace)
            } else {
                now
            };
            self.polls.set(id.clone(), now.after(pause).max(slow));
        }
        let canary = self.canaries.entry(id.cluster.clone()).or_insert_with(|| Canary {
            failing: std::collections::BTreeSet::new(),
            last: Some(id.clone()),
            due: asked.after(self.timing.poll),
        });
        canary.failing.insert(id.clone());
    }

    /// Sets the next poll of a target that answers (or was never asked) by its pace.
    pub(super) fn schedule_poll(&mut self, id: &TargetId, now: Timestamp) {
        let Some(target) = self.targets.get(id) else { return };
        if target.failures > 0 {
            return;
        }
        match (target.attention, target.poll) {
            (Attention::Sleeping, _) => self.polls.remove(id),
            (Attention::Active, Poll::UnderWay(_)) => {}
            (Attention::Active, Poll::Never) => self.polls.bring_forward(id.clone(), now),
            (Attention::Active, Poll::Began(began)) => self.polls.set(id.clone(), began.after(target.pace).max(now)),
        }
    }

    /// Something happened around the target: it is asked at once, unless it just was, or asked us to wait.
    pub(super) fn poll_soon(&mut self, id: &TargetId, now: Timestamp) {
        let Some(target) = self.targets.get(id) else { return };
        let soonest = match target.poll {
            Poll::UnderWay(_) => return,
            Poll::Never => now,
            Poll::Began(began) => began.after(self.timing.poll / 20).max(now),
        };
        let soonest = target.not_before.map_or(soonest, |wait| wait.max(soonest));
        self.polls.bring_forward(id.clone(), soonest);
    }

    /// Takes over what the jobs' policies want of the watch: the shortest pace, and sleep only if all sleep.
    pub(super) fn take_pace(&mut self, key: &JobKey, pace: Duration, attention: Attention, now: Timestamp) {
        let shared = key.session_job.is_some();
        let poll = self.timing.poll;
        let Some(target) = self.targets.get_mut(&key.target) else {
            return;
        };
        let was = (target.pace, target.attention);
        // A session cluster is always asked at the poll's pace: jobs appear in it.
        (target.pace, target.attention) = if shared {
            (poll, Attention::Active)
        } else {
            (pace, attention)
        };
        let now_is = (target.pace, target.attention);
        if was == now_is {
            return;
        }
        match (target.attention, target.failures) {
            (Attention::Sleeping, _) => self.polls.remove(&key.target),
            (Attention::Active, 0) => self.schedule_poll(&key.target, now),
            (Attention::Active, _) => {
                let at = now.after(target.pace.min(self.timing.retry_max));
                self.polls.bring_forward(key.target.clone(), at);
            }
        }
    }

    /// One target answers again: the others of its cluster that wait need not wait longer, spread over one poll.
    fn end_pauses(&mut self, id: &TargetId, now: Timestamp) {
        let Some(canary) = self.canaries.get_mut(&id.cluster) else {
            return;
        };
        canary.failing.remove(id);
        for other in canary.failing.iter() {
            let Some(target) = self.targets.get(other) else {
                continue;
            };
            if target.waits_for_recovery(self.timing.poll) {
                let at = now.after(spread(self.timing.poll, &mut self.rng));
                self.polls
                    .bring_forward(other.clone(), target.not_before.map_or(at, |wait| wait.max(at)));
            }
        }
        if canary.failing.is_empty() {
            self.canaries.remove(&id.cluster);
        }
    }

    /// Lets one failing target of each cluster be asked at the poll's pace, in turn.
    pub(super) fn release_canaries(&mut self, now: Timestamp) {
        for canary in self.canaries.values_mut().filter(|canary| canary.due <= now) {
            canary.due = now.after(self.timing.poll);
            let behind = canary.last.iter().flat_map(|last| {
                canary
                    .failing
                    .range::<TargetId, _>((std::ops::Bound::Excluded(last), std::ops::Bound::Unbounded))
            });
            let next = behind.chain(canary.failing.iter()).find(|id| {
                self.targets.get(*id).is_some_and(|target| {
                    target.waits_for_recovery(self.timing.poll) && target.not_before.is_none_or(|wait| wait <= now)
                })
            });
            if let Some(next) = next.cloned() {
                self.polls.bring_forward(next.clone(), now);
                canary.last = Some(next);
            }
        }
    }

    pub(super) fn next_canary(&self) -> Option<Timestamp> {
        self.canaries
            .values()
            .filter(|canary| !canary.failing.is_empty())
            .map(|canary| canary.due)
            .min()
    }

    /// Drops a target from its cluster's failing ones.
    pub(super) fn leave_canary(&mut self, id: &TargetId) {
        if let Some(canary) = self.canaries.get_mut(&id.cluster) {
            canary.failing.remove(id);
        }
    }
}
