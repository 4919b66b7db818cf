//! `steadfast policy build`.

mod bindings;
mod c;
mod component;
mod go;
mod javascript;
mod python;
mod rust;
mod shapes;
mod tool;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow};
use clap::Args;

use super::super::{Failure, printer};
use super::language::Language;
use super::policy_arg::{Place, configured, load_one};
use crate::config::MAX_TEXT;

pub(super) const AFTER_HELP: &str = "\
The language is told by the project's files. What its tools make stands below DIR in build/ (and bindings/, target/ or
node_modules/), and the module in DIR/<name of the folder>.wasm. Python's and JavaScript's tools are fetched from their
registries, in the versions that the project pins, and are installed nowhere else.

Examples:
  steadfast policy build
  steadfast policy build mine --output /etc/steadfast/mine.wasm";

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The project's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    project: PathBuf,
    /// Where the module goes [default: in DIR, named like the folder].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A project that is being built.
struct Project {
    folder: PathBuf,
    /// The contract it is built against: its own `policy.wit`, or this engine's.
    contract: String,
}

/// What a language's tools made.
struct Built {
    module: Vec<u8>,
    /// The core module with the names and lines that the module does without, for `policy verify`.
    lines: Option<Vec<u8>>,
}

impl Built {
    fn without_lines(module: Vec<u8>) -> Self {
        Self { module, lines: None }
    }
}

/// Where a module's names and lines are kept, by the project's folder and the module's file.
pub(super) fn lines_of(project: &Path, module: &Path) -> PathBuf {
    let name = module.file_stem().unwrap_or(module.as_os_str()).to_string_lossy();
    project.join("build").join(format!("{name}.lines.wasm"))
}

/// Builds a project's module, and loads it to see that the engine takes it.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let project = Project::open(&options.project).map_err(Failure::Usage)?;
    let language = Language::of(&project.folder).map_err(Failure::Usage)?;
    tool::require(language)?;
    let output = match &options.output {
        Some(output) => output.clone(),
        None => options
            .project
            .join(module_name(&options.project)?)
            .with_extension("wasm"),
    };
    let began = Instant::now();
    let built = match language {
        Language::Rust => rust::build(&project),
        Language::Python => python::build(&project).map(Built::without_lines),
        Language::JavaScript => javascript::build(&project).map(Built::without_lines),
        Language::C => c::build(&project),
        Language::Go => go::build(&project),
    }?;
    let Built { module, lines } = built;
    std::fs::write(&output, &module).with_context(|| format!("cannot write {}", output.display()))?;
    if let Some(lines) = lines {
        project.scratch()?;
        let path = lines_of(&project.folder, &output);
        std::fs::write(&path, lines).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let took = began.elapsed();
    let began = Instant::now();
    let policy = load_one(
        Place::of("the module"),
        &configured(Place::of("the module"), &output.display().to_string(), None)?,
    )?;
    printer::note(&format!(
        "{}: {} {}, {} KiB, built in {took:.1?}, compiled and loaded in {:.1?}\n  sha256 {}",
        output.display(),
        policy.module.description().name,
        policy.module.description().version,
        module.len().div_ceil(1024),
        began.elapsed(),
        policy.module.digest(),
    ));
    Ok(())
}

/// The name of a project's module: that of its folder.
pub(super) fn module_name(project: &Path) -> anyhow::Result<String> {
    let whole = std::path::absolute(project)
        .and_then(|path| path.canonicalize())
        .with_context(|| format!("there is no folder {}", project.display()))?;
    whole
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .ok_or_else(|| anyhow!("{} has no name; give the module one with --output", project.display()))
}

impl Project {
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("there is no folder {}; name the project's folder", folder.display()))?;
        let own = folder.join("policy.wit");
        let contract = if own.is_file() {
            steadfast_files::read_text(&own, MAX_TEXT).with_context(|| format!("cannot read {}", own.display()))?
        } else {
            steadfast_wit::POLICY_WIT.to_owned()
        };
        Ok(Self { folder, contract })
    }

    /// The folder for what the tools make, made if need be.
    fn scratch(&self) -> anyhow::Result<PathBuf> {
        let scratch = self.folder.join("build");
        std::fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
        Ok(scratch)
    }

    /// The contract as a file, for tools that read one.
    fn contract_file(&self) -> anyhow::Result<PathBuf> {
        let path = self.scratch()?.join("policy.wit");
        std::fs::write(&path, &self.contract).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// The most that a tool may make, in bytes: what is left of it as a module holds less.
const MAX_MADE: usize = 256 << 20;

/// What a tool made.
fn made(path: &Path) -> anyhow::Result<Vec<u8>> {
    steadfast_files::read(path, MAX_MADE)
        .with_context(|| format!("the tools said nothing was wrong, but made no {}", path.display()))
}
