//! Pods, as lists and the watch tell of them.

use super::*;
use crate::foreign_text::ForeignText;
use crate::time::Timestamp;

fn pod(name: &str) -> Pod {
    testing::pod(name)
}

fn going(name: &str) -> Pod {
    Pod {
        deleting_since: Some(at(30)),
        ..pod(name)
    }
}

fn pods(asked: i64, pods: &[&Pod]) -> KubeUpdate {
    let objects = pods.iter().map(|pod| Object::Pod(Pod::clone(pod))).collect();
    update_of(
        ObjectKind::Pod,
        asked,
        KubeChange::Relisted(objects, Completeness::Complete),
    )
}

fn seen(now: i64, pod: &Pod) -> KubeUpdate {
    update_of(ObjectKind::Pod, now, KubeChange::Applied(Object::Pod(pod.clone())))
}

fn names(board: &KubernetesBoard) -> Option<Vec<String>> {
    let evidence = board.pods(&object())?;
    let pods = evidence.latest.present()?;
    Some(pods.iter().map(|pod| pod.name.clone()).collect())
}

#[test]
fn what_the_watch_tells_of_pods_is_seen_at_once_and_is_news_once() {
    let mut board = KubernetesBoard::default();
    board.accept(pods(1, &[]));
    assert_eq!(board.pods(&object()).unwrap().latest, Observed::Absent);
    assert_eq!(board.accept(seen(5, &pod("jm-1"))).touched, [object()]);
    assert_eq!(names(&board).unwrap(), ["jm-1"]);
    assert_eq!(board.pods(&object()).unwrap().observed_at, at(5));
    assert_eq!(board.accept(seen(6, &pod("jm-1"))), Accepted::default());
    let gone = KubeChange::Deleted(Object::Pod(pod("jm-1")));
    assert_eq!(board.accept(update_of(ObjectKind::Pod, 7, gone)).touched, [object()]);
    let evidence = board.pods(&object()).unwrap();
    assert_eq!((evidence.latest, evidence.observed_at), (Observed::Absent, at(7)));
}

#[test]
fn a_pods_deletion_is_told_when_it_is_first_seen() {
    let mut board = KubernetesBoard::default();
    let terminating = |board: &mut KubernetesBoard, update| board.accept(update).terminating_pods;
    assert_eq!(terminating(&mut board, pods(1, &[&pod("jm-1")])), []);
    assert_eq!(terminating(&mut board, seen(2, &going("jm-1"))), [going("jm-1")]);
    let unready = Pod {
        ready: crate::facts::Readiness::NotReady,
        ..going("jm-1")
    };
    assert_eq!(terminating(&mut board, seen(3, &unready)), [], "it goes already");
    assert_eq!(
        terminating(&mut board, seen(4, &going("jm-2"))),
        [going("jm-2")],
        "nobody saw it before"
    );
}

#[test]
fn a_list_drops_the_pods_of_its_own_scope_that_it_does_not_name() {
    let broken = |name: &str| Object::Undecodable {
        namespace: Namespace::new("default"),
        name: name.into(),
        error: ForeignText::from("status"),
    };
    let mut board = KubernetesBoard::default();
    board.accept(pods(1, &[&pod("jm-1"), &pod("jm-2")]));
    let kept = KubeChange::Relisted(vec![broken("jm-1"), Object::Pod(pod("jm-2"))], Completeness::Complete);
    assert_eq!(board.accept(update_of(ObjectKind::Pod, 2, kept)), Accepted::default());
    assert_eq!(names(&board).unwrap().len(), 2, "one that does not decode is there");
    let of_another = KubeUpdate {
        scope: Scope {
            namespace: Some(Namespace::new("other")),
            ..pods(3, &[]).scope
        },
        ..pods(3, &[])
    };
    assert_eq!(board.accept(of_another).touched, []);
    assert_eq!(board.last_pods(&object()).len(), 2);
    assert_eq!(board.accept(pods(4, &[&pod("jm-2")])).touched, [object()]);
    assert_eq!(names(&board).unwrap(), ["jm-2"]);
    let emptied = board.accept(pods(5, &[]));
    assert_eq!((emptied.touched, emptied.repaired), (vec![object()], 1));
    assert_eq!(board.accept(pods(6, &[])).touched, [], "there is nothing left to go");
}

#[test]
fn a_list_of_one_namespace_says_nothing_of_deployments_elsewhere() {
    let of_namespace = |name: &str, asked| KubeUpdate {
        scope: Scope {
            namespace: Some(Namespace::new(name)),
            ..listed(asked, vec![]).scope
        },
        ..listed(asked, vec![])
    };
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![Object::Deployment(orders("u1"))]));
    assert_eq!(board.accept(of_namespace("other", 2)).touched, []);
    assert_eq!(board.accept(of_namespace("default", 3)).touched, [object()]);
}

#[test]
fn a_deletion_is_noted_once_for_each_deployment_of_a_name() {
    let going = |uid: &str| Deployment {
        deleting_since: Some(at(30)),
        ..orders(uid)
    };
    let deletion = |board: &KubernetesBoard| board.deletion(&object()).map(|d| (d.uid.to_string(), d.seen_at));
    let mut board = KubernetesBoard::default();
    for (now, uid, seen) in [(1, "u1", ("u1", 1)), (2, "u1", ("u1", 1)), (3, "u2", ("u2", 3))] {
        board.accept(update(now, KubeChange::Applied(Object::Deployment(going(uid)))));
        assert_eq!(deletion(&board), Some((seen.0.to_owned(), at(seen.1))), "at {now}");
    }
}

