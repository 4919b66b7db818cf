//! `steadfast policy verify`: bounded model checking of a policy.

mod replay;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;
use steadfast_core::decision::Decide;
use steadfast_core::evidence::FaultKind;
use steadfast_verify::fault_kinds::Alike;
use steadfast_verify::laws::{self, Law};
use steadfast_verify::look::Look;
use steadfast_verify::report::script::Head;
use steadfast_verify::{Counterexample, DepthReport, Report, Settings, report, verify};
use steadfast_world::story::Moment;

use super::super::{Failure, printer};
use super::policy_arg::PolicyArg;
use crate::config::MAX_TEXT;
use crate::run::LoadedPolicy;
use replay::Replayed;

pub(super) const AFTER_HELP: &str = "\
Every sequence of evidence to a depth is shown to the policy, and what it records is held to laws: no end out of
silence, no watch that ends, a record that follows what runs, and more. The engine's own board, tracking and planner
take the evidence in. The first break of a law that is found is one of the shortest: it is told look by look, and
written as a story that `steadfast simulate` plays. docs/verify.md says what is explored, what is left out, and how to
write laws of your own.

Examples:
  steadfast policy verify builtin:conservative
  steadfast policy verify my.wasm --params '{ patience = \"90s\" }' --output broken/
  steadfast policy verify my.wasm --law recovers --law watch-never-ends --depth 10
  steadfast policy verify my.wasm --without ends-are-told --laws team.toml
  steadfast policy verify my.wasm --list                          each law with its sentence

Exit codes:
  0  every law holds to the depth
  1  a law is broken; the story is on standard output
  2  the policy, a law or the command line is wrong; nothing was explored";

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    policy: PolicyArg,
    /// How much may happen one after the other: what is common weighs 1, what is rare up to 3.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    depth: u32,
    /// Only this law; may be given again.
    #[arg(long = "law", value_name = "NAME")]
    only: Vec<String>,
    /// All laws but this one; may be given again.
    #[arg(long, value_name = "NAME", conflicts_with = "only")]
    without: Vec<String>,
    /// Laws of your own, beside the built-in ones.
    #[arg(long, value_name = "FILE")]
    laws: Option<PathBuf>,
    /// A span that may pass without a change; may be given again [default: 5s, 50s and 10m].
    #[arg(long = "wait", value_name = "SPAN")]
    waits: Vec<String>,
    /// Where stories of broken laws are written; the folder is made if need be.
    #[arg(long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// What every jitter is drawn from when a story is played to see that it shows the break.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// List the laws, and explore nothing.
    #[arg(long)]
    list: bool,
}

/// Explores, and tells of each depth as it is done and of each law at the end.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let laws = chosen_laws(options)?;
    if options.list {
        for law in &laws {
            printer::data(&format!("{}\n    {}\n", law.name(), law.says()))?;
        }
        return Ok(());
    }
    let settings = settings(options)?;
    let loaded = options.policy.load()?;
    let make = || -> Box<dyn Decide> { Box::new(loaded.module.another()) };
    let began = Instant::now();
    let (mut before, mut took) = (began, Duration::ZERO);
    let mut printed = Ok(());
    let found = verify(&make, &laws, &settings, &mut |depth| {
        if printed.is_ok() {
            printed = printer::data(&depth_line(depth, before.elapsed()));
        }
        let took_before = std::mem::replace(&mut took, before.elapsed());
        if depth.depth < settings.depth
            && let Some(next) = expected(took_before, took)
        {
            printer::progress(&format!(
                "depth {} will take about {}",
                depth.depth + 1,
                super::super::age::short(next)
            ));
        }
        before = Instant::now();
    });
    printed?;
    printer::data(&total_lines(&found, began.elapsed()))?;
    printer::data(&fault_kinds_lines(&found.alike))?;
    let mut broken = 0;
    for (law, counterexample) in laws.iter().zip(&found.laws) {
        match counterexample {
            None => printer::data(&format!(
                "holds to depth {}   {}: {}\n",
                settings.depth,
                law.name(),
                law.says()
            ))?,
            Some(counterexample) => {
                broken += 1;
                let looks = report::replay_steps(counterexample, &make, &laws, &settings);
                printer::data(&format!(
                    "BROKEN at depth {}   {}: {}\n{}",
                    counterexample.depth,
                    law.name(),
                    law.says(),
                    report::render(counterexample, &looks)
                ))?;
                printer::data(&written(law.as_ref(), counterexample, &looks, &loaded, options)?)?;
            }
        }
    }
    printer::data(&format!(
        "{} {}: {} hold to depth {}, {broken} broken\n",
        laws.len(),
        if laws.len() == 1 { "law" } else { "laws" },
        laws.len() - broken,
        settings.depth
    ))?;
    if broken > 0 { Err(Failure::Reported) } else { Ok(()) }
}

