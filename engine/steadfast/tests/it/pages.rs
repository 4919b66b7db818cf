//! The pages of docs/ hold together: links lead somewhere, the book has all of them, and what they repeat is the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::documents::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Every page below docs/, by its path there.
fn pages() -> BTreeSet<String> {
    let docs = root().join("docs");
    let mut found = BTreeSet::new();
    let mut left = vec![docs.clone()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.insert(path.strip_prefix(&docs).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// A heading, as a link to it writes it.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn every_file_and_heading_that_documents_point_to_exists() {
    let at_the_root = [
        "README.md",
        "README.zh.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ];
    let documents = pages().into_iter().map(|page| root().join("docs").join(page));
    for document in documents.chain(at_the_root.map(|name| root().join(name))) {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text).filter(|link| !link.starts_with("http")) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            assert!(target.exists(), "{}: {link}", document.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|line| anchor(line.trim_start_matches('#').trim()) == heading),
                    "{}: {link}",
                    document.display()
                );
            }
        }
    }
}

#[test]
fn the_book_has_every_page_once() {
    let summary = read("docs/SUMMARY.md");
    let listed: Vec<String> = links(&summary).map(str::to_owned).collect();
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), once.len(), "docs/SUMMARY.md names a page twice");
    let mut pages = pages();
    pages.remove("SUMMARY.md");
    assert_eq!(
        once, pages,
        "docs/SUMMARY.md lacks a page, or names one that is not there"
    );
}

/// The cells of each row of the tables below a heading, up to the next heading, without their heads.
fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let part = text.split(&format!("\n{heading}\n")).nth(1).unwrap();
    let part = part.split("\n## ").next().unwrap();
    let rows = part
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.skip(1)
        .map(|row| row.split(" | ").map(str::to_owned).collect())
        .collect()
}

#[test]
fn the_readme_says_of_others_what_the_whole_table_says() {
    const HEADING: &str = "## Beside others";
    let whole = rows(&read("docs/policy-conservative.md"), HEADING);
    let readme = rows(&read("README.md"), HEADING);
    assert!(readme.len() >= 3, "{readme:?}");
    for row in readme {
        assert!(
            whole.iter().any(|full| full.get(1..) == row.get(1..)),
            "docs/policy-conservative.md has no row that says {row:?}"
        );
    }
}

/// The blocks of code of a document, each with the word behind its fence.
fn blocks(document: &str) -> Vec<String> {
    let text = read(document);
    text.split("```").skip(1).step_by(2).map(str::to_owned).collect()
}

/// The commands in a block, without their remarks, which are in another language.
fn without_remarks(block: &str) -> Vec<String> {
    let lines = block.lines().map(|line| line.split(" #").next().unwrap().trim_end());
    lines.map(str::to_owned).collect()
}

#[test]
fn what_is_typed_is_the_same_in_chinese() {
    for (english, chinese) in [
        ("README.md", "README.zh.md"),
        ("docs/quick-start.md", "docs/zh/quick-start.md"),
    ] {
        let [theirs, ours] = [chinese, english].map(|document| {
            let blocks = blocks(document);
            blocks.iter().map(|block| without_remarks(block)).collect::<Vec<_>>()
        });
        assert_eq!(theirs, ours, "{chinese} and {english}");
    }
}

#[test]
fn every_dependency_has_its_line() {
    let workspace: toml::Table = read("Cargo.toml").parse().unwrap();
    let text = read("docs/dependencies.md");
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

/// A section and one of its keys.
type Key = (String, String);

/// What stands between the brackets of `[timing]` and `[[job]]`.
fn section(line: &str) -> Option<String> {
    let inner = line.strip_prefix('[')?.split(']').next()?;
    Some(inner.trim_start_matches('[').to_owned())
}

/// Every key of config.toml, those behind a `#` too.
fn keys_of_the_configuration() -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    let mut current = String::new();
    for line in read("config.toml").lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some(section) = section(line) {
            current = section;
        } else if let Some((key, _)) = line.split_once(" = ")
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        {
            keys.insert((current.clone(), key.to_owned()));
        }
    }
    keys
}

/// Every key that the reference has a row for.
fn keys_of_the_reference() -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    let mut current = String::new();
    for line in read("docs/reference/config.md").lines() {
        if line.starts_with('#') {
            current = section(line.trim_matches(['#', ' ', '`'])).unwrap_or_default();
        } else if let Some(key) = line.strip_prefix("| `")
            && !current.is_empty()
        {
            keys.insert((current.clone(), key.split('`').next().unwrap().to_owned()));
        }
    }
    keys
}

#[test]
fn the_reference_has_every_key_of_the_configuration() {
    let keys = keys_of_the_configuration();
    assert!(keys.len() > 90, "{keys:?}");
    let reference = keys_of_the_reference();
    let lacking: Vec<&Key> = keys.difference(&reference).collect();
    let beyond: Vec<&Key> = reference.difference(&keys).collect();
    assert!(
        lacking.is_empty() && beyond.is_empty(),
        "docs/reference/config.md lacks {lacking:?}, and has {beyond:?}, which config.toml has not"
    );
}

#[test]
fn what_is_said_to_be_the_default_is() {
    // Of those that config.toml shows with a value, which is their default.
    let shown: toml::Table = read("config.toml").parse().unwrap();
    let reference = read("docs/reference/config.md");
    for section in ["store", "server", "timing", "recording", "retention", "metrics"] {
        for (key, value) in shown[section].as_table().unwrap() {
            let part = reference.split(&format!("\n## `[{section}]`\n")).nth(1).unwrap();
            let row = part
                .lines()
                .find(|line| line.starts_with(&format!("| `{key}` |")))
                .unwrap();
            // This one follows another.
            let default = if key == "intent_timeout" {
                "15 times".to_owned()
            } else {
                value.to_string()
            };
            assert!(row.contains(&default), "{section}.{key} is {default}: {row}");
        }
    }
}

#[test]
fn the_figure_of_the_concepts_is_there() {
    let image: PathBuf = Path::new("docs").join(
        links(&read("docs/concepts.md"))
            .find(|link| link.ends_with(".svg"))
            .unwrap(),
    );
    assert!(
        read(image.to_str().unwrap()).contains("<title"),
        "it has no words for who cannot see it"
    );
}