#[test]
fn the_pods_of_one_deployment_are_as_they_were_asked_for_unless_something_newer_was_heard() {
    let object = ObjectRef::new(&Namespace::new("default"), "orders");
    let says = |change: KubeChange, asked: i64, at: i64| KubeUpdate {
        scope: Scope {
            cluster: ClusterName::new("local"),
            kind: ObjectKind::Pod,
            namespace: None,
        },
        asked_at: Timestamp::from_millis(asked),
        at: Timestamp::from_millis(at),
        version: None,
        change,
    };
    let pods = |names: &[&str]| {
        names
            .iter()
            .map(|name| Object::Pod(crate::testing::pod(name)))
            .collect::<Vec<_>>()
    };
    let listed = |names: &[&str], at| says(KubeChange::Relisted(pods(names), Completeness::Complete), at, at);
    let asked_for = |names: &[&str], asked, at| says(KubeChange::PodsOf(object.clone(), pods(names)), asked, at);
    let shows = |board: &KubernetesBoard| {
        let evidence = board.pods(&object).unwrap();
        let names = evidence
            .latest
            .present()
            .map(|pods| pods.iter().map(|pod| pod.name.clone()).collect::<Vec<_>>());
        (names.unwrap_or_default(), evidence.asked_at.as_millis())
    };
    let mut board = KubernetesBoard::default();
    board.accept(listed(&["jm-1"], 10));
    let accepted = board.accept(asked_for(&["jm-1"], 20, 21));
    assert_eq!(
        (accepted.touched, shows(&board)),
        (vec![], (vec!["jm-1".to_owned()], 20))
    );
    let accepted = board.accept(asked_for(&["jm-2"], 30, 31));
    assert!(accepted.touched.contains(&object));
    assert_eq!(shows(&board).0, ["jm-2"]);
    // The watch is heard while they are asked for.
    board.accept(says(
        KubeChange::Applied(Object::Pod(crate::testing::pod("jm-3"))),
        41,
        41,
    ));
    board.accept(asked_for(&["jm-2"], 40, 42));
    assert_eq!(shows(&board).0, ["jm-2", "jm-3"]);
    board.accept(asked_for(&[], 50, 51));
    assert_eq!(board.pods(&object).unwrap().latest, Observed::Absent);
    // The last list that was answered says how fresh it is, once it is the newer one.
    board.accept(listed(&["jm-4"], 60));
    assert_eq!(shows(&board), (vec!["jm-4".to_owned()], 60));
    let failed = KubeChange::Failed(crate::evidence::Fault::new(
        crate::evidence::FaultKind::Timeout,
        "no answer",
    ));
    board.accept(says(failed, 70, 71));
    assert!(!board.pods(&object).unwrap().latest.is_known());
    board.accept(asked_for(&["jm-4"], 80, 81));
    assert_eq!(shows(&board), (vec!["jm-4".to_owned()], 80));
}

#[test]
fn of_deployments_that_are_gone_nothing_is_kept_once_a_list_has_said_so() {
    let mut board = KubernetesBoard::default();
    board.accept(listed(1, vec![]));
    board.accept(pods(1, &[]));
    let of = |n: i64| {
        let deployment = Deployment {
            name: format!("orders-{n}"),
            ..orders("u1")
        };
        let pod = Pod {
            app: deployment.name.clone(),
            ..pod(&format!("orders-{n}-x"))
        };
        (Object::Deployment(deployment), Object::Pod(pod))
    };
    for n in 0..50 {
        let (deployment, pod) = of(n);
        board.accept(update(2, KubeChange::Applied(deployment.clone())));
        board.accept(update_of(ObjectKind::Pod, 2, KubeChange::Applied(pod.clone())));
        board.accept(update_of(ObjectKind::Pod, 3, KubeChange::Deleted(pod)));
        board.accept(update(3, KubeChange::Deleted(deployment)));
    }
    let (there, its_pod) = of(50);
    for (now, kept) in [(3, 51), (4, 1)] {
        board.accept(update_of(
            ObjectKind::Pod,
            now,
            KubeChange::Relisted(vec![its_pod.clone()], Completeness::Complete),
        ));
        assert_eq!(
            board.pods.kept(),
            kept,
            "what was heard when it was asked for may be newer"
        );
    }
    let deletions = |board: &KubernetesBoard| {
        let seen = |n: &i64| board.deletion(&ObjectRef::new(&Namespace::new("default"), &format!("orders-{n}")));
        (0..=50).filter(|n| seen(n).is_some()).collect::<Vec<_>>()
    };
    board.accept(update(
        3,
        KubeChange::Applied(Object::Deployment(Deployment {
            deleting_since: Some(at(3)),
            ..there.deployment().unwrap().clone()
        })),
    ));
    board.accept(listed(4, vec![there]));
    board.forget_deletions(None, at(3), |_| false);
    assert_eq!(
        deletions(&board).len(),
        51,
        "a list that may be older confirms none of them"
    );
    board.forget_deletions(Some(&Namespace::new("other")), at(4), |_| false);
    assert_eq!(deletions(&board).len(), 51, "it was of another namespace");
    board.forget_deletions(None, at(4), |object| object.name == "orders-7");
    assert_eq!(deletions(&board), [7, 50], "one is needed, and one is there");
}
