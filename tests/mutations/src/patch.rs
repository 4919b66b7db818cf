//! A patch: which mistake it makes, where that was seen, which test catches it, and a unified diff.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

/// One known mistake.
#[derive(Clone, Debug)]
pub struct Patch {
    /// As the file is called, without its number: what the mistake is asked for by.
    pub name: String,
    /// The mistake, in a sentence.
    pub mistake: String,
    /// Where it was made or seen.
    pub seen: String,
    /// Who catches it.
    pub catcher: Catcher,
    /// What it does to each file.
    pub edits: Vec<Edit>,
}

/// A test by its full name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Catcher {
    /// The package it is of.
    pub package: String,
    /// `lib` for tests beside the code, else the name of the test target.
    pub target: String,
    /// Its name as the test program lists it.
    pub test: String,
}

/// What a patch does to one file.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Below the workspace's root.
    pub path: PathBuf,
    /// In the order of the file.
    pub hunks: Vec<Hunk>,
}

/// Lines that give way to others.
#[derive(Clone, Debug, Default)]
pub struct Hunk {
    /// Where they began when the patch was written, counted from 1.
    pub line: usize,
    /// What has to be there.
    pub old: Vec<String>,
    /// What comes in its place.
    pub new: Vec<String>,
}

impl Patch {
    /// Reads every patch of a workspace, in the order of their numbers.
    ///
    /// # Errors
    /// If one cannot be read, or two have one name.
    pub fn all(workspace: &Path) -> Result<Vec<Self>> {
        let folder = workspace.join("tests/mutations/patches");
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        paths.sort();
        let mut patches: Vec<Self> = Vec::new();
        for path in paths {
            let patch = Self::read(&path).with_context(|| path.display().to_string())?;
            ensure!(
                patches.iter().all(|other| other.name != patch.name),
                "two patches are called {}",
                patch.name
            );
            patches.push(patch);
        }
        Ok(patches)
    }

    fn read(path: &Path) -> Result<Self> {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_patch = path.extension().is_some_and(|extension| extension == "patch");
        let name = stem.split_once('-').filter(|_| is_patch).map(|(_number, name)| name);
        let name = name.context("it is not called NN-name.patch")?;
        let text = std::fs::read_to_string(path)?;
        let (head, diff) = text.split_once("\n\n").context("no empty line behind its head")?;
        let field = |field: &str| {
            let lines = head.lines().skip_while(|line| !line.starts_with(field)).enumerate();
            let lines = lines.take_while(|(index, line)| *index == 0 || line.starts_with(' '));
            let words: Vec<&str> = lines.flat_map(|(_, line)| line.split_whitespace()).collect();
            let text = words.join(" ");
            let text = text.strip_prefix(field).map(str::trim).unwrap_or_default().to_owned();
            Some(text)
                .filter(|text| !text.is_empty())
                .with_context(|| format!("no `{field}` in its head"))
        };
        let caught = field("Caught by:")?;
        let [package, target, test] = caught.split(' ').collect::<Vec<_>>()[..] else {
            bail!("`Caught by:` is to name package, target (lib, or a test's) and test")
        };
        let guard = format!("crate::mutant(\"{name}\")");
        ensure!(diff.contains(&guard), "it does not ask `{guard}`");
        Ok(Self {
            name: name.to_owned(),
            mistake: field("Mistake:")?,
            seen: field("Seen:")?,
            catcher: Catcher {
                package: package.to_owned(),
                target: target.to_owned(),
                test: test.to_owned(),
            },
            edits: edits(diff)?,
        })
    }
}

fn edits(diff: &str) -> Result<Vec<Edit>> {
    let mut edits: Vec<Edit> = Vec::new();
    for line in diff.lines() {
        if line.starts_with("diff --git ") || line.starts_with("--- a/") {
            continue;
        }
        if let Some(path) = line.strip_prefix("+++ b/") {
            edits.push(Edit {
                path: path.into(),
                hunks: Vec::new(),
            });
            continue;
        }
        let edit = edits.last_mut().with_context(|| format!("`{line}` before any file"))?;
        if let Some(place) = line.strip_prefix("@@ -") {
            let number = place.split([',', ' ']).next().unwrap_or_default();
            let line = number.parse().with_context(|| format!("a hunk at `{place}`"))?;
            edit.hunks.push(Hunk {
                line,
                ..Hunk::default()
            });
            continue;
        }
        let hunk = edit
            .hunks
            .last_mut()
            .with_context(|| format!("`{line}` before any hunk"))?;
        match line.split_at_checked(1) {
            Some(("-", text)) => hunk.old.push(text.to_owned()),
            Some(("+", text)) => hunk.new.push(text.to_owned()),
            Some((" ", text)) => {
                hunk.old.push(text.to_owned());
                hunk.new.push(text.to_owned());
            }
            None => {
                hunk.old.push(String::new());
                hunk.new.push(String::new());
            }
            Some(_) => bail!("`{line}` is no line of a diff"),
        }
    }
    ensure!(
        edits.iter().any(|edit| !edit.hunks.is_empty()),
        "its diff changes nothing"
    );
    Ok(edits)
}
