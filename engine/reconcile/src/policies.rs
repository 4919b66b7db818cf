//! The policies of one engine: which decides a job, and which only shadow.

use steadfast_core::decision::{Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::id::{JobKey, PolicyName, TargetId};
use steadfast_core::record::JobRecord;
use steadfast_core::rule::Rule;
use steadfast_core::shadow::ShadowVerdict;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::time::Timestamp;

use crate::setup::{PolicySetup, Role};
use crate::shadows::ShadowRecords;
use crate::status::PolicyStatus;

/// All policies, in the order of the configuration.
#[derive(Default)]
pub struct Policies {
    all: Vec<(PolicySetup, ShadowRecords)>,
}

/// The policy that decides a target's jobs: the first one that is for it.
pub(crate) fn decider<'a>(
    mut policies: impl Iterator<Item = &'a PolicySetup>,
    target: &TargetId,
) -> Option<&'a PolicySetup> {
    policies.find(|policy| policy.role == Role::Decides && policy.is_for(target))
}

impl Policies {
    /// Of a configuration's policies, in their order.
    pub fn new(all: Vec<PolicySetup>) -> Self {
        Self {
            all: all
                .into_iter()
                .map(|policy| (policy, ShadowRecords::default()))
                .collect(),
        }
    }

    /// The name of the policy that decides a target's jobs.
    pub(crate) fn select_policy(&self, target: &TargetId) -> PolicyName {
        decider(self.all.iter().map(|(policy, _)| policy), target)
            .map_or_else(|| PolicyName::new("none"), |policy| policy.name.clone())
    }

    /// Lets the named policy judge.
    pub(crate) fn decide(&mut self, name: &PolicyName, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        match self.all.iter_mut().find(|(policy, _)| policy.name == *name) {
            Some((policy, _)) => policy.decide.decide(snapshot),
            None => Err(PolicyFailure {
                kind: PolicyFailureKind::Error,
                message: format!(
                    "no policy is for {}; add a [[policy]] whose `select` and `rollout` take it in",
                    snapshot.record.key
                )
                .into(),
            }),
        }
    }

    /// What the named policy says of one of its rules.
    pub(crate) fn rule(&self, name: &PolicyName, rule: &str) -> Option<Rule> {
        let (policy, _) = self.all.iter().find(|(policy, _)| policy.name == *name)?;
        policy.decide.rule(rule)
    }

    /// Lets the shadows that are for a job judge it; `before` is its record as committed.
    pub(crate) fn shadow(&mut self, before: &JobRecord, snapshot: &Snapshot) -> Vec<(PolicyName, ShadowVerdict)> {
        let target = &snapshot.record.key.target;
        let shadows = self
            .all
            .iter_mut()
            .filter(|(policy, _)| policy.role == Role::Shadow && policy.is_for(target));
        shadows
            .map(|(policy, records)| {
                let verdict = records.judge(&policy.name, policy.decide.as_mut(), before, snapshot);
                (policy.name.clone(), verdict)
            })
            .collect()
    }

    /// Takes over the records of shadows that go on as they are; another module or other parameters begin anew.
    pub(crate) fn continue_shadows(&mut self, before: Self) {
        for (old, mut records) in before.all {
            let same = self.all.iter_mut().find(|(policy, _)| {
                policy.name == old.name
                    && (policy.role, old.role) == (Role::Shadow, Role::Shadow)
                    && policy.identity == old.identity
            });
            if let Some((policy, kept)) = same {
                records.retain(|key| policy.is_for(&key.target));
                *kept = records;
            }
        }
    }

    /// Whether the named shadow goes on with this job's record when `self` takes over from `before`.
    pub(crate) fn continues(&self, before: &Self, name: &PolicyName, key: &JobKey) -> bool {
        let shadow = |policies: &'_ Self| {
            let mut all = policies.all.iter().map(|(policy, _)| policy);
            all.find(|policy| policy.name == *name && policy.role == Role::Shadow)
                .map(|policy| policy.identity.clone())
        };
        shadow(self).is_some_and(|identity| shadow(before) == Some(identity))
            && self
                .all
                .iter()
                .any(|(policy, _)| policy.name == *name && policy.is_for(&key.target))
    }

    /// The names of the shadows.
    pub(crate) fn shadows(&self) -> Vec<PolicyName> {
        let shadows = self.all.iter().filter(|(policy, _)| policy.role == Role::Shadow);
        shadows.map(|(policy, _)| policy.name.clone()).collect()
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

    /// All of them for readers; what was there before stands since it began.
    pub(crate) fn statuses(&self, before: &[PolicyStatus], now: Timestamp) -> Vec<PolicyStatus> {
        let statuses = self.all.iter().map(|(policy, _)| {
            let status = PolicyStatus {
                name: policy.name.clone(),
                role: policy.role,
                rollout: policy.rollout,
                identity: policy.identity.clone(),
                since: now,
            };
            let known = before.iter().find(|known| {
                known.name == status.name && known.role == status.role && known.identity == status.identity
            });
            PolicyStatus {
                since: known.map_or(now, |known| known.since),
                ..status
            }
        });
        statuses.collect()
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::snapshot::Snapshot;

    use super::*;
    use crate::setup::{Select, Share};

    struct Never;

    impl steadfast_core::decision::Decide for Never {
        fn decide(&mut self, _: &Snapshot) -> Result<Decision, PolicyFailure> {
            unreachable!("no decision is asked for")
        }
    }

    fn policy(name: &str, rollout: u8, role: Role) -> PolicySetup {
        PolicySetup {
            rollout: Share::percent(rollout).unwrap(),
            role,
            ..PolicySetup::deciding(name, Box::new(Never))
        }
    }

    fn target(name: &str) -> TargetId {
        JobKey::parse(&format!("local/default/{name}")).unwrap().target
    }

    #[test]
    fn jobs_outside_a_rollout_go_on_to_the_next_that_matches() {
        let mut elsewhere = policy("elsewhere", 100, Role::Decides);
        elsewhere.select = Select {
            namespace: vec!["other".into()],
            ..Select::all()
        };
        let all = vec![
            policy("shadow", 100, Role::Shadow),
            policy("canary", 30, Role::Decides),
            elsewhere,
            policy("default", 100, Role::Decides),
        ];
        let policies = Policies::new(all);
        // `payments` stands in the 25th hundredth of all jobs, `orders` in the 53rd.
        assert_eq!(policies.select_policy(&target("payments")).as_str(), "canary");
        assert_eq!(policies.select_policy(&target("orders")).as_str(), "default");
    }
}
