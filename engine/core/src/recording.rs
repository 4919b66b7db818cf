//! Snapshots kept behind decisions, so that they can be decided again, offline and by other policies.
//!
//! Not every decision is worth keeping: thousands a second say what was said before. What is kept is each decision that
//! changed the record, each first one on evidence of another kind, and one now and then. A decision that changed nothing
//! left no trace in memory either, so that the same policy, shown what was kept, takes the same path again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::decision::PolicyFailure;
use crate::event::Transition;
use crate::evidence::{Evidence, FaultKind, Observed};
use crate::facts::{Deployment, FlinkJob};
use crate::id::JobKey;
use crate::record::{JobRecord, PostedIntent};
use crate::shown::Shown;
use crate::snapshot::Snapshot;
use crate::state::JobState;
use crate::time::Timestamp;

/// What a policy was shown, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The record as it was committed before.
    pub before: Arc<JobRecord>,
    /// What was shown; its record is the one before, brought up to the newest attempt.
    pub snapshot: Snapshot,
    /// The rule that spoke, if the policy did not fail.
    pub rule: Option<String>,
    /// How the policy failed, if it did.
    pub failure: Option<PolicyFailure>,
    /// The transition that was committed with it.
    pub transition: Option<Transition>,
    /// What the decision showed, or the record while the policy failed. `None`: it was recorded by a build that did not keep it.
    pub shown: Option<Shown>,
    /// Which module decided, with which parameters: a digest in hex. `None`: none that is a module, or it was recorded by a build
    /// that did not keep it.
    pub decided_by: Option<String>,
}

impl Recorded {
    /// The job whose snapshot it is.
    pub fn key(&self) -> &JobKey {
        &self.before.key
    }

    /// When it was decided.
    pub fn at(&self) -> Timestamp {
        self.snapshot.now
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// What is older goes.
    pub max_age: Duration,
    /// The most bytes, as stored; the oldest go first.
    pub max_bytes: u64,
}

/// Chooses the snapshots to keep.
#[derive(Debug)]
pub struct Sampler {
    every: Duration,
    last: BTreeMap<JobKey, (Timestamp, EvidenceShape)>,
}

impl Sampler {
    /// Keeps at least one snapshot of a job in `every`, while it is decided on.
    pub fn new(every: Duration) -> Self {
        Self {
            every,
            last: BTreeMap::new(),
        }
    }

    /// Whether this one is to be kept. A kept one counts as such from here on.
    pub fn should_record(&mut self, snapshot: &Snapshot, changes_record: RecordChange) -> bool {
        let shape = EvidenceShape::of(snapshot);
        let key = &snapshot.record.key;
        let is_news = self
            .last
            .get(key)
            .is_none_or(|(at, last)| *last != shape || snapshot.now.since(*at) >= self.every);
        let records = is_news || changes_record == RecordChange::Yes;
        if records {
            self.last.insert(key.clone(), (snapshot.now, shape));
        }
        records
    }

    /// The job's record was deleted.
    pub fn forget(&mut self, key: &JobKey) {
        self.last.remove(key);
    }
}

/// Whether a decision changed the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordChange {
    /// It did: memory counts.
    Yes,
    /// Nothing was committed.
    No,
}

/// What makes a snapshot one of another kind: the cases of its evidence, without their times and numbers.
///
/// How many targets are dark is a number too. Whether they are so many that the cluster counts as disrupted is the policy's
/// word, by its own share: it says so in a condition, and a decision that changes the record is kept anyway.
#[derive(Clone, Debug, PartialEq)]
struct EvidenceShape {
    attempt: u32,
    intent: Option<PostedIntent>,
    flink: Answer<JobState>,
    deployment: Answer<(u32, Option<Timestamp>)>,
    others: [Answer<()>; 9],
    deletion: Option<Timestamp>,
}

