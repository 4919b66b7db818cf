//! `steadfast policy decide`, `policy snapshot` and `policy schema`: one decision on one snapshot, from wherever it comes.

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::command::{Ended, run, steadfast};
use crate::running::Engine;

const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/stories/network-loss.toml");
const SILENT: &str = include_str!("silent.json");
const POLICY: &str = "builtin:conservative";

/// What the command makes of what stands on its standard input.
fn decided(input: &str, options: &[&str]) -> Ended {
    let arguments = [&["policy", "decide", POLICY, "-"], options].concat();
    let mut child = steadfast(Path::new("."), &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn what_a_running_engine_explains_is_decided_as_the_engine_does() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start(folder.path());
    let explained = engine.ask(folder.path(), &["explain", "-/-/orders", "--output", "json"]);
    assert_eq!(explained.code, Some(0), "{}", explained.err);
    let decided = decided(&explained.out, &["--output", "json"]);
    assert_eq!((decided.code, decided.err.as_str()), (Some(0), ""), "{}", decided.out);
    let (explained, decided) = (parsed(&explained.out), parsed(&decided.out));
    assert!(decided["decision"]["state"].is_string(), "{decided:#}");
    assert_eq!(decided["decision"], explained["decision"]);
    assert_eq!(decided["rule"], explained["rule"]);
    // And it is a fixture once something is expected of it.
    let mut fixture = explained;
    fixture["expect"] = json!({ "state": fixture["decision"]["state"], "rule": fixture["rule"]["name"] });
    fs::write(folder.path().join("fixture.json"), fixture.to_string()).unwrap();
    let tested = run(folder.path(), &["policy", "test", POLICY, "fixture.json"]);
    assert_eq!((tested.code, tested.err.as_str()), (Some(0), ""), "{}", tested.out);
    assert!(tested.out.contains("passed fixture fixture.json"), "{}", tested.out);
}

#[test]
fn a_snapshot_is_taken_out_of_a_recording_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let on = |arguments: &[&str]| {
        run(
            folder.path(),
            &[arguments, &["--store", "sqlite://stories.db"]].concat(),
        )
    };
    let played = run(folder.path(), &["simulate", "--record", "stories.db", STORY]);
    assert_eq!(played.code, Some(0), "{}{}", played.out, played.err);
    let newest = on(&["policy", "snapshot", "orders"]);
    assert_eq!(newest.code, Some(0), "{}", newest.err);
    assert!(newest.err.contains("/orders as policy `"), "{}", newest.err);
    let newest = parsed(&newest.out);
    let now = |document: &Value| document["snapshot"]["now"].as_str().unwrap().to_owned();
    // A little before it, something else was the newest; long before it, nothing was.
    let last = now(&newest);
    let same = on(&["policy", "snapshot", "orders", "--at", &last]);
    assert_eq!(parsed(&same.out), newest);
    let earlier = format!("{}:00Z", &last[..16]);
    let before = on(&["policy", "snapshot", "orders", "--at", &earlier]);
    assert_eq!(before.code, Some(0), "{}", before.err);
    assert!(
        now(&parsed(&before.out)) <= earlier,
        "{} is after {earlier}",
        now(&parsed(&before.out))
    );
    let decided = decided(&before.out, &["--output", "json"]);
    assert_eq!((decided.code, decided.err.as_str()), (Some(0), ""), "{}", decided.out);
    assert_eq!(
        parsed(&decided.out)["rule"]["name"],
        parsed(&before.out)["decided"]["rule"]
    );

    let none = on(&["policy", "snapshot", "orders", "--at", "2001-01-01T00:00:00Z"]);
    assert_eq!((none.code, none.out.as_str()), (Some(1), ""), "{}", none.err);
    assert!(none.err.contains("the first snapshot of"), "{}", none.err);
    let other = on(&["policy", "snapshot", "refunds"]);
    assert_eq!((other.code, other.out.as_str()), (Some(1), ""), "{}", other.err);
    assert!(other.err.contains("/orders"), "the jobs that are there: {}", other.err);
}

#[test]
fn whoever_names_the_projects_folder_is_told_the_module_in_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    for (has_module, wanted) in [
        (
            false,
            "it is a folder; name the module in it, which `steadfast policy build` makes",
        ),
        (true, "it is a folder; name the module in it, mine/mine.wasm"),
    ] {
        if has_module {
            fs::write(folder.path().join("mine/mine.wasm"), "").unwrap();
        }
        for command in ["decide", "test", "verify", "inspect", "bench"] {
            let snapshot = (command == "decide").then_some("snapshot.json");
            fs::write(folder.path().join("snapshot.json"), SILENT).unwrap();
            let arguments = ["policy", command, "mine"].into_iter().chain(snapshot);
            let refused = run(folder.path(), &arguments.collect::<Vec<_>>());
            assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{command}");
            assert!(refused.err.contains(wanted), "{command}: {}", refused.err);
        }
    }
}

