use steadfast_core::backoff::RETRY_AFTER_CAP;

use super::*;

#[tokio::test(start_paused = true)]
async fn total_loss_is_reported_and_healing_shows_within_two_polls() {
    for (network, kind) in [
        (Network::Drops, FaultKind::Timeout),
        (Network::Refuses, FaultKind::Refused),
    ] {
        for seed in 0..20 {
            let server = Server::new();
            server.put("deployments", deployment("orders", "u"));
            let many = KubeSettings {
                namespaces: ["a", "b", "c"].map(Namespace::new).to_vec(),
                ..settings()
            };
            let mut seen = Watched::start(&server, many, seed);
            for _ in 0..3 {
                seen.settle().await;
            }
            server.network(network);
            server.watches(Watches::Break);
            let update = seen.during(Duration::from_secs(180)).await;
            let mut failed = Vec::new();
            for update in &update {
                let KubeChange::Failed(fault) = &update.change else {
                    panic!("nothing else can be known: {update:?}")
                };
                assert_eq!(fault.kind, kind);
                if !failed.contains(&&update.scope) {
                    failed.push(&update.scope);
                }
            }
            assert_eq!(failed.len(), 6, "each scope says that it knows nothing");

            server.network(Network::Up);
            server.watches(Watches::Fine);
            let healed = seen.clock.now();
            let mut scopes = Vec::new();
            while scopes.len() < 6 {
                let list = seen
                    .until(|update| matches!(update.change, KubeChange::Relisted(..)))
                    .await;
                let took = list.at.since(healed);
                assert!(
                    took <= settings().timing.poll * 2,
                    "seed {seed}: {:?} took {took:?}",
                    list.scope
                );
                if !scopes.contains(&list.scope) {
                    scopes.push(list.scope);
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_few_requests() {
    let server = Server::new();
    server.network(Network::Refuses);
    let mut seen = Watched::start(&server, settings(), 1);
    seen.during(Duration::from_secs(300)).await;
    let moment = tokio::time::Instant::now();
    seen.during(Duration::from_secs(600)).await;
    let per_minute = server.asked_since(moment) / 10;
    assert!((10..60).contains(&per_minute), "{per_minute} requests a minute");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_outlives_an_outage_tells_what_was_missed() {
    let server = Server::new();
    server.put("deployments", deployment("orders", "u"));
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    server.network(Network::Drops);
    server.delete("deployments", "orders");
    seen.during(Duration::from_secs(180)).await;
    server.network(Network::Up);
    let update = seen.until(|update| update.scope.kind == ObjectKind::Deployment).await;
    assert!(
        matches!(update.change, KubeChange::Deleted(_)),
        "the deletion was seen: {update:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_watch_over_the_outage_the_object_is_only_missing() {
    let server = Server::new();
    server.put("deployments", deployment("orders", "u"));
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    server.watches(Watches::CloseAtOnce);
    server.network(Network::Drops);
    seen.during(Duration::from_secs(30)).await;
    server.delete("deployments", "orders");
    seen.during(Duration::from_secs(90)).await;
    server.watches(Watches::Fine);
    server.network(Network::Up);
    let list = seen.until(|update| is_list(update, ObjectKind::Deployment)).await;
    assert!(names(&list).is_empty());
    let later = seen.during(Duration::from_secs(200)).await;
    assert!(
        !later
            .iter()
            .any(|update| matches!(update.change, KubeChange::Deleted(_)))
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_up_to_its_cap() {
    for (asked, waits) in [("20", Duration::from_secs(20)), ("86400", RETRY_AFTER_CAP)] {
        let server = Server::new();
        server.lists(Lists::Status(429, Some(asked)));
        let mut seen = Watched::start(&server, settings(), 1);
        seen.during(Duration::from_secs(600)).await;
        let mut times: Vec<tokio::time::Instant> = Vec::new();
        for (at, url) in server.asked() {
            if url.contains("/deployments") {
                times.push(at);
            }
        }
        assert!(times.len() > 5);
        for pair in times.windows(2) {
            let gap = pair[1] - pair[0];
            assert!(gap >= waits && gap < waits + settings().timing.retry_max, "{gap:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lists_that_fail_beside_a_watch_that_works_are_reported_and_so_is_the_watch() {
    let server = Server::new();
    server.put("deployments", deployment("orders", "u"));
    let mut seen = Watched::start(&server, settings(), 1);
    seen.settle().await;
    server.lists(Lists::Status(500, None));
    seen.during(Duration::from_secs(120)).await;
    server.delete("deployments", "orders");
    let update = seen
        .until(|update| matches!(update.change, KubeChange::Deleted(_)))
        .await;
    assert_eq!(names(&update), ["orders"]);
    let update = seen.during(Duration::from_secs(60)).await;
    assert!(
        !update.is_empty()
            && update
                .iter()
                .all(|update| matches!(update.change, KubeChange::Failed(_)))
    );
}
