use super::*;

#[tokio::test(start_paused = true)]
async fn changes_and_deletions_are_reported_as_they_come() {
    let server = Server::new();
    server.put("deployments", deployment("orders", "u1"));
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    server.put("deployments", deployment("payments", "u2"));
    server.delete("deployments", "orders");
    let added = seen.until(|_| true).await;
    assert!(
        matches!(&added.change, KubeChange::Applied(Object::Deployment(d)) if d.name == "payments"),
        "{added:?}"
    );
    let deleted = seen.until(|_| true).await;
    assert!(
        matches!(&deleted.change, KubeChange::Deleted(Object::Deployment(d)) if d.uid.as_str() == "u1"),
        "{deleted:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_about_an_object_whose_name_none_can_have_costs_only_itself() {
    let server = Server::new();
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    let requests = server.asked().len();
    for name in ["", "a/b", "..", "a\nb"] {
        server.put("deployments", deployment(name, "u1"));
    }
    server.put("deployments", deployment("good", "u2"));
    let added = seen.until(|_| true).await;
    assert!(
        matches!(&added.change, KubeChange::Applied(Object::Deployment(d)) if d.name == "good"),
        "{added:?}"
    );
    assert_eq!(
        server.asked().len(),
        requests,
        "the watch goes on, and nothing is listed"
    );
}

#[tokio::test(start_paused = true)]
async fn recorded_streams_are_understood() {
    use super::super::watch::WatchEvent;
    for (file, kind) in [
        ("kubernetes/watch/deployments.jsonl", ObjectKind::Deployment),
        ("kubernetes/watch/pods.jsonl", ObjectKind::Pod),
        (
            "kubernetes/finished-cluster-ends/watch-deployments.jsonl",
            ObjectKind::Deployment,
        ),
        ("kubernetes/finished-cluster-ends/watch-pods.jsonl", ObjectKind::Pod),
        ("kubernetes/failed-cluster-ends/watch-pods.jsonl", ObjectKind::Pod),
        ("kubernetes/canceled-cluster-ends/watch-pods.jsonl", ObjectKind::Pod),
    ] {
        let (mut changed, mut deleted) = (0, 0);
        for line in recorded(file).lines() {
            match super::super::watch::read(kind, line).unwrap() {
                WatchEvent::Changed(Object::Undecodable { error, .. }, _) => panic!("{file}: {error}"),
                WatchEvent::Changed(..) => changed += 1,
                WatchEvent::Deleted(..) => deleted += 1,
                WatchEvent::Bookmark(version) => assert!(!version.is_empty()),
                WatchEvent::Unnamed(_) => panic!("{file}: {line}"),
            }
        }
        assert!(changed > 0, "{file}");
        assert!(deleted > 0, "{file}");
    }
    for line in recorded("kubernetes/watch/bookmark.jsonl")
        .lines()
        .filter(|line| line.contains("BOOKMARK"))
    {
        let event = super::super::watch::read(ObjectKind::Pod, line).unwrap();
        assert!(matches!(event, WatchEvent::Bookmark(_)), "{event:?}");
    }
    for line in recorded("kubernetes/errors/watch-too-old.jsonl").lines() {
        let ended = super::super::watch::read(ObjectKind::Pod, line).unwrap_err();
        assert!(matches!(ended, super::super::watch::Ended::Expired), "{ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_odd_watch_costs_few_requests_and_hides_no_change() {
    for watches in [
        Watches::CloseAtOnce,
        Watches::ExpiredStatus,
        Watches::ExpiredEvent,
        Watches::Forbidden,
        Watches::Break,
        Watches::EndlessLine,
    ] {
        let server = Server::new();
        server.watches(watches);
        let mut seen = Watched::start(&server, settings(), 1);
        seen.settle().await;
        for minute in 0..5 {
            let moment = tokio::time::Instant::now();
            let name = format!("job-{minute}");
            server.put("deployments", deployment(&name, "u"));
            let update = seen.during(Duration::from_secs(60)).await;
            assert!(
                !update
                    .iter()
                    .any(|update| matches!(update.change, KubeChange::Failed(_))),
                "lists answer"
            );
            assert!(
                update.iter().any(|update| names(update).contains(&name.as_str())),
                "{name}"
            );
            let requests = server.asked_since(moment);
            assert!(requests < 300, "{requests} requests a minute");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_in_its_time_goes_on_without_a_list() {
    let server = Server::new();
    let long = KubeSettings {
        timing: Timing {
            validate: Duration::from_secs(600),
            ..Timing::default()
        },
        ..settings()
    };
    let mut seen = Watched::start(&server, long, 1);
    seen.settle().await;
    seen.during(Duration::from_secs(120)).await;
    let moment = tokio::time::Instant::now();
    server.watches(Watches::CloseAtOnce);
    seen.during(Duration::from_millis(1)).await;
    server.watches(Watches::Fine);
    seen.during(Duration::from_secs(10)).await;
    server.put("deployments", deployment("late", "u"));
    let update = seen.until(|_| true).await;
    assert!(matches!(update.change, KubeChange::Applied(_)), "{update:?}");
    let asked = server.asked();
    let mut since = asked.iter().filter(|(at, _)| *at >= moment);
    assert!(since.all(|(_, url)| url.contains("watch")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_broken_watch_everything_is_listed_again() {
    let server = Server::new();
    server.watches(Watches::Break);
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    server.put("deployments", deployment("missed", "u"));
    server.watches(Watches::Fine);
    let update = seen.until(|update| names(update).contains(&"missed")).await;
    assert!(
        matches!(update.change, KubeChange::Relisted(..)),
        "what a broken watch missed is not told by it: {update:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_watch_is_no_failure_and_the_next_list_tells() {
    let server = Server::new();
    server.put("deployments", deployment("orders", "u"));
    server.watches(Watches::Silent);
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    let began = seen.clock.now();
    server.delete("deployments", "orders");
    let update = seen.until(|update| update.scope.kind == ObjectKind::Deployment).await;
    assert!(
        names(&update).is_empty() && matches!(update.change, KubeChange::Relisted(..)),
        "{update:?}"
    );
    assert!(update.at.since(began) <= settings().timing.validate + settings().timing.timeout);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_seen_even_while_a_list_is_read() {
    let server = Server::new();
    server.put("deployments", deployment("orders", "u1"));
    server.put("deployments", deployment("stays", "u2"));
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    seen.during(Duration::from_secs(20)).await;
    // The list is about a moment at which the object is still there; its answer comes after the deletion.
    server.lists_take(Duration::from_secs(2));
    seen.cluster.request_relist(seen.clock.now());
    seen.during(Duration::from_secs(1)).await;
    server.delete("deployments", "orders");
    let deleted = seen.until(|_| true).await;
    assert!(
        matches!(deleted.change, KubeChange::Deleted(_)) && names(&deleted) == ["orders"],
        "{deleted:?}"
    );
    server.put("deployments", deployment("new", "u3"));
    let list = seen.until(|update| is_list(update, ObjectKind::Deployment)).await;
    assert_eq!(
        names(&list),
        ["stays", "new"],
        "the list is older than what the watch told"
    );
    server.put("deployments", deployment("later", "u4"));
    let next = seen.until(|update| update.scope.kind == ObjectKind::Deployment).await;
    assert!(
        matches!(next.change, KubeChange::Applied(_)) && names(&next) == ["later"],
        "nothing is told twice: {next:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_channel_loses_no_event() {
    let server = Server::new();
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    for n in 0..20 {
        server.put("deployments", deployment(&format!("job-{n}"), "u"));
    }
    // Nobody reads for as long as several lists take.
    tokio::time::sleep(Duration::from_secs(200)).await;
    let update = seen.during(Duration::from_secs(1)).await;
    let told: Vec<&str> = update
        .iter()
        .filter(|update| matches!(update.change, KubeChange::Applied(_)))
        .flat_map(names)
        .collect();
    assert_eq!(told.len(), 20, "{told:?}");
}
