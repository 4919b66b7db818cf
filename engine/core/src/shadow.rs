//! What shadow policies would show, beside what is recorded.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use crate::decision::PolicyFailure;
use crate::id::{JobKey, PolicyName};
use crate::record::{Condition, JobRecord, Reason, StandingAlert};
use crate::shown::{Aspect, Aspects, Shown};
use crate::time::Timestamp;

/// What a record would show if a shadow policy kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowState {
    /// What is compared: state, attempt, alerts and the rest.
    pub shows: Shown,
    /// Why: a code in CamelCase and a sentence.
    pub reason: Reason,
    /// The conditions that would stand, each since when.
    pub conditions: Vec<Condition>,
    /// The alerts that would stand, each since when. Nobody is told of them.
    pub alerts: Vec<StandingAlert>,
    /// The rule of its last decision; `None` until it has decided.
    pub rule: Option<String>,
}

/// One judgement of a shadow policy: what it would show now, and its failure, if it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowVerdict {
    /// What it would show.
    pub shown: ShadowState,
    /// What the policy that decides showed with the same evidence.
    pub beside: Shown,
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
    /// What its policy showed then.
    pub beside: Shown,
    /// What the shadow would show.
    pub shown: ShadowState,
    /// In what the two differ now.
    pub aspects: Aspects,
    /// In what they have differed so far.
    pub differences: BTreeMap<Aspect, Differing>,
    /// Since when readers would see another state or attempt, or the same.
    pub since: Timestamp,
    /// How often the two were compared.
    pub judged: u64,
    /// How often they differed in state or attempt.
    pub differed: u64,
    /// The shadow's last failure.
    pub failure: Option<LastFailure>,
}

impl ShadowView {
    /// Whether readers would see another state, or another attempt.
    pub fn differs(&self) -> bool {
        self.aspects.are_of_state()
    }
}

/// How two have differed in one aspect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differing {
    /// Since when they differ in it without a break; `None`: they do not now.
    pub since: Option<Timestamp>,
    /// In how many comparisons.
    pub times: u64,
}

/// One shadow policy over all its jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShadowCounts {
    /// Jobs on record that it judges.
    pub jobs: u64,
    /// Those of which it would now show another state or attempt.
    pub differing: u64,
    /// How often it was compared, since it became a shadow in this process.
    pub judged: u64,
    /// How often it differed in state or attempt.
    pub differed: u64,
    /// How often it failed.
    pub failures: u64,
    /// The same by aspect; those in which it never differed are left out.
    pub aspects: BTreeMap<Aspect, AspectCount>,
}

/// One shadow policy over all its jobs, in one aspect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AspectCount {
    /// Jobs of which it would now show something else.
    pub jobs: u64,
    /// In how many comparisons it differed.
    pub differed: u64,
}

impl ShadowCounts {
    /// Each aspect, the gravest first, those in which it never differed too.
    pub fn by_aspect(&self) -> impl Iterator<Item = (Aspect, AspectCount)> + '_ {
        let count = |aspect: &Aspect| self.aspects.get(aspect).copied().unwrap_or_default();
        Aspect::ALL.iter().map(move |aspect| (*aspect, count(aspect)))
    }

    /// A comparison of a job was added, in place of one that `before` came of.
    fn add(&mut self, before: Option<&ShadowView>, aspects: &Aspects, failure: Option<&LastFailure>) {
        self.jobs += u64::from(before.is_none());
        self.take_away(before);
        let differs = u64::from(aspects.are_of_state());
        self.differing += differs;
        self.judged += 1;
        self.differed += differs;
        self.failures += u64::from(failure.is_some());
        for aspect in aspects.iter() {
            let count = self.aspects.entry(aspect).or_default();
            count.jobs += 1;
            count.differed += 1;
        }
    }

    /// What a job counts for now.
    fn take_away(&mut self, view: Option<&ShadowView>) {
        let Some(view) = view else { return };
        self.differing -= u64::from(view.differs());
        for aspect in view.aspects.iter() {
            if let Some(count) = self.aspects.get_mut(&aspect) {
                count.jobs = count.jobs.saturating_sub(1);
            }
        }
    }
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
            self.counts.take_away(Some(&view));
        }
    }
}

/// Which comparisons are read; an empty filter means all.
#[derive(Clone, Debug, Default)]
pub struct ShadowFilter {
    /// Only of this policy.
    pub policy: Option<PolicyName>,
    /// Only those that differ in state or attempt, or only the others.
    pub differs: Option<bool>,
    /// Only those that differ in one of these.
    pub aspects: Aspects,
    /// Only those behind this one.
    pub after: Option<(PolicyName, JobKey)>,
}

impl ShadowBoard {
    /// Records what a shadow would show of a job whose decision was committed. Returns in what the two differ.
    pub fn record(
        &self,
        policy: &PolicyName,
        decided: Arc<JobRecord>,
        verdict: ShadowVerdict,
        now: Timestamp,
    ) -> Aspects {
        let mut policies = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let PolicyShadows { counts, jobs } = policies.entry(policy.clone()).or_default();
        let ShadowVerdict { shown, beside, failure } = verdict;
        let aspects = shown.shows.differs_from(&beside);
        let differs = aspects.are_of_state();
        let known = jobs.get(&decided.key);
        let failure = failure.map(|failure| LastFailure { at: now, failure });
        counts.add(known, &aspects, failure.as_ref());
        let view = ShadowView {
            beside,
            shown,
            differences: differences(known, &aspects, now),
            since: known
                .filter(|known| known.differs() == differs)
                .map_or(now, |known| known.since),
            judged: known.map_or(0, |known| known.judged) + 1,
            differed: known.map_or(0, |known| known.differed) + u64::from(differs),
            failure: failure.or_else(|| known.and_then(|known| known.failure.clone())),
            aspects: aspects.clone(),
            decided,
        };
        jobs.insert(view.decided.key.clone(), view);
        aspects
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
            .map(|(policy, shadows)| (policy.clone(), shadows.counts.clone()))
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
                    .filter(|view| wanted.aspects.is_empty() || wanted.aspects.meet(&view.aspects))
                    .take(limit - found.len())
                    .map(|view| (policy.clone(), view.clone())),
            );
        }
        found
    }
}

/// In what the two have differed so far, with one comparison more.
fn differences(known: Option<&ShadowView>, aspects: &Aspects, now: Timestamp) -> BTreeMap<Aspect, Differing> {
    let mut differences = known.map(|known| known.differences.clone()).unwrap_or_default();
    for (aspect, differing) in &mut differences {
        if !aspects.contains(*aspect) {
            differing.since = None;
        }
    }
    for aspect in aspects.iter() {
        let differing = differences.entry(aspect).or_default();
        differing.since.get_or_insert(now);
        differing.times += 1;
    }
    differences
}

#[cfg(test)]
mod tests;
