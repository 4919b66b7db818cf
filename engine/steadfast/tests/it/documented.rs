//! Each command that any page names is one, with the options that it is named with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{Ended, steadfast};
use crate::documents::root;

/// Below these are the pages.
const FOLDERS: [&str; 4] = ["docs", "examples", "policies", "tests"];

/// What was said of a command that is none, or of an option that it has not. Of what only stands for a value (`JOB`) others are said.
const UNKNOWN: [&str; 3] = [
    "unrecognized subcommand",
    "unexpected argument",
    "error: unexpected value",
];

/// Pages that are not about the program as it is: what was done once, and its own help.
const ELSEWHERE: [&str; 2] = ["track-record.md", "reference/cli.md"];

fn pages(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["target", "node_modules"].contains(&name) {
            pages(&path, into);
        } else if name.ends_with(".md") && !ELSEWHERE.iter().any(|page| path.ends_with(page)) {
            into.push(path);
        }
    }
}

/// The command of a text, up to what the shell does with it.
fn command(text: &str) -> Option<&str> {
    let text = text.trim().trim_start_matches("$ ");
    // Variables that are set for it alone.
    let text = text.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '_');
    let text = match text.strip_prefix('=') {
        Some(set) => set.split_once(' ')?.1,
        None => text,
    };
    let rest = text.strip_prefix("steadfast ")?;
    let end = [" | ", " > ", " && ", ";", " #", " 2>", " \\", " ...", " …"];
    let end = end.iter().filter_map(|mark| rest.find(mark)).min();
    Some(rest[..end.unwrap_or(rest.len())].trim_end())
}

/// Commands in blocks, and in sentences between backticks.
fn commands(page: &str) -> BTreeSet<String> {
    let (mut found, mut inside) = (BTreeSet::new(), false);
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            inside = !inside && ["sh", "text", "console"].contains(&language);
        } else if inside {
            found.extend(command(line).map(str::to_owned));
        } else {
            found.extend(
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .filter_map(command)
                    .map(str::to_owned),
            );
        }
    }
    found
}

#[test]
fn a_command_is_found_in_blocks_and_sentences() {
    let page = "Ask `steadfast status -n pay`, or `RUST_LOG=x steadfast top`; `steadfast.db` is none.\n```sh\nsteadfast look JOB > x # now\n```\n";
    let found: Vec<String> = commands(page).into_iter().collect();
    assert_eq!(found, ["look JOB", "status -n pay", "top"]);
}

#[test]
fn every_command_that_a_page_names_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<PathBuf> = [
        "README.md",
        "README.zh.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ]
    .map(|name| root().join(name))
    .to_vec();
    for folder in FOLDERS {
        pages(&root().join(folder), &mut files);
    }
    let mut tried = BTreeSet::new();
    for file in files {
        for text in commands(&fs::read_to_string(&file).unwrap()) {
            // What a shell would make of it; a quote that is closed in another line is none.
            let Some(words) = shlex::split(&text) else { continue };
            if !tried.insert(words.clone()) {
                continue;
            }
            let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
            words.push("--help");
            let said = Ended::of(&mut steadfast(folder.path(), &words)).err;
            let is_unknown = UNKNOWN.iter().any(|what| said.contains(what));
            assert!(!is_unknown, "{}: `steadfast {text}`: {said}", file.display());
        }
    }
    assert!(tried.len() > 100, "only {} were found", tried.len());
}

/// What is to be written into config.toml is read by whoever copies it: one key a line.
#[test]
fn the_configuration_in_the_comments_of_example_policies_is_toml() {
    let mut read = 0;
    for entry in fs::read_dir(root().join("examples/policies")).unwrap() {
        let path = entry.unwrap().path().join("src/lib.rs");
        let Ok(source) = fs::read_to_string(&path) else {
            continue;
        };
        let comment: String = source
            .lines()
            .filter_map(|line| line.strip_prefix("//!"))
            .map(|line| format!("{}\n", line.trim_start()))
            .collect();
        for block in comment.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let parsed = toml::from_str::<toml::Table>(block);
            assert!(parsed.is_ok(), "{}: {block}{}", path.display(), parsed.unwrap_err());
            read += 1;
        }
    }
    assert!(read >= 6, "{read}");
}
