//! The figures of a run, for people and for programs.

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::baseline::BASELINE;
use super::engine::Usage;
use super::growth::Growth;
use super::world::Counts;

/// All that was measured in one go.
#[derive(Debug, Deserialize, Serialize)]
pub struct Report {
    /// When it began.
    pub date: String,
    pub machine: Machine,
    pub runs: Vec<Run>,
    pub growth: Vec<Growth>,
}

/// On what it was measured.
#[derive(Debug, Deserialize, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_mib: u64,
    pub kernel: String,
    /// The commit of the checkout that the benchmark was started in.
    pub commit: String,
}

impl Machine {
    /// This one.
    pub fn here() -> anyhow::Result<Self> {
        let line = |file: &str, name: &str| -> anyhow::Result<String> {
            let text = std::fs::read_to_string(file).with_context(|| file.to_owned())?;
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let value = line.unwrap_or_default().trim_start_matches([' ', '\t', ':']);
            Ok(value.to_owned())
        };
        let commit = std::process::Command::new("git")
            .args(["rev-parse", "--short", "HEAD"])
            .output();
        let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let memory = line("/proc/meminfo", "MemTotal")?;
        Ok(Self {
            processor: line("/proc/cpuinfo", "model name")?,
            cores: std::thread::available_parallelism()?.get(),
            memory_mib: memory.trim_end_matches(" kB").parse::<u64>()? / 1024,
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            commit: commit.unwrap_or_default(),
        })
    }
}

/// One program against one world.
#[derive(Debug, Deserialize, Serialize)]
pub struct Run {
    /// The program's file name.
    pub engine: String,
    pub jobs: usize,
    /// So many of them run in one session cluster, whose Flink lists so many; none: each has a Flink of its own.
    pub session: Option<[usize; 2]>,
    pub phases: Vec<Phase>,
    /// What it took to stop, in seconds.
    pub stopped_after: f64,
}

impl Run {
    /// The phase of that name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }
}

/// What is measured in one phase alone.
#[derive(Debug, Deserialize, Serialize)]
pub struct Figure {
    pub what: String,
    pub value: f64,
    pub unit: String,
}

impl Figure {
    pub fn new(what: &str, value: f64, unit: &str) -> Self {
        Self {
            what: what.to_owned(),
            value,
            unit: unit.to_owned(),
        }
    }

    /// So many seconds.
    pub fn seconds(what: &str, value: f64) -> Self {
        Self::new(what, value, "s")
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, value, unit } = self;
        match unit.as_str() {
            "" => write!(f, "{what} {value:.0}"),
            unit => write!(f, "{what} {value:.2} {unit}"),
        }
    }
}

impl Report {
    /// Writes it down for programs.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(file, text).with_context(|| file.display().to_string())
    }
}

/// What a phase cost, and what it gave.
#[derive(Debug, Deserialize, Serialize)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// How long it was measured, in seconds.
    pub seconds: f64,
    /// The share of one core that the engine used.
    pub cores: f64,
    /// Polls that the Flinks counted: the engine's, and in the phase `baseline` the baseline's.
    pub polls: u64,
    /// Processor time of who polled for each, in microseconds.
    pub cpu_us_a_poll: f64,
    /// The busiest second's polls, to those of the mean; of a phase of a few seconds nothing.
    pub busiest: Option<f64>,
    /// The age of the confirmation that one in two jobs exceeds at the end, in seconds.
    pub age_p50: Option<f64>,
    /// The same of one in a hundred, at its worst moment.
    pub age_p99: Option<f64>,
    /// Resident memory at the end, in MiB.
    pub resident_mib: f64,
    /// Files and connections at the end.
    pub files: usize,
    /// The store with its log at the end, in MiB.
    pub store_mib: f64,
    /// What was asked of the API server.
    pub lists: u32,
    pub pages: u32,
    pub gets: u32,
    pub watches: u32,
    pub others: u32,
    /// What happened to jobs.
    pub changes: u32,
    /// What is measured in this phase alone.
    pub figures: Vec<Figure>,
}

impl Phase {
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn new(name: &str, seconds: f64, before: Usage, after: Usage, counts: Counts) -> Self {
        let spent = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        let seconds_polls = if name == BASELINE {
            counts.baseline_polls
        } else {
            counts.polls
        };
        let polls: u64 = seconds_polls.iter().copied().map(u64::from).sum();
        // The last second is not a whole one.
        let whole = seconds_polls.len().saturating_sub(1).max(1);
        let whole = seconds_polls.get(..whole).unwrap_or_default();
        let mean = whole.iter().copied().map(f64::from).sum::<f64>() / whole.len().max(1) as f64;
        let busiest = f64::from(whole.iter().copied().max().unwrap_or(0));
        let busiest = (whole.len() > 3).then(|| busiest / mean.max(1.0));
        Self {
            name: name.to_owned(),
            seconds,
            cores: spent / seconds,
            polls,
            cpu_us_a_poll: spent * 1e6 / (polls.max(1) as f64),
            busiest,
            age_p50: None,
            age_p99: None,
            resident_mib: after.resident as f64 / 1024.0,
            files: after.files,
            store_mib: after.store as f64 / 1024.0,
            lists: counts.lists,
            pages: counts.pages,
            gets: counts.gets,
            watches: counts.watches,
            others: counts.others,
            changes: counts.changes,
            figures: Vec::new(),
        }
    }

    /// One line for people, under [`HEAD`].
    pub fn line(&self) -> String {
        let figures: Vec<String> = self.figures.iter().map(ToString::to_string).collect();
        format!(
            "{:12} {:5.0} s {:5.2} {:7} {:6.0} us {:>5} {:>6} {:>6} {:7.0} {:6} {:7.0} {:5} {:5} {:5} {:5} {:5} {:6}  {}",
            self.name,
            self.seconds,
            self.cores,
            self.polls,
            self.cpu_us_a_poll,
            told(self.busiest),
            told(self.age_p50),
            told(self.age_p99),
            self.resident_mib,
            self.files,
            self.store_mib,
            self.lists,
            self.pages,
            self.gets,
            self.watches,
            self.others,
            self.changes,
            figures.join(", ")
        )
    }
}

fn told(figure: Option<f64>) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.2}"))
}

/// What stands over [`Phase::line`].
pub const HEAD: &str = "phase         time   cores   polls  cpu/poll  busy    p50    p99     MiB  files   store lists pages  gets watch other changes";
