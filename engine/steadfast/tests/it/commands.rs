//! The commands that ask an engine, beside answers that are fixed: what they ask for, and what they make of it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::command::{Ended, run};
use crate::stub::serve_asked;

/// An engine of fixed answers, and what was asked of it.
pub struct Fake {
    pub server: String,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

fn job(id: &str, state: &str) -> Value {
    let mut parts = id.split('/');
    json!({
        "id": id, "cluster": parts.next(), "namespace": parts.next(), "name": parts.next(), "state": state, "confidence": "confirmed",
        "since": "2026-01-01T00:00:00Z", "revision": 1, "attempt": 1, "policy": "default", "labels": { "team": "pay" },
        "conditions": [], "reason": { "code": "Listed", "message": "Flink lists it" },
        "alerts": [{ "alert": "JobFailed", "scope": "job", "since": "2026-01-01T00:00:00Z", "message": "nobody wanted it" }],
    })
}

pub const JOBS: [&str; 3] = ["prod/pay/orders", "prod/shop/orders", "-/-/clicks"];

/// As an engine answers a request.
fn answer(method: &str, path: &str, query: &str, body: &Value) -> (u16, Value) {
    let not_there = |what: &str| {
        (
            404,
            json!({ "code": "no-such-job", "detail": format!("there is no {what}") }),
        )
    };
    let page = |items: Vec<Value>| (200, json!({ "items": items, "cursor": null, "total": items.len() }));
    let below = path.strip_prefix("/api/v1/jobs/");
    let known = below.and_then(|below| JOBS.iter().find(|id| below.starts_with(*id)));
    match (method, path) {
        ("GET", "/api/v1/clusters") => (200, json!({ "items": [] })),
        ("GET", "/api/v1/jobs") if query.contains("cluster=prdo") => page(Vec::new()),
        ("GET", "/api/v1/jobs") if query.contains("namespace=foo") => page(Vec::new()),
        ("GET", "/api/v1/summary") => {
            let items = json!([{ "value": "pay", "count": 1 }, { "value": "shop", "count": 1 }]);
            (200, json!({ "facets": { "namespace": { "items": items, "more": 0 } } }))
        }
        ("GET", "/api/v1/jobs") => page(JOBS.iter().map(|id| job(id, "FAILED")).collect()),
        ("GET", "/api/v1/alerts") => page(vec![json!({
            "alert": "JobFailed", "scope": "job", "cluster": "prod", "job": "prod/pay/orders", "jobs": 1,
            "since": "2026-01-01T00:00:00Z", "message": "nobody wanted it", "silencedUntil": "2027-01-01T00:00:00Z",
        })]),
        ("GET", "/api/v1/history") => {
            let item = |sequence: u32, to: &str| {
                json!({ "sequence": sequence, "at": format!("2026-01-01T00:00:0{sequence}.000Z"), "job": "prod/pay/orders",
                    "kind": "transition", "transition": { "from": "UNKNOWN", "to": to, "confidence": "confirmed",
                    "reason": { "message": "Flink lists it" } } })
            };
            assert!(query.contains("order=newest"), "{query}");
            let (status, mut page) = page(vec![item(8, "FAILED"), item(7, "RUNNING")]);
            page["unreadable"] = json!([{ "sequence": 6, "job": "prod/pay/orders", "why": "it is damaged" }]);
            page["droppedUntil"] = json!(5);
            (status, page)
        }
        ("POST", "/api/v1/reload") => (
            200,
            json!({ "reloaded": true, "restartNeeded": ["server.listen"],
                "policies": [{ "name": "default", "sha256": "ab", "changed": true }] }),
        ),
        _ => match (known, below) {
            (Some(id), Some(below)) if method == "POST" && below.ends_with("/look") => (202, job(id, "FAILED")),
            (Some(id), Some(below)) if below.contains("/silences/") => {
                assert!(method == "DELETE" || body["until"].is_string(), "{body}");
                (200, job(id, "FAILED"))
            }
            (Some(id), Some(below)) if below == *id => (200, job(id, "FAILED")),
            _ => not_there(path),
        },
    }
}

impl Fake {
    pub fn start() -> Self {
        let asked: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let noted = Arc::clone(&asked);
        let address = serve_asked(move |first, body| {
            let mut words = first.split_whitespace();
            let (method, url) = (words.next().unwrap(), words.next().unwrap());
            noted.lock().unwrap().push((format!("{method} {url}"), body.clone()));
            let (path, query) = url.split_once('?').unwrap_or((url, ""));
            answer(method, path, query, body)
        });
        Self {
            server: format!("http://{address}"),
            asked,
        }
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        run(Path::new("."), &[arguments, &["--server", &self.server]].concat())
    }

