//! The ways to servers break as stories say, and heal.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::time::timeout;

use super::*;

fn story(fault: &str) -> String {
    format!("{RUNNING}\n[[step]]\nat = \"10s\"\nflink = \"{fault}\"\n[[step]]\nat = \"20s\"\nflink = \"ok\"\n")
}

#[tokio::test(start_paused = true)]
async fn every_answer_of_a_broken_flink_is_one_that_real_ones_give() {
    for (fault, status) in [
        ("401", 401),
        ("403", 403),
        ("404-proxy", 404),
        ("429:20", 429),
        ("500", 500),
        ("502-html", 502),
        ("200-html", 200),
        ("503-leader", 503),
        ("garbage", 200),
    ] {
        let (world, story) = world(&story(fault));
        happen(&world, &story, 10);
        let response = get(flink(&world), "/jobs/overview").await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{fault}");
        assert_eq!(response.headers().contains_key("retry-after"), fault == "429:20");
        let (_, body) = json(flink(&world), "/jobs/overview").await;
        assert_eq!(body.get("jobs"), None, "{fault} tells of no jobs");
        happen(&world, &story, 20);
        assert!(
            json(flink(&world), "/jobs/overview").await.1["jobs"].is_array(),
            "{fault} heals"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_request_gets_no_answer_even_after_the_heal() {
    let (world, story) = world(&story("drop"));
    happen(&world, &story, 10);
    let caught = get(flink(&world), "/jobs/overview");
    tokio::pin!(caught);
    assert!(timeout(Duration::from_secs(3600), &mut caught).await.is_err());
    happen(&world, &story, 20);
    assert!(timeout(Duration::from_secs(3600), &mut caught).await.is_err());
    assert_eq!(json(flink(&world), "/jobs/overview").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_says_so_and_resets_what_was_open() {
    let (world, story) = world(&story("refuse"));
    happen(&world, &story, 10);
    assert_eq!(
        get(flink(&world), "/jobs").await.unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    happen(&world, &story, 20);
    assert_eq!(json(flink(&world), "/jobs").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_of_the_moment_of_asking() {
    let (world, _) = world(&format!(
        "{RUNNING}flink = \"slow:2s\"\n[[step]]\nat = \"10s\"\njobs = []\n"
    ));
    let began = tokio::time::Instant::now();
    let server = flink(&world);
    let asked = tokio::spawn(async move { json(server, "/jobs/overview").await });
    tokio::task::yield_now().await;
    let story = "[[target]]\nname = \"orders\"\n[[step]]\nat = \"0s\"\njobs = []\n";
    let (_, gone) = super::world(story);
    world.apply(&gone.steps[0].1);
    let (_, body) = asked.await.unwrap();
    assert_eq!(body["jobs"].as_array().map(Vec::len), Some(1));
    assert_eq!(began.elapsed(), Duration::from_secs(2));
}
