//! `steadfast wait`, where the engine goes away before the time is up.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::command::{Ended, run};
use crate::stub::serve;

/// An engine with one job, which answers so many requests for it; and how often the list was read.
fn engine(answers: usize) -> (String, Arc<AtomicUsize>) {
    let (asked, lists) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let read = Arc::clone(&lists);
    let job = |state: &str| -> Value {
        json!({ "id": "prod/pay/orders", "state": state, "confidence": "confirmed", "severity": "running", "alerts": [],
            "conditions": [], "reason": { "message": "Flink lists it" } })
    };
    let address = serve(move |request| {
        if request.contains("/api/v1/jobs?") {
            lists.fetch_add(1, Ordering::Relaxed);
            assert!(request.contains("search=orders"), "{request}");
            return (200, json!({ "items": [job("RUNNING")], "cursor": null }));
        }
        match asked.fetch_add(1, Ordering::Relaxed) {
            before if before < answers => (200, job(if before < 2 { "RUNNING" } else { "FINISHED" })),
            _ => (503, json!({ "detail": "it ends" })),
        }
    });
    (format!("http://{address}"), read)
}

fn wait(server: &str, conditions: &str, timeout: &str) -> Ended {
    let arguments = [
        "wait",
        "orders",
        "--for",
        conditions,
        "--timeout",
        timeout,
        "--server",
        server,
    ];
    run(Path::new("."), &arguments)
}

#[test]
fn what_was_so_before_the_engine_went_away_is_not_what_is_so_at_the_end() {
    for timeout in ["700ms", "1s", "2s"] {
        let (server, _) = engine(1);
        let ended = wait(&server, "state=FINISHED", timeout);
        assert_eq!(ended.code, Some(3), "{timeout}: {}", ended.err);
        assert!(
            ended.err.contains("503") && !ended.err.contains("did not hold"),
            "{timeout}: {}",
            ended.err
        );
    }
}

#[test]
fn a_short_name_is_looked_for_once() {
    let (server, lists) = engine(usize::MAX);
    let ended = wait(&server, "state=FINISHED", "5m");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(lists.load(Ordering::Relaxed), 1);
}

#[test]
fn a_misspelt_word_is_waited_for_by_nobody() {
    for conditions in [
        "severity!=allerting,condition!=CrashLop",
        "condition=Foo",
        "intent=stop",
    ] {
        let ended = wait("http://127.0.0.1:9", conditions, "0s");
        assert_eq!(ended.code, Some(2), "{conditions}: {}", ended.err);
        assert!(ended.err.contains("there are"), "{conditions}: {}", ended.err);
    }
}