/// The case of an answer, with what counts of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer<T> {
    NeverAsked,
    Present(T),
    Absent,
    Unknown(FaultKind),
}

impl EvidenceShape {
    fn of(snapshot: &Snapshot) -> Self {
        // Taken apart, so that new evidence is a question here.
        let Snapshot {
            now: _,
            engine_since: _,
            record,
            flink,
            exceptions,
            checkpoints,
            deployment,
            deletion,
            pods,
            events,
            ha_data,
            last_words,
            archive,
            flink_resource,
            task_managers,
            fleet: _,
            timing: _,
        } = snapshot;
        let others = [
            case(exceptions.as_ref()),
            case(checkpoints.as_ref()),
            case(pods.as_ref()),
            case(events.as_ref()),
            case(ha_data.as_ref()),
            case(last_words.as_ref()),
            case(archive.as_ref()),
            case(flink_resource.as_ref()),
            case(task_managers.as_ref()),
        ];
        let state = |job: &FlinkJob| job.state;
        let readiness = |deployment: &Deployment| (deployment.ready, deployment.deleting_since);
        Self {
            attempt: record.incarnation.attempt,
            intent: record.intent.clone(),
            flink: answer(flink.as_ref(), state),
            deployment: answer(deployment.as_ref(), readiness),
            others,
            deletion: deletion.as_ref().map(|deletion| deletion.seen_at),
        }
    }
}

fn answer<T, P>(evidence: Option<&Evidence<T>>, of_value: impl FnOnce(&T) -> P) -> Answer<P> {
    match evidence.map(|evidence| &evidence.latest) {
        None => Answer::NeverAsked,
        Some(Observed::Present(value)) => Answer::Present(of_value(value)),
        Some(Observed::Absent) => Answer::Absent,
        Some(Observed::Unknown(fault)) => Answer::Unknown(fault.kind),
    }
}

fn case<T>(evidence: Option<&Evidence<T>>) -> Answer<()> {
    answer(evidence, |_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Fleet;
    use crate::testing::{self, at, job_key, observed};

    /// Whether each is kept of snapshots that come one second after the other, while nothing changes the record.
    fn kept(snapshots: impl IntoIterator<Item = Snapshot>) -> Vec<bool> {
        let mut sampler = Sampler::new(Duration::from_secs(60));
        snapshots
            .into_iter()
            .map(|snapshot| sampler.should_record(&snapshot, RecordChange::No))
            .collect()
    }

    fn snapshot(second: i64) -> Snapshot {
        testing::snapshot(testing::record(job_key("orders"), at(0)), at(second))
    }

    #[test]
    fn evidence_of_another_kind_is_kept_and_the_same_once_in_a_while() {
        let mut silent = snapshot(2);
        let fault = crate::evidence::Fault::new(FaultKind::Timeout, "no answer");
        silent.flink = observed(Observed::Unknown(fault), at(2));
        let later = Snapshot {
            now: at(62),
            ..silent.clone()
        };
        assert_eq!(
            kept([snapshot(0), snapshot(1), silent.clone(), silent, later]),
            [true, false, true, false, true]
        );
    }

    #[test]
    fn how_many_targets_are_dark_is_no_other_kind_whatever_share_of_them() {
        let dark = |second, dark| Snapshot {
            fleet: Fleet { targets: 10, dark },
            ..snapshot(second)
        };
        assert_eq!(kept([dark(0, 0), dark(1, 5), dark(2, 10)]), [true, false, false]);
    }

    #[test]
    fn a_record_that_was_deleted_begins_anew() {
        let mut sampler = Sampler::new(Duration::from_secs(60));
        let is_kept = |sampler: &mut Sampler, second| sampler.should_record(&snapshot(second), RecordChange::No);
        assert_eq!((is_kept(&mut sampler, 0), is_kept(&mut sampler, 1)), (true, false));
        sampler.forget(&job_key("orders"));
        assert!(is_kept(&mut sampler, 2));
    }
}
