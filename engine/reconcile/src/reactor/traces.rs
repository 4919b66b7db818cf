//! Which decisions are traced, and what is told of them before they are committed.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use steadfast_core::id::JobKey;
use steadfast_core::planner::{Next, Plan};
use steadfast_core::replay::transition_of;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::time::Timestamp;
use steadfast_core::trace::{DecisionTrace, Judged, Judgement, looks};

use super::Reactor;
use crate::judging::Outcome;
use crate::setup::Fraction;
use crate::turn::{Planned, Traced};

/// Which decisions are traced.
pub(super) struct Traces {
    /// The share of those that change nothing.
    share: Fraction,
    rng: StdRng,
    /// How many were traced.
    number: u64,
    /// When each job was shown to its policy last: what has arrived since then led to the next decision.
    shown: BTreeMap<JobKey, Timestamp>,
}

impl Traces {
    pub(super) fn new(share: Fraction, seed: u64) -> Self {
        Self {
            share,
            rng: StdRng::seed_from_u64(seed),
            number: 0,
            shown: BTreeMap::new(),
        }
    }

    pub(super) fn forget(&mut self, key: &JobKey) {
        self.shown.remove(key);
    }

    fn draw(&mut self) -> bool {
        self.share.covers(self.rng.random())
    }
}

impl Reactor {
    /// What is told of a decision, before it is made to fit; `None` if nothing is traced, or the policy failed.
    pub(super) fn judgement(&self, outcome: &Outcome) -> Option<Judgement> {
        let decision = self.traces.as_ref().and(outcome.as_ref().ok())?;
        Some(Judgement {
            rule: decision.rule.clone(),
            state: decision.state,
            confidence: decision.confidence,
            reason: decision.reason.clone(),
        })
    }

    /// What is told of a planned decision, if it is traced. `took` is how long its policy worked.
    pub(super) fn trace(
        &mut self,
        snapshot: &Snapshot,
        plan: &Plan,
        judgement: Option<Judgement>,
        took: Option<Duration>,
    ) -> Option<Box<Traced>> {
        let traces = self.traces.as_mut()?;
        let record = &snapshot.record;
        let since = traces.shown.insert(record.key.clone(), snapshot.now);
        let change = plan.change.as_ref().map(|change| Planned {
            revision: change.record.revision,
            transition: transition_of(plan).map(|transition| (transition.from, transition.to)),
        });
        let is_sampled = traces.draw();
        if change.is_none() && !is_sampled {
            return None;
        }
        traces.number += 1;
        let (outcome, wanted) = match (&plan.next, judgement) {
            (Next::Retry(failure), _) => (Err(failure.clone()), Vec::new()),
            (Next::Watch { wanted, .. }, judgement) => {
                (Ok(judgement?), wanted.iter().map(|wanted| wanted.source).collect())
            }
        };
        let decision = DecisionTrace {
            number: traces.number,
            key: record.key.clone(),
            mode: record.mode,
            flink_job: record.incarnation.flink_job_id,
            attempt: record.incarnation.attempt,
            policy: record.policy.clone(),
            looks: looks(snapshot, since),
            judged: Judged {
                shown_at: snapshot.now,
                at: snapshot.now,
                took,
                outcome,
                wanted,
            },
            commit: None,
        };
        Some(Box::new(Traced {
            decision,
            change,
            is_sampled,
        }))
    }
}
