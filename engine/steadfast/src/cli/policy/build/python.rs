//! Python: componentize-py, in a virtual environment of the project.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::{Project, component, made, tool};

/// What leads the engine's calls to the project's `main.py`, and what that prints to the engine.
const ENTRY: &str = include_str!("python/steadfast_entry.py");
const ENTRY_NAME: &str = "steadfast_entry";

/// What holds the policy's answers to the contract.
const ANSWER: &str = include_str!("python/steadfast_answer.py");

/// CPython within the module asks for a system that it does not get: what would need one traps.
pub(super) fn build(project: &Project) -> anyhow::Result<Vec<u8>> {
    let scratch = project.scratch()?;
    let environment = scratch.join("venv");
    let tools = environment.join("bin");
    let pinned = project.folder.join("requirements.txt");
    if !tools.join("python").is_file() {
        tool::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    tool::run(
        Command::new(tools.join("python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(pinned),
    )?;
    types(project, &tools)?;
    let entry = scratch.join("entry");
    std::fs::create_dir_all(&entry).with_context(|| format!("cannot make {}", entry.display()))?;
    for (name, text) in [(ENTRY_NAME, ENTRY), ("steadfast_answer", ANSWER)] {
        let path = entry.join(name).with_extension("py");
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    // A project whose contract is from before modules could print is built as it was.
    let module_name = component::output(&project.contract)?.map_or("main", |_| ENTRY_NAME);
    let module = scratch.join("module.wasm");
    tool::run(
        Command::new(tools.join("componentize-py"))
            .current_dir(&project.folder)
            .arg("--wit-path")
            .arg(project.contract_file()?)
            .args([
                "--world",
                "policy",
                "--quiet",
                "componentize",
                "--stub-wasi",
                "--python-path",
                ".",
                "--python-path",
            ])
            .arg(&entry)
            .args([module_name, "--output"])
            .arg(&module),
    )?;
    made(&module)
}

/// The contract's types, for editors and for tests without a module.
fn types(project: &Project, tools: &Path) -> anyhow::Result<()> {
    let bindings = project.folder.join("bindings");
    if bindings.exists() {
        std::fs::remove_dir_all(&bindings).with_context(|| format!("cannot write {} anew", bindings.display()))?;
    }
    tool::run(
        Command::new(tools.join("componentize-py"))
            .current_dir(&project.folder)
            .arg("--wit-path")
            .arg(project.contract_file()?)
            .args(["--world", "policy", "--quiet", "bindings", "bindings"]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_the_wrong_type_is_told_by_name() {
        let ended = Command::new("python3")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/policy/build/python"))
            .args(["-B", "-m", "unittest", "-v"])
            .output()
            .expect("Python is one of the programs that the tests need");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success() && said.contains("Ran 2 tests"), "{said}");
    }
}
