//! Decides recorded snapshots again, and says what would have been different.

mod compare;

use std::collections::BTreeMap;

use crate::counterfactual::Counterfactual;
use crate::decision::{Decide, PolicyFailure};
use crate::id::{JobKey, PolicyName};
use crate::journal::{Event, Transition};
use crate::planner::Plan;
use crate::recording::Recorded;
use crate::time::Timestamp;

pub use compare::{Difference, compare};

/// A transition, and what led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedTransition {
    /// When it was decided.
    pub at: Timestamp,
    /// What changed.
    pub transition: Transition,
    /// The rule that spoke, if it is known.
    pub rule: Option<String>,
}

/// What to do with decisions that failed when they were recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastFailures {
    /// They fail again: what is replayed is the same policy, and a deadline that was missed then says nothing now.
    Repeat,
    /// The policy is asked: it is another one.
    Ask,
}

/// One policy's way through recorded snapshots.
#[derive(Debug)]
pub struct Replay {
    policy: PolicyName,
    past_failures: PastFailures,
    jobs: BTreeMap<JobKey, JobReplay>,
}

#[derive(Debug)]
struct JobReplay {
    counterfactual: Counterfactual,
    /// The last snapshot's time and real revision: they never fall, unless the job was forgotten and began anew, or
    /// another recording follows.
    last: (Timestamp, u64),
    recorded: Vec<RecordedTransition>,
    own: Vec<RecordedTransition>,
    failures: Vec<(Timestamp, PolicyFailure)>,
}

/// What a policy would have made of one job, beside what was made of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// The transitions that were committed with the snapshots it was shown, oldest first.
    pub recorded: Vec<RecordedTransition>,
    /// Its own transitions, oldest first.
    pub own: Vec<RecordedTransition>,
    /// The decisions it failed to make.
    pub failures: Vec<(Timestamp, PolicyFailure)>,
}

impl Replay {
    /// A replay by that policy, from the first snapshot of each job on.
    pub fn new(policy: PolicyName, past_failures: PastFailures) -> Self {
        Self {
            policy,
            past_failures,
            jobs: BTreeMap::new(),
        }
    }

    /// Decides one snapshot. They must come in the order in which they were recorded.
    pub fn take(&mut self, recorded: &Recorded, decide: &mut dyn Decide) {
        let Recorded { before, snapshot, .. } = recorded;
        let way = self.jobs.entry(before.key.clone()).or_insert_with(|| JobReplay {
            counterfactual: Counterfactual::take_over(before, &self.policy),
            last: (snapshot.now, before.revision),
            recorded: Vec::new(),
            own: Vec::new(),
            failures: Vec::new(),
        });
        let (last_at, last_revision) = way.last;
        if snapshot.now < last_at || before.revision < last_revision {
            way.counterfactual = Counterfactual::take_over(before, &self.policy);
        }
        way.last = (snapshot.now, before.revision);
        if let Some(transition) = &recorded.transition {
            way.recorded.push(RecordedTransition {
                at: snapshot.now,
                transition: transition.clone(),
                rule: recorded.rule.clone(),
            });
        }
        let judged = match &recorded.failure {
            Some(failure) if self.past_failures == PastFailures::Repeat => {
                way.counterfactual
                    .judge_with(before, snapshot, |_| Err(failure.clone()))
            }
            Some(_) | None => way.counterfactual.judge(decide, before, snapshot),
        };
        let Some(judged) = judged else { return };
        let rule = match judged.outcome {
            Ok(decision) => Some(decision.rule),
            Err(failure) => {
                way.failures.push((snapshot.now, failure));
                None
            }
        };
        if let Some(transition) = transition_of(&judged.plan) {
            way.own.push(RecordedTransition {
                at: snapshot.now,
                transition: transition.clone(),
                rule,
            });
        }
    }

    /// What it came to, by job.
    pub fn finish(self) -> BTreeMap<JobKey, Replayed> {
        let jobs = self.jobs.into_iter().map(|(key, way)| {
            let replayed = Replayed {
                recorded: way.recorded,
                own: way.own,
                failures: way.failures,
            };
            (key, replayed)
        });
        jobs.collect()
    }
}

/// The transition a plan commits, if it commits one.
pub fn transition_of(plan: &Plan) -> Option<&Transition> {
    plan.change.as_ref()?.events.iter().find_map(|event| match event {
        Event::Transition(transition) => Some(transition),
        Event::Update(_) | Event::Called(_) | Event::Alert(_) | Event::Forgotten => None,
    })
}

#[cfg(test)]
mod tests;
