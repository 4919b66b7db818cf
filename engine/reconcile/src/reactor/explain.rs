//! Judges a job for a reader; nothing follows from it.

use steadfast_core::board::lookups::Standing;
use steadfast_core::decision::LookupRequest;
use steadfast_core::explanation::{Awaited, Awaiting, Due, Explanation};
use steadfast_core::id::JobKey;
use steadfast_core::planner::fitted;
use steadfast_core::time::Timestamp;

use super::Reactor;

impl Reactor {
    /// Judges a job now; `None` if there is none.
    pub fn explain(&mut self, key: &JobKey, now: Timestamp) -> Option<Explanation> {
        let before = self.records.get(key)?.clone();
        let snapshot = self.snapshot(&before, now)?;
        let outcome = self.policies.decide(&before.policy, &snapshot);
        let outcome = outcome.and_then(|decision| fitted(decision, &snapshot.timing));
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

    /// What may change a job's record next, the soonest first.
    fn waits_for(&self, key: &JobKey, wanted: &[LookupRequest], now: Timestamp) -> Vec<Awaited> {
        let polls = self.polls.status(&key.target);
        let poll = match (polls.in_flight_since, polls.next) {
            (Some(_), _) => Some(Due::UnderWay),
            (None, Some(at)) => Some(Due::At(at)),
            (None, None) => None,
        };
        let poll = poll.map(|due| Awaited {
            awaiting: Awaiting::Flink,
            due,
        });
        let review = self.queue.planned(key).map(|at| Awaited {
            awaiting: Awaiting::Review,
            due: Due::At(at),
        });
        let lookups = wanted
            .iter()
            .filter_map(|request| self.awaited_lookup(key, request, now));
        let mut awaited: Vec<Awaited> = poll.into_iter().chain(lookups).chain(review).collect();
        awaited.sort_by_key(|one| one.due);
        awaited
    }

    /// When the look-up that is wanted begins; `None` if it is answered.
    fn awaited_lookup(&self, key: &JobKey, request: &LookupRequest, now: Timestamp) -> Option<Awaited> {
        let not_before = match self.standing(key, request, now)? {
            Standing::Answered => return None,
            Standing::Ahead(moment) => moment,
            Standing::Open(_) | Standing::OpenLists { .. } | Standing::OpenObjects { .. } | Standing::NobodyToAsk => {
                now
            }
        };
        let due = if self.lookups.is_in_flight(key, request.source) {
            Due::UnderWay
        } else {
            let pause = self.lookups.paused_until(key, request.source, now);
            Due::At(pause.map_or(not_before, |until| until.max(not_before)))
        };
        Some(Awaited {
            awaiting: Awaiting::Lookup(request.source),
            due,
        })
    }
}
