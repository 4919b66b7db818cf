//! JavaScript: componentize-js, in the project's node_modules.

use std::process::Command;

use anyhow::Context;

use super::{Project, component, made, shapes, tool};

/// Everything that the JavaScript engine would ask a system for. Switched off, it asks for nothing: `Math.random` repeats
/// itself, and timers and the clock trap.
const FEATURES: [&str; 5] = ["stdio", "random", "clocks", "http", "fetch-event"];

/// What leads the engine's calls to the project's `main.js`, and what that prints to the engine.
const ENTRY: &str = include_str!("javascript/entry.js");

/// What holds the policy's answers to the contract.
const ANSWER: &str = include_str!("javascript/answer.js");

pub(super) fn build(project: &Project) -> anyhow::Result<Vec<u8>> {
    let tool = project.folder.join("node_modules/.bin/componentize-js");
    if !tool.exists() {
        tool::run(Command::new("npm").current_dir(&project.folder).args([
            "ci",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
        ]))?;
    }
    // The tool says of a mistake that there is one; Node says where.
    tool::run(
        Command::new("node")
            .current_dir(&project.folder)
            .args(["--check", "main.js"]),
    )?;
    types(project)?;
    let scratch = project.scratch()?;
    // A project whose contract is from before modules could print is built as it was.
    let source = match component::output(&project.contract)? {
        None => "main.js",
        Some(output) => {
            let shapes = shapes::answers(&project.contract)?.to_string();
            let entry = ENTRY.replace("OUTPUT", &output).replace("'SHAPES'", &shapes);
            for (name, text) in [("entry.js", entry.as_str()), ("answer.js", ANSWER)] {
                let path = scratch.join(name);
                std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            }
            "build/entry.js"
        }
    };
    let module = scratch.join("module.wasm");
    tool::run(
        Command::new(tool)
            .current_dir(&project.folder)
            .args([source, "--world-name", "policy", "--wit"])
            .arg(project.contract_file()?)
            .arg("--out")
            .arg(&module)
            .arg("--disable")
            .args(FEATURES),
    )?;
    made(&module)
}

/// The contract's types, for editors. A project that has no jco does without.
fn types(project: &Project) -> anyhow::Result<()> {
    let tool = project.folder.join("node_modules/.bin/jco");
    if !tool.exists() {
        return Ok(());
    }
    tool::run(
        Command::new(tool)
            .current_dir(&project.folder)
            .arg("types")
            .arg(project.contract_file()?)
            .args(["--world-name", "policy", "--out-dir", "bindings", "--quiet"]),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn an_answer_of_the_wrong_type_is_told_by_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/policy/build/javascript");
        let shapes = shapes::answers(steadfast_wit::POLICY_WIT).unwrap();
        let ended = Command::new("node")
            .current_dir(folder)
            .env("SHAPES", shapes.to_string())
            .args(["--test", "answer.test.js"])
            .output()
            .expect("Node.js is one of the programs that the tests need");
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(
            ended.status.success(),
            "{said}\n{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        assert!(said.contains("pass 2"), "{said}");
    }
}
