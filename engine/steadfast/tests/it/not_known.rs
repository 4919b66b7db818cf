//! A cluster that nobody has read, and an address where no engine is: nothing is told of jobs there, neither that they are gone nor that
//! all is well.

use std::path::Path;

use serde_json::{Value, json};

use crate::command::{Ended, run};
use crate::running::Engine;
use crate::stub::{document, serve, serve_raw};

/// An engine whose one cluster does not answer, once it has tried.
fn blind(folder: &Path) -> Engine {
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{ "name": "c", "cluster": { "server": "http://127.0.0.1:9" } }],
        "users": [{ "name": "u", "user": {} }],
        "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
    });
    std::fs::write(folder.join("kubeconfig"), kubeconfig.to_string()).unwrap();
    let config = "[server]\nlisten = \"127.0.0.1:0\"\n[[kubernetes]]\nname = \"prod\"\nkubeconfig = \"kubeconfig\"\n";
    std::fs::write(folder.join("config.toml"), config).unwrap();
    let engine = Engine::start_configured(folder);
    engine.wait_for("/api/v1/clusters", "a first try", |clusters| {
        clusters.pointer("/items/0/kinds/0/state") == Some(&json!("retrying"))
    });
    engine
}

#[test]
fn what_nobody_knows_is_not_gone_and_not_well() {
    let folder = tempfile::tempdir().unwrap();
    let engine = blind(folder.path());
    let ask = |arguments: &[&str]| engine.ask(folder.path(), arguments);
    for job in ["prod/pay/orders", "pay/orders", "orders"] {
        let wait = ask(&["wait", job, "--for", "gone", "--timeout", "0s"]);
        assert_eq!((wait.code, wait.out.as_str()), (Some(1), ""), "{job}: {}", wait.err);
        assert!(wait.err.contains("not known"), "{job}: {}", wait.err);
    }
    let whole = ask(&["status", "prod/pay/orders"]);
    assert!(
        whole.code == Some(3) && whole.err.contains("(404 Not Found, job-not-known)"),
        "{}",
        whole.err
    );
    let end = ask(&["status", "orders"]);
    assert!(
        end.code == Some(3) && end.err.contains("is not known, since"),
        "{}",
        end.err
    );

    for (arguments, none) in [
        (&["alerts"][..], "no alert stands, as far as clusters were read"),
        (&["status"], "no job is on record, as far as clusters were read"),
    ] {
        let ended = ask(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.out.starts_with("prod: not readable since"), "{}", ended.out);
        assert!(ended.err.contains(none), "{}", ended.err);
    }
    let data = ask(&["alerts", "-o", "json"]);
    assert_eq!(data.code, Some(1));
    assert_eq!(
        serde_json::from_str::<Value>(&data.out).unwrap(),
        json!({ "items": [] })
    );
    assert!(data.err.starts_with("prod: not readable since"), "{}", data.err);
    // Of another one all is known.
    let other = ask(&["alerts", "--cluster=-", "-o", "name"]);
    assert_eq!((other.code, other.out.as_str(), other.err.as_str()), (Some(0), "", ""));
    let standalone = ask(&["wait", "-/-/orders", "--for", "gone", "--timeout", "0s"]);
    assert_eq!(standalone.code, Some(0), "{}", standalone.err);
    // One that is mistyped would look like one where nothing is, and nothing happens.
    for arguments in [
        &["wait", "prdo/pay/orders", "--for", "gone"][..],
        &["events", "--cluster", "prdo"],
        &["events", "--cluster", "prdo", "--follow"],
    ] {
        let mistyped = ask(arguments);
        assert_eq!(mistyped.code, Some(2), "{arguments:?}: {}", mistyped.err);
        assert!(
            mistyped.err.contains("did you mean `prod`?"),
            "{arguments:?}: {}",
            mistyped.err
        );
    }
}

fn gone(server: &str) -> Ended {
    let arguments = [
        "wait",
        "prod/pay/orders",
        "--for",
        "gone",
        "--timeout",
        "0s",
        "--server",
        server,
    ];
    run(Path::new("."), &arguments)
}

