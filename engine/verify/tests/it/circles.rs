//! The same again and again: every law is held to each look, and what speaks there did speak.

use steadfast_core::decision::Decision;
use steadfast_core::record::AlertScope;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;
use steadfast_verify::step::{FlinkStep, Step};

use crate::changed::{alert, broken, clock, explored, flink_fault, to, tried};

/// How many outages of Flink's there were, and whether one is now.
fn outages(snapshot: &Snapshot, decision: &mut Decision) -> (u8, bool) {
    let (before, was_silent) = match snapshot.record.memory.as_slice() {
        [count, silent] => (*count, *silent == 1),
        _ => (0, false),
    };
    let is_silent = flink_fault(snapshot).is_some();
    let count = before.saturating_add(u8::from(is_silent && !was_silent));
    decision.memory = vec![count, u8::from(is_silent)];
    (count, is_silent)
}

fn failed_in_the_fifth(snapshot: &Snapshot, decision: &mut Decision) {
    if let (5.., true) = outages(snapshot, decision) {
        decision.state = JobState::Failed;
    }
}

#[test]
fn a_look_of_a_circle_is_held_to_the_laws() {
    let found = broken(failed_in_the_fifth, "unknown-is-not-absent", &to(1)).unwrap();
    let silences = found
        .steps
        .iter()
        .chain(&found.broken.then)
        .filter(|step| matches!(step, Step::Flink(FlinkStep::Silent(_))))
        .count();
    let last = found.broken.then.last();
    assert_eq!(silences, 5, "the story ends at the look that breaks it: {found:?}");
    assert!(matches!(last, Some(Step::Flink(FlinkStep::Silent(_)))), "{found:?}");
    fn counts(snapshot: &Snapshot, decision: &mut Decision) {
        outages(snapshot, decision);
    }
    assert_eq!(broken(counts, "unknown-is-not-absent", &to(1)), None);
}

#[test]
fn what_speaks_in_circles_or_at_a_date_did_speak() {
    fn in_the_fifth(snapshot: &Snapshot, decision: &mut Decision) {
        if let (5.., true) = outages(snapshot, decision) {
            decision.rule = "fifth".into();
            alert(decision, "Fifth", AlertScope::Job);
        }
    }
    let seen = explored(in_the_fifth, "recovers", &to(1)).coverage;
    assert!(
        seen.rules.contains("fifth") && seen.alerts.contains("Fifth"),
        "{seen:?}"
    );
    /// On the day on which Europe sets its clocks.
    fn in_spring(snapshot: &Snapshot, decision: &mut Decision) {
        if clock(snapshot) / 86_400 == 20_541 {
            decision.rule = "spring".into();
            alert(decision, "Spring", AlertScope::Job);
        }
    }
    let seen = explored(in_spring, "recovers", &tried(1)).coverage;
    assert!(
        seen.rules.contains("spring") && seen.alerts.contains("Spring"),
        "{seen:?}"
    );
}
