//! What passes between the loop and its core: a [`Turn`] out, and what there is to [`Show`] back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use steadfast_core::decision::PolicyFailure;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::journal::{Change, Commit};
use steadfast_core::planner::{Plan, Trim};
use steadfast_core::projection::{JobView, WatchStatus};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;
use steadfast_core::shadow::ShadowVerdict;

use crate::fetch::Fetch;
use crate::policies::Policies;

/// One step of the loop: requests to make, and a transaction to commit. It comes back whole: with
/// [`Reactor::advance`](crate::reactor::Reactor::advance) once its commit is durable, or with
/// [`Reactor::refuse`](crate::reactor::Reactor::refuse) if the store did not take it.
#[derive(Default)]
#[must_use = "what was decided is lost to the loop unless the turn is given back"]
pub struct Turn {
    /// Requests to make, whatever becomes of the commit.
    pub fetches: Vec<Fetch>,
    pub(crate) changes: Vec<Change>,
    pub(crate) recorded: Vec<Recorded>,
    pub(crate) judged: Vec<Judged>,
    /// How many jobs were due and are judged later, as their records change too fast.
    pub(crate) put_off: u64,
    /// Jobs to judge once it is committed.
    pub(crate) then_judge: Vec<JobKey>,
    /// Policies that decide once it is committed.
    pub(crate) policies: Option<Policies>,
}

/// One job, judged.
pub struct Judged {
    pub(crate) key: JobKey,
    pub(crate) plan: Plan,
    /// What shadow policies make of it.
    pub(crate) shadows: Vec<(PolicyName, ShadowVerdict)>,
    /// The failure of the policy, if it failed.
    pub(crate) failure: Option<PolicyFailure>,
    /// The policy that decided.
    pub(crate) policy: PolicyName,
    /// How many entries of the journal it makes.
    pub(crate) entries: usize,
}

impl Turn {
    /// A turn that commits one thing and judges its job then.
    pub(crate) fn of(change: Change) -> Self {
        Self {
            then_judge: vec![change.record.key.clone()],
            changes: vec![change],
            ..Self::default()
        }
    }

    /// The transaction. The snapshots to keep are handed out once: a refused turn is decided anew.
    pub fn commit(&mut self) -> Commit {
        Commit {
            changes: self.changes.clone(),
            recorded: std::mem::take(&mut self.recorded),
        }
    }

    /// How many jobs were judged in it.
    pub fn judged(&self) -> usize {
        self.judged.len()
    }

    /// What of the policies' decisions in it was trimmed.
    pub(crate) fn trimmed(&self) -> impl Iterator<Item = (&PolicyName, Trim)> {
        let of = |judged: &'_ Judged| judged.plan.trimmed.clone().into_iter();
        self.judged
            .iter()
            .flat_map(move |judged| of(judged).map(move |trim| (&judged.policy, trim)))
    }

    /// How many jobs were due and are judged later, as their records change too fast.
    pub(crate) fn put_off(&self) -> u64 {
        self.put_off
    }

    /// The policies' failures in it.
    pub fn failures(&self) -> impl Iterator<Item = (&JobKey, &PolicyFailure)> {
        self.judged
            .iter()
            .filter_map(|judged| Some((&judged.key, judged.failure.as_ref()?)))
    }
}

/// Something for readers, now that it is durable.
pub enum Show {
    /// A committed change, and how the watch of its job stands.
    Changed(Change, JobView),
    /// A record that was deleted.
    Forgotten(Change),
    /// A record as the store has it, where memory had another.
    Repaired(JobView),
    /// A record that the store does not have.
    Dropped(JobKey),
    /// How the watch of a job stands.
    Watch(JobKey, WatchStatus),
    /// What a shadow policy makes of a job, beside its committed record.
    Shadow(PolicyName, Arc<JobRecord>, ShadowVerdict),
    /// Other policies decide from now on.
    Policies(NewShadows),
}

/// Which shadows there are, now that other policies decide, and whose comparisons go on.
pub struct NewShadows {
    /// All of them.
    pub names: Vec<PolicyName>,
    /// The jobs of those whose module and parameters are the same as before.
    pub continued: BTreeMap<PolicyName, BTreeSet<JobKey>>,
}

impl NewShadows {
    /// Whether the comparison of that shadow with that job goes on.
    pub fn continues(&self, policy: &PolicyName, key: &JobKey) -> bool {
        self.continued.get(policy).is_some_and(|jobs| jobs.contains(key))
    }
}
