//! Which kinds of fault a policy treats alike. One of each group then stands for all of it, which leaves far fewer
//! sequences to explore.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use steadfast_core::evidence::{Evidence, FaultKind, Observed};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::Attention;

use crate::look::Watcher;
use crate::successors::KINDS;

/// Groups of kinds, the first of each standing for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// Of Flink's faults.
    pub of_flink: Vec<Vec<FaultKind>>,
    /// Of Kubernetes' faults.
    pub of_kubernetes: Vec<Vec<FaultKind>>,
}

impl Alike {
    /// All alike, before anything was tried.
    pub(crate) fn all() -> Self {
        Self {
            of_flink: vec![KINDS.to_vec()],
            of_kubernetes: vec![KINDS.to_vec()],
        }
    }

    pub(crate) fn flink(&self) -> impl Iterator<Item = FaultKind> {
        self.of_flink.iter().filter_map(|group| group.first().copied())
    }

    pub(crate) fn kubernetes(&self) -> impl Iterator<Item = FaultKind> {
        self.of_kubernetes.iter().filter_map(|group| group.first().copied())
    }
}

/// What each kind led to, wherever it was tried.
#[derive(Debug)]
pub(crate) struct Trials {
    flink: BTreeMap<FaultKind, u64>,
    kubernetes: BTreeMap<FaultKind, u64>,
}

impl Trials {
    pub(crate) fn new() -> Self {
        let none = || KINDS.into_iter().map(|kind| (kind, 0)).collect();
        Self {
            flink: none(),
            kubernetes: none(),
        }
    }

    /// Judges a snapshot with every kind instead of each fault in it.
    pub(crate) fn take(&mut self, snapshot: &Snapshot, watcher: &mut Watcher) {
        if snapshot.flink.as_ref().is_some_and(is_unknown) {
            for (kind, led_to) in &mut self.flink {
                let mut other = snapshot.clone();
                set(other.flink.as_mut(), *kind);
                note(led_to, &other, watcher);
            }
        }
        if snapshot.deployment.as_ref().is_some_and(is_unknown) {
            for (kind, led_to) in &mut self.kubernetes {
                let mut other = snapshot.clone();
                set(other.deployment.as_mut(), *kind);
                set(other.pods.as_mut(), *kind);
                note(led_to, &other, watcher);
            }
        }
    }

    pub(crate) fn groups(&self) -> Alike {
        Alike {
            of_flink: grouped(&self.flink),
            of_kubernetes: grouped(&self.kubernetes),
        }
    }
}

fn is_unknown<T>(evidence: &Evidence<T>) -> bool {
    !evidence.latest.is_known()
}

fn set<T>(evidence: Option<&mut Evidence<T>>, kind: FaultKind) {
    if let Some(Evidence {
        latest: Observed::Unknown(fault),
        ..
    }) = evidence
    {
        fault.kind = kind;
    }
}

/// What counts as led to: the state, how sure, what is remembered and looked up, and whether polls go on. Words and
/// conditions may differ.
fn note(led_to: &mut u64, snapshot: &Snapshot, watcher: &mut Watcher) {
    let mut hasher = DefaultHasher::new();
    led_to.hash(&mut hasher);
    match watcher.decide_again(snapshot) {
        Ok(decision) => {
            let sleeps = decision.watch.attention == Attention::Sleeping;
            (
                decision.state,
                decision.confidence,
                decision.memory,
                decision.wanted,
                sleeps,
            )
                .hash(&mut hasher);
        }
        Err(failure) => failure.kind.hash(&mut hasher),
    }
    *led_to = hasher.finish();
}

fn grouped(trials: &BTreeMap<FaultKind, u64>) -> Vec<Vec<FaultKind>> {
    let mut groups: Vec<(u64, Vec<FaultKind>)> = Vec::new();
    for kind in KINDS {
        let led_to = trials.get(&kind).copied().unwrap_or_default();
        match groups.iter_mut().find(|(other, _)| *other == led_to) {
            Some((_, group)) => group.push(kind),
            None => groups.push((led_to, vec![kind])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}
