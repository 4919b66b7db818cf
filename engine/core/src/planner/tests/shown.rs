//! What a decision leaves in the record, and what of it is told.

use std::collections::BTreeMap;

use super::*;
use crate::record::{OtherJob, PostedIntent, Silence, StandingAlert};
use crate::state::Intent;

fn intent(intent: Intent, since: i64) -> Option<PostedIntent> {
    Some(PostedIntent {
        intent,
        since: at(since),
        author: None,
        savepoint: None,
    })
}

fn other() -> OtherJob {
    OtherJob {
        flink_job_id: testing::flink_job_id(2),
        state: JobState::Running,
    }
}

fn crash_loop() -> Condition {
    Condition {
        kind: ConditionType::CrashLoop,
        since: at(1),
        message: "why".into(),
    }
}

#[test]
fn what_evidence_shows_of_a_record_is_kept_with_the_decision_on_it() {
    let first = step(&record(), 1, running()).unwrap().record;
    let mut tracked = JobRecord::clone(&first);
    tracked.labels = BTreeMap::from([("team".to_owned(), "search".to_owned())]).into();
    tracked.other_jobs = vec![other()];
    tracked.intent = intent(Intent::Cancel, 5);
    let reason = Reason::new("Other", "for another reason");
    let decision = Decision {
        reason: reason.clone(),
        ..running()
    };
    let after = plan(&first, &snapshot(&tracked, 9), Ok(decision))
        .change
        .unwrap()
        .record;
    assert_eq!(
        (&after.labels, &after.other_jobs, &after.intent, &after.reason),
        (&tracked.labels, &tracked.other_jobs, &tracked.intent, &reason)
    );
}

#[test]
fn each_thing_that_readers_see_is_told_by_itself() {
    let before = record();
    let seen: [fn(&mut JobRecord); 9] = [
        |r| r.confidence = Confidence::Confirmed,
        |r| r.reason = Reason::new("Other", "for another reason"),
        |r| r.conditions = vec![crash_loop()],
        |r| r.told_since = Some(at(1)),
        |r| r.other_jobs = vec![other()],
        |r| r.attention = Attention::Sleeping,
        |r| {
            r.silences = vec![Silence {
                alert: "JobFailed".into(),
                since: at(1),
                until: at(9),
                by: None,
                comment: None,
            }];
        },
        |r| r.incarnation.attempt = 1,
        |r| r.intent = intent(Intent::Start, 1),
    ];
    let unseen: [fn(&mut JobRecord); 2] = [|r| r.memory = vec![1], |r| r.confirmed_at = Some(at(1))];
    let is_shown = |change: fn(&mut JobRecord)| {
        let mut after = before.clone();
        change(&mut after);
        shown_differently(&before, &after)
    };
    assert_eq!(seen.map(is_shown), [true; 9]);
    assert_eq!(unseen.map(is_shown), [false; 2]);
    // That the same was meant again is no news.
    let [meant, again] = [1, 2].map(|since| JobRecord {
        intent: intent(Intent::Cancel, since),
        ..record()
    });
    assert!(!shown_differently(&meant, &again));
}

#[test]
fn what_stood_of_a_job_stands_on_while_its_policy_fails() {
    let before = JobRecord {
        conditions: vec![crash_loop()],
        ..record()
    };
    let failure = || PolicyFailure {
        kind: PolicyFailureKind::Trap,
        message: "unreachable".into(),
    };
    let kinds = |record: &JobRecord| record.conditions.iter().map(|c| c.kind).collect::<Vec<_>>();
    let failed = plan(&before, &snapshot(&before, 5), Err(failure()))
        .change
        .unwrap()
        .record;
    let both = [ConditionType::CrashLoop, ConditionType::PolicyFailing];
    assert!(both.iter().all(|kind| kinds(&failed).contains(kind)) && kinds(&failed).len() == 2);
    assert_eq!(failed.condition(ConditionType::CrashLoop), Some(&crash_loop()));
}

#[test]
fn a_policy_that_raised_an_alert_of_that_name_still_gets_the_engines_own() {
    let alert = |name: &str, scope| StandingAlert {
        name: name.into(),
        scope,
        since: at(1),
        message: "why".into(),
        silenced: false,
    };
    let failing = || PolicyFailure {
        kind: PolicyFailureKind::Deadline,
        message: "too long".into(),
    };
    for own in [
        alert("PolicyFailing", AlertScope::Job),
        alert("PolicyOutdated", AlertScope::Policy),
    ] {
        let before = JobRecord {
            alerts: vec![own],
            ..record()
        };
        let begins = plan(&before, &snapshot(&before, 5), Err(failing()))
            .change
            .unwrap()
            .record;
        let lasts = plan(&begins, &snapshot(&begins, 60), Err(failing()))
            .change
            .unwrap()
            .record;
        assert_eq!(lasts.alerts.len(), 2, "{:?}", lasts.alerts);
    }
}

