//! The records that shadow policies would keep. They decide on the same evidence, and change nothing else.
//!
//! A shadow is compared once the real decision is committed, and on time that nobody else needs: what it is to judge waits
//! here, of each job the newest.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::Arc;

use steadfast_core::counterfactual::Counterfactual;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::record::JobRecord;
use steadfast_core::shadow::{ShadowState, ShadowVerdict};
use steadfast_core::shown::Shown;
use steadfast_core::snapshot::Snapshot;

use crate::judging::{Case, Outcome};

/// How many snapshots may wait for one shadow, so that one that is slower than the engine takes no more memory than that.
const WAITING: usize = 4096;

/// The records of one shadow policy, and what it is to judge.
#[derive(Debug, Default)]
pub(crate) struct ShadowRecords {
    records: BTreeMap<JobKey, Kept>,
    waiting: BTreeMap<JobKey, Waiting>,
    /// The job that was judged last: the next one behind it follows.
    last: Option<JobKey>,
    skipped: u64,
}

/// A job as a shadow would keep it.
#[derive(Debug)]
struct Kept {
    record: Counterfactual,
    /// What it showed with its last decision, or before its first.
    shows: Shown,
    /// What the real policy showed with what this one was shown last.
    beside: Shown,
    /// The rule of its last decision.
    rule: Option<String>,
}

/// What was decided of a job, for a shadow to judge as well.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    /// The real record, as it was committed before.
    pub(crate) before: Arc<JobRecord>,
    /// What the real policy was shown.
    pub(crate) snapshot: Snapshot,
    /// The real record as it was committed with that decision.
    pub(crate) committed: Arc<JobRecord>,
    /// What that decision showed.
    pub(crate) shown: Shown,
}

#[derive(Debug)]
enum Waiting {
    /// Not yet looked at.
    New(Box<Compared>),
    /// It was given to the judge, who did not come to it.
    Left(Case),
}

/// What comes of something that waited.
pub(crate) enum Next {
    /// To be decided.
    Decide(Case),
    /// Its own watch sleeps, so there is nothing to decide.
    Asleep(Arc<JobRecord>, Box<ShadowVerdict>),
}

impl ShadowRecords {
    /// Something more to judge. What waited of the same job is out of date.
    pub(crate) fn add(&mut self, compared: Compared) {
        let key = compared.committed.key.clone();
        if self.waiting.len() >= WAITING && !self.waiting.contains_key(&key) {
            self.skipped += 1;
            return;
        }
        if self.waiting.insert(key, Waiting::New(Box::new(compared))).is_some() {
            self.skipped += 1;
        }
    }

    /// What a judge was given and did not come to. Something newer of the job goes first.
    pub(crate) fn put_back(&mut self, left: Case) {
        let key = left.record.key.clone();
        match self.waiting.entry(key) {
            Entry::Occupied(_) => self.skipped += 1,
            Entry::Vacant(place) => {
                place.insert(Waiting::Left(left));
            }
        }
    }

    /// Passes over all that waits: the policy is not asked for now.
    pub(crate) fn skip_waiting(&mut self) {
        self.skipped += self.waiting.len() as u64;
        self.waiting.clear();
    }

    /// How many were passed over since this was last asked.
    pub(crate) fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next thing to judge.
    pub(crate) fn next(&mut self, policy: &PolicyName) -> Option<Next> {
        let behind = self.last.as_ref().and_then(|last| {
            let mut behind = self
                .waiting
                .range::<JobKey, _>((Bound::Excluded(last), Bound::Unbounded));
            behind.next().map(|(key, _)| key)
        });
        let key = behind.or_else(|| self.waiting.keys().next())?.clone();
        let waiting = self.waiting.remove(&key)?;
        self.last = Some(key);
        let compared = match waiting {
            Waiting::Left(case) => return Some(Next::Decide(case)),
            Waiting::New(compared) => *compared,
        };
        let kept = self.records.entry(compared.before.key.clone()).or_insert_with(|| {
            let record = Counterfactual::take_over(&compared.before, policy);
            Kept {
                shows: Shown::kept(record.record()),
                beside: compared.shown.clone(),
                record,
                rule: None,
            }
        });
        kept.beside = compared.shown;
        Some(match kept.record.show(&compared.before, &compared.snapshot) {
            Some(shown) => Next::Decide(Case {
                record: compared.committed,
                shown: Box::new(shown),
            }),
            None => Next::Asleep(compared.committed, Box::new(kept.verdict())),
        })
    }

    /// Takes in what the policy made of a case; `None` if the job was forgotten meanwhile.
    pub(crate) fn settle(&mut self, case: &Case, outcome: Outcome) -> Option<ShadowVerdict> {
        let kept = self.records.get_mut(&case.record.key)?;
        let settled = kept.record.settle(&case.shown, outcome);
        kept.shows = settled.plan.shown;
        let failure = match settled.outcome {
            Ok(decision) => {
                kept.rule = Some(decision.rule);
                None
            }
            Err(failure) => Some(failure),
        };
        Some(ShadowVerdict {
            failure,
            ..kept.verdict()
        })
    }

    pub(crate) fn forget(&mut self, key: &JobKey) {
        self.records.remove(key);
        self.waiting.remove(key);
    }

    /// Keeps the records of those jobs alone.
    pub(crate) fn retain(&mut self, keeps: impl Fn(&JobKey) -> bool) {
        self.records.retain(|key, _| keeps(key));
        self.waiting.retain(|key, _| keeps(key));
    }
}

impl Kept {
    /// What it shows now.
    fn verdict(&self) -> ShadowVerdict {
        let record = self.record.record();
        ShadowVerdict {
            shown: ShadowState {
                shows: self.shows.clone(),
                reason: record.reason.clone(),
                conditions: record.conditions.clone(),
                alerts: record.alerts.clone(),
                rule: self.rule.clone(),
            },
            beside: self.beside.clone(),
            failure: None,
        }
    }
}
