//! Go: bindings made here, and Go's own compiler.

use std::process::Command;

use anyhow::{Context, anyhow};
use steadfast_coverage::without_names;

use super::{Built, Project, bindings, component, made, tool};
use crate::config::MAX_TEXT;

pub(super) fn build(project: &Project) -> anyhow::Result<Built> {
    let manifest = project.folder.join("go.mod");
    let manifest = steadfast_files::read_text(&manifest, MAX_TEXT)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let module = manifest
        .lines()
        .find_map(|line| line.strip_prefix("module "))
        .ok_or_else(|| anyhow!("go.mod names no module; begin it with a line such as `module night-shift`"))?
        .trim();
    let files = bindings::go(&project.contract, module)?;
    bindings::write(&files, &project.folder.join("bindings"))?;
    let core = project.scratch()?.join("module.wasm");
    tool::run(
        Command::new("go")
            .current_dir(&project.folder)
            .env("GOOS", "wasip1")
            .env("GOARCH", "wasm")
            // The module may depend on nothing of the place where it was built.
            .args([
                "build",
                "-buildmode=c-shared",
                "-trimpath",
                "-buildvcs=false",
                "-ldflags=-buildid=",
                "-o",
            ])
            .arg(&core)
            .arg("."),
    )?;
    let named = made(&core)?;
    // A panic tells the names of its functions itself.
    let typed = component::typed(without_names(&named)?, &project.contract)?;
    Ok(Built {
        module: component::encode(&typed, &project.contract)?,
        lines: Some(named),
    })
}
