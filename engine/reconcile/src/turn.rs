//! What passes between the loop and its core: a [`Turn`] out, and what there is to [`Show`] back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use steadfast_core::decision::PolicyFailure;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::journal::{Change, Commit};
use steadfast_core::planner::{Plan, Trim};
use steadfast_core::projection::{JobView, WatchStatus};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;
use steadfast_core::shadow::ShadowVerdict;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;
use steadfast_core::trace::DecisionTrace;

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
    /// When it was shown what it was judged on.
    pub(crate) shown_at: Timestamp,
    /// What shadow policies are to be compared on; `None`: none is for the job.
    pub(crate) compared: Option<Box<Evidence>>,
    /// The failure of the policy, if it failed.
    pub(crate) failure: Option<PolicyFailure>,
    /// Who spoke.
    pub(crate) by: Verdict,
    /// The policy whose job it is.
    pub(crate) policy: PolicyName,
    /// How many entries of the journal it makes.
    pub(crate) entries: usize,
    /// What is told of it to who traces decisions; `None`: nothing is.
    pub(crate) traced: Option<Box<Traced>>,
}

/// A decision that is traced, before anything of it is committed.
pub(crate) struct Traced {
    pub(crate) decision: DecisionTrace,
    /// What it changes; `None`: nothing.
    pub(crate) change: Option<Planned>,
    /// It belongs to the share of decisions that are traced whatever comes of them.
    pub(crate) is_sampled: bool,
}

/// What a decision changes of its record.
#[derive(Clone, Copy)]
pub(crate) struct Planned {
    pub(crate) revision: u64,
    /// From which state to which, if the state or the attempt changes.
    pub(crate) transition: Option<(JobState, JobState)>,
}

/// What a decision was made on.
pub(crate) struct Evidence {
    pub(crate) before: Arc<JobRecord>,
    pub(crate) snapshot: Snapshot,
}

/// Who spoke of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its policy.
    Asked,
    /// The engine, as the policy was not asked or has not come to it.
    Unasked,
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

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            fetches,
            changes,
            recorded,
            judged,
            put_off,
            then_judge,
            policies,
        } = self;
        let has_no_work = fetches.is_empty() && changes.is_empty() && recorded.is_empty() && judged.is_empty();
        has_no_work && *put_off == 0 && then_judge.is_empty() && policies.is_none()
    }

    /// The transaction. The snapshots to keep are handed out once: a refused turn is decided anew.
    pub fn commit(&mut self) -> Commit {
        Commit {
            changes: self.changes.clone(),
            recorded: std::mem::take(&mut self.recorded),
        }
    }

    /// The decisions in it that are traced, handed out once: what becomes of them the commit tells.
    pub(crate) fn take_traced(&mut self) -> Vec<Traced> {
        let traced = self.judged.iter_mut().filter_map(|judged| judged.traced.take());
        traced.map(|traced| *traced).collect()
    }

    /// How many jobs were judged in it.
    pub fn judged(&self) -> usize {
        self.decided().count()
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
        self.decided()
            .filter_map(|judged| Some((&judged.key, judged.failure.as_ref()?)))
    }

    /// The jobs of which their policy was asked.
    fn decided(&self) -> impl Iterator<Item = &Judged> {
        self.judged.iter().filter(|judged| judged.by == Verdict::Asked)
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
    Shadow(PolicyName, Arc<JobRecord>, Box<ShadowVerdict>),
    /// Other policies decide from now on.
    Policies(NewShadows),
    /// What a policy has worked.
    Worked(PolicyName, Work),
    /// A policy that ran out of time again and again is suspended since then: it is asked about one job at a time. `None`: it
    /// keeps its deadline again.
    Suspended(PolicyName, Option<Timestamp>),
}

/// What a policy has worked in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// How long it decided.
    pub spent: Duration,
    /// How long each of its decisions took.
    pub took: Vec<Duration>,
    /// How many of its jobs wait for it.
    pub waiting: usize,
    /// How many comparisons a shadow passed over, since newer ones came first or it is suspended.
    pub skipped: u64,
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
