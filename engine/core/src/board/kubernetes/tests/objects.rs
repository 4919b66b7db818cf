//! Which objects are found by what, and what is known of one about which there is silence.

use super::*;
use crate::facts::SnapshotPhase;
use crate::id::{TargetId, Uid};

fn timeout() -> Fault {
    Fault::new(FaultKind::Timeout, "no answer")
}

fn names<'a>(resources: impl Iterator<Item = &'a FlinkResource>) -> Vec<&'a str> {
    resources.map(|resource| resource.name.as_str()).collect()
}

#[test]
fn the_operators_resources_are_found_as_last_seen_though_their_list_fails() {
    let mut board = KubernetesBoard::default();
    let default = Namespace::new("default");
    let side = |name: &str, blue_green: Option<&str>| FlinkResource {
        blue_green: blue_green.map(str::to_owned),
        ..resource(ResourceKind::FlinkDeployment, name, None)
    };
    let sides = vec![
        side("orders", None),
        side("shop-blue", Some("shop")),
        side("x-blue", Some("x")),
    ];
    board.accept(resources(ObjectKind::FlinkDeployment, 1, sides));
    let of_session = |name: &str, session: &str| FlinkResource {
        deployment: session.to_owned(),
        ..resource(ResourceKind::FlinkSessionJob, name, None)
    };
    let jobs = vec![of_session("daily", "orders"), of_session("hourly", "other")];
    board.accept(resources(ObjectKind::FlinkSessionJob, 1, jobs));
    for kind in [ObjectKind::FlinkDeployment, ObjectKind::FlinkSessionJob] {
        board.accept(update_of(kind, 5, KubeChange::Failed(timeout())));
    }
    let last = board.last_flink_deployment(&object());
    assert_eq!(last.map(|resource| resource.name.as_str()), Some("orders"));
    assert_eq!(names(board.last_sides(&default, "shop")), ["shop-blue"]);
    assert_eq!(names(board.last_flink_session_jobs(&object())), ["daily"]);
    assert_eq!(names(board.all_last_flink_session_jobs()), ["daily", "hourly"]);
    assert!(board.last_flink_deployment(&ObjectRef::new(&default, "gone")).is_none());
}

#[test]
fn a_requested_job_has_the_resource_of_its_name_if_that_is_its_sessions() {
    let mut board = KubernetesBoard::default();
    let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "orders");
    let key = JobKey::of_session(target, SessionJob::requested("daily").unwrap());
    assert!(board.resource_of(&key, &object()).is_none(), "its kind is not watched");
    let daily = resource(ResourceKind::FlinkSessionJob, "daily", None);
    let moved = FlinkResource {
        deployment: "other".to_owned(),
        ..daily.clone()
    };
    board.accept(resources(ObjectKind::FlinkSessionJob, 1, vec![daily.clone()]));
    assert_eq!(
        board.resource_of(&key, &object()).unwrap().latest,
        Observed::Present(daily)
    );
    board.accept(resources(ObjectKind::FlinkSessionJob, 2, vec![moved]));
    assert_eq!(board.resource_of(&key, &object()).unwrap().latest, Observed::Absent);
}

#[test]
fn savepoints_that_somebody_asked_for_are_told_while_they_are_under_way() {
    let mut board = KubernetesBoard::default();
    let snapshot = |name: &str, phase| StateSnapshot {
        namespace: Namespace::new("default"),
        name: name.to_owned(),
        uid: Uid::new(name),
        of: (ResourceKind::FlinkDeployment, "orders".to_owned()),
        phase,
    };
    let under_way = snapshot("now", SnapshotPhase::SavepointUnderWay);
    let over = snapshot("then", SnapshotPhase::Other);
    let kind = ObjectKind::FlinkStateSnapshot;
    let objects = [&over, &under_way].map(|snapshot| Object::StateSnapshot(snapshot.clone()));
    let listed = KubeChange::Relisted(objects.to_vec(), Completeness::Complete);
    assert_eq!(
        board.accept(update_of(kind, 1, listed)).savepoints,
        std::slice::from_ref(&under_way)
    );
    let seen = |snapshot: &StateSnapshot| KubeChange::Applied(Object::StateSnapshot(snapshot.clone()));
    assert_eq!(board.accept(update_of(kind, 2, seen(&over))).savepoints, []);
    assert_eq!(
        board.accept(update_of(kind, 3, seen(&under_way))).savepoints,
        [under_way]
    );
}

/// The object, asked for by name and seen.
fn asked_by_name(asked: i64, answered: i64, object: Object) -> KubeUpdate {
    KubeUpdate {
        at: at(answered),
        ..update(asked, KubeChange::Applied(object))
    }
}

#[test]
fn what_is_there_when_it_is_asked_for_is_taken_unless_something_newer_was_heard() {
    let uid = |board: &KubernetesBoard| {
        let evidence = board.deployment(&object()).unwrap();
        evidence.latest.present().map(|deployment| deployment.uid.to_string())
    };
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![]));
    board.accept(asked_by_name(5, 6, Object::Deployment(orders("u1"))));
    assert_eq!(uid(&board).as_deref(), Some("u1"));
    board.accept(asked_by_name(8, 9, Object::Deployment(orders("u2"))));
    assert_eq!(uid(&board).as_deref(), Some("u2"));
    board.accept(asked_by_name(7, 10, Object::Deployment(orders("u1"))));
    assert_eq!(uid(&board).as_deref(), Some("u2"), "an answer to an earlier question");
}

#[test]
fn an_object_that_does_not_decode_is_news_once() {
    let broken = |why: &str| {
        KubeChange::Applied(Object::Undecodable {
            namespace: Namespace::new("default"),
            name: "orders".into(),
            error: why.into(),
        })
    };
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    let touched = |board: &mut KubernetesBoard, now, change| board.accept(update(now, change)).touched;
    assert_eq!(touched(&mut board, 2, broken("spec")), [object()]);
    assert_eq!(touched(&mut board, 3, broken("spec")), []);
    assert_eq!(
        touched(&mut board, 4, broken("status")),
        [object()],
        "for another reason"
    );
    board.accept(update(5, KubeChange::Deleted(Object::Deployment(orders("u1")))));
    assert_eq!(
        touched(&mut board, 6, broken("status")),
        [object()],
        "it is there again"
    );
}

#[test]
fn about_an_object_that_no_list_selects_any_more_silence_counts_from_when_nobody_answered() {
    let unanswered = Object::Unanswered {
        namespace: Namespace::new("default"),
        name: "orders".into(),
        fault: timeout(),
    };
    let of = |evidence: &Evidence<Deployment>| (evidence.known_at, evidence.unknown_since, evidence.failures);
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    for asked in [5, 7] {
        board.accept(listed(asked, vec![unanswered.clone()]));
        let evidence = board.deployment(&object()).unwrap();
        assert!(!evidence.latest.is_known());
        assert_eq!(of(&evidence), (Some(at(5)), Some(at(5)), 1));
    }
    // The list itself fails: then its history is that of everything in it.
    for asked in [9, 11] {
        board.accept(update(asked, KubeChange::Failed(timeout())));
    }
    let evidence = board.deployment(&object()).unwrap();
    assert_eq!(of(&evidence), (Some(at(7)), Some(at(9)), 2));
}