    /// The request whose path holds that.
    fn asked(&self, what: &str) -> (String, Value) {
        let asked = self.asked.lock().unwrap();
        let found = asked.iter().rev().find(|(request, _)| request.contains(what));
        found.unwrap_or_else(|| panic!("no {what} in {asked:#?}")).clone()
    }
}

#[test]
fn the_engine_selects_and_sorts() {
    let engine = Fake::start();
    let ended = engine.run(&[
        "status",
        "-n",
        "pay,shop",
        "--state",
        "failed",
        "--not-confirmed",
        "-l",
        "team=pay",
        "--sort",
        "-since",
        "-o",
        "name",
    ]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(0), "prod/pay/orders\nprod/shop/orders\n-/-/clicks\n")
    );
    assert_eq!(
        engine.asked("GET /api/v1/jobs?").0,
        "GET /api/v1/jobs?namespace=pay%2Cshop&state=FAILED&confidence=inferred%2Cstale&label=team%3Dpay&sort=-since"
    );
}

#[test]
fn a_list_is_a_document_of_items_and_a_job_that_was_named_is_itself() {
    let engine = Fake::start();
    let items = engine.run(&["status", "-o", "jsonpath={.items[*].state}"]);
    assert_eq!(items.out, "FAILED FAILED FAILED\n");
    let one = engine.run(&["status", "clicks", "-o", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&one.out).unwrap()["id"], "-/-/clicks");
    let two = engine.run(&[
        "status",
        "-/-/clicks",
        "pay/orders",
        "-o",
        "template={{ items | length }}",
    ]);
    assert_eq!(two.out, "2\n", "{}", two.err);
    let yaml = engine.run(&["status", "-/-/clicks", "-o", "yaml"]);
    assert!(yaml.out.contains("id: -/-/clicks\n"), "{}", yaml.out);
}

#[test]
fn the_end_of_an_id_names_a_job_wherever_one_is_taken() {
    let engine = Fake::start();
    let looked = engine.run(&["look", "clicks"]);
    assert_eq!(looked.code, Some(0), "{}", looked.err);
    engine.asked("POST /api/v1/jobs/-/-/clicks/look");
    assert!(looked.err.contains("no answer has been judged yet"), "{}", looked.err);
    for command in [
        &["explain", "orders"][..],
        &["forget", "orders"],
        &["intent", "orders", "cancel"],
        &["history", "orders"],
    ] {
        let ended = engine.run(command);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{command:?}");
        assert!(
            ended.err.contains("\n  prod/pay/orders\n  prod/shop/orders\n"),
            "{}",
            ended.err
        );
    }
    let missing = engine.run(&["explain", "prod/pay/order"]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.err.contains("did you mean `prod/pay/orders`"),
        "{}",
        missing.err
    );
    let missing = engine.run(&["status", "click"]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing
            .err
            .contains("no job ends in `click`; did you mean `-/-/clicks`?"),
        "{}",
        missing.err
    );
}

