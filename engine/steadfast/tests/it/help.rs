//! Help and usage errors, word by word.

use std::path::Path;

use crate::command::run;

#[test]
fn help_of_each_command() {
    let commands = [
        "run",
        "demo",
        "check",
        "status",
        "policies",
        "policy",
        "policy new",
        "policy build",
        "policy inspect",
        "policy test",
        "policy bench",
        "policy verify",
        "policy diff",
        "policy wit",
        "policy promote",
        "policy keygen",
        "policy sign",
        "policy push",
        "policy pull",
        "intent",
        "explain",
        "forget",
        "simulate",
        "replay",
        "store",
        "store check",
        "store repair",
        "store export",
        "completions",
    ];
    let mut all = run(Path::new("."), &["--help"]).out;
    for command in commands {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let ended = run(Path::new("."), &arguments);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
        all.push_str(&format!("\n==== {command}\n{}", ended.out));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn wrong_command_lines() {
    let mut all = String::new();
    for arguments in [
        &["bogus"][..],
        &["status", "--output", "yaml"],
        &["status", "orders"],
        &["intent", "local/default/orders", "stop"],
        &["--log", "=,=", "check"],
        &["policy", "inspect", "builtin:bogus"],
        &["policy", "inspect", "missing.wasm"],
        &["replay", "--since", "yesterday"],
        &["replay", "--store", "sqlite://missing.db"],
        &["replay", "--params", "{}"],
        &["store", "mend"],
        &["store", "check", "--store", "sqlite://missing.db"],
        &["store", "repair", "--store", "missing.db"],
        &["store", "export", "--config", "missing.toml"],
        &["policy", "inspect", "oci://registry.example.com/orders:v1"],
        &["policy", "keygen"],
        &["policy", "sign", "missing.wasm", "--key", "missing.key"],
        &["policy", "push", "missing.wasm", "registry.example.com/orders:v1"],
        &["policy", "pull", "oci://registry.example.com/orders"],
        &["simulate"],
        &["simulate", "--scale", "20", "story.toml"],
        &["simulate", "--config", "config.toml", "--params", "{}", "story.toml"],
    ] {
        let ended = run(Path::new("."), arguments);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments:?}");
        all.push_str(&format!("$ steadfast {}\n{}\n", arguments.join(" "), ended.err));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn completions_are_data() {
    let ended = run(Path::new("."), &["completions", "bash"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert!(ended.out.contains("steadfast"));
}

#[test]
fn the_version_is_the_crates() {
    let ended = run(Path::new("."), &["--version"]);
    assert_eq!(ended.out, format!("steadfast {}\n", env!("CARGO_PKG_VERSION")));
}
