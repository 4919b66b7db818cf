//! `steadfast policy`: a module inspected, held to what it should do, and measured.

use std::path::Path;

use crate::command::{Ended, run};

const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/stories/network-loss.toml");

/// Tests a policy on a story and on the given fixtures.
fn tested(module: &str, fixtures: &[&serde_json::Value]) -> (Ended, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("files")).unwrap();
    std::fs::copy(STORY, folder.path().join("files/network-loss.toml")).unwrap();
    for (place, fixture) in fixtures.iter().enumerate() {
        std::fs::write(folder.path().join(format!("files/{place}.json")), fixture.to_string()).unwrap();
    }
    (run(folder.path(), &["policy", "test", module, "files"]), folder)
}

/// A snapshot of a job that ran and cannot be reached now, with an expectation.
fn silent(expect: serde_json::Value) -> serde_json::Value {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/silent.json")).unwrap();
    let mut fixture: serde_json::Value = serde_json::from_str(&text).unwrap();
    fixture["expect"] = expect;
    fixture
}

#[test]
fn the_default_policy_passes() {
    let expected = silent(serde_json::json!({
        "state": "RUNNING", "confidence": "stale", "attention": "active", "rule": "all-silent",
    }));
    let (ended, _folder) = tested("builtin:conservative", &[&expected]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert!(ended.out.contains("passed fixture files/0.json"), "{}", ended.out);
    assert!(ended.out.contains("passed network-loss"), "{}", ended.out);
    assert!(ended.out.ends_with("9 checks: 9 passed, 0 failed\n"), "{}", ended.out);
    let broken = silent(serde_json::json!({ "state": "FAILED" }));
    let (_, folder) = tested("builtin:conservative", &[&broken]);
    let arguments = ["policy", "test", "builtin:conservative", "files", "-o", "json"];
    let told = run(folder.path(), &arguments);
    assert_eq!(told.code, Some(1), "{}", told.err);
    let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((&told["passed"], &told["failed"]), (&8.into(), &1.into()), "{told:#}");
    let checks = told["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["passed"] == false).collect();
    assert!(
        checks.len() == 9 && failed.len() == 1 && failed[0]["broken"][0].is_string(),
        "{told:#}"
    );
    let report = run(
        folder.path(),
        &["policy", "test", "builtin:conservative", "files", "-o", "junit"],
    );
    assert_eq!(report.code, Some(1), "{}", report.err);
    for part in [
        "<testsuite name=\"steadfast policy test\" tests=\"9\" failures=\"1\" errors=\"0\" skipped=\"0\">",
        "<failure message=\"state is Running, not Failed",
    ] {
        assert!(report.out.contains(part), "no `{part}` in\n{}", report.out);
    }
}

#[test]
fn a_fixture_holds_alerts_with_what_they_are_about_the_pace_and_what_is_looked_up() {
    let decided = silent(serde_json::json!({ "alerts": [], "pollAfterSeconds": 5.0, "wanted": ["kubernetes"] }));
    let (ended, _folder) = tested("builtin:conservative", &[&decided]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    for (expect, said) in [
        (
            serde_json::json!({ "pollAfterSeconds": 60 }),
            "pollAfterSeconds is 5.0, not 60.0",
        ),
        (
            serde_json::json!({ "wanted": ["exceptions"] }),
            "wanted is [\"kubernetes\"], not [\"exceptions\"]",
        ),
        (
            serde_json::json!({ "alerts": [{ "name": "FlinkUnreachable", "scope": "cluster" }] }),
            "alerts is [], not [\"FlinkUnreachable (cluster)\"]",
        ),
        (
            serde_json::json!({ "alerts": ["JobFailed"] }),
            "alerts is [], not [\"JobFailed\"]",
        ),
    ] {
        let (ended, _folder) = tested("builtin:conservative", &[&silent(expect)]);
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
}

#[test]
fn a_fixture_begins_as_what_explain_shows() {
    let shown = include_str!("../../../server/tests/explain/v1.jsonl").lines();
    let fixtures: Vec<serde_json::Value> = shown
        .map(|line| {
            let mut fixture: serde_json::Value = serde_json::from_str(line).unwrap();
            fixture["expect"] = serde_json::json!({});
            // The greatest there can be is pinned, and no decision follows that.
            fixture["snapshot"]["record"]["revision"] = 1.into();
            fixture
        })
        .collect();
    let (ended, _folder) = tested("builtin:conservative", &fixtures.iter().collect::<Vec<_>>());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert!(ended.out.contains("passed fixture files/7.json"), "{}", ended.out);
}

#[test]
fn what_another_policy_does_otherwise_is_reported() {
    let expected = silent(serde_json::json!({ "state": "RUNNING", "confidence": "stale", "attention": "active" }));
    let (ended, _folder) = tested("builtin:naive", &[&expected]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    for part in [
        "FAILED fixture files/0.json",
        "state is Failed, not Running; confidence is Confirmed, not Stale; attention is Sleeping, not Active",
        "FAILED network-loss",
        "9 checks: 7 passed, 2 failed",
    ] {
        assert!(ended.out.contains(part), "no `{part}` in\n{}", ended.out);
    }
}

#[test]
fn a_mistake_in_a_fixture_is_reported_with_its_place() {
    let mut wrong = silent(serde_json::json!({ "stat": "RUNNING" }));
    let (ended, _folder) = tested("builtin:naive", &[&wrong]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert!(
        ended.err.contains("files/0.json: `expect.stat`: unknown field `stat`"),
        "{}",
        ended.err
    );
    wrong = silent(serde_json::json!({}));
    wrong["snapshot"].as_object_mut().unwrap().remove("now");
    let (ended, _folder) = tested("builtin:naive", &[&wrong]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("missing field `now`"), "{}", ended.err);
}

#[test]
fn costs_are_measured_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["policy", "bench", "builtin:naive", "--output", "json"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    let measured: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let number = |place: &str| measured.pointer(place).unwrap().as_f64().unwrap();
    assert!(number("/snapshots") > 100.0);
    assert!(number("/decideMicros/p50") > 0.0);
    assert!(number("/decideMicros/p50") <= number("/decideMicros/p99"));
    assert!(
        number("/cachedLoadMicros") < number("/compileMicros"),
        "the cache spares the compilation: {measured}"
    );
    assert!(number("/memoryMiB") >= 1.0);
}

#[test]
fn a_module_is_inspected_even_if_it_cannot_be_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let whole = run(
        folder.path(),
        &["policy", "inspect", "builtin:naive", "--output", "json"],
    );
    let told: serde_json::Value = serde_json::from_str(&whole.out).unwrap();
    assert_eq!(told["contract"], "0.2.0");
    assert_eq!(told["policy"]["parameters"][0]["name"], "attempts");
    // An empty component, which lacks everything.
    std::fs::write(folder.path().join("empty.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    let empty = run(folder.path(), &["policy", "inspect", "empty.wasm"]);
    assert_eq!(empty.code, Some(2), "{}", empty.err);
    assert!(
        empty.out.contains("a component") && empty.out.contains("it names none"),
        "{}",
        empty.out
    );
    assert!(empty.err.contains("does not export"), "{}", empty.err);
}
