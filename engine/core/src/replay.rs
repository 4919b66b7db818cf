//! Decides recorded snapshots again, and says what would have been different.

mod compare;

use std::collections::BTreeMap;

use crate::alternative::Alternative;
use crate::decision::{Decide, PolicyFailure};
use crate::id::{JobKey, PolicyName};
use crate::journal::{Event, Transition};
use crate::planner::Plan;
use crate::recording::Recorded;
use crate::time::Timestamp;

pub use compare::{Difference, compare};

/// A transition, and what led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// Which.
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
    jobs: BTreeMap<JobKey, Way>,
}

#[derive(Debug)]
struct Way {
    alternative: Alternative,
    /// The last snapshot's time and real revision: they never fall, unless the job was forgotten and began anew, or
    /// another recording follows.
    last: (Timestamp, u64),
    told: Vec<Told>,
    failures: Vec<(Timestamp, PolicyFailure)>,
}

/// What a policy would have made of one job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// Its transitions, oldest first.
    pub told: Vec<Told>,
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
        let way = self.jobs.entry(before.key.clone()).or_insert_with(|| Way {
            alternative: Alternative::take_over(before, &self.policy),
            last: (snapshot.now, before.revision),
            told: Vec::new(),
            failures: Vec::new(),
        });
        let (last_at, last_revision) = way.last;
        if snapshot.now < last_at || before.revision < last_revision {
            way.alternative = Alternative::take_over(before, &self.policy);
        }
        way.last = (snapshot.now, before.revision);
        let judged = match &recorded.failure {
            Some(failure) if self.past_failures == PastFailures::Repeat => {
                way.alternative.judge_with(before, snapshot, |_| Err(failure.clone()))
            }
            Some(_) | None => way.alternative.judge(decide, before, snapshot),
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
            way.told.push(Told {
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
                told: way.told,
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
        Event::Update | Event::Alert(_) | Event::Forgotten => None,
    })
}

/// The transitions that were committed with recorded snapshots, by job: what a replay is compared with.
#[derive(Debug, Default)]
pub struct History(BTreeMap<JobKey, Vec<Told>>);

impl History {
    /// Takes in one snapshot.
    pub fn take(&mut self, recorded: &Recorded) {
        let told = self.0.entry(recorded.key().clone()).or_default();
        if let Some(transition) = &recorded.transition {
            told.push(Told {
                at: recorded.at(),
                transition: transition.clone(),
                rule: recorded.rule.clone(),
            });
        }
    }

    /// What was told, by job.
    pub fn finish(self) -> BTreeMap<JobKey, Vec<Told>> {
        self.0
    }
}

#[cfg(test)]
mod tests;
