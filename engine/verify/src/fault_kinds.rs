//! Which kinds of fault a policy treats alike. One of each group then stands for all of it, which leaves far fewer
//! sequences to explore.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use steadfast_core::evidence::{Evidence, FaultKind, Observed};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::Attention;

use crate::look::Watcher;
use crate::step::{FlinkStep, KubernetesStep, Step};
use crate::successors::KINDS;

/// Groups of kinds, the first of each standing for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alike {
    /// Of Flink's faults.
    pub of_flink: Vec<Vec<FaultKind>>,
    /// Of Kubernetes' faults.
    pub of_kubernetes: Vec<Vec<FaultKind>>,
    /// Those of Flink's that stand for a group of their own because of what is said beside the state alone.
    nuances_of_flink: Vec<FaultKind>,
    /// Those of Kubernetes'.
    nuances_of_kubernetes: Vec<FaultKind>,
}

/// How much more of the depth a fault takes that differs in conditions, alerts, reason or pace alone: so that the depth is spent on
/// what leads to other states.
const NUANCE: u32 = 2;

impl Alike {
    /// All alike, before anything was tried.
    pub(crate) fn all() -> Self {
        Self {
            of_flink: vec![KINDS.to_vec()],
            of_kubernetes: vec![KINDS.to_vec()],
            ..Self::default()
        }
    }

    /// How much of the depth a step takes.
    pub(crate) fn weighs(&self, step: Step) -> u32 {
        let is_nuance = match step {
            Step::Flink(FlinkStep::Silent(kind)) => self.nuances_of_flink.contains(&kind),
            Step::Kubernetes(KubernetesStep::Silent(kind)) => self.nuances_of_kubernetes.contains(&kind),
            Step::Flink(_)
            | Step::Kubernetes(_)
            | Step::Wait(_)
            | Step::Ends(_)
            | Step::Explained(_)
            | Step::Memory(_)
            | Step::Neighbours(_)
            | Step::Intent(_)
            | Step::Restart
            | Step::PolicyFails
            | Step::Heal => false,
        };
        step.weighs() + if is_nuance { NUANCE } else { 0 }
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
    flink: BTreeMap<FaultKind, LedTo>,
    kubernetes: BTreeMap<FaultKind, LedTo>,
}

/// Hashes of all that a kind led to.
#[derive(Clone, Copy, Debug, Default)]
struct LedTo {
    /// What the future depends on.
    future: u64,
    /// That, and what is said beside it.
    whole: u64,
}

impl Trials {
    pub(crate) fn new() -> Self {
        let none = || KINDS.into_iter().map(|kind| (kind, LedTo::default())).collect();
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
        let (of_flink, nuances_of_flink) = grouped(&self.flink);
        let (of_kubernetes, nuances_of_kubernetes) = grouped(&self.kubernetes);
        Alike {
            of_flink,
            of_kubernetes,
            nuances_of_flink,
            nuances_of_kubernetes,
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

/// What counts as led to: all that a law may judge. Sentences may differ.
fn note(led_to: &mut LedTo, snapshot: &Snapshot, watcher: &mut Watcher) {
    let (mut future, mut whole) = (DefaultHasher::new(), DefaultHasher::new());
    led_to.future.hash(&mut future);
    led_to.whole.hash(&mut whole);
    match watcher.decide_again(snapshot) {
        Ok(decision) => {
            let sleeps = decision.watch.attention == Attention::Sleeping;
            (decision.state, decision.confidence, sleeps).hash(&mut future);
            (&decision.memory, &decision.wanted).hash(&mut future);
            let watch = &decision.watch;
            (&decision.reason.code, watch.poll_after, watch.validate_after).hash(&mut whole);
            (decision.alerts.len(), decision.conditions.len()).hash(&mut whole);
            for alert in &decision.alerts {
                (&alert.name, alert.scope).hash(&mut whole);
            }
            for condition in &decision.conditions {
                condition.kind.hash(&mut whole);
            }
        }
        Err(failure) => failure.kind.hash(&mut future),
    }
    led_to.future = future.finish();
    led_to.future.hash(&mut whole);
    led_to.whole = whole.finish();
}

/// The groups, and the first of each that leads to the same future as a group before.
fn grouped(trials: &BTreeMap<FaultKind, LedTo>) -> (Vec<Vec<FaultKind>>, Vec<FaultKind>) {
    let mut groups: Vec<(LedTo, Vec<FaultKind>)> = Vec::new();
    let mut nuances = Vec::new();
    for kind in KINDS {
        let led_to = trials.get(&kind).copied().unwrap_or_default();
        if let Some((_, group)) = groups.iter_mut().find(|(other, _)| other.whole == led_to.whole) {
            group.push(kind);
            continue;
        }
        if groups.iter().any(|(other, _)| other.future == led_to.future) {
            nuances.push(kind);
        }
        groups.push((led_to, vec![kind]));
    }
    (groups.into_iter().map(|(_, group)| group).collect(), nuances)
}
