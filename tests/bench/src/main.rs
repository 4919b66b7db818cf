//! Measures the engine against a fleet of loopback Flinks and one Kubernetes API.
//!
//!     cargo run --release -p bench -- load 1000 3000 10000
//!     cargo run --release -p bench -- guard
//!     cargo run --release -p bench -- reload-soak
//!     cargo run --release -p bench -- storm
//!     cargo run --release -p bench -- decide
//!     cargo run --release -p bench -- path
//!
//! The world runs in a process of its own, so that CPU and memory are the engine's alone.

mod decide;
/// Modules written by hand, as the tests of the host have them.
#[allow(dead_code, clippy::unwrap_used)]
#[path = "../../../engine/host/tests/it/guest.rs"]
mod guest;
mod healthy;
mod load;
mod measure;
mod path;
mod reload;
mod storm;
mod world;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(about = "Measures the engine against a fleet of loopback Flinks and one Kubernetes API")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Replaces the policies a thousand times while the engine works, and fails if anything of them stays.
    ReloadSoak {
        /// How many jobs.
        #[arg(long, default_value_t = 200)]
        jobs: usize,
        /// How many reloads.
        #[arg(long, default_value_t = 1000)]
        reloads: usize,
    },
    /// Watches a hundred jobs beside policies that loop or take their time, and fails if they pay for it.
    Storm {
        /// How many jobs those policies are for.
        #[arg(long, default_value_t = 1000)]
        jobs: usize,
        /// How long each is measured.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// Measures the engine's program against a fleet that is calm, hangs, goes dark, heals and churns.
    Load(load::Options),
    /// Prints the tables of figures that `load --json` wrote.
    Table {
        /// The figures.
        file: std::path::PathBuf,
    },
    /// Holds two fleets to ratios and counts, and fails if one exceeds them.
    Guard(load::GuardOptions),
    /// Compares a decision here with the same one in a plain component host.
    Decide,
    /// Measures each step of a decision, commits of several sizes, and what dropping old rows holds up.
    Path,
    /// The baseline of `load`, which starts it.
    #[command(hide = true)]
    LoadBaseline {
        /// Where the world's API server is.
        world: String,
    },
    /// Serves the world of `load`, which starts it.
    #[command(hide = true)]
    LoadWorld(load::WorldOptions),
    /// Serves a healthy world; `reload-soak` and `storm` start it.
    #[command(hide = true)]
    World {
        /// How many jobs.
        jobs: usize,
    },
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match Arguments::parse().command {
        Command::ReloadSoak { jobs, reloads } => runtime.block_on(reload::soak(jobs, reloads)),
        Command::Storm { jobs, seconds } => runtime.block_on(storm::run(jobs, std::time::Duration::from_secs(seconds))),
        Command::Load(options) => runtime.block_on(until_stopped(load::run(options))),
        Command::LoadBaseline { world } => runtime.block_on(load::serve_baseline(&world)),
        Command::LoadWorld(options) => runtime.block_on(load::serve(options)),
        Command::Table { file } => load::print_tables(&file),
        Command::Guard(options) => runtime.block_on(until_stopped(load::guard(options))),
        Command::Decide => decide::run(),
        Command::Path => runtime.block_on(path::run()),
        Command::World { jobs } => runtime.block_on(world::serve(jobs)),
    }
}

/// Ends with a signal too, and drops what was started: the processes of others end with what is dropped.
async fn until_stopped(measured: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        done = measured => done,
        _ = stop.recv() => anyhow::bail!("stopped"),
        _ = interrupt.recv() => anyhow::bail!("interrupted"),
    }
}
