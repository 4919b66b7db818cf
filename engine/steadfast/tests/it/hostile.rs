//! Texts that are meant for the terminal of whoever asks: none of them gets there as more than text.

use serde_json::json;

use crate::command::{Ended, run};
use crate::running::Engine;
use crate::stub::serve;

/// Clears the screen, rings, goes back to the line's start and adds a line, in both ways to write ESC [.
const HOSTILE: &str = "boom \u{1b}[2J\u{1b}]0;owned\u{7}\rRUNNING\nall is well \u{9b}31m \u{202e}";

/// Whether what was printed does nothing but be read.
fn assert_harmless(said: &Ended) {
    for text in [&said.out, &said.err] {
        let harmful = text
            .chars()
            .find(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}'));
        assert_eq!(harmful, None, "{text:?}");
    }
}

#[test]
fn an_exception_with_commands_for_terminals_is_told_and_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let row = json!({
        "jid": format!("{:032x}", 1), "name": "a job", "state": "FAILED", "start-time": 1_700_000_000_000_i64,
        "end-time": 1_700_000_001_000_i64, "tasks": { "total": 1, "running": 0 },
    });
    let flink = serve(move |request| {
        if request.contains("/jobs/overview") {
            (200, json!({ "jobs": [&row] }))
        } else if request.contains("/exceptions") {
            (
                200,
                json!({ "root-exception": format!("java.lang.RuntimeException: {HOSTILE}"), "timestamp": 1_700_000_000_500_i64 }),
            )
        } else {
            (500, json!({ "errors": ["not here"] }))
        }
    });
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[timing]\npoll = \"100ms\"\nvalidate = \"300ms\"\n\
         [[job]]\nname = \"orders\"\nmode = \"standalone\"\nflink_rest = \"http://{flink}\"\n"
    );
    std::fs::write(folder.join("config.toml"), config).unwrap();
    let engine = Engine::start_configured(folder);
    let has_cause = |job: &serde_json::Value| {
        job["reason"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("boom"))
    };
    engine.wait_for("/api/v1/jobs/-/-/orders", "FAILED, and why", |job| {
        job["state"] == "FAILED" && has_cause(job)
    });
    for arguments in [
        &["status"][..],
        &["status", "--output", "json"],
        &["explain", "-/-/orders"],
        &["explain", "-/-/orders", "--output", "json"],
    ] {
        let said = engine.ask(folder, arguments);
        assert!(said.out.contains("boom"), "{arguments:?}: {}", said.out);
        assert_harmless(&said);
    }
}

/// The engine cleans what comes in. An older one, or something else at that address, may not.
#[test]
fn neither_is_what_another_server_says() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(|request| {
        if request.contains("/api/v1/clusters") {
            (200, json!({ "items": [] }))
        } else if request.starts_with("GET") {
            let job = json!({ "id": "-/-/orders", "state": HOSTILE, "reason": { "message": HOSTILE } });
            (200, json!({ "items": [job], "cursor": null }))
        } else {
            (409, json!({ "title": "Conflict", "status": 409, "detail": HOSTILE }))
        }
    });
    let server = format!("http://{server}");
    for arguments in [
        &["status"][..],
        &["status", "--output", "json"],
        &["intent", "-/-/orders", "cancel"],
    ] {
        let said = run(folder.path(), &[arguments, &["--server", &server]].concat());
        assert!(
            said.out.contains("boom") || said.err.contains("boom"),
            "{}{}",
            said.out,
            said.err
        );
        assert_harmless(&said);
    }
}
