//! How policies failed in a play: a record shows that one fails, and its author wants to know why.

use std::sync::{Arc, Mutex, PoisonError};

use steadfast_core::decision::{Decide, Decision, Interrupt, PolicyFailure};
use steadfast_core::rule::Rule;
use steadfast_core::snapshot::Snapshot;
use steadfast_reconcile::PolicySetup;
use steadfast_world::clock::WorldClock;
use steadfast_world::story::Moment;

/// A failure of a policy, the same each time it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFailed {
    /// When it was first seen, by the story's time.
    pub at: Moment,
    /// The policy, by the name of its `[[policy]]`.
    pub policy: String,
    /// The first job at which it was seen.
    pub job: String,
    /// The kind and what happened.
    pub failure: PolicyFailure,
    /// How often it was seen, at any job.
    pub times: u32,
}

/// All failures of a play, in the order in which they were first seen.
#[derive(Clone, Debug)]
pub(super) struct Failures {
    clock: WorldClock,
    seen: Arc<Mutex<Vec<PolicyFailed>>>,
}

impl Failures {
    pub(super) fn new(clock: WorldClock) -> Self {
        Self {
            clock,
            seen: Arc::default(),
        }
    }

    /// The same policies, of which each failure is noted.
    pub(super) fn over(&self, policies: Vec<PolicySetup>) -> Vec<PolicySetup> {
        let noted = |setup: PolicySetup| PolicySetup {
            decide: Box::new(Noted {
                policy: setup.name.to_string(),
                decide: setup.decide,
                failures: self.clone(),
            }),
            ..setup
        };
        policies.into_iter().map(noted).collect()
    }

    pub(super) fn all(&self) -> Vec<PolicyFailed> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, policy: &str, snapshot: &Snapshot, failure: &PolicyFailure) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&mut PolicyFailed| one.policy == policy && one.failure == *failure;
        if let Some(known) = seen.iter_mut().find(same) {
            known.times = known.times.saturating_add(1);
            return;
        }
        seen.push(PolicyFailed {
            at: self.clock.story_now(),
            policy: policy.to_owned(),
            job: snapshot.record.key.to_string(),
            failure: failure.clone(),
            times: 1,
        });
    }
}

/// A policy whose failures are noted.
struct Noted {
    policy: String,
    decide: Box<dyn Decide>,
    failures: Failures,
}

impl Decide for Noted {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let outcome = self.decide.decide(snapshot);
        if let Err(failure) = &outcome {
            self.failures.note(&self.policy, snapshot, failure);
        }
        outcome
    }

    fn end_batch(&mut self) {
        self.decide.end_batch();
    }

    fn interrupt(&self) -> Option<Interrupt> {
        self.decide.interrupt()
    }

    fn rule(&self, name: &str) -> Option<Rule> {
        self.decide.rule(name)
    }
}
