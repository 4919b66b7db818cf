//! `steadfast policy verify`: bounded model checking of a policy.

mod progress;
mod replay;
mod subject;
mod told;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;
use steadfast_core::decision::Decide;
use steadfast_core::duration::parse_duration;
use steadfast_verify::laws::{self, Law};
use steadfast_verify::look::Look;
use steadfast_verify::report::script::Head;
use steadfast_verify::{Counterexample, Settings, report, verify_before};

use super::super::{Failure, printer};
use super::policy_arg::PolicyArg;
use crate::config::{MAX_TEXT, parse_size};
use crate::run::LoadedPolicy;
use progress::Watching;
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
  steadfast policy verify my.wasm --label example.com/tier=gold   a label that the policy reads
  steadfast policy verify my.wasm --memory 256MiB                 the limit that its [[policy]] will have
  steadfast policy verify my.wasm --list                          each law with its sentence

Exit codes:
  0  every law holds to the depth
  1  a law is broken, and the story is on standard output; or the exploration came to its own bound of memory
  2  the policy, a law or the command line is wrong; nothing was explored";

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    policy: PolicyArg,
    /// How much may happen one after the other: what is common weighs 1, what is rare up to 3.
    #[arg(long, default_value_t = 7, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
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
    /// So much beyond the depth states of a new kind are gone on from.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=64))]
    beyond: u32,
    /// A span that may pass without a change, such as 90s, 4h59m or 7d; may be given again [default: 5s, 50s and 10m, and longer ones
    /// that the parameters name].
    #[arg(long = "wait", value_name = "SPAN")]
    waits: Vec<String>,
    /// A label that a Deployment may have; may be given again. Those that the parameters and the module name are tried unasked.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    labels: Vec<String>,
    /// How much memory an instance of the policy may take, as in its [[policy]] [default: 64MiB].
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// How much memory the exploration itself may take; it ends there, and says how far it came.
    #[arg(long, default_value = "4GiB", value_name = "SIZE")]
    explore_memory: String,
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
    let limit = size("--explore-memory", &options.explore_memory)?;
    let memory = options
        .memory
        .as_deref()
        .map(|text| size("--memory", text))
        .transpose()?;
    let mut settings = settings(options)?;
    let loaded = options.policy.load_within(memory)?;
    subject::tell(
        &mut settings,
        &loaded,
        &options.policy.bytes()?,
        options.waits.is_empty(),
    );
    let make = || -> Box<dyn Decide> { Box::new(loaded.module.another()) };
    let began = Instant::now();
    let mut watching = Watching::new(settings.depth + settings.beyond, limit);
    let found = verify_before(&make, &laws, &settings, &mut watching);
    watching.printed()?;
    printer::data(&told::totals(&found, began.elapsed()))?;
    printer::data(&told::coverage(&found, loaded.module.description()))?;
    let mut tally = Tally::default();
    for (law, counterexample) in laws.iter().zip(&found.laws) {
        if let Some(why) = told::says_nothing(law.as_ref(), &found.coverage, loaded.module.description()) {
            tally.silent += 1;
            printer::data(&format!("says nothing   {}: {why}\n", law.name()))?;
        } else if let Some(counterexample) = counterexample {
            tally.broken += 1;
            let looks = report::replay_steps(counterexample, &make, &laws, &settings);
            printer::data(&told::broken(law.as_ref(), counterexample, &looks))?;
            printer::data(&written(law.as_ref(), counterexample, &looks, &loaded, options)?)?;
        } else {
            tally.hold += 1;
            let depth = found.complete;
            printer::data(&format!("holds to depth {depth}   {}: {}\n", law.name(), law.says()))?;
        }
    }
    printer::data(&tally.summary(found.complete))?;
    if found.ended {
        let most = &options.explore_memory;
        return Err(Failure::Failed(anyhow!(
            "the exploration has used the {most} it may: everything was tried to depth {}, and some of what lies deeper. Give it more \
             with --explore-memory, or ask for less with --depth",
            found.complete
        )));
    }
    if tally.broken > 0 {
        Err(Failure::Reported)
    } else {
        Ok(())
    }
}

/// How many laws came out how.
#[derive(Debug, Default)]
struct Tally {
    hold: usize,
    broken: usize,
    silent: usize,
}

impl Tally {
    fn summary(&self, depth: u32) -> String {
        let Self { hold, broken, silent } = self;
        let laws = printer::counted(hold + broken + silent, "law");
        let silent = if *silent > 0 {
            format!(", {silent} say nothing of it")
        } else {
            String::new()
        };
        format!("{laws}: {hold} hold to depth {depth}, {broken} broken{silent}\n")
    }
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
                    options.policy.as_arguments(),
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
        beyond: options.beyond,
        threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        ..Settings::default()
    };
    if !options.waits.is_empty() {
        settings.waits = options.waits.iter().map(|text| span(text)).collect::<Result<_, _>>()?;
    }
    for label in &options.labels {
        let (name, value) = label.split_once('=').ok_or_else(|| {
            Failure::Usage(anyhow!(
                "--label `{label}` is no label; write a name and a value, such as example.com/tier=gold"
            ))
        })?;
        settings.labels.push((name.to_owned(), value.to_owned()));
    }
    Ok(settings)
}

fn span(text: &str) -> Result<Duration, Failure> {
    parse_duration(text).filter(|span| !span.is_zero()).ok_or_else(|| {
        Failure::Usage(anyhow!(
            "--wait `{text}` is no span of time; write a number with ms, s, m, h or d, such as 90s"
        ))
    })
}

fn size(option: &str, text: &str) -> Result<u64, Failure> {
    parse_size(text).ok_or_else(|| {
        Failure::Usage(anyhow!(
            "{option} `{text}` is no size; write a whole number with KiB, MiB or GiB, such as 256MiB"
        ))
    })
}
