//! A running engine, and the commands that talk to it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::command::{run, steadfast};
use crate::running::Engine;

#[test]
fn commands_show_and_change_what_a_running_engine_holds() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start(folder.path());

    let table = engine.ask(folder.path(), &["status"]);
    assert_eq!(table.code, Some(0), "{}", table.err);
    assert!(
        table.out.starts_with("JOB") || table.out.starts_with(" JOB"),
        "{}",
        table.out
    );
    assert!(table.out.contains("-/-/orders"), "{}", table.out);

    let json = engine.ask(folder.path(), &["status", "--output", "json", "-/-/orders"]);
    let jobs: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(jobs[0]["id"], "-/-/orders");
    assert_eq!(
        jobs[0]["state"], "UNKNOWN",
        "a Flink that does not answer says nothing of its job"
    );

    let intended = engine.ask(folder.path(), &["intent", "-/-/orders", "cancel"]);
    assert_eq!(
        (intended.code, intended.out.as_str()),
        (Some(0), ""),
        "{}",
        intended.err
    );

    let mut watch = steadfast(folder.path(), &["status", "--watch", "--server", &engine.server])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(watch.stdout.take().unwrap()).lines();
    // The list is printed when the events are followed already, so that the next change cannot be missed.
    told.by_ref().find(|line| line.as_ref().unwrap().contains("-/-/orders"));
    engine.ask(folder.path(), &["intent", "-/-/orders", "none"]);
    let change = told.next().unwrap().unwrap();
    assert!(change.contains("-/-/orders  UNKNOWN"), "{change}");
    watch.kill().unwrap();
    watch.wait().unwrap();

    let explained = engine.ask(folder.path(), &["explain", "-/-/orders"]);
    assert_eq!(explained.code, Some(0), "{}", explained.err);
    for said in [
        "-/-/orders is UNKNOWN, stale",
        "rule `never-observed`",
        "changed by  Any answer.",
        "never known",
        "never asked: Deployment",
        "\n  review",
    ] {
        assert!(explained.out.contains(said), "{said}:\n{}", explained.out);
    }
    let as_data = engine.ask(folder.path(), &["explain", "-/-/orders", "--output", "json"]);
    let as_data: serde_json::Value = serde_json::from_str(&as_data.out).unwrap();
    assert_eq!(as_data["rule"]["name"], "never-observed");

    for (arguments, says) in [
        (
            &["forget", "-/-/orders", "--force"][..],
            ["409", "remove its [[job]] entry"],
        ),
        (&["forget", "-/-/nobody"], ["404", "no job -/-/nobody"]),
    ] {
        let refused = engine.ask(folder.path(), arguments);
        assert_eq!(refused.code, Some(3), "{arguments:?}");
        assert!(says.iter().all(|says| refused.err.contains(says)), "{}", refused.err);
    }

    let refused = engine.ask(folder.path(), &["explain", "-/-/nobody"]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.err.contains("404"), "{}", refused.err);
}

#[test]
fn an_intent_says_what_it_does_and_what_it_does_not_do() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start(folder.path());
    for (intent, says) in [
        (
            "cancel",
            "an end will not be called an accident. Steadfast cancels nothing: do that in Flink",
        ),
        (
            "savepoint",
            "a savepoint is expected. Steadfast triggers none: do that in Flink",
        ),
        (
            "none",
            "nothing is wanted any more, and an end will be called an accident again",
        ),
        (
            "start",
            "a start is expected. Steadfast starts nothing: do that where you deploy",
        ),
    ] {
        let noted = engine.ask(folder.path(), &["intent", "-/-/orders", intent]);
        assert_eq!(noted.err, format!("noted for -/-/orders: {says}\n"));
    }
}

#[test]
fn without_an_engine_the_exit_code_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // Port 9 (discard) is below those that are handed out, and nothing listens there.
    let ended = run(folder.path(), &["status", "--server", "http://127.0.0.1:9"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""));
    assert!(
        ended.err.contains("no engine answers at http://127.0.0.1:9"),
        "{}",
        ended.err
    );
}
