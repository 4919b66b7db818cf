//! Dates and kinds of fault: what is rare is found, and what was not begun at is said.

use steadfast_core::decision::Decision;
use steadfast_core::evidence::FaultKind;
use steadfast_core::record::AlertScope;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;
use steadfast_verify::Beginning;
use steadfast_verify::beginning::Scene;

use crate::changed::{alert, broken, clock, explored, flink_fault, to, tried};

/// 2026-03-29T01:00:00Z: Europe sets its clocks.
const CLOCKS_ARE_SET: i64 = 1_774_746_000;

/// Six shifts a day have reasons of their own.
fn by_shifts(snapshot: &Snapshot, decision: &mut Decision) {
    decision.reason.code = format!("Shift{}", clock(snapshot) / 3_600 % 24 / 4);
}

/// The same, and wrong in the night in which clocks are set.
fn wrong_when_clocks_are_set(snapshot: &Snapshot, decision: &mut Decision) {
    by_shifts(snapshot, decision);
    if (clock(snapshot) - CLOCKS_ARE_SET).abs() < 3_600 {
        decision.state = JobState::Failed;
    }
}

#[test]
fn what_breaks_while_dates_are_tried_is_told_at_any_depth() {
    let found = broken(wrong_when_clocks_are_set, "alive-is-not-ended", &tried(1)).unwrap();
    let seconds = found.from.at.as_millis() / 1_000;
    assert!((seconds - CLOCKS_ARE_SET).abs() <= 3_600, "{found:?}");
    assert!(found.depth > 1 && !found.steps.is_empty(), "{found:?}");
}

#[test]
fn the_rarest_hours_and_days_are_begun_at_and_the_rest_is_counted() {
    let is_then = |from: &Beginning| (from.at.as_millis() / 1_000 - CLOCKS_ARE_SET).abs() <= 2 * 3_600;
    let report = explored(wrong_when_clocks_are_set, "recovers", &tried(4));
    assert!(report.tried.date);
    let then = report.beginnings.iter().filter(|from| is_then(from)).count();
    assert!(then >= 2, "inside and just before: {:?}", report.beginnings);
    assert!(report.tried.moments_left_out > 0, "{:?}", report.tried);
    // No day is odd for it.
    let report = explored(by_shifts, "recovers", &tried(4));
    let last = Timestamp::parse("2026-01-08T12:00:00Z").unwrap();
    assert!(
        report.beginnings.iter().all(|from| from.at < last),
        "{:?}",
        report.beginnings
    );
}

#[test]
fn what_lies_beyond_the_depth_is_said() {
    let report = explored(by_shifts, "recovers", &tried(2));
    assert!(report.tried.date && report.beginnings.iter().all(Beginning::is_usual));
    let not_begun = &report.tried.not_begun;
    assert!(not_begun.iter().any(|from| !from.is_usual()), "{not_begun:?}");
    for scene in [Scene::Session, Scene::Standalone] {
        assert!(not_begun.contains(&Beginning::of(scene)), "{not_begun:?}");
    }
    let report = explored(by_shifts, "recovers", &tried(4));
    assert!(report.tried.not_begun.is_empty(), "{:?}", report.tried);
    let report = explored(|_, _| (), "recovers", &tried(4));
    assert!(report.tried.was_tried && !report.tried.date, "{:?}", report.tried);
}

#[test]
fn kinds_of_fault_are_told_apart_by_all_that_a_law_judges() {
    fn is_limited(snapshot: &Snapshot) -> bool {
        flink_fault(snapshot) == Some(FaultKind::TooManyRequests)
    }
    fn hasty(snapshot: &Snapshot, decision: &mut Decision) {
        if is_limited(snapshot) {
            decision.watch.validate_after = std::time::Duration::from_millis(10);
        }
    }
    fn flaps(snapshot: &Snapshot, decision: &mut Decision) {
        if is_limited(snapshot) && snapshot.record.alerts.is_empty() {
            alert(decision, "Limited", AlertScope::Job);
        }
    }
    fn denies(snapshot: &Snapshot, decision: &mut Decision) {
        if is_limited(snapshot) {
            crate::changed::condition(decision, steadfast_core::state::ConditionType::Terminating);
        }
    }
    fn says(snapshot: &Snapshot, decision: &mut Decision) {
        if is_limited(snapshot) {
            decision.reason.code = format!("Limited{}", clock(snapshot) / 5 % 2);
        }
    }
    for (change, law) in [
        (hasty as crate::changed::Change, "pace-is-sane"),
        (flaps, "alerts-are-steady"),
        (denies, "conditions-follow"),
        (says, "stands-with-its-evidence"),
    ] {
        let report = explored(change, law, &to(4));
        assert_eq!(report.alike.of_flink.len(), 2, "{law}: {:?}", report.alike);
        assert!(report.laws[0].is_some(), "{law} holds");
    }
}
