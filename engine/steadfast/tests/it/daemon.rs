//! The build that holds the daemon alone: what it can do, and what it says of what it cannot.
//! `cargo test -p steadfast --no-default-features --features engine --test it`

use std::path::Path;

use crate::command::run;

/// The commands that a help lists.
fn commands(arguments: &[&str]) -> Vec<String> {
    let ended = run(Path::new("."), arguments);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let listed = ended.out.lines().skip_while(|line| *line != "Commands:").skip(1);
    let words = listed.take_while(|line| !line.is_empty()).filter_map(|line| {
        // A text that goes on in the next line stands further to the right.
        let line = line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?;
        line.split_whitespace().next()
    });
    words.map(str::to_owned).collect()
}

#[test]
fn it_has_what_an_operator_needs() {
    assert_eq!(
        commands(&["--help"]),
        [
            "run",
            "check",
            "doctor",
            "config",
            "status",
            "clusters",
            "policy",
            "replay",
            "sink",
            "store",
            "intent",
            "explain",
            "history",
            "events",
            "alerts",
            "wait",
            "look",
            "silence",
            "reload",
            "forget",
            "token",
            "completions",
            "version",
            "help"
        ]
    );
    assert_eq!(
        commands(&["policy", "--help"]),
        [
            "list", "inspect", "diff", "wit", "keygen", "sign", "push", "pull", "promote", "help"
        ]
    );
}

#[test]
fn what_it_lacks_is_reported_with_the_build_that_has_it() {
    for command in [
        &["demo"][..],
        &["demo", "--port", "0"],
        &["simulate", "stories"],
        &["policy", "new", "mine", "--lang", "c"],
        &["policy", "build"],
        &["policy", "test", "my.wasm"],
        &["policy", "bench", "my.wasm"],
        &["policy", "verify", "builtin:conservative"],
    ] {
        let ended = run(Path::new("."), command);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{command:?}");
        let words = command[..if command[0] == "policy" { 2 } else { 1 }].join(" ");
        for part in [
            &format!("`steadfast {words}` is not in this build"),
            "cargo build --release -p steadfast",
        ] {
            assert!(ended.err.contains(part), "{command:?} lacks `{part}`:\n{}", ended.err);
        }
    }
}

#[test]
fn a_word_that_no_build_knows_is_a_mistake_as_ever() {
    let ended = run(Path::new("."), &["bogus"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert!(ended.err.contains("unrecognized subcommand 'bogus'"), "{}", ended.err);
}
