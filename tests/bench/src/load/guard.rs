//! What CI holds a fleet to: figures of one run against others of the same run, and counts. None is a number of seconds, which would
//! say more of the machine than of the program.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::baseline::BASELINE;
use super::phases::Lengths;
use super::report::{Phase, Run};
use super::run::measured;
use super::world::WorldOptions;

/// A small fleet and a larger one.
const SIZES: [usize; 2] = [250, 1000];
const PHASES: [&str; 3] = ["steady", "churn", BASELINE];
const LENGTHS: Lengths = Lengths {
    measured: Duration::from_secs(20),
    outage: Duration::ZERO,
    settles: Duration::from_secs(8),
    churn: 2500,
};

/// How `guard` is run.
#[derive(Clone, Debug, clap::Args)]
pub struct GuardOptions {
    /// The engine's program, of the same profile as this one.
    #[arg(long, default_value = "target/debug/steadfast")]
    engine: PathBuf,
}

/// What must not be exceeded.
struct Bound {
    what: &'static str,
    /// By a wide margin what was measured when the bound was set, and well below what the mistake costs that it is to find.
    most: f64,
    measured: f64,
}

/// Measures two fleets; an error if one exceeds a bound.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
pub async fn guard(options: GuardOptions) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut runs = Vec::new();
    for jobs in SIZES {
        let world = WorldOptions::fleet(jobs);
        runs.push(measured(&options.engine, world, &PHASES, LENGTHS, false).await?);
    }
    let [small, large] = runs.as_slice() else {
        anyhow::bail!("two fleets were to be measured");
    };
    let mut exceeded = Vec::new();
    for Bound { what, most, measured } in bounds(small, large)? {
        println!("{what:60} {measured:6.2}, at most {most}");
        // A figure that is not a number was not measured.
        if measured.is_nan() || measured > most {
            exceeded.push(what);
        }
    }
    ensure!(exceeded.is_empty(), "too much: {}", exceeded.join("; "));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn bounds(small: &Run, large: &Run) -> anyhow::Result<Vec<Bound>> {
    let of = |run: &'_ Run, name| -> anyhow::Result<Figures> {
        let phase = run
            .phase(name)
            .with_context(|| format!("the phase {name} was not measured"))?;
        Ok(Figures::of(phase))
    };
    let (small_steady, steady) = (of(small, "steady")?, of(large, "steady")?);
    let (churn, baseline) = (of(large, "churn")?, of(large, BASELINE)?);
    let more_jobs = (large.jobs - small.jobs) as f64;
    Ok(vec![
        Bound {
            what: "processor time of a poll, to the baseline's",
            most: 6.0,
            measured: steady.cpu / baseline.cpu,
        },
        Bound {
            what: "the same of a thousand jobs, to that of 250",
            most: 1.0,
            measured: steady.cpu / small_steady.cpu,
        },
        Bound {
            what: "the same while jobs restart, to when nothing happens",
            most: 2.5,
            measured: churn.cpu / steady.cpu,
        },
        Bound {
            what: "polls of the busiest second, to the mean",
            most: 1.5,
            measured: steady.busiest,
        },
        Bound {
            what: "lists of a cluster while jobs restart, in all",
            most: 4.0,
            measured: churn.lists,
        },
        Bound {
            what: "memory of a further job, in KiB",
            most: 60.0,
            measured: (steady.resident_mib - small_steady.resident_mib) * 1024.0 / more_jobs,
        },
        Bound {
            what: "open files for each ten jobs",
            most: 3.0,
            measured: steady.files * 10.0 / large.jobs as f64,
        },
    ])
}

struct Figures {
    cpu: f64,
    busiest: f64,
    lists: f64,
    resident_mib: f64,
    files: f64,
}

impl Figures {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn of(phase: &Phase) -> Self {
        Self {
            cpu: phase.cpu_us_a_poll,
            busiest: phase.busiest.unwrap_or(f64::NAN),
            lists: f64::from(phase.lists),
            resident_mib: phase.resident_mib,
            files: phase.files as f64,
        }
    }
}
