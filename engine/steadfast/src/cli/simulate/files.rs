//! The stories that the command line names.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use steadfast_world::story::{Story, StoryError};

use super::super::Failure;
use crate::config::MAX_TEXT;

/// Reads them all; every mistake of every file is told at once.
pub(in crate::cli) fn read(paths: &[PathBuf]) -> Result<Vec<Story>, Failure> {
    let mut stories = Vec::new();
    let mut mistakes = Vec::new();
    for path in paths {
        let text = steadfast_files::read_text(path, MAX_TEXT)
            .with_context(|| {
                format!(
                    "the story {} cannot be read; name a file or a folder of stories",
                    path.display()
                )
            })
            .map_err(Failure::Usage)?;
        match Story::parse(&path.display().to_string(), &text) {
            Ok(story) => stories.push(story),
            Err(StoryError { mistakes: found }) => mistakes.extend(found.iter().map(ToString::to_string)),
        }
    }
    if mistakes.is_empty() {
        return Ok(stories);
    }
    Err(Failure::Usage(anyhow!(
        "a story cannot be played; Steadfast's docs/simulate.md shows how one is written and has every key, and so has \
         `steadfast simulate --schema` for editors\n{}",
        mistakes.join("\n")
    )))
}

/// The files, and for folders those in them whose names end so, in the order of their names.
pub(in crate::cli) fn paths(named: &[PathBuf], extensions: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for path in named {
        if path.is_dir() {
            paths.extend(within(path, extensions)?);
        } else {
            paths.push(path.clone());
        }
    }
    Ok(paths)
}

fn within(folder: &Path, extensions: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("the folder {} cannot be read", folder.display());
    let is_meant = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if is_meant(&path) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let kinds = match extensions {
            ["toml"] => "story; a story is a file whose name ends in .toml",
            _ => "story and no fixture; they are files whose names end in .toml and .json",
        };
        return Err(anyhow!("the folder {} holds no {kinds}", folder.display()));
    }
    paths.sort();
    Ok(paths)
}
