//! Where a sink begins, and what it counts.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_new_sink_begins_at_the_end_and_a_known_one_where_it_was() {
    let setup = Setup::new();
    setup.transition(1).await;
    let task = setup.start().await;
    setup.transition(2).await;
    setup.until(1).await;
    setup.cancel.cancel();
    task.await.unwrap();
    let mut setup = setup;
    setup.cancel = CancellationToken::new();
    setup.transition(3).await; // while no sink runs
    let task = setup.start().await;
    setup.until(2).await;
    assert_eq!(setup.ids(), ["store-2", "store-3"]);
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_given_a_name_goes_on_and_keeps_its_place_when_its_url_changes() {
    let setup = Setup::new();
    setup.transition(1).await;
    setup.store.advance_sink("webhook-old", Sequence(0)).await.unwrap();
    let named = setup.begin("orders", Some("webhook-old"), setup.receiver.clone()).await;
    assert_eq!(named.position, Sequence(0), "where it was without a name");
    setup.transition(2).await;
    // Another URL: another digest, of which nothing was ever kept.
    let rotated = setup.begin("orders", Some("webhook-new"), setup.receiver.clone()).await;
    assert_eq!(rotated.position, Sequence(0));
    let stranger = setup.begin("other", Some("webhook-none"), setup.receiver.clone()).await;
    assert_eq!(stranger.position, Sequence(2), "a new sink begins at the end");
}

#[tokio::test(start_paused = true)]
async fn each_sink_counts_for_itself() {
    let setup = Setup::new();
    setup.transition(1).await;
    let metrics = SinkMetrics::default();
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
    for (name, position) in [("good", 1), ("stuck", 0)] {
        setup.store.advance_sink(name, Sequence(position)).await.unwrap();
        let webhook = setup.begin(name, None, setup.receiver.clone()).await;
        metrics.of(name).reached(webhook.position);
    }
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "steadfast_sink_sequence{sink=\"good\"} 1",
        "steadfast_sink_sequence{sink=\"stuck\"} 0",
    ] {
        assert!(text.contains(line), "{text}");
    }
}
