//! The right policy of these tests with something changed, and small questions about what an exploration of it says.

use steadfast_core::decision::{Decide, DecidedAlert, DecidedCondition, Decision, PolicyFailure};
use steadfast_core::evidence::{FaultKind, Observed};
use steadfast_core::record::AlertScope;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{ConditionType, JobState};
use steadfast_verify::laws::{self, Law};
use steadfast_verify::{Counterexample, Report, Settings, verify};

use crate::policies::{Defect, policy};

/// What is changed of a decision.
pub(crate) type Change = fn(&Snapshot, &mut Decision);

struct Changed(Box<dyn Decide>, Change);

impl Decide for Changed {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let mut decision = self.0.decide(snapshot)?;
        (self.1)(snapshot, &mut decision);
        Ok(decision)
    }
}

pub(crate) fn changed(change: Change) -> Box<dyn Decide> {
    Box::new(Changed(policy(Defect::None), change))
}

/// Everything to a depth, and nothing beyond.
pub(crate) fn to(depth: u32) -> Settings {
    Settings {
        depth,
        beyond: 0,
        trials: false,
        ..Settings::default()
    }
}

/// The same with the calendar and labels tried beforehand.
pub(crate) fn tried(depth: u32) -> Settings {
    Settings {
        trials: true,
        ..to(depth)
    }
}

pub(crate) fn law(name: &str) -> Vec<Box<dyn Law>> {
    let laws: Vec<Box<dyn Law>> = laws::all().into_iter().filter(|law| law.name() == name).collect();
    assert_eq!(laws.len(), 1, "there is no law {name}");
    laws
}

pub(crate) fn explored(change: Change, name: &str, settings: &Settings) -> Report {
    verify(&|| changed(change), &law(name), settings, &mut |_| {})
}

/// How a policy breaks a law, if it does.
pub(crate) fn broken(change: Change, name: &str, settings: &Settings) -> Option<Counterexample> {
    explored(change, name, settings).laws.into_iter().next().flatten()
}

pub(crate) fn alert(decision: &mut Decision, name: &str, scope: AlertScope) {
    decision.alerts.push(DecidedAlert {
        name: name.into(),
        scope,
        message: "planted".into(),
    });
}

pub(crate) fn condition(decision: &mut Decision, kind: ConditionType) {
    decision.conditions.push(DecidedCondition {
        kind,
        message: "planted".into(),
    });
}

/// The fault of a Flink that gives no usable answer.
pub(crate) fn flink_fault(snapshot: &Snapshot) -> Option<FaultKind> {
    match &snapshot.flink.as_ref()?.latest {
        Observed::Unknown(fault) => Some(fault.kind),
        Observed::Present(_) | Observed::Absent => None,
    }
}

pub(crate) fn kubernetes_fault(snapshot: &Snapshot) -> Option<FaultKind> {
    match &snapshot.deployment.as_ref()?.latest {
        Observed::Unknown(fault) => Some(fault.kind),
        Observed::Present(_) | Observed::Absent => None,
    }
}

/// For how many seconds the job has run, if it runs.
pub(crate) fn has_run(snapshot: &Snapshot, decision: &Decision) -> Option<u64> {
    let began = snapshot.record.incarnation.started_at?;
    (decision.state == JobState::Running).then(|| snapshot.now.since(began).as_secs())
}

/// Seconds since 1 January 1970.
pub(crate) fn clock(snapshot: &Snapshot) -> i64 {
    snapshot.now.as_millis() / 1_000
}