#[test]
fn what_was_trimmed_is_said_and_of_what_fits_nothing() {
    let fits = Decision {
        conditions: vec![
            DecidedCondition {
                kind: ConditionType::CrashLoop,
                message: "why".into(),
            };
            COUNT_LIMIT
        ],
        ..running()
    };
    let said = |decision| plan(&record(), &snapshot(&record(), 1), Ok(decision)).complaint();
    assert_eq!(said(fits), None);
    let mut nameless = running();
    nameless.reason.code.clear();
    let complaint = said(nameless).unwrap();
    assert!(complaint.starts_with("reason.code is empty"), "{complaint}");
}

#[test]
fn alerts_that_just_find_room_are_told() {
    let alerts = |count: u32| Decision {
        alerts: (0..count)
            .map(|n| DecidedAlert {
                name: format!("Alert{n}"),
                scope: AlertScope::Job,
                message: "it".into(),
            })
            .collect(),
        ..running()
    };
    let timing = Timing::default();
    let spent = Spent::more(None, usize::try_from(AT_ONCE - 4).unwrap(), at(9), &timing);
    let first = step(&record(), 1, running()).unwrap().record;
    let stands = |count| {
        let allowance = spent.allowance(at(9), &timing);
        let planned = plan_within(&first, &snapshot(&first, 9), Ok(alerts(count)), allowance);
        planned.change.map_or(0, |change| change.record.alerts.len())
    };
    // One entry is the state's.
    assert_eq!((stands(3), stands(4)), (3, 0));
}

#[test]
fn an_intent_that_is_said_again_is_no_news_and_another_or_another_authors_is() {
    let posted = |intent, since, author: Option<&str>| PostedIntent {
        intent,
        since: at(since),
        author: author.map(Into::into),
        savepoint: None,
    };
    let news = |before: &JobRecord, intent: &PostedIntent| {
        let change = record_intent(before, intent.clone(), None);
        assert_eq!(change.record.intent.as_ref(), Some(intent));
        change.events.len()
    };
    let first = posted(Intent::Cancel, 1, Some("ann"));
    assert_eq!(news(&record(), &first), 1);
    let meant = JobRecord {
        intent: Some(first),
        ..record()
    };
    assert_eq!(news(&meant, &posted(Intent::Cancel, 2, Some("ann"))), 0);
    assert_eq!(news(&meant, &posted(Intent::Cancel, 2, Some("bob"))), 1);
    assert_eq!(news(&meant, &posted(Intent::None, 2, Some("ann"))), 1);
}

#[test]
fn what_reaches_a_limit_and_does_not_exceed_it_is_not_trimmed() {
    let alert = |n: usize| DecidedAlert {
        name: format!("{n:0>NAME_LIMIT$}"),
        scope: AlertScope::Job,
        message: "x".repeat(TEXT_LIMIT),
    };
    let mut full = Decision {
        memory: vec![0; MEMORY_LIMIT],
        alerts: (0..COUNT_LIMIT).map(alert).collect(),
        wanted: vec![
            LookupRequest {
                source: crate::decision::LookupSource::Events,
                observed_after: at(0),
            };
            COUNT_LIMIT
        ],
        ..running()
    };
    full.reason = Reason::new("x".repeat(NAME_LIMIT).as_str(), "x".repeat(TEXT_LIMIT).as_str());
    let planned = plan(&record(), &snapshot(&record(), 1), Ok(full));
    assert_eq!(planned.complaint(), None);
    let after = planned.change.unwrap().record;
    assert_eq!((after.alerts.len(), after.memory.len()), (COUNT_LIMIT, MEMORY_LIMIT));
}

#[test]
fn a_watch_does_not_sleep_while_its_policy_fails() {
    let asleep = JobRecord {
        attention: Attention::Sleeping,
        ..record()
    };
    let failure = PolicyFailure {
        kind: PolicyFailureKind::Trap,
        message: "unreachable".into(),
    };
    let failed = plan(&asleep, &snapshot(&asleep, 5), Err(failure))
        .change
        .unwrap()
        .record;
    assert_eq!(failed.attention, Attention::Active);
}
