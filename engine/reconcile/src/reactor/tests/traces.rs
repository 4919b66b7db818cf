//! What is told of decisions to who traces them.

use steadfast_core::trace::{DecisionTrace, Seen, Way};

use super::*;
use crate::setup::Fraction;
use crate::turn::Traced;

/// A loop of which that share of the decisions that change nothing is traced.
fn tracing(share: f64) -> Rig {
    let mut rig = Rig::new(&["orders"]);
    let policy = PolicySetup::deciding("believe", Box::new(Believer));
    let policies = Policies::new(vec![policy]);
    let reactor = Reactor::new(Timing::default(), 7, rig.now, BTreeMap::new(), policies, None);
    rig.reactor = reactor.traced(Fraction::new(share).unwrap(), 7);
    rig.fetches.clear();
    let first = rig.reactor.start(vec![], vec![target("orders")], rig.now);
    rig.commit(first);
    rig
}

/// Turns until nothing more is to be done now. Returns what is traced.
fn settled(rig: &mut Rig) -> Vec<Traced> {
    let mut traced = Vec::new();
    for _ in 0..100 {
        let mut turn = rig.reactor.turn(rig.now);
        traced.extend(turn.take_traced());
        rig.commit(turn);
        if rig.reactor.next_turn(rig.now).is_none_or(|next| next > rig.now) {
            return traced;
        }
    }
    panic!("the loop does not come to rest");
}

/// Flink answers 40 ms after it was asked.
fn answered(rig: &mut Rig, answer: Observed<FlinkOverview>) -> Vec<Traced> {
    let asked = rig.now;
    rig.now = asked.after(Duration::from_millis(40));
    let observation = Observation::new(answer, asked, rig.now);
    let fetched = Fetched::overview(TargetId::standalone("orders"), observation);
    rig.reactor.fetched(fetched, rig.now);
    settled(rig)
}

fn decision(traced: &[Traced]) -> &DecisionTrace {
    let [traced] = traced else {
        panic!("{} are traced", traced.len())
    };
    &traced.decision
}

#[test]
fn a_decision_that_changes_something_is_traced_with_what_led_to_it() {
    let mut rig = tracing(0.0);
    settled(&mut rig);
    let traced = answered(&mut rig, running());
    let told = decision(&traced);
    let change = traced[0].change.unwrap();
    assert_eq!(change.transition, Some((JobState::Unknown, JobState::Running)));
    assert_eq!(change.revision, rig.record("orders").revision);
    let [look] = told.looks.as_slice() else {
        panic!("{:?}", told.looks)
    };
    assert_eq!(
        (look.source, look.way, &look.seen),
        ("flink", Way::Flink, &Seen::Present)
    );
    assert_eq!(look.observed_at.since(look.asked_at), Duration::from_millis(40));
    assert_eq!(told.judged.shown_at, look.observed_at, "it was decided on that answer");
    let judgement = told.judged.outcome.as_ref().unwrap();
    assert_eq!(
        (judgement.rule.as_str(), judgement.state),
        ("believe", JobState::Running)
    );
    assert_eq!(told.judged.took, Some(Duration::ZERO), "time stands still in the loop");
    assert_eq!(
        (told.key.to_string().as_str(), told.policy.as_str()),
        ("-/-/orders", "believe")
    );
}

#[test]
fn one_that_changes_nothing_is_traced_as_often_as_is_asked_for() {
    for (share, expected) in [(0.0, 0), (1.0, 20)] {
        let mut rig = tracing(share);
        settled(&mut rig);
        answered(&mut rig, running());
        let mut traced = Vec::new();
        for _ in 0..20 {
            rig.now = rig.now.after(Duration::from_secs(5));
            traced.extend(settled(&mut rig));
            traced.extend(answered(&mut rig, running()));
        }
        assert_eq!(traced.len(), expected, "{share}");
        assert!(traced.iter().all(|traced| traced.change.is_none() && traced.is_sampled));
        let numbers: std::collections::BTreeSet<u64> = traced.iter().map(|traced| traced.decision.number).collect();
        assert_eq!(numbers.len(), expected, "each has a number of its own");
    }
}

#[test]
fn what_was_shown_before_led_to_the_decision_before() {
    let mut rig = tracing(1.0);
    settled(&mut rig);
    answered(&mut rig, running());
    rig.now = rig.now.after(Duration::from_secs(60));
    let later = settled(&mut rig);
    assert!(!later.is_empty(), "it is judged again without a new answer");
    assert!(later.iter().all(|traced| traced.decision.looks.is_empty()));
}

#[test]
fn a_fault_is_a_look_too() {
    let mut rig = tracing(0.0);
    settled(&mut rig);
    answered(&mut rig, running());
    rig.now = rig.now.after(Duration::from_secs(5));
    settled(&mut rig);
    let traced = answered(&mut rig, silent());
    let told = decision(&traced);
    assert!(matches!(&told.looks[0].seen, Seen::Unknown(fault) if fault.kind == FaultKind::Timeout));
    assert_eq!(told.judged.outcome.as_ref().unwrap().confidence, Confidence::Stale);
}
