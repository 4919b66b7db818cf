use super::*;
use crate::alert::AlertStatus;
use crate::decision::{DecidedAlert, DecidedCondition, PolicyFailureKind};
use crate::evidence::{self, Fault, FaultKind, Observation, Observed};
use crate::id::{JobKey, TargetId};
use crate::record::{AlertScope, Reason};
use crate::testing::{self, at};

fn record() -> JobRecord {
    testing::record(JobKey::application(TargetId::standalone("orders")), at(0))
}

fn snapshot(record: &JobRecord, now: i64) -> Snapshot {
    testing::snapshot(record.clone(), at(now))
}

fn running() -> Decision {
    Decision {
        confidence: Confidence::Confirmed,
        reason: Reason::new("Flink", "Flink reports RUNNING"),
        rule: "flink-answers".into(),
        ..testing::decision(JobState::Running)
    }
}

fn step(before: &JobRecord, now: i64, decision: Decision) -> Option<Change> {
    plan(before, &snapshot(before, now), Ok(decision)).change
}

#[test]
fn the_same_decision_again_changes_nothing() {
    let first = step(&record(), 1, running()).unwrap();
    assert!(matches!(first.events.as_slice(), [Event::Transition(t)] if t.from == JobState::Unknown));
    assert_eq!((first.record.revision, first.record.confirmed_at), (1, Some(at(1))));
    assert_eq!(step(&first.record, 2, running()), None);
}

#[test]
fn an_end_that_stands_in_a_silence_is_not_confirmed_anew() {
    let ended = Decision {
        confidence: Confidence::Confirmed,
        ..testing::decision(JobState::Finished)
    };
    let first = step(&record(), 10, ended.clone()).unwrap().record;
    assert_eq!(first.confirmed_at, Some(at(10)));
    let mut later = snapshot(&first, 500);
    later.flink = testing::observed(Observed::Absent, at(40));
    let unknown = Observation::new(
        Observed::Unknown(Fault::new(FaultKind::Timeout, "why")),
        at(450),
        at(460),
    );
    evidence::accept(&mut later.flink, unknown);
    // It is as sure as before, as of what was heard last; and where nothing was heard since a start, as of the record.
    assert_eq!(plan(&first, &later, Ok(ended.clone())).confirmed_at, Some(at(40)));
    let heard = JobRecord {
        memory: vec![1],
        ..JobRecord::clone(&first)
    };
    let change = plan(&heard, &snapshot(&heard, 900), Ok(ended)).change.unwrap();
    assert_eq!(change.record.confirmed_at, Some(at(10)));
}

#[test]
fn a_new_attempt_in_the_same_state_is_a_transition() {
    let first = step(&record(), 1, running()).unwrap().record;
    let mut tracked = JobRecord::clone(&first);
    tracked.incarnation.attempt += 1;
    let plan = plan(&first, &snapshot(&tracked, 9), Ok(running()));
    let change = plan.change.unwrap();
    assert!(matches!(change.events.as_slice(), [Event::Transition(t)] if t.from == t.to && t.attempt == 1));
    assert_eq!(change.record.since, at(9));
}

#[test]
fn a_failing_policy_leaves_the_state_and_says_so() {
    let first = step(&record(), 1, running()).unwrap().record;
    let failure = PolicyFailure {
        kind: PolicyFailureKind::Trap,
        message: "unreachable".into(),
    };
    let failed = plan(&first, &snapshot(&first, 5), Err(failure.clone()));
    assert_eq!(failed.next, Next::Retry(failure.clone()));
    let kept = failed.change.unwrap();
    assert_eq!(
        (kept.record.state, kept.record.confidence),
        (JobState::Running, Confidence::Stale),
        "nobody has judged what is seen now"
    );
    assert_eq!(kept.record.conditions[0].kind, ConditionType::PolicyFailing);
    // Again: nothing new to say. Then it recovers.
    assert_eq!(
        plan(&kept.record, &snapshot(&kept.record, 9), Err(failure)).change,
        None
    );
    assert!(step(&kept.record, 10, running()).unwrap().record.conditions.is_empty());
}

#[test]
fn a_policy_that_fails_for_long_is_an_alert_until_it_decides() {
    let failure = || PolicyFailure {
        kind: PolicyFailureKind::Deadline,
        message: "too long".into(),
    };
    let first = step(&record(), 1, running()).unwrap().record;
    let fails = |before: &JobRecord, now| plan(before, &snapshot(before, now), Err(failure())).change;
    let alerts = |change: &Change| {
        let alerts = change.events.iter().filter_map(|event| match event {
            Event::Alert(alert) => Some((alert.alert.clone(), alert.scope, alert.status)),
            Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
        });
        alerts.collect::<Vec<_>>()
    };
    let name = || "PolicyFailing".to_owned();
    let failing = fails(&first, 10).unwrap();
    assert_eq!(alerts(&failing), [], "a single failure is none");
    assert_eq!(fails(&failing.record, 39), None);
    let told = fails(&failing.record, 40).unwrap();
    assert_eq!(alerts(&told), [(name(), AlertScope::Policy, AlertStatus::Firing)]);
    assert_eq!(fails(&told.record, 300), None, "once");
    let mends = step(&told.record, 301, running()).unwrap();
    assert_eq!(alerts(&mends), [(name(), AlertScope::Policy, AlertStatus::Resolved)]);
    assert!(mends.record.alerts.is_empty());
}

#[test]
fn what_leaves_nothing_to_go_by_is_a_failure() {
    let breaks: [fn(&mut Decision); 2] = [
        |d| d.memory = vec![0; MEMORY_LIMIT + 1],
        |d| d.state = JobState::Unknown,
    ];
    for damage in breaks {
        let mut decision = running();
        damage(&mut decision);
        let plan = plan(&record(), &snapshot(&record(), 1), Ok(decision));
        assert!(matches!(&plan.next, Next::Retry(f) if f.kind == PolicyFailureKind::Invalid));
        assert_eq!(plan.change.unwrap().record.state, JobState::Unknown);
    }
}

#[test]
fn an_alert_is_reported_once_until_it_clears() {
    let alert = DecidedAlert {
        name: "JobFailed".into(),
        scope: AlertScope::Job,
        message: "it failed".into(),
    };
    let decision = Decision {
        alerts: vec![alert],
        ..running()
    };
    let first = step(&record(), 1, decision.clone()).unwrap();
    assert!(matches!(&first.events[1], Event::Alert(a) if a.status == AlertStatus::Firing));
    assert_eq!(step(&first.record, 2, decision), None);
    let cleared = step(&first.record, 3, running()).unwrap();
    assert!(
        matches!(cleared.events.as_slice(), [Event::Alert(a)] if a.status == AlertStatus::Resolved && a.since == at(1))
    );
}

#[test]
fn a_condition_keeps_the_moment_it_began() {
    let condition = |text: &str| {
        vec![DecidedCondition {
            kind: ConditionType::CrashLoop,
            message: text.into(),
        }]
    };
    let first = step(
        &record(),
        1,
        Decision {
            conditions: condition("once"),
            ..running()
        },
    )
    .unwrap()
    .record;
    let second = step(
        &first,
        9,
        Decision {
            conditions: condition("twice"),
            ..running()
        },
    )
    .unwrap()
    .record;
    assert_eq!(
        (second.conditions[0].since, second.conditions[0].message.as_str()),
        (at(1), "twice")
    );
}

mod form;
mod rate;
mod shown;
