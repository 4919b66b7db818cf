//! Holds a job's JobMaster up, by a file that the kit's job looks for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use cluster_tests::story::Story;
use tokio::time::{Instant, interval};

/// The file that holds a job's JobMaster up while it exists; gone with this value.
#[derive(Debug)]
pub struct Stall {
    file: PathBuf,
    name: String,
}

impl Stall {
    /// Nothing is held up yet.
    pub fn new(data: &Path, name: &str) -> Result<Self> {
        let folder = data.join("stall");
        std::fs::create_dir_all(&folder)?;
        let stall = Self {
            file: folder.join(name),
            name: name.to_owned(),
        };
        stall.remove();
        Ok(stall)
    }

    /// The file's path as Flink's containers see it.
    pub fn inside(&self) -> String {
        format!("/flink-data/stall/{}", self.name)
    }

    /// Holds the JobMaster up; returns once it is, since when it answers nobody.
    ///
    /// It is from the next checkpoint on, and its tasks may just be starting.
    pub async fn begin(&self, story: &Story, limit: Duration) -> Result<Duration> {
        std::fs::write(&self.file, "")?;
        let end = Instant::now() + limit;
        let mut looks = interval(Duration::from_millis(100));
        while !self.held().exists() {
            looks.tick().await;
            if Instant::now() > end {
                bail!("the JobMaster of {} is not held up after {limit:?}", self.name);
            }
        }
        story
            .timeline
            .tell("world", format!("the JobMaster of {} answers nobody", self.name));
        Ok(story.timeline.now())
    }

    /// Lets it go on.
    pub fn end(&self, story: &Story) -> Result<()> {
        std::fs::remove_file(&self.file)?;
        story
            .timeline
            .tell("world", format!("the JobMaster of {} answers again", self.name));
        Ok(())
    }

    fn held(&self) -> PathBuf {
        self.file.with_extension("held")
    }

    fn remove(&self) {
        // Most often there are none.
        let _ = std::fs::remove_file(&self.file);
        let _ = std::fs::remove_file(self.held());
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        self.remove();
    }
}
