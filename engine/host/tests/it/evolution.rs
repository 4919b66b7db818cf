//! The contract before this one: its modules load, decide as ever, and are never handed a word they do not know.

use std::path::Path;

use steadfast_core::decision::Decide;
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::record::Reason;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Confidence, JobState};
use steadfast_core::testing::observed;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits, builtin};

use crate::situation;

fn load(module: &[u8]) -> Policy {
    let engine = PolicyEngine::new(None).unwrap();
    engine.load("policy", module, "{}", PolicyLimits::default()).unwrap()
}

/// A policy as it was built for 0.1.0.
fn previous(name: &str) -> Policy {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/contract-0.1.0");
    load(&std::fs::read(folder.join(name).with_extension("wasm")).unwrap())
}

#[test]
fn a_policy_says_which_contract_it_was_built_for() {
    assert_eq!(previous("naive").contract(), steadfast_wit::PREVIOUS_VERSION);
    assert_eq!(load(builtin::NAIVE).contract(), steadfast_wit::VERSION);
}

/// What a decision says of the job. The policy moves on between the two builds: its memory has other bytes, and its reviews
/// other times.
fn verdict(policy: &mut Policy, snapshot: &Snapshot) -> (JobState, Confidence, Reason) {
    let decision = policy.decide(snapshot).unwrap();
    (decision.state, decision.confidence, decision.reason)
}

#[test]
fn old_and_new_decide_alike() {
    let mut labelled = situation::running();
    labelled.record.labels = std::collections::BTreeMap::from([("team".to_owned(), "payments".to_owned())]).into();
    for (name, now) in [("conservative", builtin::CONSERVATIVE), ("naive", builtin::NAIVE)] {
        let (mut old, mut new) = (previous(name), load(now));
        for snapshot in [
            situation::running(),
            situation::silent(),
            situation::crash_looping(),
            labelled.clone(),
        ] {
            assert_eq!(verdict(&mut old, &snapshot), verdict(&mut new, &snapshot), "{name}");
        }
    }
}

/// A snapshot as a newer engine recorded it, with a fault this one has never heard of (the store reads it as `Other`).
fn from_the_future() -> Snapshot {
    let mut snapshot = situation::silent();
    let flink = snapshot.flink.as_mut().unwrap();
    let other = Fault::new(FaultKind::Other, "no answer within 3 s");
    flink.latest = Observed::Unknown(other);
    snapshot
}

#[test]
fn a_fault_nobody_has_heard_of_is_still_unknown() {
    let snapshot = from_the_future();
    for mut policy in [previous("conservative"), load(builtin::CONSERVATIVE)] {
        let decision = policy.decide(&snapshot).unwrap();
        assert_eq!(decision.state, JobState::Running, "unknown is not absent");
    }
}

#[test]
fn every_fault_reaches_both() {
    let kinds = [
        FaultKind::Timeout,
        FaultKind::Refused,
        FaultKind::Address,
        FaultKind::Tls,
        FaultKind::Connection,
        FaultKind::Unauthorized,
        FaultKind::Forbidden,
        FaultKind::NotFound,
        FaultKind::Expired,
        FaultKind::TooManyRequests,
        FaultKind::LeaderElection,
        FaultKind::Status,
        FaultKind::Malformed,
        FaultKind::TooLarge,
    ];
    let (mut old, mut new) = (previous("conservative"), load(builtin::CONSERVATIVE));
    for kind in kinds {
        let mut snapshot = situation::running();
        let fault = Observed::Unknown(Fault::new(kind, "it did not answer"));
        snapshot.flink = observed(fault, situation::at(99));
        assert_eq!(verdict(&mut old, &snapshot), verdict(&mut new, &snapshot), "{kind:?}");
    }
}

/// The older contract has no word for it, so that a module built for it takes it for a Flink that does not answer.
#[test]
fn what_flink_leaves_open_is_no_end_for_either() {
    let mut snapshot = situation::running();
    let fault = Observed::Unknown(Fault::new(FaultKind::Other, "the list leaves the job out"));
    snapshot.flink = observed(fault, situation::at(99));
    for mut policy in [previous("conservative"), load(builtin::CONSERVATIVE)] {
        assert_eq!(policy.decide(&snapshot).unwrap().state, JobState::Running);
    }
}
