//! Go: bindings made here, and Go's own compiler.

use std::process::Command;

use anyhow::{Context, anyhow};

use super::{Project, bindings, component, made, tool};
use crate::config::MAX_TEXT;

pub(super) fn build(project: &Project) -> anyhow::Result<Vec<u8>> {
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
                "-ldflags=-s -w -buildid=",
                "-o",
            ])
            .arg(&core)
            .arg("."),
    )?;
    component::encode(&component::typed(made(&core)?, &project.contract)?, &project.contract)
}
