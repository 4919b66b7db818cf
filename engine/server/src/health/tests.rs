use http::StatusCode;
use serde_json::json;

use crate::ports::{DeadLetter, SinkHealth};
use crate::testing::TestServer;

#[tokio::test]
async fn probes_say_what_they_know() {
    let server = TestServer::new();
    assert_eq!(
        server.get("/livez").await,
        (StatusCode::OK, json!({"live": true, "turnedSecondsAgo": 0.25}))
    );
    let (status, ready) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        ready,
        json!({"ready": true, "store": null, "policies": ["default"], "clusters": [
            {"name": "local", "state": "retrying", "fault": "timeout: no answer within 3s", "reachableSince": null,
             "unknownSince": "2026-11-23T01:13:29.838Z", "neverRead": false}]})
    );
}

#[tokio::test]
async fn what_is_not_well_is_a_503_with_its_reason() {
    let server = TestServer::new();
    {
        let mut health = server.health.probes.lock().unwrap();
        health.0.live = false;
        health.1.ready = false;
        health.1.policies.clear();
    }
    assert_eq!(server.get("/livez").await.0, StatusCode::SERVICE_UNAVAILABLE);
    let (status, ready) = server.get("/readyz").await;
    assert_eq!(
        (status, &ready["policies"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!([]))
    );
}

#[tokio::test]
async fn everybody_reads_short_texts_only() {
    let server = TestServer::new();
    {
        let mut health = server.health.probes.lock().unwrap();
        let ready = &mut health.1;
        ready.store = Some("x".repeat(7_000_000));
        ready.clusters[0].fault = Some(format!("forbidden: no\u{7}\nand then {}", "y".repeat(5_000)));
        ready.sinks.push(SinkHealth {
            last_dead_letter: Some(DeadLetter {
                sequence: 1,
                at: String::new(),
                why: "z".repeat(5_000),
            }),
            ..SinkHealth::new("hook")
        });
    }
    let (_, ready) = server.get("/readyz").await;
    assert!(ready.to_string().len() < 1_500, "{ready}");
    assert_eq!(ready["clusters"][0]["fault"], "forbidden: no…");
}

#[tokio::test]
async fn jobs_that_do_not_read_or_are_not_taken_are_counted_and_cost_no_readiness() {
    let server = TestServer::new();
    {
        let mut health = server.health.probes.lock().unwrap();
        health.1.quarantined_records = 2;
        health.1.unwritten_jobs = 1;
    }
    let (status, ready) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&ready["quarantinedRecords"], &ready["unwrittenJobs"]),
        (&json!(2), &json!(1))
    );
}