#[test]
fn an_engine_of_an_earlier_version_says_so_of_what_it_does_not_know() {
    let address = crate::stub::serve(|request| match request {
        request if request.contains("cluster=prod") => (
            400,
            json!({ "parameter": "cluster", "detail": "`cluster` is not a parameter here; there are state, namespace, limit, cursor" }),
        ),
        request if request.contains("/look") => (404, json!({ "detail": "nothing is served at that path" })),
        request if request.contains("/api/v1/jobs/a/b/c/transitions") => (
            200,
            json!({ "items": [{ "sequence": 1, "at": "2026-01-01T00:00:00Z", "from": "UNKNOWN", "to": "RUNNING",
                "confidence": "confirmed", "reason": { "message": "Flink lists it" } }], "cursor": null }),
        ),
        request if request.contains("/api/v1/jobs") => {
            (200, json!({ "items": [job("a/b/c", "FAILED")], "cursor": null }))
        }
        request if request.contains("/api/v1/clusters") => (200, json!({ "items": [] })),
        _ => (404, json!({ "detail": "nothing is served at that path" })),
    });
    let server = format!("http://{address}");
    let ask = |arguments: &[&str]| run(Path::new("."), &[arguments, &["--server", &server]].concat());
    let ended = ask(&["status", "--cluster", "prod"]);
    assert_eq!(ended.code, Some(3));
    assert!(
        ended.err.contains("of an earlier version") && ended.err.contains("--cluster"),
        "{}",
        ended.err
    );
    // What it has in another place is taken from there.
    let alerts = ask(&["alerts", "-o", "jsonpath={.items[*].job}"]);
    assert_eq!(
        (alerts.code, alerts.out.as_str()),
        (Some(0), "a/b/c\n"),
        "{}",
        alerts.err
    );
    let history = ask(&["history", "a/b/c"]);
    assert!(
        history.out.contains("UNKNOWN -> RUNNING"),
        "{}{}",
        history.out,
        history.err
    );
    let look = ask(&["look", "a/b/c"]);
    assert_eq!(look.code, Some(3));
    assert!(
        look.err.contains("this engine is of an earlier version") && !look.err.contains("did you mean"),
        "{}",
        look.err
    );
    let events = ask(&["events"]);
    assert!(
        events.code == Some(3) && events.err.contains("earlier version"),
        "{}",
        events.err
    );
}

#[test]
fn history_is_newest_last_and_events_are_of_all_jobs() {
    let engine = Fake::start();
    let history = engine.run(&["history", "pay/orders", "--since", "2026-01-01T00:00:00Z"]);
    let (first, second) = (
        history.out.find("RUNNING").unwrap(),
        history.out.find("FAILED").unwrap(),
    );
    assert!(first < second && !history.out.contains("JOB"), "{}", history.out);
    // What does not read has its place, above what came after it; older entries are not kept.
    let damaged = history.out.find("unreadable   entry 6").unwrap();
    assert!(damaged < first, "{}", history.out);
    assert!(
        history.err.starts_with("entries up to 5 may be missing here"),
        "{}",
        history.err
    );
    let (asked, _) = engine.asked("kind=transition%2Calert");
    for part in [
        "job=prod%2Fpay%2Forders",
        "since=2026-01-01T00%3A00%3A00.000Z",
        "kind=transition%2Calert%2Ccall%2Cforgotten",
    ] {
        assert!(asked.contains(part), "{asked}");
    }
    let events = engine.run(&[
        "events",
        "-n",
        "pay",
        "--kind",
        "transition",
        "--limit",
        "1",
        "-o",
        "json",
    ]);
    let events: Value = serde_json::from_str(&events.out).unwrap();
    assert_eq!(events["items"][0]["sequence"], 8, "{events:#}");
    assert_eq!(events["droppedUntil"], 5, "{events:#}");
    assert!(
        engine
            .asked("/api/v1/history?")
            .0
            .contains("kind=transition&namespace=pay&order=newest&limit=1")
    );
}

#[test]
fn a_cluster_that_is_none_is_refused_and_a_namespace_without_jobs_is_told() {
    let engine = Fake::start();
    for command in ["status", "alerts"] {
        let unknown = engine.run(&[command, "--cluster", "prdo"]);
        assert_eq!((unknown.code, unknown.out.as_str()), (Some(2), ""), "{command}");
        assert!(
            unknown.err.contains("no cluster `prdo` is configured; there is none"),
            "{}",
            unknown.err
        );
    }
    // Its jobs are on record, though it is configured no more.
    assert_eq!(engine.run(&["status", "--cluster", "prod"]).code, Some(0));
    let empty = engine.run(&["status", "-n", "foo"]);
    assert_eq!(empty.code, Some(0), "{}", empty.err);
    assert!(
        empty
            .err
            .ends_with("no job on record is of namespace `foo`; there are `pay`, `shop`\n"),
        "{}",
        empty.err
    );
    assert_eq!(engine.run(&["status", "-A", "-o", "name"]).out.lines().count(), 3);
}

