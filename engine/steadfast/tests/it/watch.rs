//! `status --watch` and `events --follow` over restarts of the engine.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::command::steadfast;
use crate::process::Process;
use crate::running::{BASE, Engine};
use crate::stub::{document, serve_raw};

fn job(revision: u32, state: &str) -> Value {
    json!({ "id": "prod/pay/orders", "cluster": "prod", "namespace": "pay", "state": state, "confidence": "confirmed",
        "revision": revision, "reason": { "message": "so Flink says" } })
}

fn event(sequence: u32, name: &str, record: &Value) -> String {
    let data = json!({ "job": "prod/pay/orders", "sequence": sequence, "at": "2026-11-23T01:13:29.838Z", "store": "s",
        "revision": sequence, "body": null, "record": record });
    format!("id: {sequence}\nevent: {name}\ndata: {data}\n\n")
}

/// An engine that ends its stream after each of these, and refuses everything in between.
fn restarting() -> String {
    let streams = AtomicUsize::new(0);
    let address = serve_raw(move |request| {
        if !request.contains("/api/v1/events") {
            let items = if request.contains("/api/v1/jobs") {
                vec![job(1, "RUNNING")]
            } else {
                Vec::new()
            };
            return document(200, &json!({ "items": items, "cursor": null }));
        }
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        match streams.fetch_add(1, Ordering::SeqCst) {
            // The same again is no news, for people.
            0 => format!(
                "{head}{}{}",
                event(6, "update", &job(1, "RUNNING")),
                event(7, "transition", &job(7, "FAILED"))
            ),
            1..=3 => document(503, &json!({ "detail": "it ends" })),
            4 => {
                assert!(request.contains("after=7&store=s"), "{request}");
                // What leaves the selection is gone for who follows it.
                format!(
                    "{head}{}{}",
                    event(8, "update", &job(8, "LOST")),
                    event(9, "transition", &job(9, "RUNNING"))
                )
            }
            _ => format!("{head}{}", event(10, "forgotten", &Value::Null)),
        }
    });
    format!("http://{address}")
}

#[test]
fn a_watch_goes_on_where_it_was_however_long_the_engine_is_away() {
    let server = restarting();
    let mut watch = Process::start(&mut steadfast(Path::new("."), &["status", "-w", "--server", &server]));
    watch.wait_for("JOB");
    watch.wait_for("prod/pay/orders   RUNNING");
    let failed = watch.wait_for("2026-11-23T01:13:29.838Z  prod/pay/orders");
    assert!(failed.contains("  FAILED  confirmed  so Flink says"), "{failed}");
    watch.wait_for("LOST");
    watch.wait_for("RUNNING");
    watch.wait_for("forgotten");
    watch.signal("KILL");
    let (_, said) = watch.end();
    // The end of the last stream may be met with another absence.
    let away =
        "the engine is away, and is asked until it is back: the engine refused (503 Service Unavailable): it ends";
    assert_eq!(said.matches(away).count(), 1, "{said}");
    assert_eq!(said.matches("the engine is back").count(), 1, "{said}");
}

#[test]
fn for_programs_each_change_is_a_line_of_one_shape() {
    let server = restarting();
    let arguments = [
        "status",
        "--watch",
        "-o",
        "json",
        "--state",
        "running,failed",
        "--server",
        &server,
    ];
    let mut watch = Process::start(&mut steadfast(Path::new("."), &arguments));
    let mut told = Vec::new();
    for _ in 0..5 {
        let line: Value = serde_json::from_str(&watch.wait_for("\"type\"")).unwrap();
        assert_eq!(line.as_object().unwrap().len(), 2, "{line}");
        told.push(format!(
            "{} {}",
            line["type"].as_str().unwrap(),
            line["object"]["revision"]
        ));
    }
    assert_eq!(told, ["ADDED 1", "MODIFIED 7", "DELETED 7", "ADDED 9", "DELETED 9"]);
}

#[test]
fn a_watch_survives_the_restart_of_a_real_engine() {
    let folder = tempfile::tempdir().unwrap();
    // The same port again.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    std::fs::write(
        folder.path().join("config.toml"),
        BASE.replace("127.0.0.1:0", &format!("127.0.0.1:{port}")),
    )
    .unwrap();
    let engine = Engine::start_configured(folder.path());
    let follow = |arguments: &[&str]| {
        Process::start(&mut steadfast(
            folder.path(),
            &[arguments, &["--server", &engine.server]].concat(),
        ))
    };
    let mut watch = follow(&["status", "-w", "-o", "json"]);
    watch.wait_for("ADDED");
    let server = engine.server.clone();
    drop(engine);
    watch.wait_for("the engine is away");
    let engine = Engine::start_configured(folder.path());
    assert_eq!(engine.server, server);
    watch.wait_for("the engine is back");
    let intended = engine.ask(folder.path(), &["intent", "orders", "cancel"]);
    assert_eq!(intended.code, Some(0), "{}", intended.err);
    let line: Value = serde_json::from_str(&watch.wait_for("\"intent\":\"cancel\"")).unwrap();
    assert_eq!(
        (&line["type"], &line["object"]["id"]),
        (&json!("MODIFIED"), &json!("-/-/orders"))
    );
}

