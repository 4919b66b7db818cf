//! A policy that ends in a trap says why, wherever it is tried.

use std::fs;

use crate::command::run;
use crate::guest::Guest;

const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/stories/network-loss.toml");
/// What each of its calls says before it ends.
const WORDS: &str = "it printed: no parameters, please";

/// A folder with a policy that prints and traps, and a story.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let crashing = Guest {
        imports: r#"(import "steadfast:policy/output@0.2.0" "print" (func $print (param i32 i32)))"#,
        ..Guest::deciding("(call $print (i32.const 1048) (i32.const 21)) (unreachable)")
    };
    fs::write(folder.path().join("crashing.wasm"), crashing.module()).unwrap();
    fs::copy(STORY, folder.path().join("story.toml")).unwrap();
    let mut fixture: serde_json::Value = serde_json::from_str(include_str!("silent.json")).unwrap();
    fixture["expect"] = serde_json::json!({});
    fs::write(folder.path().join("silent.json"), fixture.to_string()).unwrap();
    folder
}

#[test]
fn a_story_says_why_the_policy_failed() {
    let folder = folder();
    let played = run(folder.path(), &["simulate", "--policy", "crashing.wasm", "story.toml"]);
    assert_eq!(played.code, Some(1), "{}", played.err);
    // The timeline has it too, as the message of the alert.
    let told = played
        .out
        .lines()
        .filter(|line| line.contains(WORDS) && !line.contains("  alert  "));
    let told: Vec<&str> = told.collect();
    assert!(
        told.len() == 1
            && told[0].starts_with("  policy `crashing.wasm` failed ")
            && told[0].contains(" times, first at "),
        "once, however often it failed: {told:#?}\n{}",
        played.out
    );
}

/// It is decided again as often as the others, and not held to being decided.
#[test]
fn a_failure_that_a_fixture_expects_passes() {
    let folder = folder();
    let mut fixture: serde_json::Value = serde_json::from_str(include_str!("silent.json")).unwrap();
    fixture["expect"] = serde_json::json!({ "error": "no parameters, please" });
    fs::write(folder.path().join("silent.json"), fixture.to_string()).unwrap();
    let printed = run(folder.path(), &["policy", "test", "crashing.wasm", "silent.json"]);
    assert!(
        printed.out.contains("FAILED fixture silent.json"),
        "what it printed is no reason: {}",
        printed.out
    );
    fixture["expect"] = serde_json::json!({ "error": "ended in a wasm trap" });
    fs::write(folder.path().join("silent.json"), fixture.to_string()).unwrap();
    let tested = run(folder.path(), &["policy", "test", "crashing.wasm", "silent.json"]);
    assert!(tested.out.contains("passed fixture silent.json"), "{}", tested.out);
    let count = |before: &str| -> usize {
        let (_, rest) = tested.out.split_once(before).unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(
        count("FAILED decides ") + 1,
        count("passed determinism: "),
        "{}",
        tested.out
    );
}

#[test]
fn an_error_that_is_expected_stands_alone_and_says_something() {
    let folder = folder();
    let mut fixture: serde_json::Value = serde_json::from_str(include_str!("silent.json")).unwrap();
    for (expect, rule) in [
        (
            serde_json::json!({ "error": "" }),
            "`expect.error` is empty, and any failure would pass; write",
        ),
        (
            serde_json::json!({ "error": "trap", "state": "RUNNING" }),
            "`expect.error` stands beside other keys, ",
        ),
        (
            serde_json::json!({ "error": "trap", "alerts": [] }),
            "make two fixtures of it",
        ),
    ] {
        fixture["expect"] = expect;
        fs::write(folder.path().join("silent.json"), fixture.to_string()).unwrap();
        let refused = run(folder.path(), &["policy", "test", "crashing.wasm", "silent.json"]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
        assert!(refused.err.contains(rule), "{}", refused.err);
    }
}

#[test]
fn a_test_says_why_the_policy_failed() {
    let folder = folder();
    let tested = run(
        folder.path(),
        &["policy", "test", "crashing.wasm", "silent.json", "story.toml"],
    );
    assert_eq!(tested.code, Some(1), "{}", tested.err);
    for check in ["FAILED decides", "FAILED fixture silent.json", "FAILED network-loss"] {
        let (_, rest) = tested
            .out
            .split_once(check)
            .unwrap_or_else(|| panic!("no `{check}` in\n{}", tested.out));
        let next = rest.split("\nFAILED ").next().unwrap();
        assert!(next.contains(WORDS), "{check}: {next}");
    }
}

#[test]
fn one_decision_shows_what_was_printed() {
    let folder = folder();
    let decided = run(folder.path(), &["policy", "decide", "crashing.wasm", "silent.json"]);
    assert_eq!(decided.code, Some(1), "{}", decided.err);
    for part in [
        "crashing.wasm failed (trap): ",
        "; in recurse",
        "  printed     no parameters, please",
    ] {
        assert!(decided.out.contains(part), "no `{part}` in\n{}", decided.out);
    }
    // And in the log of whatever decides, at debug.
    let logged = run(
        folder.path(),
        &["--log", "debug", "policy", "decide", "crashing.wasm", "silent.json"],
    );
    assert!(
        logged.err.contains("the policy printed something") && logged.err.contains("no parameters, please"),
        "{}",
        logged.err
    );
}

#[test]
fn a_module_that_prints_is_seen_to() {
    let folder = folder();
    let told = run(folder.path(), &["policy", "inspect", "crashing.wasm", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(
        (&told["prints"], &told["imports"]),
        (&true.into(), &serde_json::json!([])),
        "{told:#}"
    );
}
