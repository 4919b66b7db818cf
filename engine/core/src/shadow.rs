//! What shadow policies would show, beside what is recorded.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use crate::decision::PolicyFailure;
use crate::id::{JobKey, PolicyName};
use crate::record::{JobRecord, Reason};
use crate::state::{Confidence, JobState};
use crate::time::Timestamp;

/// What a record would show if a shadow policy kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowState {
    /// The state it would show.
    pub state: JobState,
    /// In which attempt.
    pub attempt: u32,
    /// How sure that state would be.
    pub confidence: Confidence,
    /// Why: a code in CamelCase and a sentence.
    pub reason: Reason,
    /// The rule of its last decision; `None` until it has decided.
    pub rule: Option<String>,
}

/// One judgement of a shadow policy: what it would show now, and its failure, if it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowVerdict {
    /// What it would show.
    pub shown: ShadowState,
    /// Why it did not decide; `shown` is what it showed before.
    pub failure: Option<PolicyFailure>,
}

/// When and how a shadow policy last failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastFailure {
    /// When it failed.
    pub at: Timestamp,
    /// The kind and the message.
    pub failure: PolicyFailure,
}

/// A shadow policy beside the record of one job.
#[derive(Clone, Debug, PartialEq)]
pub struct ShadowView {
    /// The record as it was committed when the two were last compared.
    pub decided: Arc<JobRecord>,
    /// What the shadow would show.
    pub shown: ShadowState,
    /// Since when the two differ, or agree.
    pub since: Timestamp,
    /// How often the two were compared.
    pub judged: u64,
    /// How often they differed.
    pub differed: u64,
    /// The shadow's last failure.
    pub failure: Option<LastFailure>,
}

impl ShadowView {
    /// Whether readers would see another state, or another attempt.
    pub fn differs(&self) -> bool {
        differ(&self.shown, &self.decided)
    }
}

fn differ(shown: &ShadowState, decided: &JobRecord) -> bool {
    shown.state != decided.state || shown.attempt != decided.incarnation.attempt
}

/// One shadow policy over all its jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShadowCounts {
    /// Jobs on record that it judges.
    pub jobs: u64,
    /// Those of which it would now show something else.
    pub differing: u64,
    /// How often it was compared, since it became a shadow in this process.
    pub judged: u64,
    /// How often it differed.
    pub differed: u64,
    /// How often it failed.
    pub failures: u64,
}

/// All shadow policies, ordered by name. Only the reconcile loop writes, after it has committed. It holds a lock for the
/// same reason as [`Projection`](crate::projection::Projection): the API reads while the loop writes.
#[derive(Clone, Debug, Default)]
pub struct ShadowBoard(Arc<RwLock<BTreeMap<PolicyName, PolicyShadows>>>);

/// One policy's part.
#[derive(Debug, Default)]
struct PolicyShadows {
    counts: ShadowCounts,
    jobs: BTreeMap<JobKey, ShadowView>,
}

impl PolicyShadows {
    fn remove(&mut self, key: &JobKey) {
        if let Some(view) = self.jobs.remove(key) {
            self.counts.jobs -= 1;
            self.counts.differing -= u64::from(view.differs());
        }
    }
}

/// Which comparisons are read; an empty filter means all.
#[derive(Clone, Debug, Default)]
pub struct ShadowFilter {
    /// Only of this policy.
    pub policy: Option<PolicyName>,
    /// Only those that differ, or only those that agree.
    pub differs: Option<bool>,
    /// Only those behind this one.
    pub after: Option<(PolicyName, JobKey)>,
}

impl ShadowBoard {
    /// Records what a shadow would show of a job whose decision was committed. Returns whether the two differ.
    pub fn record(&self, policy: &PolicyName, decided: Arc<JobRecord>, verdict: ShadowVerdict, now: Timestamp) -> bool {
        let mut policies = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let PolicyShadows { counts, jobs } = policies.entry(policy.clone()).or_default();
        let differs = differ(&verdict.shown, &decided);
        let known = jobs.get(&decided.key);
        let differed_before = known.map(ShadowView::differs);
        let failure = verdict.failure.map(|failure| LastFailure { at: now, failure });
        counts.jobs += u64::from(known.is_none());
        counts.differing += u64::from(differs);
        counts.differing -= u64::from(differed_before == Some(true));
        counts.judged += 1;
        counts.differed += u64::from(differs);
        counts.failures += u64::from(failure.is_some());
        let view = ShadowView {
            shown: verdict.shown,
            since: known
                .filter(|_| differed_before == Some(differs))
                .map_or(now, |known| known.since),
            judged: known.map_or(0, |known| known.judged) + 1,
            differed: known.map_or(0, |known| known.differed) + u64::from(differs),
            failure: failure.or_else(|| known.and_then(|known| known.failure.clone())),
            decided,
        };
        jobs.insert(view.decided.key.clone(), view);
        differs
    }

    /// Drops a job that was forgotten.
    pub fn forget(&self, key: &JobKey) {
        let mut policies = self.0.write().unwrap_or_else(PoisonError::into_inner);
        policies.values_mut().for_each(|shadows| shadows.remove(key));
    }

    /// Which policies are shadows from now on. Of those that were before and that `continues` names, the jobs that
    /// it names too are kept; everything else begins anew.
    pub fn begin(&self, shadows: &[PolicyName], continues: impl Fn(&PolicyName, &JobKey) -> bool) {
        let mut policies = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *policies);
        for name in shadows {
            let mut shadows = before.remove(name).unwrap_or_default();
            let gone: Vec<JobKey> = shadows
                .jobs
                .keys()
                .filter(|key| !continues(name, key))
                .cloned()
                .collect();
            gone.iter().for_each(|key| shadows.remove(key));
            if shadows.jobs.is_empty() {
                shadows.counts = ShadowCounts::default();
            }
            policies.insert(name.clone(), shadows);
        }
    }

    /// What each shadow would show of a job.
    pub fn of(&self, key: &JobKey) -> Vec<(PolicyName, ShadowView)> {
        let policies = self.0.read().unwrap_or_else(PoisonError::into_inner);
        policies
            .iter()
            .filter_map(|(policy, shadows)| Some((policy.clone(), shadows.jobs.get(key)?.clone())))
            .collect()
    }

    /// Each shadow over all its jobs.
    pub fn counts(&self) -> Vec<(PolicyName, ShadowCounts)> {
        let policies = self.0.read().unwrap_or_else(PoisonError::into_inner);
        policies
            .iter()
            .map(|(policy, shadows)| (policy.clone(), shadows.counts))
            .collect()
    }

    /// Up to `limit` comparisons, by policy and job.
    pub fn page(&self, wanted: &ShadowFilter, limit: usize) -> Vec<(PolicyName, ShadowView)> {
        let policies = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for (policy, shadows) in policies.iter() {
            let from = match &wanted.after {
                Some((last, _)) if policy < last => continue,
                Some((last, key)) if policy == last => Bound::Excluded(key),
                Some(_) | None => Bound::Unbounded,
            };
            if wanted.policy.as_ref().is_some_and(|only| only != policy) {
                continue;
            }
            let views = shadows.jobs.range::<JobKey, _>((from, Bound::Unbounded));
            found.extend(
                views
                    .map(|(_, view)| view)
                    .filter(|view| wanted.differs.is_none_or(|differs| differs == view.differs()))
                    .take(limit - found.len())
                    .map(|view| (policy.clone(), view.clone())),
            );
        }
        found
    }
}

#[cfg(test)]
mod tests;
