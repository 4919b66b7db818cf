//! The workspace's files with patches applied, in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::patch::{Hunk, Patch};

/// What the mistakes ask, in each crate that has one. The product has nothing of it.
const QUESTION: &str = r#"
/// Whether that mistake is made in this process.
#[allow(dead_code)]
pub(crate) fn mutant(name: &str) -> bool {
    static MADE: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    MADE.get_or_init(|| std::env::var("STEADFAST_MUTANT").ok()).as_deref() == Some(name)
}
"#;

/// The files of a workspace. Those that a patch has touched are held; the others are as they are on disk.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    touched: BTreeMap<PathBuf, String>,
}

impl Tree {
    /// The files below a root.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            touched: BTreeMap::new(),
        }
    }

    /// What was touched, below the root.
    #[must_use]
    pub fn touched(&self) -> &BTreeMap<PathBuf, String> {
        &self.touched
    }

    /// Applies a patch. Lines may have moved, and must not have changed.
    ///
    /// # Errors
    /// If a file is not there, or does not have the lines that the patch changes: then it says what to do.
    pub fn apply(&mut self, patch: &Patch) -> Result<()> {
        for edit in &patch.edits {
            let text = self.text(&edit.path)?;
            let patched = patched(&text, &edit.hunks).with_context(|| {
                format!(
                    "patch {} does not apply to {} any more. Make the same mistake in the code as it is now, put `git diff -U2` of it \
                     below the patch's head, and take it back (tests/mutations/README.md)",
                    patch.name,
                    edit.path.display()
                )
            })?;
            self.touched.insert(edit.path.clone(), patched);
        }
        Ok(())
    }

    /// Adds to each crate that was touched what its mistakes ask.
    ///
    /// # Errors
    /// If a touched file is of no crate with a `src/lib.rs`.
    pub fn answer(&mut self) -> Result<()> {
        let mut roots: Vec<PathBuf> = Vec::new();
        for path in self.touched.keys() {
            let mut folders = path.ancestors().skip(1);
            let of_crate = folders.find(|folder| self.root.join(folder).join("Cargo.toml").is_file());
            let of_crate = of_crate.with_context(|| format!("{} is of no crate", path.display()))?;
            roots.push(of_crate.join("src/lib.rs"));
        }
        roots.sort();
        roots.dedup();
        for path in roots {
            let text = self.text(&path)? + QUESTION;
            self.touched.insert(path, text);
        }
        Ok(())
    }

    fn text(&self, path: &Path) -> Result<String> {
        if let Some(text) = self.touched.get(path) {
            return Ok(text.clone());
        }
        std::fs::read_to_string(self.root.join(path)).with_context(|| path.display().to_string())
    }
}

fn patched(text: &str, hunks: &[Hunk]) -> Result<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut begin = 0;
    let mut moved = 0;
    for hunk in hunks {
        let due = hunk.line.saturating_sub(1).saturating_add_signed(moved);
        let is_here = |at: &usize| lines.get(*at..*at + hunk.old.len()) == Some(&hunk.old);
        let at = (begin..lines.len()).filter(is_here).min_by_key(|at| at.abs_diff(due));
        let at = at.with_context(|| {
            format!(
                "these lines, then at {}, are not there:\n{}",
                hunk.line,
                hunk.old.join("\n")
            )
        })?;
        moved += at.cast_signed() - due.cast_signed() + hunk.new.len().cast_signed() - hunk.old.len().cast_signed();
        begin = at + hunk.new.len();
        lines.splice(at..at + hunk.old.len(), hunk.new.iter().cloned());
    }
    Ok(lines.join("\n") + "\n")
}
