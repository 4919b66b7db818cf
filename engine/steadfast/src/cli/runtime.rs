//! The runtime of a command, on threads that are there before anything relies on them.
//!
//! Where the system lets a process start no more threads, tokio panics: while it is built, and then it waits for itself without an end;
//! and later, whenever something that may block is begun while no thread for such things is left, which is usual after ten seconds of
//! rest. So it is tried first whether there can be as many as are needed, and of those that may block some stay for good: while there
//! is one, what gets no thread of its own waits for its turn.

use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, getrlimit};
use steadfast_tasks::try_threads;
use tokio::runtime::{Builder, Runtime};

/// The most threads for what does not block: nothing here keeps more of them busy.
const MOST_WORKERS: usize = 16;
/// The most threads for what may block.
const MOST_BLOCKING: usize = 512;
/// How many of those are there from the start.
const STANDING: usize = 4;
/// Threads beside the runtime's: the log, the watch of the files, policies with what bounds their time.
const BESIDE: usize = 4;
/// Threads that were started for what may block stay.
const FOR_GOOD: Duration = Duration::from_secs(u32::MAX as u64);
/// How long it may take until those that were started have begun.
const PATIENCE: Duration = Duration::from_secs(10);

/// Builds it.
///
/// # Errors
/// If the process may not have the threads, with the limits that keep it from them.
pub(super) fn start() -> anyhow::Result<Runtime> {
    let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_WORKERS));
    let needed = workers + STANDING + BESIDE;
    try_threads(needed).with_context(|| {
        format!(
            "this process needs {needed} threads and may not start as many: {}",
            limits()
        )
    })?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(MOST_BLOCKING)
        .thread_keep_alive(FOR_GOOD)
        .enable_all()
        .build()
        .context("no runtime can be set up")?;
    stand(&runtime)?;
    Ok(runtime)
}

/// Starts the threads that stay: so many things that block at one time.
fn stand(runtime: &Runtime) -> anyhow::Result<()> {
    let (begun, begins) = mpsc::channel();
    let holds: Vec<_> = (0..STANDING)
        .map(|_| {
            let (hold, held) = mpsc::channel::<()>();
            let begun = begun.clone();
            runtime.spawn_blocking(move || {
                let _ = begun.send(());
                // Nothing is sent: it waits until the other end is dropped.
                let _ = held.recv();
            });
            hold
        })
        .collect();
    // One is enough to go on with.
    begins
        .recv_timeout(PATIENCE)
        .with_context(|| format!("no thread began its work: {}", limits()))?;
    let _others = (1..STANDING).try_for_each(|_| begins.recv_timeout(PATIENCE));
    drop(holds);
    Ok(())
}

/// What bounds the number of threads, as far as it can be told.
fn limits() -> String {
    let own = match getrlimit(Resource::Nproc).current {
        Some(most) => format!("its user may have {most} (RLIMIT_NPROC; raise `ulimit -u` or LimitNPROC=)"),
        None => "RLIMIT_NPROC sets no limit".to_owned(),
    };
    let group = match pids_max() {
        Some(most) => format!(
            "its cgroup may have {most} (pids.max; raise TasksMax=, --pids-limit or the kubelet's podPidsLimit)"
        ),
        None => "its cgroup may set another (pids.max: TasksMax=, --pids-limit, the kubelet's podPidsLimit)".to_owned(),
    };
    format!("{own}, and {group}")
}

/// The limit of the cgroup, where there is one that can be read.
fn pids_max() -> Option<u64> {
    let read = |path: String| steadfast_files::read_text(path.as_ref(), steadfast_files::SMALL).ok();
    let groups = read("/proc/self/cgroup".to_owned())?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    read(format!("/sys/fs/cgroup{}/pids.max", group.trim_end_matches('/')))?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_block_is_begun_at_once() {
        let runtime = start().unwrap();
        let all = std::sync::Arc::new(std::sync::Barrier::new(STANDING));
        let tasks: Vec<_> = (0..STANDING)
            .map(|_| {
                let all = std::sync::Arc::clone(&all);
                runtime.spawn_blocking(move || all.wait())
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).unwrap();
        }
    }

    #[test]
    fn the_limits_are_named() {
        let limits = limits();
        assert!(
            limits.contains("RLIMIT_NPROC") && limits.contains("pids.max"),
            "{limits}"
        );
    }
}
