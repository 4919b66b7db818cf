//! What is at the address is no engine, or what is in the place of the store no store: no command takes it for one.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{Ended, run, steadfast};
use crate::stub::serve;

fn asked(answer: (u16, Value), arguments: &[&str]) -> Ended {
    let address = serve(move |_| answer.clone());
    run(
        Path::new("."),
        &[arguments, &["--server", &format!("http://{address}")]].concat(),
    )
}

#[test]
fn an_answer_that_no_engine_gives_is_no_success() {
    let job = "-/-/orders";
    let answers = [
        (200, json!(null)),
        (200, json!("<html>")),
        (200, json!([])),
        (202, json!({})),
        (204, json!({})),
        (200, json!({})),
    ];
    for answer in answers {
        for command in [
            &["intent", job, "cancel"][..],
            &["forget", job],
            &["explain", job],
            &["explain", "--output", "json", job],
            &["status"],
            &["clusters"],
        ] {
            // Said by an engine, these are what they seem.
            let is_true =
                answer.0 == 204 && command[0] == "forget" || answer == (200, json!({})) && command[0] == "explain";
            let ended = asked(answer.clone(), command);
            let expected = if is_true { 0 } else { 3 };
            assert_eq!(
                ended.code,
                Some(expected),
                "{command:?} {answer:?}: {}{}",
                ended.out,
                ended.err
            );
        }
    }
    let ended = asked((202, json!({})), &["intent", job, "cancel"]);
    assert!(
        ended.err.contains("as no engine does") && !ended.err.contains("noted"),
        "{}",
        ended.err
    );
}

#[test]
fn a_password_in_the_address_is_not_shown() {
    for command in [&["status"][..], &["explain", "-/-/orders"], &["clusters"]] {
        let ended = run(
            Path::new("."),
            &[command, &["--server", "http://me:p4ss@127.0.0.1:9"]].concat(),
        );
        assert_eq!(ended.code, Some(3), "{}", ended.err);
        assert!(
            ended.err.contains("no engine answers at http://127.0.0.1:9;") && !ended.err.contains("p4ss"),
            "{}",
            ended.err
        );
    }
}

#[test]
fn what_is_no_file_is_no_store_and_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::os::unix::fs::symlink("loop.db", folder.join("loop.db")).unwrap();
    for command in ["check", "export", "repair"] {
        for (store, says) in [
            (".", "is a folder, and no store"),
            ("/dev/null", "is a device, and no store"),
            ("loop.db", "cannot be looked at"),
            ("gone.db", "there is no store"),
        ] {
            let ended = run(folder, &["store", command, "--store", &format!("sqlite://{store}")]);
            assert_eq!(
                (ended.code, ended.out.as_str()),
                (Some(2), ""),
                "{command} {store}: {}",
                ended.err
            );
            assert!(ended.err.contains(says), "{command} {store}: {}", ended.err);
        }
    }
}

#[test]
fn a_variable_that_cannot_be_read_is_named() {
    for name in ["STEADFAST_LOG", "STEADFAST_SERVER"] {
        let mut command = steadfast(Path::new("."), &["status"]);
        command.env(name, std::ffi::OsStr::from_bytes(b"\xff"));
        let ended = Ended::of(&mut command);
        assert_eq!(ended.code, Some(2), "{}", ended.err);
        assert!(ended.err.contains(&format!("{name} is not UTF-8")), "{}", ended.err);
    }
}

#[test]
fn a_cache_folder_that_is_another_in_each_folder_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = steadfast(folder.path(), &["check"]);
    std::fs::write(folder.path().join("config.toml"), crate::running::BASE).unwrap();
    command
        .env("XDG_CACHE_HOME", "here")
        .env("HOME", folder.path().join("home"));
    let ended = Ended::of(&mut command);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.err.contains("XDG_CACHE_HOME is no absolute path (here)"),
        "{}",
        ended.err
    );
    assert!(!folder.path().join("here").exists());
    assert!(folder.path().join("home/.cache/steadfast").exists());
}
