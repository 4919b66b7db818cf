//! Alerts of which many records tell, and which one of them silences.

use super::*;
use crate::record::Silence;
use crate::silences::{silence, take_back};

const OUTAGE: &str = "KubernetesUnreachable";

fn silencing(record: JobRecord, since: i64) -> JobRecord {
    let silence = Silence {
        alert: OUTAGE.to_owned(),
        since: Timestamp::from_millis(since),
        until: Timestamp::from_millis(1_000_000),
        by: None,
        comment: None,
    };
    JobRecord {
        silences: vec![silence],
        ..record
    }
}

fn begins(record: &JobRecord) -> Change {
    change(record, OUTAGE, AlertScope::Cluster, AlertStatus::Firing)
}

fn ends(record: &JobRecord) -> Change {
    let quiet = JobRecord {
        alerts: vec![],
        ..record.clone()
    };
    change(&quiet, OUTAGE, AlertScope::Cluster, AlertStatus::Resolved)
}

/// What is told, of which record, and whether nobody is to hear of it.
fn said(changes: &[Change]) -> Vec<(String, AlertStatus, bool)> {
    let of = |change: &Change| {
        let name = change.record.key.target.name.to_string();
        let told = change.events.iter().filter_map(move |event| match event {
            Event::Alert(alert) => Some((name.clone(), alert.status, alert.silenced)),
            Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
        });
        told.collect::<Vec<_>>()
    };
    changes.iter().flat_map(of).collect()
}

fn is(name: &str, status: AlertStatus, silenced: bool) -> Vec<(String, AlertStatus, bool)> {
    vec![(name.to_owned(), status, silenced)]
}

#[test]
fn a_silence_of_one_job_is_one_of_its_whole_cluster_until_it_is_taken_back() {
    let (a, b) = (silencing(record("a", &[]), 0), record("b", &[OUTAGE]));
    let mut journal = Journal::of(&[a.clone(), record("b", &[])]);
    assert_eq!(
        said(&journal.commit(vec![begins(&b)])),
        is("b", AlertStatus::Firing, true)
    );
    let c = record("c", &[OUTAGE]);
    assert_eq!(said(&journal.commit(vec![begins(&c)])), [], "it is told once");
    let back = take_back(&a, OUTAGE, None);
    let told = journal.commit(vec![back]);
    assert_eq!(
        said(&told),
        is("a", AlertStatus::Firing, false),
        "by the record that had the silence"
    );
    assert_eq!(
        journal
            .commit(vec![ends(&b)])
            .iter()
            .map(|c| c.events.len())
            .sum::<usize>(),
        0
    );
    assert_eq!(
        said(&journal.commit(vec![ends(&c)])),
        is("c", AlertStatus::Resolved, false)
    );
}

#[test]
fn its_end_is_told_to_nobody_if_its_beginning_was_not() {
    let a = silencing(record("a", &[OUTAGE]), 0);
    let mut journal = Journal::of(&[silencing(record("a", &[]), 0)]);
    assert_eq!(
        said(&journal.commit(vec![begins(&a)])),
        is("a", AlertStatus::Firing, true)
    );
    assert_eq!(
        said(&journal.commit(vec![ends(&a)])),
        is("a", AlertStatus::Resolved, true)
    );
    // What was told before somebody silenced it ends for all.
    let mut journal = Journal::of(&[record("a", &[])]);
    journal.commit(vec![begins(&record("a", &[OUTAGE]))]);
    journal.commit(vec![Change::update(&a, a.clone(), vec![Event::updated(&a)])]);
    assert_eq!(
        said(&journal.commit(vec![ends(&a)])),
        is("a", AlertStatus::Resolved, false)
    );
}

#[test]
fn while_another_silence_stands_nothing_is_told() {
    let (a, b) = (silencing(record("a", &[OUTAGE]), 0), silencing(record("b", &[]), 0));
    let mut journal = Journal::of(&[silencing(record("a", &[]), 0), b.clone()]);
    journal.commit(vec![begins(&a)]);
    assert_eq!(said(&journal.commit(vec![take_back(&a, OUTAGE, None)])), []);
    assert_eq!(
        said(&journal.commit(vec![take_back(&b, OUTAGE, None)])),
        is("b", AlertStatus::Firing, false)
    );
}

