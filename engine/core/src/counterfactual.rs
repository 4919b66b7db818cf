//! The record of a job as another policy would keep it, on the same evidence.
//!
//! # One thing in three places
//!
//! A *shadow* decides beside the real policy, a *replay* decides recorded snapshots again, and `policy diff` replays
//! two policies. All of them ask what the record would say if another policy had been in charge, so all are made of
//! this. Made apart, a shadow and a replay of the same hours could disagree.
//!
//! A policy cannot simply be shown the real snapshots: they contain the real record, with the real policy's state,
//! memory and conditions. So each snapshot is shown with a record of its own in it, and the planner applies the
//! decision to that record, as it would to the real one. What is evidence in a record (incarnation, labels, other jobs,
//! the intent) comes from the real snapshot; what decisions made of it is its own.
//!
//! # In step with the real record
//!
//! Not all that happens to a record is a decision: a restart makes it stale, an intent is posted, a revision is
//! counted. While everything that decisions made of the two records is the same, the real one is therefore taken over
//! before each snapshot. By this the same policy, shown what was recorded, takes the same path again, restarts
//! included; every story and every random world is replayed to hold it to that. From the first decision that differs,
//! the record goes its own way. An engine that starts does to it what it does to the real one
//! ([`JobRecord::taken_up`]): where its clock had been ahead, that changes times and memory, and no decision did.
//!
//! # Sleep
//!
//! Snapshots come when the real watch polls. If the policy put only this record's watch to sleep, the real engine would
//! not have judged it then, so the snapshot is passed over unless it shows what wakes a sleeping watch
//! ([`Fingerprint`]). If the real watch sleeps too, a snapshot exists because something woke it, which would have woken
//! this one as well.
//!
//! # Rejected
//!
//! Rules of its own for what wakes a sleeping watch. They passed over changes of pods, which wake the real one; the
//! rules are in [`wake`](crate::wake) now, and a test holds those for snapshots to those for updates.

use crate::decision::{Decide, Decision, PolicyFailure};
use crate::id::PolicyName;
use crate::planner::{Plan, fitted, plan};
use crate::record::{AlertScope, JobRecord, StandingAlert};
use crate::snapshot::Snapshot;
use crate::state::Attention;
use crate::time::Timestamp;
use crate::wake::Fingerprint;

/// A record beside the real one. Nothing of it is committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterfactual {
    record: JobRecord,
    /// When the engine started that showed the last snapshot; `None` before the first.
    engine_since: Option<Timestamp>,
    /// What was known without polls when the policy put this record's watch to sleep.
    asleep_since: Option<Fingerprint>,
}

/// What came of one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// What the policy returned, as far as it fits the contract.
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
            engine_since: None,
            asleep_since: None,
        }
    }

    /// The record as it stands.
    pub fn record(&self) -> &JobRecord {
        &self.record
    }

    /// Judges a snapshot as if this record were the real one. `real` is the real record as it was committed before
    /// that snapshot. `None` while only this record's watch sleeps: an engine under this policy would not have judged
    /// then.
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
        let own = self.show(real, snapshot)?;
        let outcome = decide(&own);
        Some(self.settle(&own, outcome))
    }

    /// What the policy is shown of a snapshot: the same evidence, with this record in it. `real` is the real record as it was
    /// committed before that snapshot. `None` while only this record's watch sleeps. The answer is given to
    /// [`Self::settle`], before anything else is shown.
    pub fn show(&mut self, real: &JobRecord, snapshot: &Snapshot) -> Option<Snapshot> {
        let engine_since = snapshot.engine_since;
        if self
            .engine_since
            .replace(engine_since)
            .is_some_and(|last| last != engine_since)
        {
            let own = &self.record;
            self.record = own.taken_up(own.origin, &own.policy, engine_since);
        }
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
            // Under this policy there would be no snapshot at this moment.
            return None;
        }
        // What evidence shows in a record is shared; the rest of the record is what this policy made of it.
        Some(Snapshot {
            record: JobRecord {
                incarnation: seen.incarnation.clone(),
                labels: seen.labels.clone(),
                other_jobs: seen.other_jobs.clone(),
                intent: seen.intent.clone(),
                ..self.record.clone()
            },
            ..snapshot.clone()
        })
    }

    /// Takes in what the policy made of what it was shown.
    pub fn settle(&mut self, own: &Snapshot, outcome: Result<Decision, PolicyFailure>) -> Evaluation {
        // As it was decided: what of it does not fit is the policy's doing, and counts.
        let plan = plan(&self.record, own, outcome.clone());
        let outcome = outcome.and_then(|decision| fitted(decision, &own.timing));
        if let Some(change) = &plan.change {
            self.record = JobRecord::clone(&change.record);
        }
        self.asleep_since = (self.record.attention == Attention::Sleeping).then(|| Fingerprint::of(own));
        Evaluation { outcome, plan }
    }

    /// Whether all that decisions made of the two records is the same. Confidence and revision are left out: a restart
    /// changes the one and every commit the other, without a decision.
    fn is_in_step_with(&self, real: &JobRecord) -> bool {
        let own = &self.record;
        own.state == real.state
            && own.since == real.since
            && own.reason == real.reason
            && own.memory == real.memory
            && own.attention == real.attention
            && own.conditions == real.conditions
            && own.alerts.iter().map(decided).eq(real.alerts.iter().map(decided))
    }
}

/// What a decision made of an alert. Whether anybody was told of one that many records share, the other records have decided.
fn decided(alert: &StandingAlert) -> (&str, AlertScope, Timestamp, &str, bool) {
    let silenced = alert.silenced && alert.scope == AlertScope::Job;
    (&alert.name, alert.scope, alert.since, &alert.message, silenced)
}

#[cfg(test)]
mod tests;
