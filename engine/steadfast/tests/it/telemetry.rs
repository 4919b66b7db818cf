//! Traces of decisions, as a collector gets them. `tests/telemetry` has OpenTelemetry's own.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::collector::Collector;
use crate::command::{run, steadfast};
use crate::process::Process;
use crate::stub;
use crate::times::{flink, row};

/// An engine with one job that runs, told to a receiver.
fn configure(folder: &Path, more: &str) {
    let job = flink(row(1, "RUNNING", 1_700_000_000_000, -1));
    let hook = stub::serve(|_| (200, json!({})));
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[timing]\npoll = \"100ms\"\nretry_initial = \"50ms\"\nretry_max = \"100ms\"\n\
         [[job]]\nname = \"orders\"\nmode = \"standalone\"\nflink_rest = \"http://{job}\"\n\
         [[sink]]\nkind = \"webhook\"\nname = \"hook\"\nurl = \"http://{hook}/\"\n{more}"
    );
    std::fs::write(folder.join("config.toml"), config).unwrap();
}

fn telemetry(collector: &Collector, more: &str) -> String {
    format!("[telemetry]\nendpoint = \"http://{}\"\n{more}", collector.address)
}

#[test]
fn a_collector_gets_the_steps_of_a_decision_and_its_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(200);
    let more = "service_name = \"engine-one\"\nresource = { \"deployment.environment.name\" = \"staging\" }\n";
    configure(folder.path(), &telemetry(&collector, more));
    let mut process = Process::start(
        steadfast(folder.path(), &["run"])
            .env("OTEL_RESOURCE_ATTRIBUTES", "surroundings=yes")
            .env("OTEL_SERVICE_NAME", "not-this-one"),
    );
    process.wait_for("the API and the dashboard are at");
    collector.wait_for(&[
        "decision",
        "look",
        "decide",
        "commit",
        "deliver",
        "hook",
        "-/-/orders",
        "RUNNING",
    ]);
    collector.wait_for(&[
        "engine-one",
        "deployment.environment.name",
        "staging",
        "steadfast.revision",
    ]);
    process.signal("TERM");
    let (status, log) = process.end();
    assert!(status.success(), "{log}");
    let text = collector.text();
    for unasked in ["not-this-one", "surroundings"] {
        assert!(!text.contains(unasked), "{unasked}");
    }
    assert!(!log.contains("traces are"), "{log}");
}

#[test]
fn a_collector_that_refuses_is_said_once_and_that_it_takes_traces_again_too() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(503);
    configure(folder.path(), &telemetry(&collector, "sample = 1.0\n"));
    let mut process = Process::start(&mut steadfast(folder.path(), &["run"]));
    let warning = process.wait_for("traces are not taken");
    assert!(warning.contains("503") && warning.contains("WARN"), "{warning}");
    collector.answer_with(200);
    let again = process.wait_for("the collector takes traces again");
    assert!(again.contains("INFO"), "{again}");
    collector.wait_for(&["decision"]);
    process.signal("TERM");
    let (status, log) = process.end();
    assert!(status.success(), "{log}");
    assert_eq!(log.matches("traces are not taken").count(), 1, "{log}");
}

#[test]
fn a_collector_that_hangs_keeps_neither_the_record_nor_the_stop_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(0);
    configure(folder.path(), &telemetry(&collector, "timeout = \"1h\"\n"));
    let mut process = Process::start(&mut steadfast(folder.path(), &["run"]));
    process.wait_for("RUNNING");
    collector.wait_until_asked();
    let began = Instant::now();
    process.signal("TERM");
    let (status, log) = process.end();
    assert!(status.success(), "{log}");
    // What is left has three seconds; a stop that hangs has twenty.
    assert!(began.elapsed() < Duration::from_secs(18), "{log}");
    assert!(log.contains("spans were lost at the stop"), "{log}");
}

#[test]
fn doctor_asks_the_collector() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(200);
    configure(folder.path(), &telemetry(&collector, ""));
    let report = run(folder.path(), &["doctor", "-o", "json"]);
    assert!(
        report.out.contains("the collector takes traces"),
        "{}{}",
        report.out,
        report.err
    );
    collector.answer_with(404);
    let report = run(folder.path(), &["doctor", "-o", "json"]);
    assert!(
        report.out.contains("the collector answered 404") && report.out.contains("correct telemetry.endpoint"),
        "{}",
        report.out
    );
}
