use super::*;
use crate::decision::PolicyFailureKind;
use crate::record::AlertScope;
use crate::shown::ShownAlert;
use crate::state::JobState;
use crate::testing::{self, at, job_key as key};

fn record(name: &str, state: JobState) -> Arc<JobRecord> {
    Arc::new(JobRecord {
        state,
        ..testing::record(key(name), at(0))
    })
}

/// What a shadow says beside a record that is RUNNING.
fn says(state: JobState) -> ShadowVerdict {
    testing::shadow_verdict(&record("orders", Running), state)
}

fn fails(state: JobState) -> ShadowVerdict {
    ShadowVerdict {
        failure: Some(PolicyFailure {
            kind: PolicyFailureKind::Trap,
            message: "unreachable".into(),
        }),
        ..says(state)
    }
}

/// The same where the record has come to say what the shadow says.
fn agrees(state: JobState) -> (Arc<JobRecord>, ShadowVerdict) {
    let record = record("orders", state);
    let verdict = testing::shadow_verdict(&record, state);
    (record, verdict)
}

use JobState::{Lost, Running};

#[test]
fn a_difference_stands_since_it_began_and_each_comparison_counts() {
    let (board, naive) = (ShadowBoard::default(), PolicyName::new("naive"));
    let records = |verdict, at| {
        board
            .record(&naive, record("orders", Running), verdict, at)
            .are_of_state()
    };
    assert!(!records(says(Running), at(1)));
    assert!(records(says(Lost), at(2)));
    assert!(records(says(Lost), at(3)));
    let [(_, view)] = &board.of(&key("orders"))[..] else {
        panic!("not one shadow")
    };
    assert!(view.differs());
    assert_eq!((view.since, view.judged, view.differed), (at(2), 3, 2));
    let (lost, verdict) = agrees(Lost);
    board.record(&naive, lost, verdict, at(4));
    let (_, view) = board.of(&key("orders")).remove(0);
    assert_eq!(
        (view.differs(), view.since, view.judged, view.differed),
        (false, at(4), 4, 2)
    );
}

#[test]
fn the_same_state_in_another_attempt_is_a_difference() {
    let (board, naive) = (ShadowBoard::default(), PolicyName::new("naive"));
    let mut later = says(Running);
    later.shown.shows.attempt = 1;
    assert!(
        board
            .record(&naive, record("orders", Running), later, at(1))
            .are_of_state()
    );
}

#[test]
fn a_failure_is_remembered_when_the_shadow_decides_again() {
    let (board, naive) = (ShadowBoard::default(), PolicyName::new("naive"));
    board.record(&naive, record("orders", Running), fails(Running), at(1));
    board.record(&naive, record("orders", Running), says(Running), at(2));
    let (_, view) = board.of(&key("orders")).remove(0);
    assert_eq!(view.failure.map(|last| last.at), Some(at(1)));
    assert_eq!(board.counts()[0].1.failures, 1);
}

#[test]
fn the_tally_follows_what_is_noted_and_forgotten() {
    let (board, naive) = (ShadowBoard::default(), PolicyName::new("naive"));
    board.record(&naive, record("clicks", Running), says(Lost), at(1));
    board.record(&naive, record("orders", Running), says(Lost), at(1));
    board.record(&naive, record("orders", Running), says(Running), at(2));
    let counts = ShadowCounts {
        jobs: 2,
        differing: 1,
        judged: 3,
        differed: 2,
        failures: 0,
        aspects: BTreeMap::from([(Aspect::State, AspectCount { jobs: 1, differed: 2 })]),
    };
    assert_eq!(board.counts(), [(naive.clone(), counts.clone())]);
    board.forget(&key("clicks"));
    assert_eq!(board.of(&key("clicks")), []);
    let left = ShadowCounts {
        jobs: 1,
        differing: 0,
        aspects: BTreeMap::from([(Aspect::State, AspectCount { jobs: 0, differed: 2 })]),
        ..counts
    };
    assert_eq!(board.counts(), [(naive, left)]);
}

