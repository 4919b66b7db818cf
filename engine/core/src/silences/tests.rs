use super::*;
use crate::decision::{DecidedAlert, Decision};
use crate::planner::plan;
use crate::snapshot::Snapshot;
use crate::state::JobState;
use crate::testing::{self, at, job_key};

fn until(alert: &str, since: i64, until: i64) -> Silence {
    Silence {
        alert: alert.to_owned(),
        since: at(since),
        until: at(until),
        by: None,
        comment: None,
    }
}

fn record(silences: Vec<Silence>) -> JobRecord {
    JobRecord {
        silences,
        ..testing::record(job_key("orders"), at(0))
    }
}

/// What a decision with those alerts comes to, and what it tells: the alert, whether it begins, and whether nobody is to hear of it.
fn decided(before: &JobRecord, alerts: &[&str], now: i64) -> (JobRecord, Vec<(String, AlertStatus, bool)>) {
    let alerts = alerts.iter().map(|name| DecidedAlert {
        name: (*name).to_owned(),
        scope: AlertScope::Job,
        message: "why".to_owned(),
    });
    let decision = Decision {
        alerts: alerts.collect(),
        ..testing::decision(JobState::Failed)
    };
    let snapshot: Snapshot = testing::snapshot(before.clone(), at(now));
    planned(before, plan(before, &snapshot, Ok(decision)).change)
}

fn planned(before: &JobRecord, change: Option<Change>) -> (JobRecord, Vec<(String, AlertStatus, bool)>) {
    let Some(change) = change else {
        return (before.clone(), Vec::new());
    };
    let told = change.events.iter().filter_map(|event| match event {
        Event::Alert(alert) => Some((alert.alert.clone(), alert.status, alert.silenced)),
        Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
    });
    ((*change.record).clone(), told.collect())
}

fn fires(silenced: bool) -> Vec<(String, AlertStatus, bool)> {
    vec![("JobFailed".to_owned(), AlertStatus::Firing, silenced)]
}

fn ends(silenced: bool) -> Vec<(String, AlertStatus, bool)> {
    vec![("JobFailed".to_owned(), AlertStatus::Resolved, silenced)]
}

#[test]
fn what_begins_under_a_silence_is_told_when_it_ends_and_once() {
    let before = record(vec![until("JobFailed", 0, 100)]);
    let (standing, told) = decided(&before, &["JobFailed"], 10);
    assert_eq!(told, fires(true));
    let (same, told) = decided(&standing, &["JobFailed"], 99);
    assert_eq!(told, []);
    let (after, told) = decided(&same, &["JobFailed"], 100);
    assert_eq!((told, after.silences.len()), (fires(false), 0));
    let (after, told) = decided(&after, &["JobFailed"], 110);
    assert_eq!(told, []);
    assert_eq!(decided(&after, &[], 120).1, ends(false));
}

#[test]
fn the_end_of_what_nobody_heard_of_is_told_to_nobody() {
    let before = record(vec![until("JobFailed", 0, 100)]);
    let (standing, _) = decided(&before, &["JobFailed"], 10);
    assert_eq!(decided(&standing, &[], 20).1, ends(true));
    assert_eq!(
        decided(&standing, &[], 100).1,
        ends(true),
        "also in the moment in which the silence ends"
    );
}

#[test]
fn a_silence_that_comes_later_tells_nothing_new_and_hides_no_end() {
    let (standing, told) = decided(&record(Vec::new()), &["JobFailed"], 10);
    assert_eq!(told, fires(false));
    let silenced = silence(&standing, until("JobFailed", 20, 100), None, None).unwrap();
    assert_eq!(silenced.events, [Event::updated(&silenced.record)]);
    let (same, told) = decided(&silenced.record, &["JobFailed"], 30);
    assert_eq!(told, []);
    assert_eq!(decided(&same, &["JobFailed"], 100).1, [], "it was told already");
    assert_eq!(decided(&same, &[], 40).1, ends(false));
}

