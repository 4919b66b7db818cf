//! The modules that come with the binary.

use std::borrow::Cow;

use steadfast_core::decision::{Decide, LookupSource};
use steadfast_core::state::{Attention, ConditionType, Confidence, JobState};
use steadfast_host::{LoadError, Policy, PolicyEngine, PolicyLimits, builtin};

use crate::situation;

/// A built-in module, or the one that is to take its place.
fn module(name: &str) -> Cow<'static, [u8]> {
    match std::env::var_os(format!("STEADFAST_{}_WASM", name.to_uppercase())) {
        Some(path) => Cow::Owned(std::fs::read(path).unwrap()),
        None => Cow::Borrowed(builtin::find(name).unwrap()),
    }
}

fn load(name: &str, params: &str) -> Result<Policy, LoadError> {
    let engine = PolicyEngine::new(None).unwrap();
    engine.load(name, &module(name), params, PolicyLimits::default())
}

#[test]
fn they_say_what_they_are() {
    for name in ["conservative", "naive"] {
        let policy = load(name, "{}").unwrap();
        assert_eq!(policy.description().name, name);
        assert!(!policy.description().parameters.is_empty());
        assert_eq!(policy.digest().len(), 64);
    }
}

#[test]
fn a_default_is_a_value_the_policy_takes() {
    for name in ["conservative", "naive"] {
        let parameters = load(name, "{}").unwrap().description().parameters.clone();
        let params: Vec<String> = parameters
            .iter()
            .map(|p| format!("{:?}: {}", p.name, p.default))
            .collect();
        load(name, &format!("{{{}}}", params.join(", "))).unwrap();
    }
}

#[test]
fn an_unknown_parameter_is_named_with_those_there_are() {
    let text = load("conservative", r#"{"absence_widow": "50s"}"#)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("`absence_widow`") && text.contains("`absence_window`"),
        "{text}"
    );
}

#[test]
fn one_lost_answer_parts_the_two() {
    let mut conservative = load("conservative", "{}").unwrap();
    let mut naive = load("naive", "{}").unwrap();
    for policy in [&mut conservative, &mut naive] {
        let decision = policy.decide(&situation::running()).unwrap();
        assert_eq!(
            (decision.state, decision.confidence),
            (JobState::Running, Confidence::Confirmed)
        );
    }
    let decision = conservative.decide(&situation::silent()).unwrap();
    assert_eq!(
        (decision.state, decision.watch.attention),
        (JobState::Running, Attention::Active)
    );
    let decision = naive.decide(&situation::silent()).unwrap();
    assert_eq!(
        (decision.state, decision.watch.attention),
        (JobState::Failed, Attention::Sleeping)
    );
}

#[test]
fn pods_go_in_and_conditions_come_out() {
    let decision = load("conservative", "{}")
        .unwrap()
        .decide(&situation::crash_looping())
        .unwrap();
    let kinds: Vec<ConditionType> = decision.conditions.iter().map(|condition| condition.kind).collect();
    assert!(kinds.contains(&ConditionType::CrashLoop), "{kinds:?}");
}

#[test]
fn memory_and_wishes_come_through() {
    let mut policy = load("conservative", "{}").unwrap();
    let decision = policy.decide(&situation::running()).unwrap();
    assert!(
        decision
            .wanted
            .iter()
            .any(|want| want.source == LookupSource::Checkpoints)
    );
    let mut snapshot = situation::running();
    snapshot.record.memory = decision.memory.clone();
    assert_eq!(policy.decide(&snapshot).unwrap().memory, decision.memory);
}
