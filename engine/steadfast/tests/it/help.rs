//! Help and usage errors, word by word.

use std::path::Path;

use crate::command::run;

#[test]
fn help_of_each_command() {
    let commands = [
        "run",
        "demo",
        "check",
        "doctor",
        "config",
        "config init",
        "config show",
        "config schema",
        "status",
        "clusters",
        "policy",
        "policy list",
        "policy new",
        "policy build",
        "policy inspect",
        "policy test",
        "policy decide",
        "policy snapshot",
        "policy schema",
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
        "history",
        "events",
        "alerts",
        "top",
        "wait",
        "look",
        "silence",
        "reload",
        "forget",
        "simulate",
        "replay",
        "sink",
        "sink test",
        "store",
        "store check",
        "store repair",
        "store backup",
        "store export",
        "token",
        "token new",
        "completions",
        "version",
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
        &["status", "--output", "yml"],
        &["status", "--output", "jsonpath={.items[*"],
        &["status", "a/b/c/d/e"],
        &["status", "-x"],
        &["status", "--watchh"],
        &["explain", "--sever", "http://127.0.0.1:9", "orders"],
        &["status", "orders", "--state", "failed"],
        &["status", "--state", "faild"],
        &["status", "--sort", "name"],
        &["status", "-l", "team!=payments"],
        &["wait", "orders"],
        &["wait", "orders", "--for", "state=RUNING"],
        &["silence", "orders", "JobFailed"],
        &["silence", "orders", "JobFailed", "--for", "2h", "--end"],
        &["intent", "local/default/orders", "stop"],
        &["--log", "=,=", "check"],
        &["policy", "inspect", "builtin:bogus"],
        &["policy", "inspect", "missing.wasm"],
        &["replay", "--since", "yesterday"],
        &["replay", "--store", "sqlite://missing.db"],
        &["replay", "--params", "{}"],
        &["check", "--set", "poll=2s"],
        &["store", "mend"],
        &["store", "check", "--store", "sqlite://missing.db"],
        &["store", "repair", "--store", "missing.db"],
        &["store", "export", "--config", "missing.toml"],
        &["store", "backup", "--store", "sqlite://missing.db", "--to", "copy.db"],
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

/// A page for each command that a help lists, and for no other; each names every option that the command's help names.
#[test]
fn each_command_has_its_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["man", "pages"]);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(0), "", ""));
    let mut expected = vec!["steadfast.1".to_owned()];
    let mut left: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(command) = left.pop() {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = run(Path::new("."), &arguments).out;
        let name = ["steadfast".to_owned()]
            .iter()
            .chain(&command)
            .cloned()
            .collect::<Vec<_>>()
            .join("-");
        let page = std::fs::read_to_string(folder.path().join("pages").join(format!("{name}.1"))).unwrap();
        let page = page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
        for option in help.lines().filter_map(|line| line.trim_start().strip_prefix("--")) {
            let option = option.split([' ', '=']).next().unwrap();
            assert!(page.contains(&format!("--{option}")), "{name}.1 lacks --{option}");
        }
        let listed = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty());
        for word in listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()) {
            // A text that goes on in the next line stands further to the right.
            if !word.is_empty() && word != "help" {
                expected.push(format!("{name}-{word}.1"));
                left.push(command.iter().cloned().chain([word.to_owned()]).collect());
            }
        }
    }
    let entries = std::fs::read_dir(folder.path().join("pages")).unwrap();
    let mut pages: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    expected.sort();
    assert_eq!(pages, expected);
}

#[test]
fn the_version_is_the_crates() {
    let ended = run(Path::new("."), &["--version"]);
    assert_eq!(ended.out, format!("steadfast {}\n", env!("CARGO_PKG_VERSION")));
}