#[test]
fn a_record_that_is_forgotten_takes_its_silence_along() {
    let (a, b) = (silencing(record("a", &[]), 0), record("b", &[OUTAGE]));
    let mut journal = Journal::of(&[a.clone(), record("b", &[])]);
    journal.commit(vec![begins(&b)]);
    let told = journal.commit(vec![forgets(a)]);
    assert_eq!(said(&told), is("a", AlertStatus::Firing, false));
    assert_eq!(told[0].events.last(), Some(&Event::Forgotten));
}

#[test]
fn after_a_restart_it_is_presumed_of_what_was_silenced_before_it_stood() {
    for (since, silenced) in [(0, true), (2_000, false)] {
        let mut a = silencing(record("a", &[OUTAGE]), since);
        a.alerts[0].silenced = silenced;
        let mut journal = Journal::of(std::slice::from_ref(&a));
        let told = journal.commit(vec![take_back(&a, OUTAGE, None)]);
        let expected = if silenced {
            is("a", AlertStatus::Firing, false)
        } else {
            Vec::new()
        };
        assert_eq!(said(&told), expected, "{since}");
        let mut journal = Journal::of(std::slice::from_ref(&a));
        assert_eq!(
            said(&journal.commit(vec![ends(&a)])),
            is("a", AlertStatus::Resolved, silenced),
            "{since}"
        );
    }
}

#[test]
fn a_job_of_a_session_that_nobody_hears_of_stands_for_no_other() {
    let first = lost(1, 0, JobState::Lost, "JobLost");
    let silent = |record: &JobRecord| {
        let mut change = change(record, "JobLost", AlertScope::Job, AlertStatus::Firing);
        for event in &mut change.events {
            if let Event::Alert(alert) = event {
                alert.silenced = true;
            }
        }
        change
    };
    let mut journal = Journal::of(&[quiet(&first)]);
    let mut silenced = first.clone();
    silenced.alerts[0].silenced = true;
    journal.commit(vec![silent(&silenced)]);
    let second = lost(2, 1, JobState::Lost, "JobLost");
    let told = journal.commit(vec![change(&second, "JobLost", AlertScope::Job, AlertStatus::Firing)]);
    assert_eq!(said(&told).len(), 1, "the second is told");
}

#[test]
fn a_silence_that_was_made_longer_hides_nothing_for_good() {
    let quiet = silencing(record("a", &[]), 0);
    let mut journal = Journal::of(std::slice::from_ref(&quiet));
    journal.commit(vec![begins(&silencing(record("a", &[OUTAGE]), 0))]);
    let standing = journal.records.values().next().unwrap().clone();
    let longer = Silence {
        since: Timestamp::from_millis(2_000),
        until: Timestamp::from_millis(2_000_000),
        ..standing.silences[0].clone()
    };
    let untold = journal.alerts.untold_since(&standing, OUTAGE);
    journal.commit(vec![silence(&standing, longer, untold, None).unwrap()]);
    let standing = journal.records.values().next().unwrap().clone();
    assert_eq!(standing.silences[0].since, Timestamp::from_millis(0));
    let mut restarted = Journal::of(std::slice::from_ref(&standing));
    assert_eq!(
        said(&restarted.commit(vec![take_back(&standing, OUTAGE, None)])),
        is("a", AlertStatus::Firing, false)
    );
}

/// `a` silences what `b` has, and another policy decides `a` from now on; `b` too, or not.
fn of(key: &str, alerts: &[&str]) -> JobRecord {
    let mut record = record(key, alerts);
    for alert in &mut record.alerts {
        alert.scope = AlertScope::Policy;
    }
    record
}

fn hand(record: &JobRecord) -> Change {
    let handed = record.handed_to(&PolicyName::new("q"));
    Change::update(record, handed, vec![Event::updated(record)])
}

