//! The account of a story: who did or showed what, and when; printed as it happens.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One story's clock and printer; clones share both.
#[derive(Clone, Debug)]
pub struct Timeline {
    begin: Instant,
    story: Arc<str>,
}

impl Timeline {
    /// Starts the clock of a story.
    #[must_use]
    pub fn begin(story: &str) -> Self {
        let timeline = Self {
            begin: Instant::now(),
            story: story.into(),
        };
        timeline.print(&format!("\n== {story}\n"));
        timeline
    }

    /// The story's name.
    #[must_use]
    pub fn story(&self) -> &str {
        &self.story
    }

    /// The time since the story began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Lets the story's clock run to this time: for how long a fault lasts, never for waiting on an effect.
    pub async fn until(&self, time: Duration) {
        tokio::time::sleep(time.saturating_sub(self.now())).await;
    }

    /// Tells what `who` did or showed just now.
    pub fn tell(&self, who: &str, what: impl AsRef<str>) {
        self.print(&format!(
            "{:8.2}s  {who:<16} {}\n",
            self.now().as_secs_f64(),
            what.as_ref()
        ));
    }

    /// Tells a measured duration; these lines are what the track record is made of.
    pub fn measured(&self, what: &str, took: Duration) {
        self.tell("measured", format!("{what}: {:.1} s", took.as_secs_f64()));
    }

    fn print(&self, line: &str) {
        // Past the test harness's capture: a story of minutes is followed while it runs.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}
