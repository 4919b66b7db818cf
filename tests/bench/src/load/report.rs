//! The figures of a run, for people and for programs.

use serde::Serialize;

use super::engine::Usage;
use super::world::Counts;

/// What a phase cost, and what it gave.
#[derive(Debug, Serialize)]
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// How long it was measured, in seconds.
    pub seconds: f64,
    /// The share of one core that the engine used.
    pub cores: f64,
    /// Polls that the Flinks counted.
    pub polls: u64,
    /// Processor time of the engine for each, in microseconds.
    pub cpu_us_a_poll: f64,
    /// The busiest second's polls, to those of the mean.
    pub busiest: f64,
    /// The age of the confirmation that one in two, and one in a hundred, jobs exceed, in seconds, at its worst.
    pub age_p50: f64,
    pub age_p99: f64,
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
    /// What is measured in this phase alone, in seconds.
    pub times: Vec<(&'static str, f64)>,
}

impl Phase {
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn new(name: &'static str, seconds: f64, before: Usage, after: Usage, counts: Counts) -> Self {
        let spent = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        let polls: u64 = counts.polls.iter().copied().map(u64::from).sum();
        // The last second is not a whole one.
        let whole = counts.polls.len().saturating_sub(1).max(1);
        let whole = counts.polls.get(..whole).unwrap_or_default();
        let mean = whole.iter().copied().map(f64::from).sum::<f64>() / whole.len().max(1) as f64;
        let busiest = f64::from(whole.iter().copied().max().unwrap_or(0));
        Self {
            name,
            seconds,
            cores: spent / seconds,
            polls,
            cpu_us_a_poll: spent * 1e6 / (polls.max(1) as f64),
            busiest: busiest / mean.max(1.0),
            age_p50: f64::NAN,
            age_p99: f64::NAN,
            resident_mib: after.resident as f64 / 1024.0,
            files: after.files,
            store_mib: after.store as f64 / 1024.0,
            lists: counts.lists,
            pages: counts.pages,
            gets: counts.gets,
            watches: counts.watches,
            others: counts.others,
            changes: counts.changes,
            times: Vec::new(),
        }
    }

    /// One line for people, under [`HEAD`].
    pub fn line(&self) -> String {
        let times: Vec<String> = self
            .times
            .iter()
            .map(|(what, took)| format!("{what} {took:.1} s"))
            .collect();
        format!(
            "{:12} {:5.0} s {:5.2} {:7} {:6.0} us {:5.2} {:6.2} {:6.2} {:7.0} {:6} {:7.0} {:5} {:5} {:5} {:5} {:5} {:6}  {}",
            self.name,
            self.seconds,
            self.cores,
            self.polls,
            self.cpu_us_a_poll,
            self.busiest,
            self.age_p50,
            self.age_p99,
            self.resident_mib,
            self.files,
            self.store_mib,
            self.lists,
            self.pages,
            self.gets,
            self.watches,
            self.others,
            self.changes,
            times.join(", ")
        )
    }
}

/// What stands over [`Phase::line`].
pub const HEAD: &str = "phase         time   cores   polls  cpu/poll  busy    p50    p99     MiB  files   store lists pages  gets watch other changes";
