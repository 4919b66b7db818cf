//! Answers that overtake each other: which of them shows what is so is said by the versions that they are of.

use super::*;
use crate::id::Uid;
use crate::kube_update::ResourceVersion;

/// Asked for and come at these seconds, of that version.
fn told(kind: ObjectKind, (asked, came): (i64, i64), version: &str, change: KubeChange) -> KubeUpdate {
    KubeUpdate {
        at: at(came),
        version: ResourceVersion::read(version),
        ..update_of(kind, asked, change)
    }
}

fn list(kind: ObjectKind, times: (i64, i64), version: &str, objects: Vec<Object>) -> KubeUpdate {
    told(
        kind,
        times,
        version,
        KubeChange::Relisted(objects, Completeness::Complete),
    )
}

/// A Deployment or an operator's resource of that kind.
fn one(kind: ObjectKind, uid: &str) -> Object {
    let resource_kind = match kind {
        ObjectKind::Deployment => return Object::Deployment(orders(uid)),
        ObjectKind::FlinkDeployment => ResourceKind::FlinkDeployment,
        ObjectKind::FlinkSessionJob => ResourceKind::FlinkSessionJob,
        ObjectKind::Pod | ObjectKind::FlinkStateSnapshot => panic!("not kept by its name"),
    };
    Object::FlinkResource(FlinkResource {
        uid: Uid::new(uid),
        ..resource(resource_kind, "orders", None)
    })
}

const NAMED: [ObjectKind; 3] = [
    ObjectKind::Deployment,
    ObjectKind::FlinkDeployment,
    ObjectKind::FlinkSessionJob,
];

/// Which one is there, by its UID, when that was asked for, and when it came.
fn shown(board: &KubernetesBoard, kind: ObjectKind) -> (Option<String>, i64, i64) {
    let of = |evidence: Evidence<Uid>| {
        let uid = evidence.latest.present().map(Uid::to_string);
        (
            uid,
            evidence.asked_at.as_millis() / 1000,
            evidence.observed_at.as_millis() / 1000,
        )
    };
    let resource = |evidence: Option<Evidence<FlinkResource>>| evidence.unwrap().map(|answer| answer.map(|it| it.uid));
    of(match kind {
        ObjectKind::Deployment => {
            let deployment = board.deployment(&object()).unwrap();
            deployment.map(|answer| answer.map(|it| it.uid))
        }
        ObjectKind::FlinkDeployment => resource(board.flink_deployment(&object())),
        ObjectKind::FlinkSessionJob => resource(board.flink_session_job(&object())),
        ObjectKind::Pod | ObjectKind::FlinkStateSnapshot => panic!("not kept by its name"),
    })
}

fn is(uid: &str, asked: i64, came: i64) -> (Option<String>, i64, i64) {
    (Some(uid.to_owned()), asked, came)
}

/// A list shows `a`, and while the next one is under way, asked for at 8, `b` is found in its place: asked for at 20, come at 23, of
/// version 105.
fn replaced(kind: ObjectKind) -> KubernetesBoard {
    let mut board = KubernetesBoard::default();
    board.accept(list(kind, (1, 1), "50", vec![one(kind, "a")]));
    let accepted = board.accept(told(kind, (20, 23), "105", KubeChange::Applied(one(kind, "b"))));
    assert_eq!(accepted.touched, [object()]);
    assert_eq!(
        shown(&board, kind),
        is("b", 20, 23),
        "asked for when it was, not when it came"
    );
    board
}

#[test]
fn a_list_that_was_read_before_an_answer_by_name_changes_nothing_of_it() {
    for kind in NAMED {
        for objects in [vec![one(kind, "a")], vec![]] {
            let mut board = replaced(kind);
            let accepted = board.accept(list(kind, (8, 25), "90", objects));
            assert_eq!((accepted.touched, accepted.repaired), (vec![], 0));
            assert_eq!(shown(&board, kind), is("b", 20, 25));
        }
        // The watch goes on from that list, and repeats what is known.
        let mut board = replaced(kind);
        board.accept(list(kind, (8, 25), "90", vec![one(kind, "a")]));
        let gone = told(kind, (26, 26), "100", KubeChange::Deleted(one(kind, "a")));
        assert_eq!(board.accept(gone).touched, []);
        let late = told(kind, (26, 26), "104", KubeChange::Applied(one(kind, "a")));
        assert_eq!(board.accept(late).touched, []);
        assert_eq!(shown(&board, kind).0.as_deref(), Some("b"));
        assert_eq!(board.deletion(&object()), None, "it was another's");
        let next = told(kind, (27, 27), "106", KubeChange::Deleted(one(kind, "b")));
        assert_eq!(board.accept(next).touched, [object()]);
        assert_eq!(shown(&board, kind), (None, 27, 27));
    }
}

#[test]
fn a_list_that_was_asked_for_before_an_answer_by_name_and_read_after_it_counts() {
    for kind in NAMED {
        let mut board = replaced(kind);
        board.accept(list(kind, (8, 25), "110", vec![one(kind, "c")]));
        // It shows what is so after the question, though it was asked for before.
        assert_eq!(shown(&board, kind), is("c", 20, 25));
        let mut board = replaced(kind);
        board.accept(list(kind, (8, 25), "110", vec![]));
        assert_eq!(shown(&board, kind), (None, 8, 25));
    }
}

