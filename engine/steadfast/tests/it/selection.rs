//! Which jobs are asked for: the engine selects, and whoever follows its events selects here, by the same rules.

use serde_json::json;

use crate::command::run;
use crate::running::{BASE, Engine};
use crate::stub::serve;

/// Each of these is asked of an engine, and of one of an earlier version that has the same job and selects nothing.
const FILTERS: [&[&str]; 30] = [
    &[],
    &["-n", "-"],
    &["-n", "pay"],
    &["-n", "pay,-"],
    &["--cluster=-"],
    &["--state", "unknown"],
    &["--state", "running,unknown"],
    &["--state", "running"],
    &["--not-confirmed"],
    &["--severity", "degraded"],
    &["--severity", "alerting,failed,unconfirmed,changing,running,ended"],
    &["--condition", "FlinkUnreachable"],
    &["--condition", "CrashLoop"],
    &["--condition", "CrashLoop,FlinkUnreachable"],
    &["--condition", "*"],
    &["--alert", "*"],
    &["--alert", "FlinkUnreachable"],
    &["--alert", "flinkunreachable"],
    &["--alert", "JobFailed"],
    &["--policy", "default"],
    &["--policy", "other"],
    &["-l", "team"],
    &["-l", "team=pay"],
    &["--search", "ORD"],
    &["--search", "-/-/o"],
    &["--search", "bills"],
    &["--since", "1h"],
    &["--since", "0s"],
    &["--since", "2100-01-01T00:00:00Z"],
    &[
        "--search",
        "orders",
        "--state",
        "unknown",
        "--not-confirmed",
        "--policy",
        "default",
    ],
];

#[test]
fn the_command_line_takes_what_the_engine_takes() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "[[policy]]\nname = \"default\"\nparams = { unreachable_after = \"1s\", alert_after = \"1s\" }\n";
    std::fs::write(folder.path().join("config.toml"), format!("{BASE}{policy}")).unwrap();
    let engine = Engine::start_configured(folder.path());
    let job = engine.wait_for("/api/v1/jobs", "an alert", |jobs| {
        jobs.pointer("/items/0/alerts/0").is_some()
    });
    let job = job["items"][0].clone();
    let address = serve(move |request| match request {
        request if request.contains("/api/v1/jobs") => (200, json!({ "items": [job], "cursor": null })),
        request if request.contains("/api/v1/clusters") => (200, json!({ "items": [] })),
        _ => (404, json!({ "detail": "nothing is served there" })),
    });
    let earlier = format!("http://{address}");
    let (mut taken, mut left) = (0, 0);
    for filter in FILTERS {
        let engines = engine.ask(folder.path(), &[&["alerts", "-o", "name"], filter].concat());
        let own = run(
            folder.path(),
            &[&["alerts", "-o", "name", "--server", &earlier], filter].concat(),
        );
        assert_eq!(
            (engines.code, own.code),
            (Some(0), Some(0)),
            "{filter:?}: {}{}",
            engines.err,
            own.err
        );
        assert_eq!(
            engines.out.is_empty(),
            own.out.is_empty(),
            "{filter:?}: the engine says `{}`",
            engines.out
        );
        if own.out.is_empty() { left += 1 } else { taken += 1 }
    }
    assert!(
        taken > 8 && left > 8,
        "{taken} of the filters take the job, {left} leave it"
    );
}