/// Plays the counterexample in a world, and keeps the story if that shows the break.
fn written(
    law: &dyn Law,
    counterexample: &Counterexample,
    looks: &[Look],
    loaded: &LoadedPolicy,
    options: &Options,
) -> Result<String, Failure> {
    let id = format!("{}-breaks-{}", slug(&loaded.module.description().name), law.name());
    let head = Head {
        id: &id,
        title: law.says(),
        source: "steadfast policy verify",
    };
    Ok(
        match replay::replayed(counterexample, looks, head, loaded, options.seed)? {
            Replayed::Shown { story } => {
                let path = options.output.join(format!("{id}.toml"));
                keep(&options.output, &path, &story).map_err(Failure::Failed)?;
                format!(
                    "    written to {}; `steadfast simulate --policy {} {}` fails on it\n",
                    path.display(),
                    options.policy.module(),
                    path.display()
                )
            }
            Replayed::NotShown => {
                "    no story is written: played in a world, the whole engine does not get there\n".to_owned()
            }
            Replayed::CannotBeShown(why) => format!("    no story is written: {why}\n"),
        },
    )
}

/// A policy may call itself whatever it likes; a story's name is a slug.
fn slug(name: &str) -> String {
    let kept = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    name.chars().map(kept).collect()
}

fn keep(folder: &Path, path: &Path, story: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    std::fs::write(path, story).with_context(|| format!("the story {} cannot be written", path.display()))
}

/// How long the next depth will take, by how much longer than the one before the last one took; nothing is said of what is short.
fn expected(before: Duration, last: Duration) -> Option<Duration> {
    let growth = last.as_secs_f64() / before.as_secs_f64().max(0.001);
    let next = last.mul_f64(growth.clamp(1.0, 100.0));
    (next >= Duration::from_secs(1)).then_some(next)
}

fn chosen_laws(options: &Options) -> Result<Vec<Box<dyn Law>>, Failure> {
    let mut all = laws::all();
    if let Some(path) = &options.laws {
        let text = steadfast_files::read_text(path, MAX_TEXT)
            .with_context(|| format!("the laws in {} cannot be read", path.display()))
            .map_err(Failure::Usage)?;
        let own = laws::written::parse(&path.display().to_string(), &text);
        all.extend(own.map_err(|error| Failure::Usage(error.into()))?);
    }
    for named in options.only.iter().chain(&options.without) {
        if !all.iter().any(|law| law.name() == named) {
            let names: Vec<&str> = all.iter().map(|law| law.name()).collect();
            return Err(Failure::Usage(anyhow!(
                "there is no law `{named}`; choose of {}",
                names.join(", ")
            )));
        }
    }
    all.retain(|law| {
        let name = law.name().to_owned();
        (options.only.is_empty() || options.only.contains(&name)) && !options.without.contains(&name)
    });
    Ok(all)
}

fn settings(options: &Options) -> Result<Settings, Failure> {
    let mut settings = Settings {
        depth: options.depth,
        threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        ..Settings::default()
    };
    if !options.waits.is_empty() {
        settings.waits = options.waits.iter().map(|text| span(text)).collect::<Result<_, _>>()?;
    }
    Ok(settings)
}

fn span(text: &str) -> Result<Duration, Failure> {
    Moment::parse(text)
        .filter(|span| span.as_millis() > 0)
        .map(Moment::elapsed)
        .ok_or_else(|| {
            Failure::Usage(anyhow!(
                "--wait `{text}` is no span of time; write a number with a unit, such as 90s"
            ))
        })
}

fn depth_line(depth: DepthReport, took: Duration) -> String {
    format!(
        "depth {:>2}: {:>9} states, {:>10} looks, {:>10} merged, {:>6.1} s\n",
        depth.depth,
        depth.states,
        depth.transitions,
        depth.merged,
        took.as_secs_f64()
    )
}

fn total_lines(report: &Report, took: Duration) -> String {
    let states: usize = report.depths.iter().map(|depth| depth.states).sum();
    let looks: usize = report.depths.iter().map(|depth| depth.transitions).sum();
    format!(
        "in all:   {states:>9} states, {looks:>10} looks, {:.1} s\n",
        took.as_secs_f64()
    )
}

fn fault_kinds_lines(alike: &Alike) -> String {
    format!(
        "faults treated alike, of Flink: {}; of Kubernetes: {}\n\n",
        groups(&alike.of_flink),
        groups(&alike.of_kubernetes)
    )
}

fn groups(groups: &[Vec<FaultKind>]) -> String {
    if groups.len() == 1 {
        return "all".to_owned();
    }
    let named = groups.iter().map(|group| {
        let kinds: Vec<&str> = group.iter().map(|kind| kind.as_str()).collect();
        format!("({})", kinds.join(" "))
    });
    named.collect::<Vec<_>>().join(" ")
}
