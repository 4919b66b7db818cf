//! Decisions, written down as they are made and made again.

use std::sync::{Arc, Mutex, PoisonError};

use steadfast_core::decision::{Decide, Decision, PolicyFailure};
use steadfast_core::snapshot::Snapshot;
use steadfast_host::Policy;

/// What was judged, and what came of it.
pub type Judged = (Snapshot, Result<Decision, PolicyFailure>);

/// Everything that the policies of one play decided.
#[derive(Clone, Default)]
pub struct Record(Arc<Mutex<Vec<Judged>>>);

impl Record {
    /// A policy whose decisions are written down here.
    pub fn of(&self, policy: Policy) -> Box<dyn Decide> {
        Box::new(Recorded {
            policy,
            record: self.clone(),
        })
    }

    pub fn take(&self) -> Vec<Judged> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Recorded {
    policy: Policy,
    record: Record,
}

impl Decide for Recorded {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let outcome = self.policy.decide(snapshot);
        let mut record = self.record.0.lock().unwrap_or_else(PoisonError::into_inner);
        record.push((snapshot.clone(), outcome.clone()));
        outcome
    }

    fn end_batch(&mut self) {
        self.policy.end_batch();
    }
}

/// Lets everything be judged again: in order by one instance, then out of order, each by an instance of its own. Says
/// which decision came out differently.
pub fn objection(judged: &[Judged], policy: &Policy) -> Option<String> {
    let mut again = policy.another();
    for judged in judged {
        if let Some(why) = differs(judged, &mut again) {
            return Some(why);
        }
    }
    // A stride that shares no factor with the count visits all of them, far from their order.
    let count = judged.len();
    let stride = (count / 2 + 1..).find(|stride| coprime(*stride, count)).unwrap_or(1);
    for turn in 0..count {
        again.end_batch();
        let place = turn * stride % count;
        if let Some(why) = judged.get(place).and_then(|judged| differs(judged, &mut again)) {
            return Some(why);
        }
    }
    None
}

fn coprime(a: usize, b: usize) -> bool {
    if b == 0 { a == 1 } else { coprime(b, a % b) }
}

fn differs((snapshot, outcome): &Judged, policy: &mut Policy) -> Option<String> {
    let key = &snapshot.record.key;
    let before = match outcome {
        Ok(decision) => decision,
        Err(failure) => return Some(format!("the policy failed on {key}: {}", failure.message)),
    };
    match policy.decide(snapshot) {
        Ok(decision) if decision == *before => None,
        Ok(decision) => Some(format!("{key} was decided {outcome:?}, and again {decision:?}")),
        Err(failure) => Some(format!(
            "the policy failed on {key} when asked again: {}",
            failure.message
        )),
    }
}
