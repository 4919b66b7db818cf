//! Programs against worlds, one after the other, and what came of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::growth::growth;
use super::phases::{Lengths, Load, PHASES};
use super::report::{HEAD, Machine, Report, Run};
use super::world::WorldOptions;

/// The phase of a world of its own.
const SESSION: &str = "session";
/// Jobs that run in the session cluster, and all that it lists.
const SESSION_JOBS: [usize; 2] = [5_000, 50_000];

/// How `load` is run.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How many jobs, each with a Flink of its own; several numbers are measured one after the other.
    #[arg(required = true)]
    jobs: Vec<usize>,
    /// The engine's program; several are measured by turns.
    #[arg(long, default_value = "target/release/steadfast")]
    engine: Vec<PathBuf>,
    /// How long each phase is measured, but for the outage.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How long nobody answers.
    #[arg(long, default_value_t = 60)]
    outage: u64,
    /// So many jobs in a million restart or are replaced each second of the churn.
    #[arg(long, default_value_t = 2500)]
    churn: u32,
    /// These phases alone; `session` is a world of its own, a cluster of 5,000 running and 50,000 listed jobs.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The figures as JSON, into a file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Keeps the engine's folders, with their logs and stores.
    #[arg(long)]
    keep: bool,
}

/// Runs all of it and prints what it gave.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
pub async fn run(options: Options) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let known = |name: &String| PHASES.contains(&name.as_str()) || name == SESSION;
    if let Some(unknown) = options.only.iter().find(|name| !known(name)) {
        anyhow::bail!(
            "there is no phase `{unknown}`: there are {}, {SESSION}",
            PHASES.join(", ")
        );
    }
    let mut report = Report {
        date: jiff::Timestamp::now().strftime("%F").to_string(),
        machine: Machine::here()?,
        runs: Vec::new(),
        growth: Vec::new(),
    };
    let lengths = Lengths {
        measured: Duration::from_secs(options.seconds),
        outage: Duration::from_secs(options.outage),
        settles: Duration::from_secs(15),
        churn: options.churn,
    };
    let is_asked = |phase: &str| options.only.is_empty() || options.only.iter().any(|only| only == phase);
    let phases: Vec<&str> = PHASES.into_iter().filter(|phase| is_asked(phase)).collect();
    for jobs in &options.jobs {
        for program in &options.engine {
            let world = WorldOptions::fleet(*jobs);
            report
                .runs
                .push(measured(program, world, &phases, lengths, options.keep).await?);
        }
    }
    report.growth = growth(&report.runs);
    for grown in &report.growth {
        println!(
            "{:20} {:12} {:14} grows with jobs^{:.2}",
            grown.engine, grown.phase, grown.figure, grown.exponent
        );
    }
    if is_asked(SESSION) {
        let [running, listed] = SESSION_JOBS;
        let world = WorldOptions {
            jobs: 1,
            listed,
            running,
        };
        for program in &options.engine {
            report
                .runs
                .push(measured(program, world, &["steady"], lengths, options.keep).await?);
        }
    }
    match &options.json {
        Some(file) => report.write(file),
        None => Ok(()),
    }
}

/// One program against one world.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
pub async fn measured(
    program: &Path,
    world: WorldOptions,
    phases: &[&str],
    lengths: Lengths,
    keep: bool,
) -> anyhow::Result<Run> {
    let folder = tempfile::tempdir()?;
    let program = std::fs::canonicalize(program).with_context(|| {
        format!(
            "{}: build it with --release, or name one with --engine",
            program.display()
        )
    })?;
    let engine = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let session = (world.listed > 0).then_some([world.running, world.listed]);
    match session {
        Some([running, listed]) => println!("{engine}: a session cluster, {running} of {listed} jobs run\n{HEAD}"),
        None => println!("{engine}: {} jobs\n{HEAD}", world.jobs),
    }
    ensure!(world.jobs > 0, "a fleet has a job at least");
    let mut load = Load::start(&program, folder.path(), world, lengths).await?;
    for phase in phases {
        load.run(phase).await?;
    }
    let (phases, stopped_after) = load.stop().await?;
    println!("stopped after {stopped_after:.2} s");
    if keep {
        println!("kept in {}", folder.keep().display());
    }
    Ok(Run {
        engine,
        jobs: world.jobs.max(world.listed),
        session,
        phases,
        stopped_after,
    })
}