#[test]
fn a_decision_is_printed_with_its_reasons() {
    let said = decided(SILENT, &[]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    for part in [
        "on record as RUNNING",
        "builtin:conservative decides RUNNING, stale, by rule `all-silent`",
        "  says        ",
        "  watch       active; Flink again after",
        "  memory      ",
    ] {
        assert!(said.out.contains(part), "no `{part}` in\n{}", said.out);
    }
}

#[test]
fn a_memory_that_another_policy_left_is_not_given_unless_it_is_asked_for() {
    let mut fixture = parsed(SILENT);
    let of = |fixture: &Value, options: &[&str]| {
        let said = decided(&fixture.to_string(), &[options, &["--output", "json"]].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
        (parsed(&said.out), said.err)
    };
    let (with, note) = of(&fixture, &[]);
    assert_eq!(note, "", "`simulate` calls the policy as its command line does");
    for other in ["other", "chosen"] {
        fixture["snapshot"]["record"]["policy"] = other.into();
        assert_eq!(of(&fixture, &["--keep-memory"]).0, with, "{other}");
        assert!(of(&fixture, &[]).1.contains(other), "{other}");
    }
    fixture["snapshot"]["record"]["policy"] = "other".into();
    let (without, note) = of(&fixture, &[]);
    assert!(
        note.contains("its memory was left by policy `other`") && note.contains("--keep-memory"),
        "{note}"
    );
    assert_eq!(
        (&with["memoryGiven"], &without["memoryGiven"]),
        (&json!(true), &json!(false))
    );
    let (kept, note) = of(&fixture, &["--keep-memory"]);
    assert_eq!((kept, note.as_str()), (with.clone(), ""));
    fixture["snapshot"]["record"]["policy"] = "conservative".into();
    assert_eq!(of(&fixture, &[]), (with, String::new()), "its own name");
    fixture["snapshot"]["record"]["memory"] = json!([]);
    fixture["snapshot"]["record"]["policy"] = "other".into();
    let (none, note) = of(&fixture, &[]);
    assert_eq!(note, "", "there is none to speak of");
    assert_eq!(
        (&none["decision"], &none["memoryGiven"]),
        (&without["decision"], &json!(true))
    );
}

#[test]
fn a_fixture_has_no_memory_of_another_policy_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = parsed(SILENT);
    fixture["expect"] = json!({});
    fixture["snapshot"]["record"]["policy"] = "other".into();
    fs::write(folder.path().join("silent.json"), fixture.to_string()).unwrap();
    let test = |options: &[&str]| {
        run(
            folder.path(),
            &[&["policy", "test", POLICY, "silent.json"], options].concat(),
        )
    };
    let without = test(&[]);
    assert_eq!(without.code, Some(0), "{}", without.out);
    assert!(
        without
            .err
            .contains("silent.json: its memory was left by policy `other`"),
        "{}",
        without.err
    );
    let kept = test(&["--keep-memory"]);
    assert_eq!((kept.code, kept.err.as_str()), (Some(0), ""), "{}", kept.out);
}

#[test]
fn a_key_that_nobody_knows_is_told_and_one_that_is_wrong_is_refused_by_name() {
    let mut fixture = parsed(SILENT);
    let flink = fixture["snapshot"].as_object_mut().unwrap().remove("flink").unwrap();
    fixture["snapshot"]["flnik"] = flink;
    let said = decided(&fixture.to_string(), &[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(
        said.err,
        "standard input: `snapshot.flnik` is no key of a snapshot, and was left aside; did you mean `flink`?\n"
    );
    let mut fixture = parsed(SILENT);
    fixture["snapshot"]["record"]["state"] = "RUNING".into();
    let said = decided(&fixture.to_string(), &[]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(
        said.err
            .contains("standard input: `snapshot.record.state`: unknown variant `RUNING`"),
        "{}",
        said.err
    );
    let said = decided("{}", &[]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("there is no `snapshot` in it"), "{}", said.err);
    let said = decided(SILENT, &["--watch"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.contains("--watch needs the snapshot in a file"),
        "{}",
        said.err
    );
}

/// Ended with the test, whatever becomes of that.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn each_change_of_the_snapshot_is_decided_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot.json");
    fs::write(&file, SILENT).unwrap();
    let arguments = [
        "policy",
        "decide",
        POLICY,
        "snapshot.json",
        "--watch",
        "-o",
        "jsonpath={.decision.state}",
    ];
    let mut watching = Watching(
        steadfast(folder.path(), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut out = BufReader::new(watching.0.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut err = BufReader::new(watching.0.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert_eq!(out.next().as_deref(), Some("RUNNING"));
    assert!(err.next().unwrap().starts_with("waiting for a change"));
    // A file that does not read is told, and waited for.
    fs::write(&file, "{").unwrap();
    assert!(err.next().unwrap().contains("is not JSON"));
    assert!(err.next().unwrap().starts_with("waiting for a change"));
    let mut other = parsed(SILENT);
    other["snapshot"]["record"]["state"] = "FAILING".into();
    fs::write(&file, other.to_string()).unwrap();
    assert_eq!(out.next().as_deref(), Some("FAILING"));
}

#[test]
fn the_schema_in_the_documents_is_the_programs() {
    let said = run(Path::new("."), &["policy", "schema"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/snapshot.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &said.out).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == said.out,
        "docs/snapshot.schema.json is not current: run with UPDATE_DOCS=1"
    );
    let schema = parsed(&said.out);
    // Whatever is referred to is there.
    let text = said.out.as_str();
    for reference in text
        .split("\"#/$defs/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        assert!(schema["$defs"].get(reference).is_some(), "{reference}");
    }
}