/// A configuration with a port that is the same after a restart.
fn fixed_port(folder: &Path) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = BASE.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    std::fs::write(folder.join("config.toml"), config).unwrap();
}

/// The sequences of all that was written, oldest first.
fn written(engine: &Engine) -> Vec<u64> {
    let page = engine.get("/api/v1/history?order=oldest&limit=5000");
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["sequence"].as_u64().unwrap()).collect()
}

/// What a follower of all kinds has printed, up to a sequence.
fn followed(follower: &mut Process, until: u64) -> Vec<u64> {
    let mut printed = Vec::new();
    while printed.last() != Some(&until) {
        let line: Value = serde_json::from_str(&follower.wait_for("\"sequence\"")).unwrap();
        printed.push(line["sequence"].as_u64().unwrap());
    }
    printed
}

fn follow(folder: &Path, server: &str, more: &[&str]) -> Process {
    let kinds = "transition,alert,update,call,forgotten";
    let arguments = ["events", "--follow", "-o", "json", "--kind", kinds, "--server", server];
    let mut command: Command = steadfast(folder, &[&arguments[..], more].concat());
    Process::start(&mut command)
}

/// One that reads on from the past, and one of which the engine dies before it has told it anything.
#[test]
fn who_follows_events_over_a_kill_loses_none_and_is_told_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fixed_port(folder);
    let engine = Engine::start_configured(folder);
    let server = engine.server.clone();
    let subscribers = |count: u32| {
        let line = format!("steadfast_event_subscribers {count}\n");
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !engine.text("GET", "/metrics").1.contains(&line) {
            assert!(std::time::Instant::now() < until, "{count} do not follow");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    let intend = |engine: &Engine, intent: &str| {
        let ended = engine.ask(folder, &["intent", "orders", intent]);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        *written(engine).last().unwrap()
    };
    let first = intend(&engine, "cancel");
    let mut past = follow(folder, &server, &["--since", "1h"]);
    let mut printed = followed(&mut past, first);
    subscribers(1);
    let before = *written(&engine).last().unwrap();
    let mut fresh = follow(folder, &server, &[]);
    subscribers(2);
    // Neither sees anything of this before it is over: the engine is killed (SIGKILL), and what is written then is missed.
    for follower in [&past, &fresh] {
        follower.signal("STOP");
    }
    drop(engine);
    let engine = Engine::start_configured(folder);
    for intent in ["savepoint", "none"] {
        intend(&engine, intent);
    }
    for follower in [&past, &fresh] {
        follower.signal("CONT");
    }
    let last = intend(&engine, "start");
    printed.extend(followed(&mut past, last));
    let all: Vec<u64> = written(&engine)
        .into_iter()
        .filter(|sequence| *sequence <= last)
        .collect();
    assert_eq!(printed, all);
    let behind: Vec<u64> = all.into_iter().filter(|sequence| *sequence > before).collect();
    assert_eq!(followed(&mut fresh, last), behind);
}

#[test]
fn calls_of_the_stream_are_calls_and_what_ends_is_not_followed() {
    let data = |sequence: u32, kind: Option<&str>| {
        let mut data = json!({ "job": "prod/pay/orders", "sequence": sequence, "at": "2026-11-23T01:13:29.838Z", "store": "s",
            "revision": sequence, "body": null, "record": job(sequence, "RUNNING") });
        if let Some(kind) = kind {
            data["kind"] = json!(kind);
        }
        if kind == Some("call") {
            data["call"] = json!({ "what": "silence", "alert": "JobFailed", "through": "nothing", "says": "ann" });
        }
        format!("id: {sequence}\nevent: update\ndata: {data}\n\n")
    };
    let stream = |events: String| {
        let address = serve_raw(move |request| {
            if request.contains("/api/v1/events") {
                return format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}"
                );
            }
            document(200, &json!({ "items": [], "cursor": null }))
        });
        format!("http://{address}")
    };
    let server = stream([data(7, Some("update")), data(8, Some("call"))].concat());
    let arguments = ["events", "--follow", "--kind", "call", "--server", &server];
    let mut follower = Process::start(&mut steadfast(Path::new("."), &arguments));
    let line = follower.wait_for("prod/pay/orders");
    assert!(
        line.contains("call") && line.contains("JobFailed silenced") && line.contains("for ann"),
        "{line}"
    );
    // An earlier engine's calls look like updates: who waits for calls is told.
    let server = stream(data(7, None));
    let arguments = ["events", "--follow", "--kind", "call", "--server", &server];
    let mut follower = Process::start(&mut steadfast(Path::new("."), &arguments));
    follower.wait_for("an earlier version, which tells calls as updates");
    let both = crate::command::run(Path::new("."), &["events", "--follow", "--until", "1h"]);
    assert!(
        both.code == Some(2) && both.err.contains("cannot be used with"),
        "{}",
        both.err
    );
}
