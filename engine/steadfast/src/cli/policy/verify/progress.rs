//! How an exploration goes: a line for each depth, now and then a word to the person at the terminal, and its own memory's bound.

use std::path::Path;
use std::time::{Duration, Instant};

use steadfast_verify::{DepthReport, Observer, Progress};

use super::super::super::age::short;
use super::super::super::printer::{self, PrintError};
use super::interrupt::Interrupt;

/// How often the person at the terminal is told.
const TOLD_EACH: Duration = Duration::from_secs(5);
/// How often the memory is looked at.
const LOOKED_EACH: Duration = Duration::from_millis(200);

/// Tells how it goes, and ends it where it takes too much.
pub(super) struct Watching {
    /// Whether each depth is a line on standard output: a document is printed at the end.
    prints: bool,
    /// Each depth that is done, with how long it took.
    depths: Vec<(DepthReport, Duration)>,
    last_depth: u32,
    /// In bytes.
    limit: u64,
    depth_began: Instant,
    /// How long the depth before took.
    took: Duration,
    told: Instant,
    looked: Instant,
    /// How many were done when it was told.
    done: usize,
    is_over: bool,
    interrupt: Interrupt,
    printed: Result<(), PrintError>,
}

impl Watching {
    pub(super) fn new(last_depth: u32, limit: u64, interrupt: Interrupt, prints: bool) -> Self {
        let now = Instant::now();
        Self {
            prints,
            depths: Vec::new(),
            last_depth,
            limit,
            depth_began: now,
            took: Duration::ZERO,
            told: now,
            looked: now,
            done: 0,
            is_over: false,
            interrupt,
            printed: Ok(()),
        }
    }

    /// The depths that are done, or why standard output could not be written.
    pub(super) fn printed(self) -> Result<Vec<(DepthReport, Duration)>, PrintError> {
        self.printed.map(|()| self.depths)
    }
}

impl Observer for Watching {
    fn depth(&mut self, report: DepthReport) {
        let took = self.depth_began.elapsed();
        self.depths.push((report, took));
        if self.prints && self.printed.is_ok() {
            self.printed = printer::data(&depth_line(report, took));
        }
        let before = std::mem::replace(&mut self.took, took);
        if report.depth < self.last_depth
            && let Some(next) = expected(before, took)
        {
            printer::progress(&format!("depth {} will take about {}", report.depth + 1, short(next)));
        }
        self.depth_began = Instant::now();
        (self.told, self.done) = (self.depth_began, 0);
    }

    fn goes_on(&mut self, progress: Progress) -> bool {
        if self.looked.elapsed() >= LOOKED_EACH {
            self.looked = Instant::now();
            self.is_over |= resident().is_some_and(|bytes| bytes > self.limit);
        }
        let since = self.told.elapsed();
        if since >= TOLD_EACH {
            let pace = (progress.done.saturating_sub(self.done)) as f64 / since.as_secs_f64();
            let left = progress.of.saturating_sub(progress.done) as f64 / pace.max(1.0);
            printer::progress(&format!(
                "depth {}: {} of {} states gone on from, {pace:.0} a second, about {} more",
                progress.depth + 1,
                progress.done,
                progress.of,
                short(Duration::from_secs_f64(left))
            ));
            (self.told, self.done) = (Instant::now(), progress.done);
        }
        !self.is_over && !self.interrupt.came()
    }

    fn breaks(&mut self, law: &str) {
        if self.prints && self.printed.is_ok() {
            self.printed = printer::data(&format!("BROKEN: {law}; how is told when the exploration is over\n"));
        }
    }
}

fn depth_line(depth: DepthReport, took: Duration) -> String {
    let left = if depth.left > 0 {
        format!(", {} not gone on from", depth.left)
    } else {
        String::new()
    };
    format!(
        "depth {:>2}: {:>9} states, {:>10} looks, {:>10} merged, {:>6.1} s{left}\n",
        depth.depth,
        depth.states,
        depth.transitions,
        depth.merged,
        took.as_secs_f64()
    )
}

/// How long the next depth will take, by how much longer than the one before the last one took; nothing is said of what is short.
fn expected(before: Duration, last: Duration) -> Option<Duration> {
    let growth = last.as_secs_f64() / before.as_secs_f64().max(0.001);
    let next = last.mul_f64(growth.clamp(1.0, 100.0));
    (next >= Duration::from_secs(1)).then_some(next)
}

/// How much memory this process has, in bytes, where the system tells.
fn resident() -> Option<u64> {
    const MOST: usize = 64 * 1024;
    let status = steadfast_files::read_text(Path::new("/proc/self/status"), MOST).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exploration_ends_at_its_bound() {
        let progress = Progress {
            depth: 1,
            done: 1,
            of: 2,
        };
        let early = Instant::now().checked_sub(LOOKED_EACH).unwrap();
        let with = |limit| {
            let mut watching = Watching::new(8, limit, Interrupt::default(), true);
            watching.looked = early;
            watching.goes_on(progress)
        };
        assert!(with(u64::MAX));
        if resident().is_some() {
            assert!(!with(1));
        }
    }
}