#[test]
fn a_404_that_is_no_engines_word_is_no_answer() {
    for page in ["<html>\ndefault backend\n</html>", "default backend - 404", ""] {
        let address = serve_raw(move |_| {
            let length = page.len();
            format!(
                "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{page}"
            )
        });
        let ended = gone(&format!("http://{address}"));
        assert_eq!(ended.code, Some(3), "{page}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains("answered 404 Not Found"), "{}", ended.err);
    }
    // A problem without a code is an earlier engine's, which does not tell the two apart.
    for (code, expected) in [("no-such-job", 0), ("job-not-known", 1), ("", 1)] {
        let address = serve(move |_| (404, json!({ "code": code, "detail": "there is no such job" })));
        let ended = gone(&format!("http://{address}"));
        assert_eq!(ended.code, Some(expected), "{code}: {}{}", ended.out, ended.err);
    }
}

#[test]
fn a_short_name_is_gone_only_where_every_cluster_was_read_and_can_be() {
    for (never_read, deployments, expected) in [(true, "reached", 1), (false, "reached", 0), (false, "retrying", 1)] {
        let address = serve(move |request| {
            let cluster = json!({ "name": "prod", "server": "", "state": "retrying", "neverRead": never_read, "jobs": 0,
                "kinds": [{ "kind": "Deployment", "namespace": null, "state": deployments, "reachableSince": null, "unknownSince": null,
                    "fault": null, "lastListAt": "2026-11-23T01:13:29Z", "lastListObjects": 0 }],
                "unconfirmed": 0, "flinks": { "watched": 0, "silent": 0 }, "reachableSince": null, "unknownSince": null, "fault": null,
                "unwatched": [], "unwatchedOmitted": 0 });
            match request.contains("/api/v1/clusters") {
                true => (200, json!({ "items": [cluster], "standalone": null })),
                false => (200, json!({ "items": [], "cursor": null })),
            }
        });
        let server = format!("http://{address}");
        let arguments = [
            "wait",
            "orders",
            "--for",
            "gone",
            "--timeout",
            "0s",
            "--server",
            &server,
        ];
        let ended = run(Path::new("."), &arguments);
        assert_eq!(ended.code, Some(expected), "{}{}", ended.out, ended.err);
    }
}

/// An engine of an earlier version, whose events come without their jobs.
#[test]
fn a_watch_tells_no_job_deleted_of_which_nobody_knows() {
    let looks = std::sync::atomic::AtomicUsize::new(0);
    let job = |state: &str, revision: u32| json!({ "id": "prod/pay/orders", "cluster": "prod", "namespace": "pay", "state": state, "revision": revision });
    let address = serve_raw(move |request| {
        if request.contains("/api/v1/events") {
            if request.contains("job=true") {
                let detail = "`job` is not a parameter here; there are after, store, at";
                return document(400, &json!({ "parameter": "job", "detail": detail }));
            }
            let event = |sequence: u32| {
                let data = json!({ "job": "prod/pay/orders", "sequence": sequence, "at": "2026-11-23T01:13:29.838Z", "store": "s" });
                format!("id: {sequence}\nevent: update\ndata: {data}\n\n")
            };
            let events: String = [event(7), event(8)].concat();
            return format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}");
        }
        if request.contains("/api/v1/jobs/") {
            return match looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => document(
                    404,
                    &json!({ "code": "job-not-known", "detail": "whether there is such a job is not known" }),
                ),
                _ => document(200, &job("FAILED", 8)),
            };
        }
        let items = if request.contains("/api/v1/jobs") {
            vec![job("RUNNING", 1)]
        } else {
            Vec::new()
        };
        document(200, &json!({ "items": items, "cursor": null }))
    });
    let server = format!("http://{address}");
    let arguments = ["status", "-w", "-o", "json", "--server", &server];
    let mut watch = crate::process::Process::start(&mut crate::command::steadfast(Path::new("."), &arguments));
    let mut told = Vec::new();
    for _ in 0..2 {
        let line: Value = serde_json::from_str(&watch.wait_for("\"type\"")).unwrap();
        told.push(format!(
            "{} {}",
            line["type"].as_str().unwrap(),
            line["object"]["state"]
        ));
    }
    assert_eq!(told, ["ADDED \"RUNNING\"", "MODIFIED \"FAILED\""]);
}

#[test]
fn jobs_that_had_ended_are_confirmed_by_nobody_in_an_outage() {
    let address = serve(|request| {
        let fault = "refused: nobody listens";
        let kind = json!({ "kind": "Deployment", "namespace": null, "state": "retrying", "reachableSince": null,
            "unknownSince": "2026-11-28T03:31:07.120Z", "fault": fault, "lastListAt": null, "lastListObjects": null });
        let cluster = json!({ "name": "prod", "server": "", "state": "retrying", "neverRead": false, "kinds": [kind], "jobs": 6,
            "unconfirmed": 3, "flinks": { "watched": 3, "silent": 3 }, "reachableSince": null,
            "unknownSince": "2026-11-28T03:31:07.120Z", "fault": fault, "unwatched": [], "unwatchedOmitted": 0 });
        let states = json!([{ "value": "FINISHED", "count": 2 }, { "value": "FAILED", "count": 1 }]);
        match request {
            request if request.contains("/api/v1/clusters") => (200, json!({ "items": [cluster], "standalone": null })),
            request if request.contains("/api/v1/summary?cluster=prod&confidence=confirmed") => {
                (200, json!({ "facets": { "state": { "items": states, "more": 0 } } }))
            }
            request if request.contains("/api/v1/jobs") => (200, json!({ "items": [], "cursor": null })),
            _ => (404, json!({ "detail": "nothing is served there" })),
        }
    });
    let ended = run(Path::new("."), &["status", "--server", &format!("http://{address}")]);
    let line = ended.out.lines().next().unwrap();
    assert!(
        line.ends_with("; its 3 jobs are as last seen; 3 more had ended before"),
        "{}{}",
        ended.out,
        ended.err
    );
    let table = run(Path::new("."), &["clusters", "--server", &format!("http://{address}")]).out;
    assert!(
        table.contains("not-readable") && table.contains("refused: nobody listens"),
        "{table}"
    );
}