#[test]
fn who_takes_a_silence_back_has_it_told() {
    let before = record(vec![until("JobFailed", 0, 100), until("Other", 0, 100)]);
    let (standing, _) = decided(&before, &["JobFailed"], 10);
    let (after, told) = planned(&standing, Some(take_back(&standing, "JobFailed", None)));
    assert_eq!((told, after.silences.len()), (fires(false), 1));
    assert!(take_back(&standing, "Nobody's", None).events.is_empty());
    assert_eq!(planned(&standing, Some(take_back(&standing, "Other", None))).1, []);
}

#[test]
fn a_policy_that_fails_does_not_make_a_silence_longer() {
    let before = record(vec![until("JobFailed", 0, 100)]);
    let (standing, _) = decided(&before, &["JobFailed"], 10);
    let failure = crate::decision::PolicyFailure {
        kind: crate::decision::PolicyFailureKind::Trap,
        message: "unreachable".into(),
    };
    let snapshot = testing::snapshot(standing.clone(), at(100));
    let (after, told) = planned(&standing, plan(&standing, &snapshot, Err(failure)).change);
    assert_eq!((told, after.silences.len()), (fires(false), 0));
}

#[test]
fn only_what_may_be_noted_is() {
    let before = record(Vec::new());
    let asked = |until: Timestamp| Silence {
        until,
        ..self::until("A", 1_000, 0)
    };
    assert_eq!(
        silence(&before, asked(at(1_000)), None, None),
        Err(Refused::Past(at(1_000)))
    );
    let longest = at(1_000).after(LONGEST);
    assert!(silence(&before, asked(longest), None, None).is_ok());
    let longer = longest.after(Duration::from_millis(1));
    assert_eq!(silence(&before, asked(longer), None, None), Err(Refused::TooLong));
    let full = record((0..MOST).map(|n| until(&format!("A{n:02}"), 0, 100)).collect());
    assert_eq!(silence(&full, until("B", 0, 100), None, None), Err(Refused::TooMany));
    let instead = silence(&full, until("A03", 5, 200), None, None).unwrap().record;
    assert_eq!(
        (instead.silences.len(), instead.silence("A03").unwrap().until),
        (MOST, at(200))
    );
    assert_eq!(expires_at(&instead), Some(at(100)));
}

#[test]
fn of_what_many_share_the_silence_that_lasts_longest_keeps_it_from_being_told() {
    let silencing = |name: &str, policy: &str, lasts: i64| {
        Arc::new(JobRecord {
            silences: vec![until("KubernetesUnreachable", 0, lasts)],
            policy: PolicyName::new(policy),
            ..testing::record(job_key(name), at(0))
        })
    };
    let (short, long, equal) = (
        silencing("a", "p", 100),
        silencing("b", "q", 200),
        silencing("c", "q", 200),
    );
    let mut silenced = Silenced::default();
    for record in [&short, &long, &equal] {
        silenced.add(record);
    }
    let by = |record: &Arc<JobRecord>, scope, alert: &str| {
        assert_eq!(
            silenced.has(record, scope, alert),
            silenced.by(record, scope, alert).is_some()
        );
        silenced
            .by(record, scope, alert)
            .map(|by| by.key.target.name.to_string())
    };
    let name = "KubernetesUnreachable";
    assert_eq!(
        by(&short, AlertScope::Cluster, name).as_deref(),
        Some("b"),
        "the first that lasts so long"
    );
    assert_eq!(by(&short, AlertScope::Policy, name).as_deref(), Some("a"));
    assert_eq!(by(&equal, AlertScope::Policy, name).as_deref(), Some("b"));
    assert_eq!(by(&equal, AlertScope::Job, name).as_deref(), Some("c"), "its own");
    assert_eq!(by(&equal, AlertScope::Cluster, "FlinkUnreachable"), None);
    assert_eq!(by(&equal, AlertScope::Job, "JobFailed"), None);
}

#[test]
fn a_silence_in_the_place_of_one_that_stands_counts_from_where_that_did() {
    let since = |ends: i64| {
        let before = record(vec![until("A", 0, ends)]);
        let change = silence(&before, until("A", 100, 200), None, None).unwrap();
        change.record.silence("A").unwrap().since
    };
    assert_eq!((since(101), since(100)), (at(0), at(100)));
}

#[test]
fn a_silence_lasts_thirty_days_at_most() {
    assert_eq!(LONGEST.as_secs(), 2_592_000);
}
