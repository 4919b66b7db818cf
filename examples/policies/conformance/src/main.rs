//! Holds the same policy in several languages to the same conduct: `examples/policies/conformance/run`.
//!
//! The arguments are modules, the reference first. Each plays the stories, decides the snapshots as the reference does, and
//! takes and refuses the same parameters. The table says how many of each it did; what it did otherwise stands below.

#![allow(clippy::print_stdout)]

mod decisions;
mod parameters;
mod stories;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits};

use verdict::Verdict;

/// How many differences of one kind are shown.
const SHOWN: usize = 5;

fn main() -> anyhow::Result<ExitCode> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let reference = paths
        .first()
        .context("name the modules to compare, the reference first")?;
    let loader = Loader::new()?;
    let expected = decisions::of(&mut loader.load(reference, "{}")?)?;
    let told = stories::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("stories"))?;

    let mut table = Table::new();
    table
        .load_style(ASCII_MARKDOWN)
        .set_header(["language", "stories", "decisions", "parameters"]);
    let mut differences = String::new();
    for path in &paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let policy = loader.load(path, "{}")?;
        let verdicts = [
            stories::play_all(&told, &policy)?,
            decisions::compare(&mut policy.another(), &expected)?,
            parameters::compare(&loader, path),
        ];
        let cells = verdicts.iter().map(Verdict::to_string);
        table.add_row(std::iter::once(name.to_string()).chain(cells));
        for difference in verdicts
            .iter()
            .flat_map(|verdict| verdict.differences.iter().take(SHOWN))
        {
            differences.push_str(&format!("{name}: {difference}\n"));
        }
    }
    println!("{table}");
    print!("{differences}");
    Ok(if differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Loads modules within the limits that a configuration has unless it says otherwise.
struct Loader {
    engine: PolicyEngine,
}

impl Loader {
    fn new() -> anyhow::Result<Self> {
        let cache = std::env::temp_dir().join("steadfast-conformance");
        let engine = PolicyEngine::new(Some(&cache))?;
        Ok(Self { engine })
    }

    fn load(&self, module: &Path, params: &str) -> anyhow::Result<Policy> {
        let bytes = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
        Ok(self.engine.load("starter", &bytes, params, PolicyLimits::default())?)
    }
}
