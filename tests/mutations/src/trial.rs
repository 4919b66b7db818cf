//! One test, without any mistake or with one.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::process::Command;
use tokio::time::timeout;

use crate::workbench::Program;

/// No test takes as long; one that does waits for something that does not come.
const LIMIT: Duration = Duration::from_secs(180);

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passed.
    Passed,
    /// It failed for what it asserts, in these words.
    Failed(String),
    /// Anything else: it was not there, the program ended otherwise, or not at all. Nothing is shown by that.
    Void(String),
}

/// A verdict, how long it took, and all that was said.
#[derive(Clone, Debug)]
pub struct Trial {
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// What the program wrote.
    pub said: String,
}

/// Runs one test of a program.
///
/// # Errors
/// If the program cannot be run.
pub async fn run(program: &Program, test: &str, mutant: Option<&str>) -> Result<Trial> {
    let mut command = Command::new(&program.path);
    command
        .args(["--exact", test, "--test-threads=1"])
        .current_dir(&program.folder)
        .env("CARGO_MANIFEST_DIR", &program.folder)
        .env("RUST_BACKTRACE", "0")
        .env_remove("STEADFAST_MUTANT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(name) = mutant {
        command.env("STEADFAST_MUTANT", name);
    }
    let began = Instant::now();
    let child = command.spawn().with_context(|| program.path.display().to_string())?;
    let Ok(output) = timeout(LIMIT, child.wait_with_output()).await else {
        return Ok(Trial {
            verdict: Verdict::Void(format!("it did not end within {} s", LIMIT.as_secs())),
            took: began.elapsed(),
            said: String::new(),
        });
    };
    let output = output?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    Ok(Trial {
        verdict: judge(output.status.code(), &said),
        took: began.elapsed(),
        said,
    })
}

fn judge(code: Option<i32>, said: &str) -> Verdict {
    let has = |counts: &str| {
        said.lines()
            .any(|line| line.starts_with("test result:") && line.contains(counts))
    };
    if code == Some(0) && has(" 1 passed; 0 failed;") {
        return Verdict::Passed;
    }
    if code == Some(101) && has(" 0 passed; 1 failed;") {
        return match words(said) {
            Some(words) => Verdict::Failed(words),
            None => Verdict::Void("it failed without an assertion".to_owned()),
        };
    }
    Verdict::Void(format!("no verdict on one test, exit code {code:?}"))
}

/// What an assertion said, or a panic in a test, or what a story expected in vain.
fn words(said: &str) -> Option<String> {
    let broken = said.lines().find(|line| line.starts_with("broken at "));
    let mut panics = said.lines().zip(said.lines().skip(1));
    let asserted = panics.find(|(place, words)| {
        place.contains(" panicked at ") && (words.starts_with("assertion ") || is_of_test(place))
    });
    broken.or(asserted.map(|(_, words)| words)).map(str::to_owned)
}

/// Whether a line tells of a panic in a test: not of one in what it tests, nor of a bare `unwrap`.
fn is_of_test(line: &str) -> bool {
    let Some((_, place)) = line.split_once(" panicked at ") else {
        return false;
    };
    let mut parts = place.split(':');
    let (Some(path), Some(number)) = (
        parts.next(),
        parts.next().and_then(|number| number.parse::<usize>().ok()),
    ) else {
        return false;
    };
    if path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("/tests.rs") {
        return true;
    }
    let text = std::fs::read_to_string(crate::copy().join(path)).unwrap_or_default();
    let begin = text.lines().position(|line| line.trim() == "#[cfg(test)]");
    begin.is_some_and(|begin| begin < number)
}
