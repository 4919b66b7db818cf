//! What is made of the program itself: the pages of docs/reference, and engine/server/openapi.json. `UPDATE_DOCS=1` writes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::run;
use crate::documents::root;
use crate::running::Engine;

/// Compares what stands between two marks of a page with what has to, or writes it.
fn holds(page: &str, what: &str, expected: &str) {
    let path = root().join(page);
    let text = fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {what}: begin -->\n"), format!("<!-- {what}: end -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (present, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{begin}{expected}{end}{after}")).unwrap();
    } else {
        assert!(
            present == expected,
            "{page} is not what the program says; set UPDATE_DOCS=1 and run this test again"
        );
    }
}

fn help(folder: &Path, command: &[&str]) -> String {
    let ended = run(folder, &[command, &["--help"]].concat());
    assert_eq!(ended.code, Some(0), "{command:?}: {}", ended.err);
    ended.out
}

/// The commands that a help lists, in its order.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = lines.take_while(|line| !line.is_empty()).filter_map(|line| {
        // What goes on in the next line is indented further.
        let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?;
        name.split(' ').next()
    });
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// A section for each command, and behind it those for its own.
fn sections(folder: &Path, command: &[&str], into: &mut String) {
    let help = help(folder, command);
    if !command.is_empty() {
        writeln!(into, "### {}\n\n```text\n{}\n```\n", command.join(" "), help.trim_end()).unwrap();
    }
    for name in listed(&help) {
        sections(folder, &[command, &[name.as_str()]].concat(), into);
    }
}

#[test]
fn the_page_of_commands_is_their_help() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = String::new();
    sections(folder.path(), &[], &mut expected);
    assert!(expected.contains("### store backup"), "{expected}");
    holds("docs/reference/cli.md", "commands", &expected);
}

/// What a call asks of its callers: the scope, or nothing.
fn scope(operation: &Value) -> String {
    let asked = operation["security"].as_array().into_iter().flatten();
    let scope = asked.filter_map(|way| way.get("token")?.get(0)?.as_str()).next();
    scope.map_or_else(|| "none".to_owned(), |scope| format!("`{scope}`"))
}

/// The dashboard's types are made of it, without an engine to ask.
#[test]
fn the_description_that_is_kept_is_the_engines() {
    let folder = tempfile::tempdir().unwrap();
    let described = Engine::start(folder.path()).get("/openapi.json");
    let path = root().join("engine/server/openapi.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{described:#}\n")).unwrap();
        return;
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert!(
        kept == described,
        "engine/server/openapi.json is not what the engine says; set UPDATE_DOCS=1 and run this test again, and then \
         engine/server/dashboard/build"
    );
}

#[test]
fn the_page_of_the_api_is_its_description() {
    let folder = tempfile::tempdir().unwrap();
    let described = Engine::start(folder.path()).get("/openapi.json");
    let mut by_tag: BTreeMap<String, String> = BTreeMap::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let tag = operation["tags"][0].as_str().unwrap();
            let summary = operation["summary"].as_str().unwrap();
            let refused = operation["responses"].as_object().unwrap().keys();
            let refused: Vec<&str> = refused
                .map(String::as_str)
                .filter(|status| status.starts_with(['4', '5']))
                .collect();
            writeln!(
                by_tag.entry(tag.to_owned()).or_default(),
                "| `{} {path}` | {} | {} | {summary} |",
                method.to_uppercase(),
                scope(operation),
                refused.join(", ")
            )
            .unwrap();
        }
    }
    // The files of a page are not for programs.
    by_tag.remove("dashboard");
    let mut expected = String::new();
    for (tag, rows) in by_tag {
        writeln!(
            expected,
            "### {tag}\n\n| call | scope | refused by | |\n|---|---|---|---|\n{rows}"
        )
        .unwrap();
    }
    assert!(expected.contains("`GET /api/v1/jobs`"), "{expected}");
    holds("docs/reference/api.md", "calls", &expected);
}
