//! Decides recorded snapshots again, and says what would have been different.

mod beside;
mod compare;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::counterfactual::Counterfactual;
use crate::decision::{Decide, PolicyFailure};
use crate::id::{JobKey, PolicyName};
use crate::journal::{Event, Transition};
use crate::planner::Plan;
use crate::recording::Recorded;
use crate::shown::Shown;
use crate::time::Timestamp;

pub use beside::{Showing, Span, beside};
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastFailures {
    /// Those of the module of that digest (see [`Recorded::decided_by`]) fail again: it is the same one, and a deadline that was
    /// missed then says nothing now. For others' the policy is asked.
    RepeatOf(Option<String>),
    /// The policy is asked: it is another one.
    Ask,
}

impl PastFailures {
    /// How the decision fails again, if it does.
    fn repeated<'a>(&self, recorded: &'a Recorded) -> Option<&'a PolicyFailure> {
        match self {
            Self::RepeatOf(module) if *module == recorded.decided_by => recorded.failure.as_ref(),
            Self::RepeatOf(_) | Self::Ask => None,
        }
    }
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
    recorded_showings: Vec<Showing>,
    own_showings: Vec<Showing>,
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
    /// What the recorded decisions showed, one for each snapshot.
    pub recorded_showings: Vec<Showing>,
    /// What its own showed, with the same snapshots.
    pub own_showings: Vec<Showing>,
}

impl Replayed {
    /// Of how many snapshots it is not known what was decided but for the transitions.
    pub fn unknown(&self) -> usize {
        let unknown = self.recorded_showings.iter().filter(|showing| showing.shown.is_none());
        unknown.count()
    }
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
            recorded_showings: Vec::new(),
            own_showings: Vec::new(),
        });
        show(&mut way.recorded_showings, snapshot.now, recorded.shown.clone());
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
        let judged = match self.past_failures.repeated(recorded) {
            Some(failure) => way
                .counterfactual
                .judge_with(before, snapshot, |_| Err(failure.clone())),
            None => way.counterfactual.judge(decide, before, snapshot),
        };
        let Some(judged) = judged else {
            way.show_as_before(snapshot.now);
            return;
        };
        show(&mut way.own_showings, snapshot.now, Some(judged.plan.shown.clone()));
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
                recorded_showings: way.recorded_showings,
                own_showings: way.own_showings,
            };
            (key, replayed)
        });
        jobs.collect()
    }
}

impl JobReplay {
    /// While its own watch alone sleeps, it shows what it showed last.
    fn show_as_before(&mut self, at: Timestamp) {
        let last = self.own_showings.last().and_then(|last| last.shown.clone());
        let shown = last.unwrap_or_else(|| Arc::new(Shown::kept(self.counterfactual.record())));
        self.own_showings.push(Showing { at, shown: Some(shown) });
    }
}

/// Adds what is shown now. Most of them show what the last one did, and share it: a recording has hundreds of thousands.
fn show(showings: &mut Vec<Showing>, at: Timestamp, shown: Option<Shown>) {
    let last = showings.last().and_then(|last| last.shown.clone());
    let shown = shown.map(|shown| match last {
        Some(last) if *last == shown => last,
        Some(_) | None => Arc::new(shown),
    });
    showings.push(Showing { at, shown });
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
