//! One instance for one batch.

use steadfast_core::decision::{Decide, PolicyFailureKind};
use steadfast_core::state::{Confidence, JobState};

use steadfast_host::MAX_POLICIES;

use crate::guest::{self, ANSWER, Guest, at};
use crate::situation;

/// Adds the number of earlier calls into this instance to the pace.
fn counting() -> Guest {
    let count = format!(
        "(i64.store (i32.const {poll}) (i64.add (i64.const 5000) (i64.extend_i32_u (global.get $calls))))
         (global.set $calls (i32.add (global.get $calls) (i32.const 1)))",
        poll = at::POLL_AFTER
    );
    Guest::deciding(format!("{count} {ANSWER}"))
}

fn pace(policy: &mut steadfast_host::Policy) -> u128 {
    policy
        .decide(&situation::running())
        .unwrap()
        .watch
        .poll_after
        .as_millis()
}

#[test]
fn a_module_and_the_component_of_it_decide_alike() {
    let guest = Guest::default();
    for bytes in [guest.module(), guest.component()] {
        let decision = guest::load(&bytes).unwrap().decide(&situation::running()).unwrap();
        assert_eq!(
            (decision.state, decision.confidence),
            (JobState::Running, Confidence::Confirmed)
        );
        assert_eq!(
            (decision.reason.code.as_str(), decision.watch.poll_after.as_secs()),
            ("Ok", 5)
        );
    }
}

#[test]
fn a_batch_has_one_instance_and_the_next_a_fresh_one() {
    let mut policy = counting().load().unwrap();
    assert_eq!([pace(&mut policy), pace(&mut policy)], [5000, 5001]);
    policy.end_batch();
    assert_eq!(pace(&mut policy), 5000);
}

#[test]
fn each_instance_is_configured_once_before_it_decides() {
    let mut policy = Guest {
        configure: "(global.set $calls (i32.add (global.get $calls) (i32.const 100))) (i32.const 64)",
        ..counting()
    }
    .load()
    .unwrap();
    assert_eq!([pace(&mut policy), pace(&mut policy)], [5100, 5101]);
    policy.end_batch();
    assert_eq!(pace(&mut policy), 5100);
}

#[test]
fn what_is_left_of_an_instance_that_trapped_is_never_used() {
    let trap = "(if (global.get $calls) (then (unreachable))) (global.set $calls (i32.const 1))";
    let mut policy = Guest::deciding(format!("{trap} {ANSWER}")).load().unwrap();
    assert!(policy.decide(&situation::running()).is_ok());
    let failure = policy.decide(&situation::running()).unwrap_err();
    assert_eq!(failure.kind, PolicyFailureKind::Trap);
    assert!(policy.decide(&situation::running()).is_ok());
}

#[test]
fn as_many_policies_as_one_engine_runs_decide_in_one_batch() {
    let first = Guest::default().load().unwrap();
    let mut all: Vec<steadfast_host::Policy> = (0..MAX_POLICIES).map(|_| first.another()).collect();
    for policy in &mut all {
        assert!(policy.decide(&situation::running()).is_ok());
    }
}
