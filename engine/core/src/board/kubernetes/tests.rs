mod objects;
mod pods;
mod versions;

use super::*;
use crate::evidence::{Evidence, Fault, FaultKind};
use crate::facts::{Desired, ResourceKind};
use crate::id::ClusterName;
use crate::kube_update::Scope;
use crate::testing::{self, at, deployment as orders};

fn object() -> ObjectRef {
    ObjectRef::new(&Namespace::new("default"), "orders")
}

fn update(asked: i64, change: KubeChange) -> KubeUpdate {
    update_of(ObjectKind::Deployment, asked, change)
}

fn update_of(kind: ObjectKind, asked: i64, change: KubeChange) -> KubeUpdate {
    let scope = Scope {
        cluster: ClusterName::new("local"),
        kind,
        namespace: None,
    };
    KubeUpdate {
        scope,
        asked_at: at(asked),
        at: at(asked),
        version: None,
        change,
    }
}

fn listed(asked: i64, objects: Vec<Object>) -> KubeUpdate {
    update(asked, KubeChange::Relisted(objects, Completeness::Complete))
}

#[test]
fn a_failed_list_makes_everything_in_it_unknown_and_nothing_absent() {
    let mut board = KubernetesBoard::default();
    assert_eq!(board.deployment(&object()), None, "never asked");
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    let accepted = board.accept(update(
        5,
        KubeChange::Failed(Fault::new(FaultKind::Timeout, "no answer")),
    ));
    assert!(accepted.reachability_changed);
    let evidence = board.deployment(&object()).unwrap();
    assert!(!evidence.latest.is_known());
    assert_eq!((evidence.known_at, evidence.unknown_since), (Some(at(1)), Some(at(5))));
}

#[test]
fn missing_from_a_complete_list_is_absent_without_a_deletion() {
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    let accepted = board.accept(listed(9, vec![]));
    assert_eq!((accepted.touched, accepted.repaired), (vec![object()], 1));
    assert_eq!(board.deployment(&object()).unwrap().latest, Observed::Absent);
    assert_eq!(board.deletion(&object()), None);
}

#[test]
fn missing_from_a_list_with_a_nameless_object_is_unknown() {
    let mut board = KubernetesBoard::default();
    board.accept(update(1, KubeChange::Relisted(vec![], Completeness::Incomplete)));
    assert!(!board.deployment(&object()).unwrap().latest.is_known());
}

#[test]
fn a_deletion_on_the_watch_is_confirmed_only_by_a_later_list() {
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    board.accept(update(7, KubeChange::Deleted(Object::Deployment(orders("u1")))));
    let seen = board.deletion(&object()).unwrap().seen_at;
    assert!(board.deployment(&object()).unwrap().asked_at <= seen);
    board.accept(listed(8, vec![]));
    let evidence = board.deployment(&object()).unwrap();
    assert!(evidence.latest == Observed::Absent && evidence.asked_at > seen);
}

#[test]
fn a_watch_event_makes_the_evidence_fresher_than_its_list() {
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    board.accept(update(4, KubeChange::Applied(Object::Deployment(orders("u2")))));
    let evidence = board.deployment(&object()).unwrap();
    assert_eq!(
        (evidence.latest.present().map(|d| d.uid.as_str()), evidence.observed_at),
        (Some("u2"), at(4))
    );
}

#[test]
fn what_does_not_decode_is_unknown_by_itself() {
    let mut board = KubernetesBoard::default();
    let broken = Object::Undecodable {
        namespace: Namespace::new("default"),
        name: "orders".into(),
        error: "spec".into(),
    };
    board.accept(listed(1, vec![broken]));
    assert!(!board.deployment(&object()).unwrap().latest.is_known());
    let other = ObjectRef::new(&Namespace::new("default"), "other");
    assert_eq!(board.deployment(&other).unwrap().latest, Observed::Absent);
}

fn job(n: u8) -> FlinkJobId {
    testing::flink_job_id(n.into())
}

fn resource(kind: ResourceKind, name: &str, job: Option<FlinkJobId>) -> FlinkResource {
    FlinkResource {
        flink_job_id: job,
        ..testing::flink_resource(kind, name)
    }
}

fn resources(kind: ObjectKind, asked: i64, listed: Vec<FlinkResource>) -> KubeUpdate {
    let objects = listed.into_iter().map(Object::FlinkResource).collect();
    update_of(kind, asked, KubeChange::Relisted(objects, Completeness::Complete))
}