#[test]
fn what_is_to_be_told_with_another_record_that_a_store_does_not_take_is_told_with_the_next_commit() {
    let (a, b) = (silencing(of("a", &[]), 0), of("b", &[OUTAGE]));
    let mut journal = Journal::of(&[a.clone(), of("b", &[])]);
    let begins = change(&b, OUTAGE, AlertScope::Policy, AlertStatus::Firing);
    journal.commit(vec![begins]);
    let told = journal.alerts.dedupe(vec![hand(&a)], |key| journal.records.get(key));
    let [handed, refused] = <[Change; 2]>::try_from(told).unwrap();
    assert_eq!(
        said(std::slice::from_ref(&refused)),
        is("b", AlertStatus::Firing, false)
    );
    journal.alerts.delivered(Some(&a), &handed);
    journal.records.insert(a.key, JobRecord::clone(&handed.record));
    assert_eq!(journal.commit(Vec::new()), [refused]);
    assert_eq!(journal.commit(Vec::new()), [], "once");
}

#[test]
fn a_silence_that_goes_to_another_policy_hides_nothing_of_the_one_of_before() {
    for both in [false, true] {
        let (a, b) = (silencing(of("a", &[]), 0), of("b", &[OUTAGE]));
        let mut journal = Journal::of(&[a.clone(), of("b", &[])]);
        let begins = change(&b, OUTAGE, AlertScope::Policy, AlertStatus::Firing);
        assert_eq!(said(&journal.commit(vec![begins])), is("b", AlertStatus::Firing, true));
        let b = journal.records[&b.key].clone();
        let handed = std::iter::once(hand(&a)).chain(both.then(|| hand(&b)));
        let told = journal.commit(handed.collect());
        let expected = if both {
            Vec::new()
        } else {
            is("b", AlertStatus::Firing, false)
        };
        assert_eq!(said(&told), expected, "{both}");
        let b = journal.records[&b.key].clone();
        let quiet = JobRecord { alerts: vec![], ..b };
        let ends = change(&quiet, OUTAGE, AlertScope::Policy, AlertStatus::Resolved);
        assert_eq!(said(&journal.commit(vec![ends])), is("b", AlertStatus::Resolved, both));
    }
}

#[test]
fn a_silenced_outage_of_which_one_flink_is_left_is_told_after_a_restart_when_its_silence_ends() {
    let silenced = JobRecord {
        silences: vec![Silence {
            alert: NAME.to_owned(),
            ..silencing(record("a", &[]), 0).silences[0].clone()
        }],
        ..record("a", &[])
    };
    let mut journal = Journal::of(&[silenced.clone(), record("b", &[]), record("c", &[])]);
    assert_eq!(
        said(&journal.commit(vec![fires("b"), fires("c")])),
        is("b", AlertStatus::Firing, true)
    );
    assert_eq!(journal.tells(vec![super::ends("c")]), []);
    let records: Vec<JobRecord> = journal.records.values().cloned().collect();
    let mut restarted = Journal::of(&records);
    assert_eq!(
        said(&restarted.commit(vec![take_back(&silenced, NAME, None)])),
        is("a", AlertStatus::Firing, false)
    );
    assert_eq!(
        said(&restarted.commit(vec![super::ends("b")])),
        is("b", AlertStatus::Resolved, false)
    );
}

#[test]
fn one_silent_flink_is_no_outage_whatever_was_silenced_before_a_restart() {
    let silenced = JobRecord {
        silences: vec![Silence {
            alert: NAME.to_owned(),
            ..silencing(record("a", &[]), 0).silences[0].clone()
        }],
        ..record("a", &[])
    };
    let mut journal = Journal::of(&[silenced.clone(), record("b", &[])]);
    assert_eq!(journal.tells(vec![fires("b")]), []);
    let records: Vec<JobRecord> = journal.records.values().cloned().collect();
    let mut restarted = Journal::of(&records);
    assert_eq!(restarted.tells(vec![take_back(&silenced, NAME, None)]), []);
}
