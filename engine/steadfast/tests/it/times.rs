//! Jobs that began and ended long before the engine first looked: whoever reads the record reads when, and when it was seen.

use std::net::SocketAddr;
use std::time::SystemTime;

use serde_json::{Value, json};
use steadfast_core::time::Timestamp;

use crate::running::Engine;
use crate::stub::serve;

const HOUR: i64 = 3_600_000;

/// A Flink that lists one job, and knows nothing else.
pub fn flink(job: Value) -> SocketAddr {
    serve(move |request| {
        if request.contains("/jobs/overview") {
            (200, json!({ "jobs": [&job] }))
        } else {
            (500, json!({ "errors": ["not here"] }))
        }
    })
}

pub fn row(number: u32, state: &str, started: i64, ended: i64) -> Value {
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
    for age in ["26h", "3h"] {
        assert!(table.contains(age), "{age}:\n{table}");
    }
    let table = engine.ask(folder.path(), &["status", "-o", "wide"]).out;
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

/// One such time once made the whole store unreadable, at the next start and for ever.
#[test]
fn a_time_that_no_calendar_has_costs_its_answer_and_no_restart() {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let mut config =
        "[server]\nlisten = \"127.0.0.1:0\"\n[timing]\npoll = \"100ms\"\nvalidate = \"300ms\"\n".to_owned();
    for (name, job) in [
        ("fine", row(1, "RUNNING", now, -1)),
        ("ended", row(2, "FAILED", now, i64::MAX)),
        ("odd-1", row(3, "RUNNING", 253_402_300_800_000, -1)),
        ("odd-2", row(4, "RUNNING", i64::MAX, -1)),
        ("odd-3", row(5, "RUNNING", i64::MIN, -1)),
        ("odd-4", row(6, "RUNNING", -377_706_116_800_001, -1)),
    ] {
        let address = flink(job);
        config.push_str(&format!(
            "[[job]]\nname = \"{name}\"\nmode = \"standalone\"\nflink_rest = \"http://{address}\"\n"
        ));
    }
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    for start in 1..=2 {
        let engine = Engine::start_configured(folder.path());
        for (name, state) in [("fine", "RUNNING"), ("ended", "FAILED")] {
            engine.wait_for(&format!("/api/v1/jobs/-/-/{name}"), state, |job| {
                job["state"] == state && job["confidence"] == "confirmed"
            });
        }
        for odd in 1..=4 {
            // It was looked at, and nothing was learnt.
            let path = format!("/api/v1/jobs/-/-/odd-{odd}");
            let job = engine.wait_for(&path, "a look", |job| job["reason"]["code"] == "JobLeftOpen");
            assert_eq!(job["state"], "UNKNOWN", "start {start}: {job:#}");
        }
        let store = engine.get("/api/v1/store");
        assert_eq!((&store["quarantined"], &store["unwritten"]), (&json!([]), &json!([])));
    }
    let checked = crate::command::run(folder.path(), &["store", "check"]);
    assert_eq!(checked.code, Some(0), "{}", checked.out);
}
