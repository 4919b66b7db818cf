use super::*;

#[tokio::test(start_paused = true)]
async fn a_list_is_reported_whole_whatever_its_pages() {
    let server = Server::new();
    for n in 0..1_100 {
        server.put("deployments", deployment(&format!("job-{n:04}"), "u"));
    }
    server.expire_pages(2);
    let mut seen = Watched::start(&server, settings(), 1);
    let list = seen.until(|update| update.scope.kind == ObjectKind::Deployment).await;
    assert_eq!(names(&list).len(), 1_100);
    assert!(matches!(list.change, KubeChange::Relisted(_, Completeness::Complete)));
    let pages = server
        .asked()
        .iter()
        .filter(|(_, url)| url.contains("/deployments") && !url.contains("watch"))
        .count();
    assert_eq!(pages, 2 + 2 + 3, "twice begun again, then three pages");
}

#[tokio::test(start_paused = true)]
async fn pages_that_are_too_large_are_asked_for_in_smaller_ones() {
    let server = Server::new();
    for n in 0..300 {
        server.put("deployments", deployment(&format!("job-{n:04}"), "u"));
    }
    server.pad_pages_of(200);
    let mut seen = Watched::start(&server, settings(), 1);
    let list = seen.until(|update| update.scope.kind == ObjectKind::Deployment).await;
    assert_eq!(names(&list).len(), 300);
}

#[tokio::test(start_paused = true)]
async fn selectors_and_namespaces_stand_in_the_path() {
    let server = Server::new();
    let named = KubeSettings {
        namespaces: vec![Namespace::new("a"), Namespace::new("b")],
        deployments: Selector::All,
        ..settings()
    };
    let mut seen = Watched::start(&server, named, 1);
    seen.settle().await;
    seen.settle().await;
    let asked: Vec<String> = server.asked().into_iter().map(|(_, url)| url).collect();
    let types = "labelSelector=type%20in%20(flink-native-kubernetes,flink-standalone-kubernetes)";
    for wanted in [
        "/apis/apps/v1/namespaces/a/deployments?limit=500".to_owned(),
        "/apis/apps/v1/namespaces/b/deployments?limit=500".to_owned(),
        format!("/api/v1/namespaces/a/pods?{types},component%3Djobmanager&limit=500"),
    ] {
        assert!(asked.contains(&wanted), "{wanted} not in {asked:?}");
    }
    let all = path_of(ObjectKind::Deployment);
    assert_eq!(
        all,
        format!(
            "/apis/apps/v1/deployments?{types}&watch=true&allowWatchBookmarks=true&timeoutSeconds=290&resourceVersion=7"
        )
    );
}

fn path_of(kind: ObjectKind) -> String {
    let scope = Scope {
        cluster: ClusterName::new("local"),
        kind,
        namespace: None,
    };
    list::path(&scope, Selector::Flink).watch("7")
}

