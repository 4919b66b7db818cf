//! Judges a job for a reader; nothing follows from it.

use std::sync::Arc;

use steadfast_core::board::lookups::Standing;
use steadfast_core::decision::LookupRequest;
use steadfast_core::explanation::{Awaited, Awaiting, Due, Explanation};
use steadfast_core::id::JobKey;
use steadfast_core::time::Timestamp;
use tokio::sync::oneshot;

use super::Reactor;
use crate::control::RequestError;
use crate::judging::{Answered, Question};

/// The way back to whoever asked.
type Reply = oneshot::Sender<Result<Explanation, RequestError>>;

impl Reactor {
    /// Lets a job's policy judge it now, for somebody who asked. The policy may take its time: then the answer comes with
    /// [`Reactor::ruled`].
    pub(crate) fn question(&mut self, key: &JobKey, reply: Reply, now: Timestamp) {
        let shown = self.records.get(key).map(Arc::clone);
        let shown = shown.and_then(|before| Some((before.policy.clone(), self.snapshot(&before, now)?)));
        let Some((policy, shown)) = shown else {
            // Whoever asked may be gone by now.
            drop(reply.send(Err(RequestError::NoSuchJob)));
            return;
        };
        if let Some(answered) = self.policies.answer(
            &policy,
            Question {
                shown: Box::new(shown),
                reply,
            },
        ) {
            self.explain(answered, now);
        }
    }

    /// Explains what a policy answered.
    pub(super) fn explain(&mut self, answered: Answered, now: Timestamp) {
        let Answered {
            question: Question { shown: snapshot, reply },
            outcome,
            rule,
        } = answered;
        let wanted = outcome.as_ref().map_or(&[][..], |decision| &decision.wanted);
        let explanation = Explanation {
            waits_for: self.waits_for(&snapshot.record.key, wanted, now),
            policy: snapshot.record.policy.clone(),
            snapshot: *snapshot,
            outcome,
            rule,
        };
        drop(reply.send(Ok(explanation)));
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
