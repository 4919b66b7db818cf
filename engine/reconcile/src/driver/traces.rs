//! What becomes of decisions that are traced: told once the store has answered, and never before readers know it.

use std::collections::BTreeMap;
use std::time::Duration;

use steadfast_core::error_chain::error_chain;
use steadfast_core::id::JobKey;
use steadfast_core::journal::{Entry, JournalError, Part, Refusal, Sequence};
use steadfast_core::time::Timestamp;
use steadfast_core::trace::{CommitTrace, DecisionTrace, NotCommitted};

use crate::turn::{Planned, Traced};

/// How the store answered a turn.
pub(super) struct Answered<'a> {
    /// When it was asked.
    pub(super) at: Timestamp,
    /// How long it took.
    pub(super) took: Duration,
    /// How many records were to change.
    pub(super) changes: usize,
    /// The entries of the journal, if it took anything.
    pub(super) outcome: Result<&'a [Entry], &'a JournalError>,
    /// What it does not take of single jobs.
    pub(super) refused: &'a [Refusal],
}

/// The traces of a turn's decisions. One whose change is not durable is made again and again while the store fails, so it is told
/// only as often as one that changes nothing.
pub(super) fn told(traced: Vec<Traced>, answered: &Answered<'_>) -> Vec<DecisionTrace> {
    let mut sequences: BTreeMap<&JobKey, Vec<Sequence>> = BTreeMap::new();
    for entry in answered.outcome.unwrap_or_default() {
        sequences.entry(&entry.key).or_default().push(entry.sequence);
    }
    let told = traced.into_iter().filter_map(|traced| {
        let Traced {
            mut decision,
            change,
            is_sampled,
        } = traced;
        decision.judged.at = answered.at.max(decision.judged.shown_at);
        decision.commit = change.map(|change| answered.commit(&decision.key, change, &mut sequences));
        let is_durable = decision.commit.as_ref().is_some_and(|commit| commit.outcome.is_ok());
        (is_sampled || is_durable).then_some(decision)
    });
    told.collect()
}

impl Answered<'_> {
    fn commit(&self, key: &JobKey, change: Planned, sequences: &mut BTreeMap<&JobKey, Vec<Sequence>>) -> CommitTrace {
        let refusal = || {
            let of_job = |refusal: &&Refusal| refusal.key == *key && refusal.part == Part::Change;
            self.refused.iter().find(of_job)
        };
        let outcome = match (self.outcome, refusal()) {
            (Err(error), _) => Err(NotCommitted::Failed(error_chain(error))),
            (Ok(_), Some(refusal)) => Err(NotCommitted::Refused(refusal.why.clone())),
            (Ok(_), None) => Ok(sequences.remove(key).unwrap_or_default()),
        };
        CommitTrace {
            at: self.at,
            took: self.took,
            changes: self.changes,
            revision: change.revision,
            transition: change.transition,
            outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::id::PolicyName;
    use steadfast_core::journal::Event;
    use steadfast_core::state::{JobState, Mode};
    use steadfast_core::testing::{at, job_key};
    use steadfast_core::trace::Judged;

    use super::*;

    const PLANNED: Planned = Planned {
        revision: 4,
        transition: Some((JobState::Running, JobState::Failed)),
    };

    fn traced(name: &str, change: Option<Planned>, is_sampled: bool) -> Traced {
        let failure = steadfast_core::decision::PolicyFailure {
            kind: steadfast_core::decision::PolicyFailureKind::Trap,
            message: "unreachable".into(),
        };
        Traced {
            decision: DecisionTrace {
                number: 1,
                key: job_key(name),
                mode: Mode::Application,
                flink_job: None,
                attempt: 1,
                policy: PolicyName::new("p"),
                looks: Vec::new(),
                judged: Judged {
                    shown_at: at(1),
                    at: at(1),
                    took: None,
                    outcome: Err(failure),
                    wanted: Vec::new(),
                },
                commit: None,
            },
            change,
            is_sampled,
        }
    }

    fn entry(sequence: u64, name: &str) -> Entry {
        Entry {
            sequence: Sequence(sequence),
            at: at(9),
            key: job_key(name),
            event: Event::Update(None),
            revision: 4,
        }
    }

    fn answered<'a>(outcome: Result<&'a [Entry], &'a JournalError>, refused: &'a [Refusal]) -> Answered<'a> {
        Answered {
            at: at(9),
            took: Duration::from_millis(3),
            changes: 2,
            outcome,
            refused,
        }
    }

    #[test]
    fn each_job_has_its_own_entries_of_a_commit() {
        let entries = [entry(7, "a"), entry(8, "b"), entry(9, "a")];
        let both = vec![traced("a", Some(PLANNED), false), traced("b", Some(PLANNED), false)];
        let told = told(both, &answered(Ok(&entries), &[]));
        let sequences = |decision: &DecisionTrace| decision.commit.clone().unwrap().outcome.unwrap();
        assert_eq!(sequences(&told[0]), [Sequence(7), Sequence(9)]);
        assert_eq!(sequences(&told[1]), [Sequence(8)]);
        assert_eq!(told[0].judged.at, at(9), "the loop took it up when it committed it");
    }

    #[test]
    fn what_is_not_durable_is_told_as_often_as_what_changes_nothing() {
        let failed = JournalError::Unusable("the disk is full".into());
        let both = || vec![traced("a", Some(PLANNED), false), traced("b", Some(PLANNED), true)];
        let told_of = told(both(), &answered(Err(&failed), &[]));
        let [decision] = told_of.as_slice() else {
            panic!("{told_of:?}")
        };
        let commit = decision.commit.as_ref().unwrap();
        assert!(matches!(&commit.outcome, Err(NotCommitted::Failed(why)) if why.contains("the disk is full")));
        let refused = [Refusal {
            key: job_key("b"),
            part: Part::Change,
            why: "it does not read back".into(),
        }];
        let told_of = told(both(), &answered(Ok(&[entry(7, "a")]), &refused));
        assert_eq!(told_of.len(), 2, "the other one's is durable");
        let commit = told_of[1].commit.as_ref().unwrap();
        assert!(matches!(&commit.outcome, Err(NotCommitted::Refused(why)) if why == "it does not read back"));
    }

    #[test]
    fn what_changes_nothing_has_no_commit() {
        let told = told(vec![traced("a", None, true)], &answered(Ok(&[]), &[]));
        assert_eq!(told[0].commit, None);
    }
}
