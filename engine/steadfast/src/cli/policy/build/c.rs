//! C: bindings made here, and clang with a C library for WebAssembly.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use steadfast_coverage::without_lines;

use super::{Built, Project, bindings, component, made, tool};

pub(super) fn build(project: &Project) -> anyhow::Result<Built> {
    let scratch = project.scratch()?;
    bindings::write(&bindings::c(&project.contract)?, &scratch)?;
    let module = scratch.join("module.wasm");
    tool::run_telling(
        Command::new("clang")
            .current_dir(&project.folder)
            .args([
                "--target=wasm32-wasi",
                "-mexec-model=reactor",
                "-std=c11",
                "-O2",
                "-Wall",
                "-Wextra",
                // Each is a crash or a wrong word later on.
                "-Werror=int-conversion",
                "-Werror=incompatible-pointer-types",
            ])
            // Lines are kept beside the module. Names of functions stay in it: a crash is told by them.
            .arg("-gline-tables-only")
            // The linker's own default of the stack is 64 KiB, below the data, where an overflow would go unnoticed.
            .args(["-Wl,--stack-first", "-Wl,-z,stack-size=131072"])
            .args(["-Ibuild", "build/policy.c", "build/policy_component_type.o"])
            .args(sources(project)?)
            .arg("-o")
            .arg(&module),
    )?;
    let lines = made(&module)?;
    Ok(Built {
        module: component::encode(&without_lines(&lines)?, &project.contract)?,
        lines: Some(lines),
    })
}

/// The project's sources, by name, so that the same files make the same module.
fn sources(project: &Project) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", project.folder.display());
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(&project.folder).with_context(cannot)? {
        let name = PathBuf::from(entry.with_context(cannot)?.file_name());
        if name.extension() == Some(OsStr::new("c")) {
            sources.push(name);
        }
    }
    sources.sort();
    Ok(sources)
}
