//! What the documents tell people is so.

use std::path::{Path, PathBuf};

use crate::command::run;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands in the README's shell blocks, without their remarks.
fn commands() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => commands.extend(line.split(" #").next().map(|command| command.trim().to_owned())),
            _ => {}
        }
    }
    commands
}

#[test]
fn every_steadfast_command_is_understood() {
    let commands = commands();
    let ours: Vec<&String> = commands
        .iter()
        .filter(|command| command.starts_with("steadfast "))
        .collect();
    assert!(ours.len() >= 5, "{commands:?}");
    for command in ours {
        let mut arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        // With --help every word is parsed as far as the command, and nothing is carried out.
        arguments.push("--help");
        let ended = run(&root(), &arguments);
        assert_eq!(ended.code, Some(0), "`{command}`: {}", ended.err);
    }
}

#[test]
fn the_cheap_ones_do_what_they_say() {
    let commands = commands();
    for cheap in [
        "steadfast check --config config.toml",
        "steadfast policies --config config.toml",
    ] {
        assert!(
            commands.iter().any(|command| command == cheap),
            "the README lacks `{cheap}`: {commands:?}"
        );
        let arguments: Vec<&str> = cheap.split_whitespace().skip(1).collect();
        let ended = run(&root(), &arguments);
        assert_eq!(ended.code, Some(0), "`{cheap}`: {}", ended.err);
    }
}

#[test]
fn the_two_commands_are_there_and_the_root_runs_this_binary() {
    let commands = commands();
    for command in ["cargo run --release -- demo", "cargo test --workspace"] {
        assert!(commands.iter().any(|said| said == command), "{commands:?}");
    }
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("default-members = [\"engine/steadfast\"]"));
}

#[test]
fn every_file_it_points_to_exists() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.starts_with("http")) {
        assert!(root().join(link).exists(), "{link}");
    }
}

#[test]
fn every_dependency_has_its_line() {
    let workspace: toml::Table = std::fs::read_to_string(root().join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let text = std::fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let named: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split('|').next())
        .flat_map(|names| names.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')))
        .collect();
    for name in workspace["workspace"]["dependencies"].as_table().unwrap().keys() {
        assert!(
            name.starts_with("steadfast") || named.contains(&name.as_str()),
            "docs/dependencies.md lacks {name}"
        );
    }
}
