//! What an engine has logged, line by line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, interval};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// An engine's log.
#[derive(Debug)]
pub struct Log {
    file: PathBuf,
}

impl Log {
    pub(crate) fn of(file: PathBuf) -> Self {
        Self { file }
    }

    /// The lines of this level that hold this text, so far.
    pub fn lines(&self, level: &str, text: &str) -> Result<Vec<String>> {
        let log = std::fs::read_to_string(&self.file).with_context(|| format!("no {}", self.file.display()))?;
        let wanted = log.lines().filter(|line| line.contains(level) && line.contains(text));
        Ok(wanted.map(str::to_owned).collect())
    }

    /// Waits until there are so many of these lines, and returns them: there may be more.
    pub async fn wait(&self, level: &str, text: &str, count: usize, limit: Duration) -> Result<Vec<String>> {
        let end = Instant::now() + limit;
        let mut looks = interval(PAUSE);
        loop {
            looks.tick().await;
            let lines = self.lines(level, text)?;
            if lines.len() >= count {
                return Ok(lines);
            }
            if Instant::now() > end {
                bail!(
                    "{} has {} of {count} {level} lines with {text:?} after {limit:?}",
                    self.file.display(),
                    lines.len()
                );
            }
        }
    }
}