#[test]
fn a_cluster_without_the_operators_kinds_is_reachable_and_its_resources_are_unknown() {
    let mut board = KubernetesBoard::default();
    assert_eq!(board.flink_deployment(&object()), None, "not watched");
    let missing = Fault::new(FaultKind::NotFound, "the server could not find the requested resource");
    let accepted = board.accept(update_of(ObjectKind::FlinkDeployment, 1, KubeChange::Failed(missing)));
    assert_eq!(accepted, Accepted::default());
    assert!(!board.flink_deployment(&object()).unwrap().latest.is_known());
    let accepted = board.accept(resources(ObjectKind::FlinkDeployment, 5, vec![]));
    assert!(!accepted.reachability_changed);
    assert_eq!(board.flink_deployment(&object()).unwrap().latest, Observed::Absent);
}

#[test]
fn a_resource_wakes_its_cluster_when_it_comes_changes_and_goes() {
    let mut board = KubernetesBoard::default();
    let mut orders = resource(ResourceKind::FlinkDeployment, "orders", None);
    let kind = ObjectKind::FlinkDeployment;
    let accepted = board.accept(resources(kind, 1, vec![orders.clone()]));
    assert_eq!(
        (accepted.touched, accepted.repaired),
        (vec![object()], 0),
        "a first list repairs nothing"
    );
    let same = KubeChange::Applied(Object::FlinkResource(orders.clone()));
    assert_eq!(board.accept(update_of(kind, 2, same)).touched, vec![]);
    orders.desired = Desired::Suspended;
    let changed = KubeChange::Applied(Object::FlinkResource(orders.clone()));
    assert_eq!(board.accept(update_of(kind, 3, changed)).touched, vec![object()]);
    let evidence = board.flink_deployment(&object()).unwrap();
    assert_eq!(evidence.observed_at, at(3));
    assert_eq!(evidence.latest.present().map(|r| r.desired), Some(Desired::Suspended));
    let accepted = board.accept(update_of(kind, 4, KubeChange::Deleted(Object::FlinkResource(orders))));
    assert_eq!(accepted.touched, vec![object()]);
    assert_eq!(board.flink_deployment(&object()).unwrap().latest, Observed::Absent);
}

#[test]
fn a_session_job_is_found_by_the_job_it_names_and_wakes_its_session() {
    let mut board = KubernetesBoard::default();
    let kind = ObjectKind::FlinkSessionJob;
    let first = resource(ResourceKind::FlinkSessionJob, "daily", Some(job(1)));
    let accepted = board.accept(resources(kind, 1, vec![first.clone()]));
    assert_eq!(accepted.touched, vec![object()], "the session's place, not its own");
    let of = |board: &KubernetesBoard, n| {
        let evidence = board
            .flink_session_job_naming(&Namespace::new("default"), job(n))
            .unwrap();
        evidence.latest
    };
    assert_eq!(of(&board, 1).present().map(|r| r.name.as_str()), Some("daily"));
    assert_eq!(of(&board, 2), Observed::Absent);
    // An upgrade submits it under another id: the old job has no resource any more.
    let next = FlinkResource {
        flink_job_id: Some(job(2)),
        ..first
    };
    board.accept(update_of(kind, 2, KubeChange::Applied(Object::FlinkResource(next))));
    assert_eq!(of(&board, 1), Observed::Absent);
    assert!(of(&board, 2).present().is_some());
    let accepted = board.accept(resources(kind, 3, vec![]));
    assert_eq!((accepted.touched, accepted.repaired), (vec![object()], 1));
    assert_eq!(of(&board, 2), Observed::Absent);
}

#[test]
fn where_pods_were_last_seen_outlives_a_list_that_fails() {
    let mut board = KubernetesBoard::default();
    let pod = Pod {
        ip: Some("10.0.0.7".into()),
        ..testing::pod("orders-5d9c-x1")
    };
    let pods = KubeChange::Relisted(vec![Object::Pod(pod)], Completeness::Complete);
    board.accept(update_of(ObjectKind::Pod, 1, pods));
    let fault = Fault::new(FaultKind::Forbidden, "403");
    board.accept(update_of(ObjectKind::Pod, 5, KubeChange::Failed(fault)));
    assert!(!board.pods(&object()).unwrap().latest.is_known());
    let addresses: Vec<_> = board.last_pods(&object()).iter().map(|pod| pod.ip.clone()).collect();
    assert_eq!(addresses, [Some("10.0.0.7".to_owned())]);
    board.accept(update_of(
        ObjectKind::Pod,
        9,
        KubeChange::Relisted(vec![], Completeness::Complete),
    ));
    assert!(board.last_pods(&object()).is_empty());
}