#[test]
fn silences_whose_alert_does_not_stand_are_listed_and_comments_shown() {
    let address = crate::stub::serve(|request| {
        let mut orders = job("prod/pay/orders", "RUNNING");
        orders["silences"] = json!([
            { "alert": "JobFaild", "since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z", "comment": "typed wrong" },
            { "alert": "JobFailed", "since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z", "comment": "being repaired" },
            { "alert": "KubernetesUnreachable", "since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z" },
        ]);
        let alert = json!({ "alert": "JobFailed", "scope": "job", "cluster": "prod", "job": "prod/pay/orders", "jobs": 1,
            "since": "2026-01-01T00:00:00Z", "message": "nobody wanted it", "silencedUntil": "2027-01-01T00:00:00Z",
            "silencedJob": "prod/pay/orders" });
        // Another job of the cluster has it: that one's silence is of all.
        let shared = json!({ "alert": "KubernetesUnreachable", "scope": "cluster", "cluster": "prod", "job": "prod/pay/clicks", "jobs": 4,
            "since": "2026-01-01T00:00:00Z", "message": "nobody answers", "silencedUntil": "2027-01-01T00:00:00Z",
            "silencedJob": "prod/pay/orders" });
        match request {
            request if request.contains("/api/v1/clusters") => (200, json!({ "items": [] })),
            request if request.contains("/api/v1/alerts") => (200, json!({ "items": [alert, shared], "cursor": null })),
            request if request.contains("/api/v1/jobs/") => (200, orders),
            _ => (200, json!({ "items": [orders], "cursor": null })),
        }
    });
    let server = format!("http://{address}");
    let ask = |arguments: &[&str]| {
        run(
            Path::new("."),
            &[&["alerts"], arguments, &["--server", &server]].concat(),
        )
    };
    let silenced = ask(&["--status", "silenced", "-o", "wide"]);
    let lines: Vec<&str> = silenced.out.lines().collect();
    assert!(
        lines.len() == 4 && lines[1].contains("being repaired   nobody wanted it"),
        "{}",
        silenced.out
    );
    assert!(
        lines[3].starts_with("JobFaild") && lines[3].ends_with("typed wrong      no such alert stands there now"),
        "{}",
        silenced.out
    );
    let data: Value = serde_json::from_str(&ask(&["--status", "silenced", "-o", "json"]).out).unwrap();
    assert_eq!(data["items"].as_array().unwrap().len(), 2);
    assert_eq!(data["silences"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&data["silences"][0]["alert"], &data["silences"][0]["job"]),
        (&json!("JobFaild"), &json!("prod/pay/orders"))
    );
    assert_eq!(ask(&["-o", "json"]).out.matches("JobFaild").count(), 0);
}

#[test]
fn alerts_silences_and_a_reload_are_asked_for_and_told() {
    let engine = Fake::start();
    let alerts = engine.run(&["alerts", "--status", "silenced", "--cluster", "prod"]);
    assert!(
        alerts.out.contains("SILENCED-UNTIL") && alerts.out.contains("nobody wanted it"),
        "{}",
        alerts.out
    );
    assert!(
        engine
            .asked("/api/v1/alerts?")
            .0
            .contains("cluster=prod&status=silenced")
    );

    let silenced = engine.run(&[
        "silence",
        "pay/orders",
        "JobFailed",
        "--until",
        "2027-01-01T00:00:00Z",
        "--comment",
        "known",
    ]);
    assert_eq!(
        (silenced.code, silenced.out.as_str()),
        (Some(0), ""),
        "{}",
        silenced.err
    );
    assert!(
        silenced
            .err
            .contains("JobFailed of prod/pay/orders is silenced until 2027-01-01T00:00:00.000Z"),
        "{}",
        silenced.err
    );
    let (_, body) = engine.asked("PUT /api/v1/jobs/prod/pay/orders/silences/JobFailed");
    assert_eq!(body, json!({ "until": "2027-01-01T00:00:00.000Z", "comment": "known" }));
    let ended = engine.run(&["silence", "pay/orders", "JobFailed", "--end", "-o", "name"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(0), "prod/pay/orders\n"),
        "{}",
        ended.err
    );
    engine.asked("DELETE /api/v1/jobs/prod/pay/orders/silences/JobFailed");
    let mistyped = engine.run(&["silence", "pay/orders", "jobfailed", "--for", "2h"]);
    assert_eq!(mistyped.code, Some(0), "the engine takes any name: {}", mistyped.err);
    assert!(mistyped.err.contains("did you mean `JobFailed`?"), "{}", mistyped.err);

    let reloaded = engine.run(&["reload"]);
    assert_eq!(
        (reloaded.code, reloaded.out.as_str()),
        (Some(0), "policy default: changed, sha256 ab\n")
    );
    assert_eq!(
        reloaded.err,
        "reloaded; other changes in the file need a restart: server.listen\n"
    );
}

