//! The languages' own tools.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow};

use super::super::super::printer;
use super::super::language::Language;

/// How much of a failed tool's first words is shown, and how much of its last ones, in lines: the first mistake explains those that
/// follow from it.
const SHOWN: usize = 100;

/// Says which program is missing, and how to get it, before anything is begun.
pub(super) fn require(language: Language) -> anyhow::Result<()> {
    let spec = language.spec();
    match spec.programs.iter().find(|program| find(program).is_none()) {
        None => Ok(()),
        Some(missing) => Err(anyhow!(
            "a policy in {} needs `{missing}`, which is not on PATH; {}",
            spec.title,
            spec.install
        )),
    }
}

/// Where a program is.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Runs a tool to its end. What it says is shown only if it fails.
pub(super) fn run(command: &mut Command) -> anyhow::Result<()> {
    ran(command).map(drop)
}

/// Runs a compiler to its end. Its warnings are the author's, whether it fails or not.
pub(super) fn run_telling(command: &mut Command) -> anyhow::Result<()> {
    let said = ran(command)?;
    if !said.trim().is_empty() {
        printer::note(said.trim_end());
    }
    Ok(())
}

/// What a tool said that did not fail.
fn ran(command: &mut Command) -> anyhow::Result<String> {
    let line = written(command);
    printer::note(&format!("  {line}"));
    let ended = command
        // The frames of a tool's own code would push out of sight what it says.
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{line}`"))?;
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if ended.status.success() {
        return Ok(said.into_owned());
    }
    Err(anyhow!("`{line}` failed ({}):\n{}", ended.status, shortened(&said)))
}

/// What a tool said, without the middle of what is very long.
fn shortened(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let left_out = lines.len().saturating_sub(SHOWN * 2);
    if left_out == 0 {
        return lines.join("\n");
    }
    let (first, rest) = lines.split_at(SHOWN);
    let last = rest.get(left_out..).unwrap_or_default();
    let note = format!("... {left_out} lines are left out here; the command above prints them all ...");
    [first, &[note.as_str()], last].concat().join("\n")
}

/// The command as a person would type it, with the program's name alone.
fn written(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mistakes_of_a_long_list_are_shown_and_the_last_ones() {
        let said = |lines: usize| -> String { (1..=lines).map(|line| format!("line {line}\n")).collect() };
        assert_eq!(shortened(&said(200)), said(200).trim_end());
        let shown = shortened(&said(203));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!((lines[0], lines[99]), ("line 1", "line 100"));
        assert_eq!(
            lines[100],
            "... 3 lines are left out here; the command above prints them all ..."
        );
        assert_eq!((lines[101], lines[200]), ("line 104", "line 203"));
    }
}
