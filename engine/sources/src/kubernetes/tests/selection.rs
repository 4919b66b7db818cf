use serde_json::{Value, json};
use steadfast_core::evidence::Fault;

use super::*;

/// Orders is there and known; the watch is open.
async fn orders_seen(server: &Server) -> Watched {
    server.put("deployments", deployment("orders", "u1"));
    let mut seen = Watched::start(server, settings(), 1);
    seen.settle().await;
    seen
}

/// The next update about Deployments.
async fn next(seen: &mut Watched) -> KubeUpdate {
    seen.until(|update| update.scope.kind == ObjectKind::Deployment).await
}

async fn next_list(seen: &mut Watched) -> KubeUpdate {
    seen.until(|update| is_list(update, ObjectKind::Deployment)).await
}

/// Why nobody knows whether the only object of an update is there.
fn unanswered(update: &KubeUpdate) -> Option<&Fault> {
    let objects = match &update.change {
        KubeChange::Relisted(objects, _) | KubeChange::PodsOf(_, objects) => objects.as_slice(),
        KubeChange::Applied(object) => std::slice::from_ref(object),
        KubeChange::Deleted(_) | KubeChange::NotFound(_) | KubeChange::Failed(_) => &[],
    };
    match objects {
        [Object::Unanswered { fault, .. }] => Some(fault),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn what_left_the_selection_stays_known_and_is_asked_for_with_each_list() {
    let server = Server::new();
    let mut seen = orders_seen(&server).await;
    server.unselect("deployments", "orders");
    let told = next(&mut seen).await;
    assert!(
        matches!(&told.change, KubeChange::Applied(Object::Deployment(d)) if d.uid.as_str() == "u1"),
        "{told:?}"
    );
    for lists in 1..=3 {
        let list = next_list(&mut seen).await;
        assert_eq!(names(&list), ["orders"]);
        assert!(matches!(list.change, KubeChange::Relisted(_, Completeness::Complete)));
        assert_eq!(server.asked_for("orders").len(), 1 + lists);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_by_name_says_when_and_of_which_version_it_is() {
    let server = Server::new();
    let mut seen = orders_seen(&server).await;
    server.gets_take(Duration::from_secs(1));
    server.put("deployments", deployment("other", "u2"));
    let event = next(&mut seen).await;
    assert_eq!(event.asked_at, event.at);
    let version = event.version.expect("a version that can be compared");
    server.unselect("deployments", "orders");
    let answer = next(&mut seen).await;
    assert!(matches!(answer.change, KubeChange::Applied(_)), "{answer:?}");
    assert_eq!(answer.at.since(answer.asked_at), Duration::from_secs(1));
    assert!(answer.version < Some(version), "it has not changed since it was seen");
    let list = next_list(&mut seen).await;
    assert!(list.version > Some(version), "{list:?}");
    let server = Server::new();
    server.lists_take(Duration::from_secs(2));
    let mut seen = Watched::start(&server, settings(), 1);
    let list = next_list(&mut seen).await;
    assert_eq!(list.at.since(list.asked_at), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_told_after_one_get() {
    let server = Server::new();
    let mut seen = orders_seen(&server).await;
    server.delete("deployments", "orders");
    let told = next(&mut seen).await;
    assert!(
        matches!(&told.change, KubeChange::Deleted(Object::Deployment(d)) if d.uid.as_str() == "u1"),
        "{told:?}"
    );
    assert!(names(&next_list(&mut seen).await).is_empty());
    assert_eq!(server.asked_for("orders").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_outside_the_selection_is_missing_from_the_next_list_and_no_deletion_was_seen() {
    for next_of_that_name in [None, Some(deployment("orders", "u2"))] {
        let server = Server::new();
        let mut seen = orders_seen(&server).await;
        server.unselect("deployments", "orders");
        next(&mut seen).await;
        server.replace_unselected("deployments", "orders", next_of_that_name);
        let told = next(&mut seen).await;
        assert!(
            is_list(&told, ObjectKind::Deployment) && names(&told).is_empty(),
            "{told:?}"
        );
        let asked = server.asked_for("orders").len();
        next_list(&mut seen).await;
        assert_eq!(
            server.asked_for("orders").len(),
            asked,
            "it is gone, and nobody asks again"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_label_that_comes_back_ends_the_questions() {
    let server = Server::new();
    let mut seen = orders_seen(&server).await;
    server.unselect("deployments", "orders");
    next(&mut seen).await;
    server.put("deployments", deployment("orders", "u1"));
    assert!(matches!(next(&mut seen).await.change, KubeChange::Applied(_)));
    assert_eq!(names(&next_list(&mut seen).await), ["orders"]);
    assert_eq!(server.asked_for("orders").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_proves_nothing_and_is_asked_for_again() {
    let of_another =
        r#"{"kind":"Status","reason":"NotFound","details":{"name":"billing","kind":"deployments"},"code":404}"#;
    for (status, body, kind) in [
        (
            403,
            r#"{"kind":"Status","message":"cannot get resource"}"#,
            FaultKind::Forbidden,
        ),
        (500, "{}", FaultKind::Status),
        (429, "{}", FaultKind::TooManyRequests),
        (404, "404 page not found\n", FaultKind::NotFound),
        (404, of_another, FaultKind::NotFound),
        (200, "<html>login</html>", FaultKind::Malformed),
        (200, r#"{"kind":"Table","metadata":{}}"#, FaultKind::Malformed),
    ] {
        let server = Server::new();
        let mut seen = orders_seen(&server).await;
        server.gets(Gets::Status(status, body));
        server.delete("deployments", "orders");
        let told = next(&mut seen).await;
        let fault = unanswered(&told).unwrap_or_else(|| panic!("{status} {body}: {told:?}"));
        assert_eq!(fault.kind, kind, "{body}");
        assert!(fault.message.starts_with("get deployments.apps: "), "{fault}");
        let list = next_list(&mut seen).await;
        assert_eq!(unanswered(&list).map(|fault| fault.kind), Some(kind), "{list:?}");
        server.gets(Gets::Fine);
        let gone = seen
            .until(|update| matches!(update.change, KubeChange::Deleted(_)))
            .await;
        assert_eq!(names(&gone), ["orders"]);
        assert!(names(&next_list(&mut seen).await).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_get_without_an_answer_holds_up_neither_list_nor_watch() {
    let server = Server::new();
    let mut seen = orders_seen(&server).await;
    server.gets_take(Duration::from_secs(86_400));
    server.delete("deployments", "orders");
    server.put("deployments", deployment("billing", "u2"));
    assert_eq!(names(&next(&mut seen).await), ["billing"]);
    let told = next(&mut seen).await;
    assert_eq!(
        unanswered(&told).map(|fault| fault.kind),
        Some(FaultKind::Timeout),
        "{told:?}"
    );
    let began = seen.clock.now();
    let list = next_list(&mut seen).await;
    assert_eq!(names(&list), ["billing", "orders"]);
    assert!(list.at.since(began) <= settings().timing.validate + settings().timing.timeout);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_lacks_costs_few_requests_however_much_is_asked_for() {
    let server = Server::new();
    for n in 0..300 {
        server.put("deployments", deployment(&format!("job-{n}"), "u"));
    }
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    server.gets(Gets::Status(403, "{}"));
    for n in 0..300 {
        server.delete("deployments", &format!("job-{n}"));
    }
    seen.during(Duration::from_secs(600)).await;
    let gets = server
        .asked()
        .iter()
        .filter(|(_, url)| url.contains("/deployments/"))
        .count();
    assert!((1..=16 * 11).contains(&gets), "{gets}");
}

#[tokio::test(start_paused = true)]
async fn many_that_vanish_at_once_are_asked_for_a_few_at_a_time_and_the_rest_is_unknown_for_now() {
    let server = Server::new();
    for n in 0..300 {
        server.put("deployments", deployment(&format!("job-{n}"), "u"));
    }
    server.watches(Watches::Silent);
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    server.gets_take(Duration::from_secs(1));
    for n in 0..300 {
        server.delete("deployments", &format!("job-{n}"));
    }
    let list = next_list(&mut seen).await;
    let left = names(&list).len();
    // Three seconds at one second each, sixteen at a time.
    assert!((300 - 3 * 16..300).contains(&left), "{left}");
    let mut at_once: std::collections::BTreeMap<tokio::time::Instant, usize> = std::collections::BTreeMap::new();
    for (at, _) in server.asked().iter().filter(|(_, url)| url.contains("/deployments/")) {
        *at_once.entry(*at).or_default() += 1;
    }
    assert!(at_once.values().all(|asked| *asked <= 16), "{at_once:?}");
    let empty = seen.until(|update| is_list(update, ObjectKind::Deployment) && names(update).is_empty());
    empty.await;
}

#[tokio::test(start_paused = true)]
async fn what_a_list_lacks_without_a_word_of_the_watch_is_asked_for_too() {
    let server = Server::new();
    server.watches(Watches::Silent);
    let mut seen = orders_seen(&server).await;
    server.unselect("deployments", "orders");
    assert_eq!(names(&next_list(&mut seen).await), ["orders"]);
    server.replace_unselected("deployments", "orders", None);
    assert!(names(&next_list(&mut seen).await).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_another_takes_proves_the_deletion_before_it_was_asked_about() {
    let server = Server::new();
    let mut seen = orders_seen(&server).await;
    server.gets_take(Duration::from_secs(2));
    server.delete("deployments", "orders");
    server.put("deployments", deployment("orders", "u2"));
    let told = [next(&mut seen).await, next(&mut seen).await];
    assert!(
        matches!(&told[0].change, KubeChange::Deleted(Object::Deployment(d)) if d.uid.as_str() == "u1")
            && matches!(&told[1].change, KubeChange::Applied(Object::Deployment(d)) if d.uid.as_str() == "u2"),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_known_before_the_start_is_asked_for_before_the_first_list_lacks_it() {
    let server = Server::new();
    server.put("deployments", deployment("orders", "u1"));
    server.unselect("deployments", "orders");
    let known = |name: &str| KnownDeployment {
        namespace: Namespace::new("default"),
        name: name.into(),
        uid: Some(Uid::new("u1")),
    };
    let known = vec![known("orders"), known("long-gone")];
    let mut seen = Watched::start_knowing(&server, settings(), OperatorResources::Ignored, known, 1);
    assert_eq!(names(&next_list(&mut seen).await), ["orders"]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_or_a_selection_that_is_not_watched_asks_nothing() {
    let server = Server::new();
    server.put("deployments", deployment("orders", "u1"));
    let all = KubeSettings {
        deployments: Selector::All,
        ..settings()
    };
    let mut seen = Watched::start(&server, all, 1);
    seen.settle().await;
    server.delete("deployments", "orders");
    assert!(matches!(next(&mut seen).await.change, KubeChange::Deleted(_)));
    assert_eq!(
        server.asked_for("orders").len(),
        0,
        "a list of everything is complete about UIDs"
    );
}

fn pod(name: &str, metadata: Value, phase: &str) -> Value {
    let mut pod = json!({
        "metadata": {"namespace": "default", "name": name, "uid": name, "labels": {"app": "orders"}},
        "spec": {"containers": []}, "status": {"phase": phase},
    });
    for (key, value) in metadata.as_object().unwrap() {
        pod["metadata"][key] = value.clone();
    }
    pod
}

#[tokio::test(start_paused = true)]
async fn an_ordinary_deletion_of_a_pod_costs_no_get_and_a_pod_that_lost_its_label_stays() {
    let server = Server::new();
    let deleting = json!({"deletionTimestamp": "2026-11-28T12:00:00Z"});
    server.put("pods", pod("going", deleting, "Running"));
    server.put("pods", pod("ended", json!({}), "Failed"));
    server.put("pods", pod("quarantined", json!({}), "Running"));
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    for name in ["going", "ended"] {
        server.delete("pods", name);
        let told = seen.until(|update| update.scope.kind == ObjectKind::Pod).await;
        assert!(matches!(told.change, KubeChange::Deleted(_)), "{told:?}");
        assert_eq!(server.asked_for(name).len(), 0);
    }
    server.unselect("pods", "quarantined");
    let told = seen.until(|update| update.scope.kind == ObjectKind::Pod).await;
    assert!(matches!(told.change, KubeChange::Applied(Object::Pod(_))), "{told:?}");
    let list = seen.until(|update| is_list(update, ObjectKind::Pod)).await;
    assert_eq!(names(&list), ["quarantined"]);
    server.replace_unselected("pods", "quarantined", None);
    let list = seen.until(|update| is_list(update, ObjectKind::Pod)).await;
    assert!(names(&list).is_empty());
}
