//! A world that stays healthy, for an engine in this process.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use steadfast_core::projection::Projection;
use steadfast_core::time::Timestamp;

/// The world's process, ended with the benchmark.
pub(crate) struct World(Child);

impl Drop for World {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

pub(crate) fn start_world(jobs: usize) -> anyhow::Result<(World, String)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["world", &jobs.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the world could not be started")?;
    let out = child.stdout.take().context("the world has no standard output")?;
    let mut address = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut address)?;
    Ok((World(child), address.trim().to_owned()))
}

/// Waits until every job was confirmed, for two minutes at most.
pub(crate) async fn until_confirmed(projection: &Projection, jobs: usize) -> anyhow::Result<()> {
    until("were confirmed", jobs, || count_confirmed(projection)).await
}

/// Waits until so many jobs are what is waited for, for two minutes at most.
pub(crate) async fn until(what: &str, jobs: usize, count: impl Fn() -> usize) -> anyhow::Result<()> {
    let began = Instant::now();
    while count() < jobs {
        anyhow::ensure!(
            began.elapsed() < Duration::from_secs(120),
            "only {} of {jobs} jobs {what}",
            count()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

pub(crate) fn count_confirmed(projection: &Projection) -> usize {
    projection
        .page(None, usize::MAX, |view| view.watch.confirmed_at.is_some())
        .len()
}

/// Seconds since each job was last confirmed.
pub(crate) fn ages_of(projection: &Projection, now: Timestamp) -> Vec<f64> {
    projection
        .page(None, usize::MAX, |_| true)
        .iter()
        .filter_map(|view| view.watch.confirmed_at)
        .map(|at| now.since(at).as_secs_f64())
        .collect()
}
