//! What the Deployment that Kubernetes shows says of the attempt.

use super::*;
use crate::facts::Deployment;
use crate::id::{ClusterName, Namespace, Uid};

const BLUE: &str = "shop-blue";
const GREEN: &str = "shop-green";

fn shop() -> JobRecord {
    testing::record(testing::job_key("shop"), at(0))
}

/// The record once Kubernetes lists a Deployment at `now`, and once its Flink listed some jobs, if it was asked; the Deployment's UID is
/// its name.
fn shown(record: &JobRecord, deployment: &str, now: i64, flink: Option<(i64, Vec<FlinkJob>)>) -> JobRecord {
    let mut board = Board::default();
    let listed = Deployment {
        name: deployment.to_owned(),
        ..testing::deployment(deployment)
    };
    board.accept_update(KubeUpdate {
        scope: Scope {
            cluster: ClusterName::new("local"),
            kind: ObjectKind::Deployment,
            namespace: None,
        },
        asked_at: at(now),
        at: at(now),
        version: None,
        change: KubeChange::Relisted(vec![Object::Deployment(listed)], Completeness::Complete),
    });
    if let Some((asked, jobs)) = flink {
        let overview = Observed::Present(FlinkOverview::listing(jobs));
        board.accept_overview(&record.key.target, Observation::new(overview, at(asked), at(asked)));
    }
    let object = ObjectRef::new(&Namespace::new("default"), deployment);
    track(record, &board, Some(&object), RULES, at(now))
}

fn on_blue() -> JobRecord {
    shown(&shop(), BLUE, 10, Some((10, vec![job(1, 5), job(2, 6)])))
}

#[test]
fn the_first_deployment_begins_the_attempt_when_it_is_seen_whatever_its_name() {
    for flink in [None, Some((8, vec![]))] {
        let first = shown(&shop(), BLUE, 10, flink).incarnation;
        assert_eq!((first.attempt, first.since), (1, Some(at(10))));
        assert_eq!(first.deployment_name.as_deref(), Some(BLUE));
    }
    let own = shown(&shop(), "shop", 10, None).incarnation;
    assert_eq!((own.attempt, own.deployment_name), (1, None));
}

#[test]
fn the_other_side_is_another_start_once_its_flink_was_heard() {
    let blue = on_blue();
    let unheard = shown(&blue, GREEN, 60, None);
    assert_eq!(about(&unheard), (Some(id(1)), 1));
    assert_eq!(unheard.incarnation.deployment_uid, Some(Uid::new(BLUE)));
    let green = shown(&blue, GREEN, 60, Some((50, vec![job(3, 20)])));
    assert_eq!(about(&green), (Some(id(3)), 2));
    // It was there before its Flink was asked.
    assert_eq!(green.incarnation.since, Some(at(50).before(Duration::from_millis(1))));
}

#[test]
fn what_was_another_job_in_the_attempt_before_may_be_the_job_of_this_one() {
    let finished = flink_job(id(2), JobState::Finished, at(6));
    let blue = on_blue();
    assert_eq!(blue.other_jobs.len(), 1);
    let green = shown(&blue, GREEN, 60, Some((50, vec![finished])));
    assert_eq!(about(&green), (Some(id(2)), 2));
}

#[test]
fn an_end_is_late_for_as_long_as_a_live_answer_and_no_longer() {
    let blue = shown(&shop(), "shop", 10, Some((10, vec![job(1, 5)])));
    let mut replaced = blue.clone();
    replaced
        .incarnation
        .see_deployment(&Uid::new("u2"), None, at(60), at(60));
    let ended = || vec![flink_job(id(1), JobState::Finished, at(5))];
    for (asked, known) in [(119, None), (120, Some(id(1)))] {
        assert_eq!(
            about(&saying(&replaced, FlinkOverview::listing(ended()), asked)),
            (known, 2)
        );
    }
}
