//! Python: componentize-py, in a virtual environment of the project.

use std::process::Command;

use super::{Project, made, tool};

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
                "main",
                "--output",
            ])
            .arg(&module),
    )?;
    made(&module)
}
