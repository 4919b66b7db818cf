//! The record of a job as another policy would keep it, on the same evidence. Shadows and replays are made of these.

use crate::decision::{Decide, Decision, PolicyFailure};
use crate::id::PolicyName;
use crate::planner::{Plan, plan};
use crate::record::JobRecord;
use crate::snapshot::Snapshot;
use crate::state::Attention;
use crate::wake::Fingerprint;

/// A record beside the real one. Nothing of it is committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterfactual {
    record: JobRecord,
    /// What was known without polls when the policy put this record's watch to sleep.
    asleep_since: Option<Fingerprint>,
}

/// What one snapshot did to an alternative.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// What the policy returned.
    pub outcome: Result<Decision, PolicyFailure>,
    /// What would have been committed.
    pub plan: Plan,
}

impl Counterfactual {
    /// Takes over from the real record, as the policy would if it were put in charge now: the state stays, and only
    /// the memory of a policy of the same name is its own.
    pub fn take_over(real: &JobRecord, policy: &PolicyName) -> Self {
        Self {
            record: real.handed_to(policy),
            asleep_since: None,
        }
    }

    /// The record as it stands.
    pub fn record(&self) -> &JobRecord {
        &self.record
    }

    /// Judges a snapshot as if this record were the real one. `real` is the real record as it was committed before
    /// that snapshot. `None` while only this record's watch sleeps: the real one would not have been looked at.
    pub fn judge(&mut self, decide: &mut dyn Decide, real: &JobRecord, snapshot: &Snapshot) -> Option<Evaluation> {
        self.judge_with(real, snapshot, |own| decide.decide(own))
    }

    /// The same with the answer of something else than a policy, such as a failure that was recorded.
    pub fn judge_with(
        &mut self,
        real: &JobRecord,
        snapshot: &Snapshot,
        decide: impl FnOnce(&Snapshot) -> Result<Decision, PolicyFailure>,
    ) -> Option<Evaluation> {
        if self.is_in_step_with(real) {
            // What else was changed meanwhile (a restart, an intent) happened to this record too.
            let policy = self.record.policy.clone();
            self.record = JobRecord { policy, ..real.clone() };
        }
        let seen = &snapshot.record;
        let is_asleep = self.record.attention == Attention::Sleeping && real.attention == Attention::Active;
        if is_asleep
            && self
                .asleep_since
                .as_ref()
                .is_none_or(|then| !then.is_woken_by(snapshot))
        {
            return None;
        }
        let own = Snapshot {
            record: JobRecord {
                incarnation: seen.incarnation.clone(),
                labels: seen.labels.clone(),
                other_jobs: seen.other_jobs.clone(),
                intent: seen.intent,
                ..self.record.clone()
            },
            ..snapshot.clone()
        };
        let outcome = decide(&own);
        let plan = plan(&self.record, &own, outcome.clone());
        if let Some(change) = &plan.change {
            self.record = JobRecord::clone(&change.record);
        }
        self.asleep_since = (self.record.attention == Attention::Sleeping).then(|| Fingerprint::of(snapshot));
        Some(Evaluation { outcome, plan })
    }

    /// Whether all that decisions made of the two records is the same.
    fn is_in_step_with(&self, real: &JobRecord) -> bool {
        let own = &self.record;
        own.state == real.state
            && own.since == real.since
            && own.reason == real.reason
            && own.memory == real.memory
            && own.attention == real.attention
            && own.conditions == real.conditions
            && own.alerts == real.alerts
    }
}

#[cfg(test)]
mod tests;
