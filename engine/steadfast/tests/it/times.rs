//! Jobs that began and ended long before the engine first looked: whoever reads the record reads when, and when it was seen.

use std::net::SocketAddr;
use std::time::SystemTime;

use serde_json::{Value, json};
use steadfast_core::time::Timestamp;

use crate::running::Engine;
use crate::stub::serve;

const HOUR: i64 = 3_600_000;

/// A Flink that lists one job, and knows nothing else.
fn flink(job: Value) -> SocketAddr {
    serve(move |request| {
        if request.contains("/jobs/overview") {
            (200, json!({ "jobs": [&job] }))
        } else {
            (500, json!({ "errors": ["not here"] }))
        }
    })
}

fn row(number: u32, state: &str, started: i64, ended: i64) -> Value {
    json!({
        "jid": format!("{number:032x}"), "name": "a job", "state": state, "start-time": started, "end-time": ended,
        "tasks": { "total": 1, "running": 1 },
    })
}

#[test]
fn what_began_before_the_engine_did_is_shown_as_flink_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let (started, failed) = (now - 26 * HOUR, now - 3 * HOUR);
    let mut config =
        "[server]\nlisten = \"127.0.0.1:0\"\n[timing]\npoll = \"100ms\"\nvalidate = \"300ms\"\n".to_owned();
    for (name, job) in [
        ("running", row(1, "RUNNING", started, -1)),
        ("failed", row(2, "FAILED", started, failed)),
        ("restarting", row(3, "RESTARTING", started, -1)),
        ("ahead", row(4, "RUNNING", now + HOUR, -1)),
    ] {
        let address = flink(job);
        config.push_str(&format!(
            "[[job]]\nname = \"{name}\"\nmode = \"standalone\"\nflink_rest = \"http://{address}\"\n"
        ));
    }
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let engine = Engine::start_configured(folder.path());
    let time = |millis: i64| Timestamp::from_millis(millis).to_string();
    let seen = |name: &str, state: &str| {
        let path = format!("/api/v1/jobs/-/-/{name}");
        let job = engine.wait_for(&path, state, |job| job["state"] == state);
        let first_seen = Timestamp::parse(job["firstSeen"].as_str().unwrap()).unwrap();
        assert!(first_seen.as_millis() >= now, "{job:#}");
        job
    };

    let running = seen("running", "RUNNING");
    assert_eq!(
        json!([running["since"], running["startedAt"]]),
        json!([time(started), time(started)])
    );
    let failed_job = seen("failed", "FAILED");
    assert_eq!(
        json!([failed_job["since"], failed_job["startedAt"]]),
        json!([time(failed), time(started)])
    );
    let history = engine.get("/api/v1/jobs/-/-/failed/transitions");
    assert_eq!(history["items"][0]["since"], time(failed), "{history:#}");
    // Flink does not tell since when it restarts, and no state begins after it was seen.
    for (name, state, started) in [("restarting", "RESTARTING", started), ("ahead", "RUNNING", now + HOUR)] {
        let job = seen(name, state);
        assert_eq!(
            json!([job["since"], job["startedAt"]]),
            json!([job["firstSeen"], time(started)])
        );
    }

    let table = engine.ask(folder.path(), &["status"]).out;
    for time in [time(started), time(failed)] {
        assert!(table.contains(&time), "{time}:\n{table}");
    }
    for (name, job, whose) in [("running", &running, "start"), ("failed", &failed_job, "end")] {
        let explained = engine.ask(folder.path(), &["explain", &format!("-/-/{name}")]).out;
        let (since, first_seen) = (job["since"].as_str().unwrap(), job["firstSeen"].as_str().unwrap());
        let says = format!("since {since} (Flink's {whose}-time), first seen {first_seen}\n");
        assert!(explained.contains(&says), "{says}:\n{explained}");
    }
}