#[test]
fn pages_join_over_policies_and_leave_out_what_is_not_wanted() {
    let board = ShadowBoard::default();
    for policy in ["a", "b"] {
        for (name, says_state) in [("one", Lost), ("three", Running), ("two", Lost)] {
            board.record(&PolicyName::new(policy), record(name, Running), says(says_state), at(1));
        }
    }
    let collect = |differs: Option<bool>, policy: Option<&str>| {
        let mut wanted = ShadowFilter {
            policy: policy.map(PolicyName::new),
            differs,
            aspects: Aspects::default(),
            after: None,
        };
        let mut seen = Vec::new();
        loop {
            let page = board.page(&wanted, 1);
            let Some((policy, view)) = page.into_iter().next() else {
                break;
            };
            seen.push(format!("{policy} {}", view.decided.key.target.name));
            wanted.after = Some((policy, view.decided.key.clone()));
        }
        seen
    };
    assert_eq!(
        collect(None, None),
        ["a one", "a three", "a two", "b one", "b three", "b two"]
    );
    assert_eq!(collect(Some(true), None), ["a one", "a two", "b one", "b two"]);
    assert_eq!(collect(Some(false), Some("b")), ["b three"]);
}

#[test]
fn a_shadow_that_goes_on_keeps_its_jobs_and_any_other_begins_anew() {
    let board = ShadowBoard::default();
    let (stays, new, goes) = (
        PolicyName::new("stays"),
        PolicyName::new("new"),
        PolicyName::new("goes"),
    );
    for policy in [&stays, &goes] {
        board.record(policy, record("orders", Running), says(Lost), at(1));
        board.record(policy, record("clicks", Running), says(Lost), at(1));
    }
    board.begin(&[stays.clone(), new.clone()], |policy, job| {
        *policy == stays && *job == key("orders")
    });
    let counts = board.counts();
    let names: Vec<&PolicyName> = counts.iter().map(|(name, _)| name).collect();
    assert_eq!(names, [&new, &stays]);
    assert_eq!(counts[0].1, ShadowCounts::default());
    assert_eq!((counts[1].1.jobs, counts[1].1.differing), (1, 1));
    assert_eq!((board.of(&key("orders")).len(), board.of(&key("clicks")).len()), (1, 0));
}

#[test]
fn a_page_over_policies_has_no_more_than_was_asked_for() {
    let board = ShadowBoard::default();
    for policy in ["a", "b"] {
        for name in ["one", "two"] {
            board.record(&PolicyName::new(policy), record(name, Running), says(Running), at(1));
        }
    }
    let page = |limit| board.page(&ShadowFilter::default(), limit).len();
    assert_eq!((page(3), page(9)), (3, 4));
}

/// It says the same state, and raises an alert that the other does not.
#[test]
fn an_alert_alone_is_a_difference_of_its_own_and_none_of_state() {
    let (board, storms) = (ShadowBoard::default(), PolicyName::new("storms"));
    let mut alerting = says(Running);
    alerting.shown.shows.alerts = vec![ShownAlert {
        name: "RestartStorm".to_owned(),
        scope: AlertScope::Job,
    }];
    let records = |verdict, at| board.record(&storms, record("orders", Running), verdict, at);
    records(says(Running), at(1));
    assert_eq!(
        records(alerting.clone(), at(2)).iter().collect::<Vec<_>>(),
        [Aspect::Alerts]
    );
    records(alerting, at(3));
    let (_, view) = board.of(&key("orders")).remove(0);
    assert_eq!((view.differs(), view.since, view.differed), (false, at(1), 0));
    let differing = |since, times| BTreeMap::from([(Aspect::Alerts, Differing { since, times })]);
    assert_eq!(view.differences, differing(Some(at(2)), 2));
    let wanted = ShadowFilter {
        aspects: [Aspect::Alerts, Aspect::Conditions].into_iter().collect(),
        ..ShadowFilter::default()
    };
    assert_eq!(board.page(&wanted, 9).len(), 1);
    records(says(Running), at(4));
    let (_, view) = board.of(&key("orders")).remove(0);
    assert_eq!(view.differences, differing(None, 2));
    assert_eq!(board.page(&wanted, 9).len(), 0);
    let (_, counts) = board.counts().remove(0);
    assert_eq!((counts.differing, counts.differed), (0, 0));
    let all: Vec<_> = counts.by_aspect().filter(|(_, count)| count.differed > 0).collect();
    assert_eq!(all, [(Aspect::Alerts, AspectCount { jobs: 0, differed: 2 })]);
}
