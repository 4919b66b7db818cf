use std::sync::Arc;

use steadfast_core::decision::PolicyFailureKind;
use steadfast_core::event::Transition;
use steadfast_core::record::{AlertScope, Reason};
use steadfast_core::recording::Recorded;
use steadfast_core::shown::{Apart, Pair, ShownAlert, Side};
use steadfast_core::state::{Confidence, JobState};
use steadfast_core::testing;

use super::*;

/// Of three snapshots of a job, the last a minute after the second.
fn report(comparison: Comparison) -> Report {
    let key = testing::job_key("orders");
    let (mut extent, mut compared) = (Extent::default(), Seen::default());
    for now in [0, 1, 61].map(testing::at) {
        let before = testing::record(key.clone(), testing::at(0));
        extent.take(now, &key);
        compared.take(&Recorded {
            snapshot: testing::snapshot(before.clone(), now),
            before: Arc::new(before),
            rule: None,
            failure: None,
            transition: None,
            shown: None,
            decided_by: None,
        });
    }
    Report {
        extent,
        unreadable: 0,
        compared,
        jobs: BTreeMap::from([(key, comparison)]),
        not_replayed: BTreeMap::new(),
    }
}

#[test]
fn what_could_not_be_compared_is_not_said_to_be_the_same() {
    let report = report(Comparison {
        unknown: 2,
        ..Comparison::default()
    });
    let page = report.page();
    assert!(
        page.contains("of 2 snapshots an earlier version kept the transition alone"),
        "{page}"
    );
    assert!(
        page.ends_with("at none of the 3 snapshots, up to 60 s apart, would a transition have been different\n"),
        "{page}"
    );
    assert!(!report.is_same());
    let document = report.document();
    assert_eq!(
        (&document["same"], &document["transitionsAlone"]),
        (&json!(false), &json!(2))
    );
}

#[test]
fn two_policies_that_both_fail_are_not_the_same() {
    let failed = |message: &str| {
        let failure = PolicyFailure {
            kind: PolicyFailureKind::Trap,
            message: message.into(),
        };
        Replayed {
            failures: vec![(testing::at(1), failure)],
            ..Replayed::default()
        }
    };
    let both = report(Comparison::between(failed("the old one"), failed("the new one")));
    let page = both.page();
    assert!(!both.is_same() && both.document()["same"] == false, "{page}");
    for wanted in [
        "  OLD trap: the old one\n",
        "  NEW trap: the new one\n",
        "\nNEW failed at 1 of 3 snapshots, OLD at 1: what a policy that failed would have shown there is not known\n",
    ] {
        assert!(page.contains(wanted), "no `{wanted}` in\n{page}");
    }
    assert_eq!(
        both.document()["jobs"][0]["failuresOfOld"][0]["failure"]["message"],
        "the old one"
    );
    let old_alone = report(Comparison::between(failed("the old one"), Replayed::default()));
    assert!(!old_alone.is_same() && old_alone.page().contains("NEW failed at 0 of 3 snapshots, OLD at 1"));
    // What was recorded was shown, whatever failed then.
    let again = report(Comparison::with_recorded(failed("as it was")));
    assert!(again.is_same() && !again.page().contains("NEW"), "{}", again.page());
}

#[test]
fn what_since_leaves_out_is_not_said_to_be_unrecorded() {
    let mut none = report(Comparison::default());
    none.extent = Extent {
        since: Some(testing::at(90)),
        ..Extent::default()
    };
    none.compared = Seen::default();
    let page = none.page();
    assert!(
        page.starts_with("no snapshots were recorded since 1970-01-01T00:01:30.000Z; without --since "),
        "{page}"
    );
    none.extent.since = None;
    assert!(none.page().contains("see [recording]"), "{}", none.page());
}

#[test]
fn a_state_that_differs_without_a_transition_is_counted_beside_another_jobs_transitions() {
    let transition = RecordedTransition {
        at: testing::at(1),
        transition: Transition {
            from: JobState::Running,
            to: JobState::Lost,
            confidence: Confidence::Inferred,
            reason: Reason::new("Lost", "it is gone"),
            attempt: 1,
            policy: PolicyName::new("new"),
            told_since: None,
        },
        rule: None,
    };
    let mut two = report(Comparison {
        differences: vec![Difference::Added(transition)],
        ..Comparison::default()
    });
    let state = Span {
        what: Apart::State(Pair {
            first: JobState::Running,
            second: JobState::Lost,
        }),
        from: testing::at(1),
        until: None,
    };
    two.jobs.insert(
        testing::job_key("clicks"),
        Comparison {
            apart: vec![state],
            ..Comparison::default()
        },
    );
    let page = two.page();
    assert!(page.contains("1 of 2 jobs would have gone otherwise"), "{page}");
    assert!(
        page.ends_with("beside the transitions would have been different: state of 1 job\n"),
        "{page}"
    );
}

#[test]
fn an_alert_alone_is_a_difference() {
    let alert = ShownAlert {
        name: "JobFailed".to_owned(),
        scope: AlertScope::Job,
    };
    let apart = Span {
        what: Apart::Alert(alert, Side::Second),
        from: Timestamp::from_millis(1000),
        until: None,
    };
    let report = report(Comparison {
        apart: vec![apart],
        ..Comparison::default()
    });
    let page = report.page();
    assert!(!report.is_same() && !page.contains("anything else"), "{page}");
    assert!(
        page.contains("  added     1970-01-01T00:00:01.000Z until the last snapshot  alert JobFailed (job)\n"),
        "{page}"
    );
    assert!(
        page.ends_with("beside the transitions would have been different: alerts of 1 job\n"),
        "{page}"
    );
}

#[test]
fn where_all_is_compared_and_nothing_differs_that_is_said_of_the_snapshots_and_not_of_what_lies_between() {
    let report = report(Comparison::default());
    assert!(report.is_same());
    let page = report.page();
    assert!(
        page.ends_with("\nat none of the 3 snapshots, up to 60 s apart, would it have shown anything else\n"),
        "{page}"
    );
    assert_eq!(report.document()["largestGapMillis"], 60_000);
}

#[test]
fn a_part_that_was_not_compared_is_named_and_the_rest_is_not_all() {
    let mut unreadable = report(Comparison::default());
    unreadable.unreadable = 1;
    let page = unreadable.page();
    assert!(
        !unreadable.is_same() && page.contains("\n1 snapshot left out: "),
        "{page}"
    );
    assert!(
        page.ends_with("would it have shown anything else; 1 of 4 snapshots were not compared\n"),
        "{page}"
    );
    assert_eq!(unreadable.document()["unreadable"], 1);

    let mut others = report(Comparison::default());
    others.extent.take(testing::at(90), &testing::job_key("clicks"));
    others.not_replayed.insert(PolicyName::new("gone"), 1);
    let page = others.page();
    assert!(!others.is_same(), "{page}");
    assert!(page.contains("what `gone` decided is left out (1 snapshot)"), "{page}");
    assert!(page.starts_with("4 snapshots of 2 jobs, from "), "{page}");
    assert!(page.ends_with("; 1 of 4 snapshots were not compared\n"), "{page}");
    assert_eq!(others.document()["same"], false);
}
