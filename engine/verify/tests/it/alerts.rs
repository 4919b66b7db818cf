//! Which policies alert as they should: those in hours, those of deadlines, those with conditions of their own.

use std::path::Path;

use steadfast_core::decision::Decision;
use steadfast_core::evidence::FaultKind;
use steadfast_core::record::AlertScope;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{ConditionType, JobState};
use steadfast_host::PolicyLimits;
use steadfast_verify::{Settings, laws, verify};

use crate::changed::{alert, broken, clock, condition, explored, flink_fault, has_run, kubernetes_fault, to, tried};
use crate::planted::engine;

/// Alerts of what has failed from Monday to Friday, 08:00 to 18:00.
fn in_office_hours(snapshot: &Snapshot, decision: &mut Decision) {
    let (hour, day) = (clock(snapshot) / 3_600 % 24, clock(snapshot) / 86_400);
    // The first day was a Thursday.
    let is_weekday = (day + 4) % 7 != 6 && (day + 4) % 7 != 0;
    let stands = snapshot.record.alerts.iter().any(|alert| alert.name == "JobFailed");
    if decision.state == JobState::Failed && (stands || (is_weekday && (8..18).contains(&hour))) {
        alert(decision, "JobFailed", AlertScope::Job);
    }
}

#[test]
fn an_alert_may_wait_for_the_office_to_open_and_no_longer() {
    assert_eq!(broken(in_office_hours, laws::ENDS_ARE_ALERTED, &tried(3)), None);
    assert!(broken(|_, _| (), laws::ENDS_ARE_ALERTED, &tried(3)).is_some());
}

#[test]
fn the_example_in_office_hours_keeps_every_law() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/prebuilt/business-hours.wasm");
    let module = std::fs::read(path).unwrap();
    let loaded = engine().load("hours", &module, "{}", PolicyLimits::default()).unwrap();
    let mut all = laws::all();
    // It has no condition.
    all.retain(|law| law.name() != laws::TROUBLE_IS_TOLD);
    let settings = Settings { beyond: 1, ..tried(2) };
    let report = verify(&|| Box::new(loaded.another()), &all, &settings, &mut |_| {});
    for (law, found) in all.iter().zip(&report.laws) {
        assert_eq!(*found, None, "{}", law.name());
    }
    assert!(report.coverage.alerts_of_ends(), "{:?}", report.coverage);
    assert!(report.tried.date, "{:?}", report.tried);
}

#[test]
fn only_an_alert_of_an_end_says_that_a_policy_alerts_of_ends() {
    fn of_the_cluster(snapshot: &Snapshot, decision: &mut Decision) {
        if kubernetes_fault(snapshot).is_some() {
            alert(decision, "KubernetesDown", AlertScope::Cluster);
        }
    }
    fn of_silence(snapshot: &Snapshot, decision: &mut Decision) {
        if flink_fault(snapshot).is_some() {
            alert(decision, "FlinkSilent", AlertScope::Job);
        }
    }
    fn of_ends(_: &Snapshot, decision: &mut Decision) {
        if decision.state == JobState::Failed {
            alert(decision, "JobFailed", AlertScope::Job);
        }
    }
    fn of_all_trouble(_: &Snapshot, decision: &mut Decision) {
        if matches!(decision.state, JobState::Failed | JobState::Restarting) {
            alert(decision, "Trouble", AlertScope::Job);
        }
    }
    let alerts_of_ends = |change| {
        let coverage = explored(change, laws::ENDS_ARE_ALERTED, &to(4)).coverage;
        coverage.alerts_of_ends()
    };
    assert!(!alerts_of_ends(of_the_cluster));
    assert!(!alerts_of_ends(of_silence));
    assert!(alerts_of_ends(of_ends));
    assert!(alerts_of_ends(of_all_trouble));
}

#[test]
fn what_is_alerted_of_a_job_that_was_always_well_is_no_trouble_that_clears() {
    const HOURS: u64 = 3_600;
    fn too_long(snapshot: &Snapshot, decision: &mut Decision) {
        if has_run(snapshot, decision).is_some_and(|seconds| seconds > 6 * HOURS) {
            alert(decision, "RunsTooLong", AlertScope::Job);
            condition(decision, ConditionType::CheckpointsFailing);
        }
    }
    /// What was alerted once is alerted for ever.
    fn stays(snapshot: &Snapshot, decision: &mut Decision) {
        if decision.state == JobState::Failed || !snapshot.record.alerts.is_empty() {
            alert(decision, "JobFailed", AlertScope::Job);
        }
    }
    fn always(_: &Snapshot, decision: &mut Decision) {
        alert(decision, "Always", AlertScope::Job);
    }
    assert_eq!(broken(too_long, "alerts-clear", &to(3)), None);
    assert!(broken(stays, "alerts-clear", &to(3)).is_some());
    assert!(broken(always, "alerts-clear", &to(1)).is_some());
}

#[test]
fn a_deadline_that_a_label_names_is_tried_and_right() {
    /// What has not finished by six is late.
    fn late(snapshot: &Snapshot, decision: &mut Decision) {
        let is_due = snapshot.record.labels.get("deadline") == Some("0600");
        let began = snapshot
            .record
            .incarnation
            .started_at
            .map_or(0, |began| began.as_millis() / 1_000);
        let deadline = began - began.rem_euclid(86_400) + 6 * 3_600;
        if is_due && decision.state == JobState::Running && clock(snapshot) > deadline {
            alert(decision, "Late", AlertScope::Job);
        }
    }
    let settings = Settings {
        labels: vec![("deadline".to_owned(), "0600".to_owned())],
        ..tried(4)
    };
    let report = explored(late, "alerts-clear", &settings);
    assert_eq!(report.laws, [None]);
    assert!(report.coverage.alerts.contains("Late"), "{:?}", report.coverage);
    assert_eq!(report.tried.labels.len(), 1, "{:?}", report.tried);
}

#[test]
fn a_silence_may_be_told_by_what_is_known_of_it() {
    fn precise(snapshot: &Snapshot, decision: &mut Decision) {
        let is_refused = |kind| matches!(kind, FaultKind::Unauthorized | FaultKind::Forbidden);
        let (flink, kubernetes) = (flink_fault(snapshot), kubernetes_fault(snapshot));
        if [flink, kubernetes].into_iter().flatten().any(is_refused) {
            condition(decision, ConditionType::AccessDenied);
        }
        if flink.is_some_and(|kind| !is_refused(kind)) {
            condition(decision, ConditionType::Unresponsive);
        }
        if kubernetes.is_some_and(|kind| !is_refused(kind)) {
            condition(decision, ConditionType::KubernetesUnreachable);
        }
    }
    /// A timeout denies nobody access.
    fn denied(snapshot: &Snapshot, decision: &mut Decision) {
        if flink_fault(snapshot).is_some() {
            condition(decision, ConditionType::AccessDenied);
        }
        if kubernetes_fault(snapshot).is_some() {
            condition(decision, ConditionType::KubernetesUnreachable);
        }
    }
    assert_eq!(broken(precise, laws::TROUBLE_IS_TOLD, &to(3)), None);
    assert!(broken(denied, laws::TROUBLE_IS_TOLD, &to(2)).is_some());
}