#[test]
fn where_versions_cannot_be_compared_the_list_is_taken() {
    for (by_name, of_list) in [("v105", "90"), ("105", "v90"), ("", "")] {
        let kind = ObjectKind::Deployment;
        let mut board = KubernetesBoard::default();
        board.accept(list(kind, (1, 1), "50", vec![one(kind, "a")]));
        board.accept(told(kind, (20, 23), by_name, KubeChange::Applied(one(kind, "b"))));
        board.accept(list(kind, (8, 25), of_list, vec![one(kind, "a")]));
        assert_eq!(shown(&board, kind), is("a", 8, 25));
    }
}

#[test]
fn what_is_asked_for_after_an_answer_came_counts_whatever_its_version() {
    // A store that was restored from a backup counts from an earlier version.
    for kind in NAMED {
        let mut board = replaced(kind);
        board.accept(list(kind, (24, 25), "40", vec![one(kind, "a")]));
        assert_eq!(shown(&board, kind), is("a", 24, 25));
        board.accept(told(kind, (26, 26), "41", KubeChange::Applied(one(kind, "c"))));
        assert_eq!(shown(&board, kind), is("c", 26, 26));
        board.accept(told(kind, (27, 28), "30", KubeChange::Applied(one(kind, "d"))));
        assert_eq!(shown(&board, kind), is("d", 27, 28));
    }
}

#[test]
fn an_answer_by_name_that_was_read_before_what_was_heard_meanwhile_changes_nothing() {
    let kind = ObjectKind::Deployment;
    let by_name = |version, uid: &str| told(kind, (20, 26), version, KubeChange::Applied(one(kind, uid)));
    let watched = |version| told(kind, (22, 22), version, KubeChange::Applied(one(kind, "b")));
    let listed = |version, objects| list(kind, (8, 25), version, objects);
    let begun = || {
        let mut board = KubernetesBoard::default();
        board.accept(list(kind, (1, 1), "50", vec![one(kind, "a")]));
        board
    };
    // An event came meanwhile.
    let mut board = begun();
    board.accept(watched("105"));
    board.accept(by_name("100", "a"));
    assert_eq!(shown(&board, kind), is("b", 22, 22));
    board.accept(by_name("110", "c"));
    assert_eq!(
        shown(&board, kind).0.as_deref(),
        Some("c"),
        "it is newer, as its version says"
    );
    // A list came meanwhile, and was read after the object was: it shows what is so after the question.
    let mut board = begun();
    board.accept(listed("105", vec![one(kind, "b")]));
    board.accept(by_name("100", "a"));
    assert_eq!(shown(&board, kind), is("b", 20, 25));
    // Or it lacks it.
    let mut board = begun();
    board.accept(listed("105", vec![]));
    board.accept(by_name("100", "a"));
    assert_eq!(shown(&board, kind), (None, 8, 25));
    board.accept(by_name("110", "c"));
    assert_eq!(shown(&board, kind), is("c", 20, 26));
    // Without a version that can be compared the later question counts.
    let mut board = begun();
    board.accept(list(kind, (22, 25), "", vec![]));
    board.accept(by_name("", "a"));
    assert_eq!(shown(&board, kind), (None, 22, 25));
}

#[test]
fn an_answer_that_says_what_is_known_makes_it_fresher() {
    let kind = ObjectKind::Deployment;
    let mut board = KubernetesBoard::default();
    board.accept(list(kind, (8, 25), "105", vec![one(kind, "a")]));
    let again = told(kind, (20, 26), "100", KubeChange::Applied(one(kind, "a")));
    assert_eq!(board.accept(again).touched, []);
    assert_eq!(shown(&board, kind), is("a", 20, 26));
}

#[test]
fn what_nobody_answered_for_stands_against_no_answer() {
    let kind = ObjectKind::Deployment;
    let silent = Object::Unanswered {
        namespace: Namespace::new("default"),
        name: "orders".into(),
        fault: Fault::new(FaultKind::Timeout, "no answer"),
    };
    let mut board = KubernetesBoard::default();
    board.accept(list(kind, (1, 1), "50", vec![one(kind, "a")]));
    board.accept(list(kind, (8, 25), "90", vec![silent.clone()]));
    assert_eq!(shown(&board, kind).0, None);
    // It had left the selection before the list was read.
    board.accept(told(kind, (20, 26), "85", KubeChange::Applied(one(kind, "a"))));
    assert_eq!(shown(&board, kind).0.as_deref(), Some("a"));
    // What the watch tells meanwhile does.
    board.accept(told(kind, (32, 32), "107", KubeChange::Applied(one(kind, "b"))));
    board.accept(told(kind, (30, 33), "", KubeChange::Applied(silent)));
    assert_eq!(shown(&board, kind).0.as_deref(), Some("b"));
}

mod of_pods {
    use super::*;

