//! The copy of the tree with every mistake in it, and its test programs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::patch::Catcher;
use crate::tree::Tree;

/// Folders that are made, wherever they stand.
const MADE: [&str; 4] = ["target", ".git", "node_modules", "__pycache__"];

/// A program that has tests, and where it is to be run.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Its package's folder.
    pub folder: PathBuf,
}

/// Test programs by package and target.
pub type Programs = BTreeMap<(String, String), Program>;

/// Writes the tree to a folder. What is the same already stays as it is, so that it need not be built again.
///
/// # Errors
/// If a file cannot be read or written.
pub fn lay_out(workspace: &Path, tree: &Tree, to: &Path) -> Result<()> {
    let mut files = Vec::new();
    collect(workspace, Path::new(""), &mut files)?;
    for path in &files {
        let (from, to) = (workspace.join(path), to.join(path));
        let is_touched = tree.touched().get(path);
        let due = is_touched.map_or_else(|| fs::read(&from), |text| Ok(text.clone().into_bytes()))?;
        if fs::read(&to).is_ok_and(|is| is == due) {
            continue;
        }
        let folder = to.parent().unwrap_or(&to);
        fs::create_dir_all(folder)?;
        if is_touched.is_some() {
            fs::write(&to, due)?;
        } else {
            fs::copy(&from, &to)?;
            let written = fs::metadata(&from)?.modified()?;
            fs::File::options().append(true).open(&to)?.set_modified(written)?;
        }
    }
    let mut there = Vec::new();
    collect(to, Path::new(""), &mut there)?;
    for path in there.iter().filter(|path| !files.contains(path)) {
        fs::remove_file(to.join(path))?;
    }
    Ok(())
}

fn collect(root: &Path, below: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if !MADE.iter().any(|made| entry.file_name() == *made) {
                collect(root, &path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Builds the test programs that these tests are in. Cargo's own words go to standard error.
///
/// # Errors
/// If it does not compile, or a program is not there.
pub fn build<'a>(tree: &Path, to: &Path, catchers: impl Iterator<Item = &'a Catcher>) -> Result<Programs> {
    let mut targets: Vec<&str> = catchers.map(|catcher| catcher.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    let mut command = Command::new("cargo");
    command.args([
        "test",
        "--workspace",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ]);
    for target in targets {
        match target {
            "lib" => command.arg("--lib"),
            named => command.args(["--test", named]),
        };
    }
    command
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", to)
        .stderr(Stdio::inherit());
    let output = command.output().context("cargo")?;
    ensure!(
        output.status.success(),
        "the tree with all mistakes in it does not compile: mend the patch that cargo shows, below {}",
        tree.display()
    );
    let messages = std::str::from_utf8(&output.stdout)?
        .lines()
        .map(serde_json::from_str::<Value>);
    let messages: Vec<Value> = messages.collect::<Result<_, _>>()?;
    Ok(messages.iter().filter_map(program).collect())
}

/// The test program that a message of cargo's tells of.
fn program(message: &Value) -> Option<((String, String), Program)> {
    let path = message.get("executable")?.as_str()?.into();
    message
        .get("profile")?
        .get("test")?
        .as_bool()
        .filter(|is_test| *is_test)?;
    let target = message.get("target")?;
    let kind = target.get("kind")?.as_array()?.first()?.as_str()?;
    let target = match kind {
        "test" => target.get("name")?.as_str()?,
        "bin" => return None,
        _ => "lib",
    };
    let folder = Path::new(message.get("manifest_path")?.as_str()?).parent()?.to_owned();
    // `path+file:///folder#name@version`, and `...#version` where the folder has the package's name.
    let (_, id) = message.get("package_id")?.as_str()?.rsplit_once('#')?;
    let package = match id.split_once('@') {
        Some((name, _version)) => name,
        None => folder.file_name()?.to_str()?,
    };
    Some(((package.to_owned(), target.to_owned()), Program { path, folder }))
}