fn not_found(asked: i64, answered: i64) -> KubeUpdate {
    KubeUpdate {
        at: at(answered),
        ..update(asked, KubeChange::NotFound(object()))
    }
}

#[test]
fn what_is_not_there_when_it_is_asked_for_weighs_as_much_as_a_list_without_it() {
    let mut board = KubernetesBoard::default();
    assert_eq!(board.accept(not_found(1, 1)), Accepted::default());
    assert_eq!(board.deployment(&object()), None, "its list was never asked for");
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    let mut by_list = board.clone();
    by_list.accept(KubeUpdate {
        at: at(11),
        ..listed(9, vec![])
    });
    let accepted = board.accept(not_found(9, 11));
    assert_eq!(accepted.touched, vec![object()]);
    assert_eq!(board.deployment(&object()), by_list.deployment(&object()));
    assert_eq!(board.deletion(&object()), None, "nobody saw it deleted");
    // Again, and it is no news, and a later answer.
    assert_eq!(board.accept(not_found(20, 21)).touched, vec![]);
    let evidence = board.deployment(&object()).unwrap();
    assert_eq!(
        (evidence.latest, evidence.asked_at, evidence.known_at),
        (Observed::Absent, at(20), Some(at(21)))
    );
    let other = ObjectRef::new(&Namespace::new("default"), "other");
    assert_eq!(
        board.deployment(&other).unwrap().asked_at,
        at(1),
        "nothing is said of others"
    );
}

#[test]
fn of_a_list_and_an_answer_about_one_object_the_later_question_counts() {
    let there = || vec![Object::Deployment(orders("u1"))];
    let latest = |board: &KubernetesBoard| {
        let evidence = board.deployment(&object()).unwrap();
        (evidence.latest.present().map(|d| d.uid.to_string()), evidence.asked_at)
    };
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, there()));
    board.accept(not_found(9, 10));
    // A list that was asked for before, and took longer.
    board.accept(listed(8, there()));
    assert_eq!(latest(&board), (None, at(9)));
    board.accept(listed(8, vec![]));
    assert_eq!(latest(&board), (None, at(9)));
    board.accept(listed(12, there()));
    assert_eq!(latest(&board), (Some("u1".into()), at(12)));
    // An answer that a list has overtaken, or the watch.
    board.accept(not_found(11, 13));
    assert_eq!(latest(&board), (Some("u1".into()), at(12)));
    board.accept(update(20, KubeChange::Applied(Object::Deployment(orders("u2")))));
    board.accept(not_found(19, 21));
    assert_eq!(latest(&board), (Some("u2".into()), at(20)));
    board.accept(update(30, KubeChange::Deleted(Object::Deployment(orders("u2")))));
    let late = KubeUpdate {
        at: at(31),
        ..update(29, KubeChange::Applied(Object::Deployment(orders("u2"))))
    };
    board.accept(late);
    assert_eq!(latest(&board), (None, at(30)), "it was asked for before it was deleted");
    board.accept(not_found(32, 33));
    let deletion = board.deletion(&object()).unwrap().seen_at;
    assert!(latest(&board).1 > deletion, "the deletion is confirmed");
}

#[test]
fn a_list_that_fails_afterwards_leaves_an_object_unknown_that_was_not_there() {
    let fault = || KubeChange::Failed(Fault::new(FaultKind::Timeout, "no answer"));
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    board.accept(update(5, fault()));
    board.accept(not_found(6, 7));
    assert_eq!(
        board.deployment(&object()).unwrap().latest,
        Observed::Absent,
        "the server's own word"
    );
    board.accept(update(8, fault()));
    let evidence = board.deployment(&object()).unwrap();
    assert!(!evidence.latest.is_known());
    assert_eq!((evidence.known_at, evidence.unknown_since), (Some(at(7)), Some(at(5))));
}
