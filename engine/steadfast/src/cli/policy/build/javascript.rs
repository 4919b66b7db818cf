//! JavaScript: componentize-js, in the project's node_modules.

use std::process::Command;

use super::{Project, made, tool};

/// Everything that the JavaScript engine would ask a system for. Switched off, it asks for nothing: `Math.random` repeats
/// itself, and timers and the clock trap.
const FEATURES: [&str; 5] = ["stdio", "random", "clocks", "http", "fetch-event"];

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
    let module = project.scratch()?.join("module.wasm");
    tool::run(
        Command::new(tool)
            .current_dir(&project.folder)
            .args(["main.js", "--world-name", "policy", "--wit"])
            .arg(project.contract_file()?)
            .arg("--out")
            .arg(&module)
            .arg("--disable")
            .args(FEATURES),
    )?;
    made(&module)
}