    const POD: ObjectKind = ObjectKind::Pod;

    fn pods(names: &[&str]) -> Vec<Object> {
        names.iter().map(|name| Object::Pod(testing::pod(name))).collect()
    }

    fn listed(times: (i64, i64), version: &str, names: &[&str]) -> KubeUpdate {
        list(POD, times, version, pods(names))
    }

    fn asked_for(times: (i64, i64), version: &str, names: &[&str]) -> KubeUpdate {
        told(POD, times, version, KubeChange::PodsOf(object(), pods(names)))
    }

    fn seen(now: i64, version: &str, name: &str) -> KubeUpdate {
        told(
            POD,
            (now, now),
            version,
            KubeChange::Applied(Object::Pod(testing::pod(name))),
        )
    }

    fn deleted(now: i64, version: &str, name: &str) -> KubeUpdate {
        told(
            POD,
            (now, now),
            version,
            KubeChange::Deleted(Object::Pod(testing::pod(name))),
        )
    }

    fn shown(board: &KubernetesBoard) -> (Vec<String>, i64, i64) {
        let evidence = board.pods(&object()).unwrap();
        let pods = evidence.latest.present().into_iter().flatten();
        (
            pods.map(|pod| pod.name.clone()).collect(),
            evidence.asked_at.as_millis() / 1000,
            evidence.observed_at.as_millis() / 1000,
        )
    }

    fn are(names: &[&str], asked: i64, came: i64) -> (Vec<String>, i64, i64) {
        (names.iter().map(|name| (*name).to_owned()).collect(), asked, came)
    }

    /// A list shows `jm-1`, and `jm-2` is found in its place: asked for at 20, come at 23, of version 105.
    fn replaced() -> KubernetesBoard {
        let mut board = KubernetesBoard::default();
        board.accept(listed((1, 1), "50", &["jm-1"]));
        board.accept(asked_for((20, 23), "105", &["jm-2"]));
        assert_eq!(
            shown(&board),
            are(&["jm-2"], 20, 23),
            "asked for when they were, not when they came"
        );
        board
    }

    #[test]
    fn a_list_that_was_read_before_them_changes_nothing() {
        for names in [&["jm-1"][..], &[]] {
            let mut board = replaced();
            let accepted = board.accept(listed((8, 25), "90", names));
            assert_eq!((accepted.touched, accepted.repaired), (vec![], 0));
            assert_eq!(shown(&board).0, ["jm-2"]);
            assert_eq!(shown(&board).1, 20);
        }
        let mut board = replaced();
        board.accept(listed((8, 25), "90", &["jm-1"]));
        // The watch goes on from that list, and repeats what is known.
        assert_eq!(board.accept(seen(26, "100", "jm-1")).touched, []);
        assert_eq!(board.accept(deleted(26, "104", "jm-1")).touched, []);
        assert_eq!(shown(&board).0, ["jm-2"]);
        assert_eq!(board.accept(seen(27, "107", "jm-3")).touched, [object()]);
        assert_eq!(shown(&board), are(&["jm-2", "jm-3"], 27, 27));
        assert_eq!(board.accept(deleted(28, "108", "jm-2")).touched, [object()]);
        assert_eq!(shown(&board), are(&["jm-3"], 28, 28));
    }

    #[test]
    fn a_list_that_was_read_after_them_counts() {
        let mut board = replaced();
        board.accept(listed((8, 25), "110", &["jm-3"]));
        assert_eq!(shown(&board), are(&["jm-3"], 20, 25));
        let mut board = replaced();
        board.accept(listed((24, 25), "40", &["jm-3"]));
        assert_eq!(shown(&board), are(&["jm-3"], 24, 25), "asked for after they came");
        board.accept(seen(26, "41", "jm-4"));
        assert_eq!(shown(&board).0, ["jm-3", "jm-4"]);
        let mut board = replaced();
        board.accept(listed((8, 25), "", &["jm-3"]));
        assert_eq!(shown(&board), are(&["jm-3"], 8, 25), "nobody can compare it");
    }

    #[test]
    fn they_count_unless_they_were_read_before_what_was_heard_meanwhile() {
        let mut board = KubernetesBoard::default();
        board.accept(listed((1, 1), "50", &["jm-1"]));
        board.accept(seen(22, "105", "jm-2"));
        board.accept(asked_for((20, 26), "100", &["jm-1"]));
        assert_eq!(shown(&board).0, ["jm-1", "jm-2"]);
        board.accept(asked_for((20, 26), "110", &["jm-2"]));
        assert_eq!(shown(&board).0, ["jm-2"], "they are newer, as their version says");
        // A list came meanwhile, and changed nothing.
        board.accept(listed((28, 35), "130", &["jm-2"]));
        board.accept(asked_for((30, 36), "120", &["jm-2", "jm-3"]));
        assert_eq!(shown(&board).0, ["jm-2"]);
        board.accept(asked_for((30, 36), "140", &["jm-2", "jm-3"]));
        assert_eq!(shown(&board), are(&["jm-2", "jm-3"], 30, 36));
    }
}
