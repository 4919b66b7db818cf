//! What takes long, and what is asked for again and again: memory, lists, judgements.

use std::time::Duration;

use steadfast_core::decision::{Decision, LookupRequest, LookupSource};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::time::Timestamp;

use crate::changed::{Change, broken, flink_fault, has_run, to};

const BOUNDED: &str = "memory-is-bounded";

#[test]
fn a_memory_that_grows_slowly_is_found_and_one_of_a_week_is_right() {
    fn each_ten_minutes(snapshot: &Snapshot, decision: &mut Decision) {
        let seconds = has_run(snapshot, decision).unwrap_or(0);
        decision.memory = vec![1; usize::try_from(seconds / 600 * 16).unwrap()];
    }
    fn each_day(snapshot: &Snapshot, decision: &mut Decision) {
        let seconds = has_run(snapshot, decision).unwrap_or(0);
        decision.memory = vec![1; usize::try_from(seconds / 86_400).unwrap()];
    }
    fn of_a_week(snapshot: &Snapshot, decision: &mut Decision) {
        let hours = has_run(snapshot, decision).unwrap_or(0) / 3_600;
        decision.memory = vec![1; usize::try_from(hours.min(7 * 24)).unwrap()];
    }
    for (change, is_wrong) in [(each_ten_minutes as Change, true), (each_day, true), (of_a_week, false)] {
        let found = broken(change, BOUNDED, &to(1));
        assert_eq!(found.is_some(), is_wrong, "{found:?}");
    }
}

#[test]
fn a_memory_that_grows_with_what_happens_seldom_is_found() {
    /// The moment of each outage is kept, if the one before lies five minutes back.
    fn of_outages(snapshot: &Snapshot, decision: &mut Decision) {
        let memory = &snapshot.record.memory;
        decision.memory.clone_from(memory);
        let last = memory
            .last_chunk::<8>()
            .map(|bytes| Timestamp::from_millis(i64::from_le_bytes(*bytes)));
        let is_long_ago = last.is_none_or(|last| snapshot.now.since(last) > Duration::from_secs(300));
        if flink_fault(snapshot).is_some() && is_long_ago {
            decision.memory.extend(snapshot.now.as_millis().to_le_bytes());
        }
    }
    assert!(broken(of_outages, BOUNDED, &to(1)).is_some());
}

#[test]
fn lists_of_kubernetes_are_not_asked_for_at_each_look() {
    fn wants(decision: &mut Decision, observed_after: Timestamp) {
        decision.wanted = vec![LookupRequest {
            source: LookupSource::Kubernetes,
            observed_after,
        }];
    }
    fn each_time(snapshot: &Snapshot, decision: &mut Decision) {
        wants(decision, snapshot.now);
    }
    /// Once for all.
    fn once(snapshot: &Snapshot, decision: &mut Decision) {
        wants(decision, snapshot.record.since);
    }
    assert!(broken(each_time, "look-ups-are-paced", &to(1)).is_some());
    assert_eq!(broken(once, "look-ups-are-paced", &to(2)), None);
}

#[test]
fn a_job_that_lives_is_judged_now_and_then() {
    fn hardly_ever(_: &Snapshot, decision: &mut Decision) {
        decision.watch.validate_after = Duration::from_secs(365 * 86_400);
    }
    let found = broken(hardly_ever, "pace-is-sane", &to(1)).unwrap();
    assert!(found.broken.why.contains("judged"), "{found:?}");
}
