//! The policies of one engine: which decides a job, and which only shadow.

use steadfast_core::decision::{Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::explanation::Rule;
use steadfast_core::id::{JobKey, PolicyName, TargetId};
use steadfast_core::record::JobRecord;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;

use crate::setup::{PolicySetup, Role};
use crate::shadows::{ShadowBoard, ShadowRecords};

/// All policies, in the order of the configuration.
pub(crate) struct Policies {
    all: Vec<(PolicySetup, ShadowRecords)>,
    shadows: ShadowBoard,
}

impl Policies {
    pub(crate) fn new(all: Vec<PolicySetup>, shadows: ShadowBoard) -> Self {
        Self {
            all: all
                .into_iter()
                .map(|policy| (policy, ShadowRecords::default()))
                .collect(),
            shadows,
        }
    }

    /// The policy that decides a target's jobs: the first one that selects it.
    pub(crate) fn chosen(&self, target: &TargetId) -> PolicyName {
        self.all
            .iter()
            .find(|(policy, _)| policy.role == Role::Decides && policy.select.matches(target))
            .map_or_else(|| PolicyName::new("none"), |(policy, _)| policy.name.clone())
    }

    /// Lets the named policy judge.
    pub(crate) fn decide(&mut self, name: &PolicyName, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        match self.all.iter_mut().find(|(policy, _)| policy.name == *name) {
            Some((policy, _)) => policy.decide.decide(snapshot),
            None => Err(PolicyFailure {
                kind: PolicyFailureKind::Error,
                message: format!(
                    "no policy selects {}; add a [[policy]] whose `select` matches it",
                    snapshot.record.key
                ),
            }),
        }
    }

    /// What the named policy says of one of its rules.
    pub(crate) fn rule(&self, name: &PolicyName, rule: &str) -> Option<Rule> {
        let (policy, _) = self.all.iter().find(|(policy, _)| policy.name == *name)?;
        policy.decide.rule(rule)
    }

    /// Lets the shadows that select a target judge; returns those that would show another state than
    /// the one decided. `real` is the record as it was committed before.
    pub(crate) fn differing_shadows(
        &mut self,
        real: &JobRecord,
        snapshot: &Snapshot,
        decided: JobState,
    ) -> Vec<PolicyName> {
        let target = &snapshot.record.key.target;
        let shadows = self
            .all
            .iter_mut()
            .filter(|(policy, _)| policy.role == Role::Shadow && policy.select.matches(target));
        shadows
            .filter_map(|(policy, records)| {
                let state = records.judge(&policy.name, policy.decide.as_mut(), real, snapshot, &self.shadows);
                (state != decided).then(|| policy.name.clone())
            })
            .collect()
    }

    /// Lets each take a fresh instance.
    pub(crate) fn end_batch(&mut self) {
        for (policy, _) in &mut self.all {
            policy.decide.end_batch();
        }
    }

    pub(crate) fn forget(&mut self, key: &JobKey) {
        for (_, records) in &mut self.all {
            records.forget(key);
        }
    }

    /// The names of all, for health.
    pub(crate) fn names(&self) -> Vec<PolicyName> {
        self.all.iter().map(|(policy, _)| policy.name.clone()).collect()
    }
}
