//! Lays a decision open for somebody to look at; nothing follows from it.

use steadfast_core::decision::{Want, WantedSource};
use steadfast_core::explanation::{Awaited, AwaitedLook, Due, Explanation};
use steadfast_core::id::JobKey;
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::target::Poll;

impl Reactor {
    /// Judges a job now; `None` if there is none.
    pub(crate) fn explain(&mut self, key: &JobKey, now: Timestamp) -> Option<Explanation> {
        let before = self.records.get(key)?.clone();
        let snapshot = self.snapshot(&before, now)?;
        let outcome = self.policies.decide(&before.policy, &snapshot);
        self.policies.end_batch();
        let rule = outcome
            .as_ref()
            .ok()
            .and_then(|decision| self.policies.rule(&before.policy, &decision.rule));
        let wanted = outcome.as_ref().map_or(&[][..], |decision| &decision.wanted);
        Some(Explanation {
            waits_for: self.waits_for(key, wanted, now),
            policy: before.policy.clone(),
            snapshot,
            outcome,
            rule,
        })
    }

    /// The looks that may change a job's record next, the soonest first.
    fn waits_for(&self, key: &JobKey, wanted: &[Want], now: Timestamp) -> Vec<Awaited> {
        let mut awaited = Vec::new();
        let mut waits = |look, due| awaited.push(Awaited { look, due });
        let is_asked = self
            .targets
            .get(&key.target)
            .is_some_and(|target| matches!(target.poll, Poll::UnderWay(_)));
        match self.polls.get(&key.target) {
            _ if is_asked => waits(AwaitedLook::Flink, Due::UnderWay),
            Some(at) => waits(AwaitedLook::Flink, Due::At(at)),
            None => {}
        }
        for want in wanted.iter().filter(|want| !self.is_satisfied(key, want)) {
            waits(AwaitedLook::Wanted(want.source), self.begins(key, want, now));
        }
        if let Some(at) = self.reviews.get(key) {
            waits(AwaitedLook::Review, Due::At(at));
        }
        awaited.sort_by_key(|one| one.due);
        awaited
    }

    /// When the look that was asked for begins.
    fn begins(&self, key: &JobKey, want: &Want, now: Timestamp) -> Due {
        let awaits_list = self
            .awaiting_lists
            .get(&key.target.cluster)
            .is_some_and(|jobs| jobs.contains(key));
        let look = self.wanted.get(&(key.clone(), want.source));
        if look.is_some_and(|look| look.is_under_way()) || (want.source == WantedSource::Kubernetes && awaits_list) {
            return Due::UnderWay;
        }
        let pause = look.and_then(|look| look.not_before());
        Due::At(want.observed_after.max(pause.unwrap_or(now)).max(now))
    }
}