#[test]
fn a_wait_ends_when_all_holds_and_else_with_its_time() {
    let engine = Fake::start();
    let met = engine.run(&[
        "wait",
        "clicks",
        "--for",
        "state=FAILED,confirmed",
        "--for",
        "alert=JobFailed",
    ]);
    assert_eq!(met.code, Some(0), "{}", met.err);
    assert_eq!(
        met.out,
        "-/-/clicks is FAILED, confirmed, with JobFailed: Flink lists it\n"
    );
    let late = engine.run(&["wait", "clicks", "--for", "state=RUNNING", "--timeout", "0s"]);
    assert_eq!((late.code, late.out.as_str()), (Some(1), ""));
    assert!(
        late.err
            .contains("state=RUNNING did not hold within 0s: -/-/clicks is FAILED"),
        "{}",
        late.err
    );
    let gone = engine.run(&["wait", "prod/pay/nobody", "--for", "gone"]);
    assert_eq!(gone.code, Some(0), "{}", gone.err);
    let ambiguous = engine.run(&["wait", "orders", "--for", "gone"]);
    assert_eq!(ambiguous.code, Some(2), "{}", ambiguous.err);
    let nobody = run(
        Path::new("."),
        &["wait", "x", "--for", "gone", "--server", "http://127.0.0.1:9"],
    );
    assert_eq!(nobody.code, Some(3), "what cannot be asked is not gone: {}", nobody.err);
}

#[test]
#[cfg(feature = "top")]
fn top_wants_a_terminal() {
    let engine = Fake::start();
    let ended = engine.run(&["top"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert!(
        ended
            .err
            .contains("this is no terminal; `steadfast status --sort severity`"),
        "{}",
        ended.err
    );
}

#[test]
fn spans_are_counted_by_the_engines_clock() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&asked);
    let address = crate::stub::serve_raw(move |request| {
        noted.lock().unwrap().push(request.to_owned());
        let body = match request.contains("/silences/") {
            true => job("prod/pay/orders", "FAILED"),
            false => json!({ "items": [], "cursor": null }),
        };
        let answer = crate::stub::document(200, &body);
        answer.replacen("\r\n", "\r\ndate: Mon, 23 Nov 2026 01:13:29 GMT\r\n", 1)
    });
    let server = format!("http://{address}");
    let ask = |arguments: &[&str]| run(Path::new("."), &[arguments, &["--server", &server]].concat());
    let silenced = ask(&["silence", "prod/pay/orders", "JobFailed", "--for", "2h"]);
    assert!(
        silenced.err.contains("is silenced until 2026-11-23T03:13:29.999Z"),
        "{}",
        silenced.err
    );
    for (command, path) in [
        (&["status", "--since", "2h"][..], "/api/v1/jobs?"),
        (&["alerts", "--since", "2h"], "/api/v1/alerts?"),
        (&["events", "--since", "2h"], "/api/v1/history?"),
    ] {
        assert_eq!(ask(command).code, Some(0), "{command:?}");
        let asked = asked.lock().unwrap();
        let request = asked.iter().rev().find(|request| request.contains(path)).unwrap();
        assert!(request.contains("since=2026-11-22T23%3A13%3A29.000Z"), "{request}");
    }
}

#[test]
fn the_version_and_the_file_to_check_may_be_words() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |arguments: &[&str]| run(folder.path(), arguments);
    assert_eq!(ask(&["version"]).out, ask(&["--version"]).out);
    std::fs::write(folder.path().join("mine.toml"), crate::running::BASE).unwrap();
    let checked = ask(&["check", "mine.toml"]);
    assert!(
        checked.code == Some(0) && checked.err.contains("mine.toml has no mistakes"),
        "{}",
        checked.err
    );
    let set = ask(&["check", "mine.toml", "--set", "timing.poll=soon"]);
    assert_eq!(set.code, Some(2), "{}", set.err);
    let twice = ask(&["check", "mine.toml", "--config", "other.toml"]);
    assert!(
        twice.code == Some(2) && twice.err.contains("cannot be used with"),
        "{}",
        twice.err
    );
}
