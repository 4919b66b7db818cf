//! The policies of one engine: which decides a job, and which only shadow.

use steadfast_core::decision::{Decide, Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::id::{PolicyName, TargetId};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;

use crate::reactor::ShadowVerdict;
use crate::setup::{PolicySetup, Role};

/// All policies, in the order of the configuration.
pub(crate) struct Policies {
    all: Vec<PolicySetup>,
    fallback: PolicyName,
}

impl Policies {
    pub(crate) fn new(all: Vec<PolicySetup>) -> Self {
        Self { all, fallback: PolicyName::new("none") }
    }

    /// The policy that decides a target's jobs: the first one that selects it.
    pub(crate) fn chosen(&self, target: &TargetId) -> PolicyName {
        self.all
            .iter()
            .find(|policy| policy.role == Role::Decides && policy.select.matches(target))
            .map_or_else(|| self.fallback.clone(), |policy| policy.name.clone())
    }

    /// Lets the named policy judge.
    pub(crate) fn decide(&mut self, name: &PolicyName, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        match self.all.iter_mut().find(|policy| policy.name == *name) {
            Some(policy) => policy.decide.decide(snapshot),
            None => Err(PolicyFailure {
                kind: PolicyFailureKind::Error,
                message: format!("no policy selects {}; add a [[policy]] whose `select` matches it", snapshot.record.key),
            }),
        }
    }

    /// What the shadows that select a target say, where it differs from the state decided.
    pub(crate) fn shadows(&mut self, target: &TargetId, snapshot: &Snapshot, decided: Option<JobState>) -> Vec<ShadowVerdict> {
        let shadows = self.all.iter_mut().filter(|policy| policy.role == Role::Shadow && policy.select.matches(target));
        shadows
            .map(|policy| {
                let state = policy.decide.decide(snapshot).ok().map(|decision| decision.state);
                ShadowVerdict { policy: policy.name.clone(), state }
            })
            .filter(|shadow| shadow.state != decided)
            .collect()
    }

    /// Lets each take a fresh instance.
    pub(crate) fn end_batch(&mut self) {
        for policy in &mut self.all {
            policy.decide.end_batch();
        }
    }

    /// The names of all, for health.
    pub(crate) fn names(&self) -> Vec<PolicyName> {
        self.all.iter().map(|policy| policy.name.clone()).collect()
    }
}
