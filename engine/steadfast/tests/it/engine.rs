//! A running engine, and the commands that talk to it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::command::{Ended, run, steadfast};
use crate::running::{BASE, Engine};

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
    let job: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(job["id"], "-/-/orders");
    assert_eq!(
        job["state"], "UNKNOWN",
        "a Flink that does not answer says nothing of its job"
    );

    let intended = engine.ask(folder.path(), &["intent", "-/-/orders", "cancel"]);
    assert_eq!(
        (intended.code, intended.out.as_str()),
        (Some(0), ""),
        "{}",
        intended.err
    );

    let table = engine.ask(folder.path(), &["status"]).out;
    assert!(table.contains("INTENT") && table.contains("cancel"), "{table}");
    let explained = engine.ask(folder.path(), &["explain", "-/-/orders"]).out;
    assert!(explained.contains("\nIntent\n  cancel since 20"), "{explained}");

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
        "archive",
        "none is configured (archive, history_server, job_result_store)",
        "never asked: Deployment",
        "\n  review",
    ] {
        assert!(explained.out.contains(said), "{said}:\n{}", explained.out);
    }
    let as_data = engine.ask(folder.path(), &["explain", "-/-/orders", "--output", "json"]);
    let as_data: serde_json::Value = serde_json::from_str(&as_data.out).unwrap();
    assert_eq!(as_data["rule"]["name"], "never-observed");
}

#[test]
fn what_is_refused_and_what_is_not_there_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start(folder.path());
    for (arguments, code, says) in [
        (
            &["forget", "-/-/orders", "--force"][..],
            3,
            ["409", "remove its [[job]] entry"],
        ),
        (&["forget", "-/-/nobody"], 1, ["404", "no job -/-/nobody"]),
    ] {
        let refused = engine.ask(folder.path(), arguments);
        assert_eq!(refused.code, Some(code), "{arguments:?}");
        assert!(says.iter().all(|says| refused.err.contains(says)), "{}", refused.err);
    }

    // That it is not there is an answer; what could not be asked is another code.
    let refused = engine.ask(folder.path(), &["explain", "-/-/nobody"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains("404") && refused.err.contains("`steadfast status` lists all"),
        "{}",
        refused.err
    );
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

#[test]
fn who_shows_no_token_or_another_one_is_told_how_to_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("token", "a-token-that-is-long-enough");
    write("other", "another-that-is-long-enough");
    write("empty", "\n");
    write("blank", "two words that are one line");
    write(
        "config.toml",
        &BASE.replacen("[server]\n", "[server]\ntoken_file = \"token\"\n", 1),
    );
    let engine = Engine::start_configured(folder.path());
    for (file, code, said) in [
        ("", 3, "it asks for a token; name a file"),
        ("other", 3, "the token is none that the engine knows"),
        ("empty", 2, "the token file empty must hold one line"),
        ("blank", 2, "the token file blank must hold one line"),
        ("token", 0, ""),
    ] {
        for command in [
            &["status"][..],
            &["clusters"],
            &["explain", "-/-/orders"],
            &["forget", "-/-/nobody"],
        ] {
            let shows: &[&str] = if file.is_empty() { &[] } else { &["--token-file", file] };
            let ended = engine.ask(folder.path(), &[command, shows].concat());
            if command[0] == "forget" && code == 0 {
                assert!(ended.err.contains("404"), "{}", ended.err);
                continue;
            }
            assert_eq!(ended.code, Some(code), "{command:?} {file}: {}", ended.err);
            assert!(ended.err.contains(said), "{command:?} {file}: {}", ended.err);
            assert!(
                code != 3 || ended.err.contains("--token-file FILE or STEADFAST_TOKEN_FILE"),
                "{}",
                ended.err
            );
        }
    }
}

#[test]
fn an_address_that_is_none_and_a_cluster_that_is_not_configured_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start(folder.path());
    let place = engine.server.trim_start_matches("http://");
    for server in [place, "localhost:8080", "ftp://localhost", ""] {
        let mut command = steadfast(folder.path(), &["status"]);
        let ended = Ended::of(command.env("STEADFAST_SERVER", server));
        assert_eq!(ended.code, Some(2), "{server}: {}", ended.err);
        assert!(
            ended.err.contains("write one such as http://"),
            "{server}: {}",
            ended.err
        );
        assert!(server != place || ended.err.contains(&engine.server), "{}", ended.err);
    }
    let refused = engine.ask(folder.path(), &["status", "prod/default/x"]);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(
        refused.err.contains("no [[kubernetes]] is named prod"),
        "{}",
        refused.err
    );
}
