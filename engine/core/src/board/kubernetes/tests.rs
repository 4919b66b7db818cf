use super::*;
use crate::facts::Rollout;
use crate::id::{ClusterName, Uid};
use crate::news::Scope;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn orders(uid: &str) -> Deployment {
    Deployment {
        namespace: Namespace::new("default"),
        name: "orders".into(),
        uid: Uid::new(uid),
        created_at: None,
        deleting_since: None,
        replicas: 1,
        ready: 1,
        native: None,
        owner: None,
        trouble: None,
        rollout: Rollout::Settled,
    }
}

fn place() -> Place {
    Place::new(&Namespace::new("default"), "orders")
}

fn news(asked: i64, what: What) -> KubeNews {
    let scope = Scope {
        cluster: ClusterName::new("local"),
        kind: ObjectKind::Deployment,
        namespace: None,
    };
    KubeNews {
        scope,
        asked_at: at(asked),
        at: at(asked),
        what,
    }
}

fn listed(asked: i64, objects: Vec<Object>) -> KubeNews {
    news(asked, What::Listed(objects, Completeness::Complete))
}

#[test]
fn a_failed_list_makes_everything_in_it_unknown_and_nothing_absent() {
    let mut board = KubernetesBoard::default();
    assert_eq!(board.deployment(&place()), None, "never asked");
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    let accepted = board.accept(news(5, What::Failed(Fault::new(FaultKind::Timeout, "no answer"))));
    assert!(accepted.reachability_changed);
    let evidence = board.deployment(&place()).unwrap();
    assert!(!evidence.latest.is_known());
    assert_eq!((evidence.known_at, evidence.unknown_since), (Some(at(1)), Some(at(5))));
}

#[test]
fn missing_from_a_complete_list_is_absent_without_a_deletion() {
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    let accepted = board.accept(listed(9, vec![]));
    assert_eq!((accepted.touched, accepted.repaired), (vec![place()], 1));
    assert_eq!(board.deployment(&place()).unwrap().latest, Observed::Absent);
    assert_eq!(board.deletion(&place()), None);
}

#[test]
fn missing_from_a_list_with_a_nameless_object_is_unknown() {
    let mut board = KubernetesBoard::default();
    board.accept(news(1, What::Listed(vec![], Completeness::Incomplete)));
    assert!(!board.deployment(&place()).unwrap().latest.is_known());
}

#[test]
fn a_deletion_on_the_watch_is_confirmed_only_by_a_later_list() {
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    board.accept(news(7, What::Deleted(Object::Deployment(orders("u1")))));
    let seen = board.deletion(&place()).unwrap().seen_at;
    assert!(board.deployment(&place()).unwrap().asked_at <= seen);
    board.accept(listed(8, vec![]));
    let evidence = board.deployment(&place()).unwrap();
    assert!(evidence.latest == Observed::Absent && evidence.asked_at > seen);
}

#[test]
fn a_watch_event_makes_the_evidence_fresher_than_its_list() {
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    board.accept(news(4, What::Changed(Object::Deployment(orders("u2")))));
    let evidence = board.deployment(&place()).unwrap();
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
    assert!(!board.deployment(&place()).unwrap().latest.is_known());
    let other = Place::new(&Namespace::new("default"), "other");
    assert_eq!(board.deployment(&other).unwrap().latest, Observed::Absent);
}