#[tokio::test(start_paused = true)]
async fn what_is_no_list_is_a_fault_and_never_an_empty_list() {
    for body in [
        "<html><body>login</body></html>",
        "",
        "{}",
        "[]",
        r#"["DeploymentList",{"resourceVersion":"9"},[]]"#,
        r#"{"kind":"DeploymentList","metadata":["9"],"items":[]}"#,
        r#"{"kind":"DeploymentList","metadata":{"resourceVersion":"1"}}"#,
        r#"{"kind":"DeploymentList","metadata":{"resourceVersion":""},"items":[]}"#,
        r#"{"kind":"DeploymentList","metadata":{},"items":[]}"#,
        r#"{"kind":"ConfigMapList","metadata":{"resourceVersion":"1"},"items":[]}"#,
        r#"{"kind":"Status","metadata":{},"status":"Failure","code":500}"#,
        r#"{"kind":"DeploymentList","metadata":{"resourceVersion":"1"},"items":[{"metadata":"#,
    ] {
        let server = Server::new();
        server.lists(Lists::Body(body));
        let mut seen = Watched::start(&server, settings(), 1);
        for update in seen.during(Duration::from_secs(20)).await {
            assert!(
                matches!(&update.change, KubeChange::Failed(fault) if fault.kind == FaultKind::Malformed),
                "{body}: {update:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_items_are_null_is_empty() {
    let server = Server::new();
    server.lists(Lists::Body(
        r#"{"kind":"DeploymentList","metadata":{"resourceVersion":"1"},"items":null}"#,
    ));
    let mut seen = Watched::start(&server, settings(), 1);
    let list = seen.until(|update| is_list(update, ObjectKind::Deployment)).await;
    assert!(names(&list).is_empty());
}

#[tokio::test(start_paused = true)]
async fn statuses_are_told_apart() {
    for (status, kind) in [
        (401, FaultKind::Unauthorized),
        (403, FaultKind::Forbidden),
        (404, FaultKind::NotFound),
        (410, FaultKind::Expired),
        (429, FaultKind::TooManyRequests),
        (500, FaultKind::Status),
        (302, FaultKind::Status),
        (204, FaultKind::Status),
    ] {
        let server = Server::new();
        server.lists(Lists::Status(status, None));
        let mut seen = Watched::start(&server, settings(), 1);
        let update = seen.until(|_| true).await;
        assert!(
            matches!(&update.change, KubeChange::Failed(fault) if fault.kind == kind),
            "{status}: {update:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_undecodable_object_is_named_counted_and_hides_no_other() {
    let server = Server::new();
    let mut bad = deployment("bad", "u1");
    bad["spec"]["replicas"] = "three".into();
    server.put("deployments", bad.clone());
    server.put("deployments", deployment("good", "u2"));
    let mut seen = Watched::start(&server, settings(), 1);
    let list = seen.until(|update| is_list(update, ObjectKind::Deployment)).await;
    let KubeChange::Relisted(objects, Completeness::Complete) = &list.change else {
        panic!("{list:?}")
    };
    assert!(
        matches!(&objects[0], Object::Undecodable { name, error, .. } if name == "bad" && error.contains("three")),
        "{objects:?}"
    );
    assert!(matches!(&objects[1], Object::Deployment(good) if good.name == "good"));
    assert_eq!(seen.cluster.undecodable(), 1);

    seen.settle_pods().await;
    bad["metadata"]["name"] = "worse".into();
    server.put("deployments", bad);
    let change = seen.until(|update| !names(update).is_empty()).await;
    assert!(
        matches!(&change.change, KubeChange::Applied(Object::Undecodable { name, .. }) if name == "worse"),
        "{change:?}"
    );
    assert_eq!(seen.cluster.undecodable(), 2);
}

impl Watched {
    async fn settle_pods(&mut self) {
        self.until(|update| is_list(update, ObjectKind::Pod)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_without_a_readable_name_makes_the_list_incomplete() {
    let server = Server::new();
    server.put("deployments", serde_json::json!({"metadata": {"name": 7}}));
    server.put("deployments", deployment("good", "u"));
    let mut seen = Watched::start(&server, settings(), 1);
    let list = seen.until(|update| is_list(update, ObjectKind::Deployment)).await;
    assert!(
        matches!(&list.change, KubeChange::Relisted(objects, Completeness::Incomplete) if objects.len() == 1),
        "{list:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_name_none_can_have_costs_only_itself() {
    for name in ["", "a/b", "..", "one\nERROR two", "\u{1b}[2J", &"x".repeat(254)] {
        let server = Server::new();
        server.put("deployments", deployment(name, "u1"));
        server.put("deployments", deployment("good", "u2"));
        let mut seen = Watched::start(&server, settings(), 1);
        let list = seen.until(|update| is_list(update, ObjectKind::Deployment)).await;
        assert_eq!(names(&list), ["good"], "{name:?}");
        // What such a list lacks may be what it has under that name.
        assert!(
            matches!(&list.change, KubeChange::Relisted(_, Completeness::Incomplete)),
            "{name:?}: {list:?}"
        );
    }
    // Of a name that an object refers to, the object has to answer for.
    let server = Server::new();
    let mut bad = deployment("bad", "u1");
    bad["metadata"]["labels"]["a\nb"] = "c".into();
    server.put("deployments", bad);
    server.put("deployments", deployment("good", "u2"));
    let mut seen = Watched::start(&server, settings(), 1);
    let list = seen.until(|update| is_list(update, ObjectKind::Deployment)).await;
    assert!(
        matches!(&list.change, KubeChange::Relisted(objects, Completeness::Complete)
            if matches!(&objects[..], [Object::Undecodable { .. }, Object::Deployment(_)])),
        "{list:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_requested_list_begins_after_the_request_and_requests_are_merged() {
    let server = Server::new();
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    seen.during(Duration::from_secs(20)).await;
    let (request, moment) = (seen.clock.now(), tokio::time::Instant::now());
    for _ in 0..100 {
        seen.cluster.request_relist(request);
    }
    // Either kind's list may arrive first; one that was under way when the request came does not answer it.
    let mut listed = Vec::new();
    for _ in 0..2 {
        let list = seen
            .until(|update| matches!(update.change, KubeChange::Relisted(..)) && update.asked_at > request)
            .await;
        assert!(
            list.asked_at.since(request) < settings().timing.poll,
            "{:?}",
            list.asked_at.since(request)
        );
        listed.push(list.scope.kind);
    }
    listed.sort();
    assert_eq!(listed, [ObjectKind::Deployment, ObjectKind::Pod]);
    seen.during(Duration::from_secs(10)).await;
    let lists = server
        .asked()
        .iter()
        .filter(|(at, url)| *at >= moment && !url.contains("watch"))
        .count();
    assert_eq!(lists, 2, "one for each kind");
}

#[tokio::test(start_paused = true)]
async fn endless_requests_for_lists_do_not_become_a_storm() {
    let server = Server::new();
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    let lists_since = |moment| {
        let asked = server.asked();
        let lists = asked.iter().filter(|(at, url)| *at >= moment && !url.contains("watch"));
        lists.count()
    };
    let moment = tokio::time::Instant::now();
    for _ in 0..600 {
        seen.cluster.request_relist(seen.clock.now());
        seen.during(Duration::from_millis(100)).await;
    }
    // After half a poll, and twice, four and eight times as long; then three times a minute.
    assert!(
        lists_since(moment) <= 2 * 6,
        "{} in the first minute",
        lists_since(moment)
    );
    let moment = tokio::time::Instant::now();
    for _ in 0..600 {
        seen.cluster.request_relist(seen.clock.now());
        seen.during(Duration::from_millis(100)).await;
    }
    assert!(lists_since(moment) <= 2 * 3, "{} a minute", lists_since(moment));
    // Nobody asks for a while, and who asks then is answered soon.
    seen.during(settings().timing.validate * 2).await;
    let moment = tokio::time::Instant::now();
    seen.cluster.request_relist(seen.clock.now());
    seen.during(settings().timing.poll).await;
    assert_eq!(lists_since(moment), 2);
}

#[tokio::test(start_paused = true)]
async fn everything_ends_when_it_is_asked_to() {
    let server = Server::new();
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    let now = tokio::time::Instant::now();
    assert_eq!(seen.tasks.stop(now + Duration::from_millis(1)).await, Ok(()));
    assert!(seen.update.recv().await.is_none(), "no task holds the channel");
}
