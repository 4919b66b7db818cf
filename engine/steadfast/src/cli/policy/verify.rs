//! `steadfast policy verify`: bounded model checking of a policy.

mod coverage;
mod depends;
mod document;
mod interrupt;
mod outcome;
mod output;
mod progress;
mod replay;
mod subject;
mod told;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::json;
use steadfast_core::decision::Decide;
use steadfast_core::duration::parse_duration;
use steadfast_core::labels;
use steadfast_verify::laws::{self, Law};
use steadfast_verify::{MOST_LATE, Report, Settings, verify_before};
use tokio::runtime::Runtime;

use super::super::output::Format;
use super::super::output::junit::{CameTo, Case, ReportFormat, ReportOption, Tried};
use super::super::{Failure, printer};
use super::policy_arg::PolicyArg;
use crate::config::{MAX_TEXT, parse_size};
use coverage::Coverage;
use document::Whole;
use interrupt::Interrupt;
use outcome::{Judging, Tally};
use output::Output;
use progress::Watching;

pub(super) const AFTER_HELP: &str = "\
Every sequence of evidence to a depth is shown to the policy, and what it records is held to laws: no end out of
silence, no watch that ends, a record that follows what runs, and more. The engine's own board, tracking and planner
take the evidence in. The first break of a law that is found is one of the shortest: it is told look by look, and
written as a story that `steadfast simulate` plays. docs/verify.md says what is explored, what is left out, and how to
write laws of your own. -o json has all of it for programs when it is over, -o junit a test case for each law.

Examples:
  steadfast policy verify builtin:conservative
  steadfast policy verify my.wasm --params '{ patience = \"90s\" }' --stories broken/
  steadfast policy verify my.wasm --law recovers --law watch-never-ends --depth 10
  steadfast policy verify my.wasm --without ends-are-told --laws team.toml
  steadfast policy verify my.wasm --label example.com/tier=gold   a label that the policy reads
  steadfast policy verify my.wasm --memory 256MiB                 the limit that its [[policy]] will have
  steadfast policy verify my.wasm --junit report.xml              for a CI server, beside what people read
  steadfast policy verify my.wasm -o jsonpath='{.laws[?@.result==\"broken\"].name}'
  steadfast policy verify my.wasm --list                          each law with its sentence

Exit codes:
  0  every law holds to the depth
  1  a law is broken, and the story is on standard output; or the exploration came to its own bound of memory, to ten
     calls that missed their deadline, or to a signal: what was found until then is told
  2  the policy, a law or the command line is wrong; nothing was explored";

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    policy: PolicyArg,
    /// How much may happen one after the other: what is common weighs 1, what is rare up to 3.
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
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
    /// The folder that the module was built from, for the lines that `policy build` has kept there [default: the module's own].
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// How much memory an instance of the policy may take, as in its [[policy]] [default: 64MiB].
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// How much memory the exploration itself may take; it ends there, and says how far it came.
    #[arg(long, default_value = "4GiB", value_name = "SIZE")]
    explore_memory: String,
    /// Where stories of broken laws are written; the folder is made if need be [default: .].
    #[arg(long, value_name = "DIR")]
    stories: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    /// What every jitter is drawn from when a story is played to see that it shows the break.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// List the laws, and explore nothing.
    #[arg(long)]
    list: bool,
}

/// Explores, and tells of each depth as it is done and of each law at the end.
pub(super) fn run(options: &Options, runtime: &Runtime) -> Result<(), Failure> {
    let laws = chosen_laws(options)?;
    if options.list {
        return list(&laws, options);
    }
    let limit = size("--explore-memory", &options.explore_memory)?;
    let memory = options
        .memory
        .as_deref()
        .map(|text| size("--memory", text))
        .transpose()?;
    let mut settings = settings(options)?;
    if let Some(folder) = options.project.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(Failure::Usage(anyhow!(
            "--project `{}` is no folder; name the one that the module was built from",
            folder.display()
        )));
    }
    let loaded = options.policy.load_within(memory)?;
    let bytes = options.policy.bytes()?;
    subject::tell(&mut settings, &loaded, &bytes, options.waits.is_empty());
    let coverage = Coverage::of(
        &loaded,
        &bytes,
        options.policy.file().as_deref(),
        options.project.as_deref(),
    );
    let make = || -> Box<dyn Decide> { coverage.another(&loaded) };
    let began = Instant::now();
    let output = options.output.report();
    let interrupt = Interrupt::listen(runtime)?;
    let last_depth = settings.depth + settings.beyond;
    let mut watching = Watching::new(last_depth, limit, interrupt.clone(), output.is_for_people());
    let found = verify_before(&make, &laws, &settings, &mut watching);
    let took = began.elapsed();
    let depths = watching.printed()?;
    if output.is_for_people() {
        printer::data(&told::totals(&found, took))?;
        printer::data(&told::coverage(&found, loaded.module.description()))?;
        printer::data(&format!("{}\n", coverage.told()))?;
    }
    let judging = Judging {
        make: &make,
        laws: &laws,
        settings: &settings,
        found: &found,
        loaded: &loaded,
        policy: &options.policy,
        folder: options.output.folder(options.stories.as_deref()),
        seed: options.seed,
    };
    let mut outcomes = Vec::new();
    for (law, counterexample) in laws.iter().zip(&found.laws) {
        let outcome = judging.of(law.as_ref(), counterexample.as_ref())?;
        if output.is_for_people() {
            printer::data(&outcome.page(found.complete))?;
        }
        outcomes.push(outcome);
    }
    let whole = Whole {
        loaded: &loaded,
        settings: &settings,
        found: &found,
        coverage: &coverage,
        depths: &depths,
        took,
        outcomes: &outcomes,
    };
    conclude(&output, &whole, cut_off(&found, options, &interrupt))
}

/// Prints what has not been told yet, and says how the command ends.
fn conclude(output: &ReportOption, whole: &Whole<'_>, why_cut_off: Option<anyhow::Error>) -> Result<(), Failure> {
    let tally = Tally::of(whole.outcomes);
    let description = whole.loaded.module.description();
    let cases = whole.outcomes.iter().map(|outcome| outcome.case(description));
    // A server that reads cases alone must not take what was cut off for a success.
    let cut_off = why_cut_off.as_ref().map(|error| Case {
        class: description.name.clone(),
        name: "the exploration".to_owned(),
        came_to: CameTo::Failed {
            broken: vec![error.to_string()],
            more: String::new(),
        },
    });
    output.conclude(&Tried {
        suite: "steadfast policy verify",
        page: &tally.summary(whole.found.complete),
        document: &whole.document().map_err(Failure::Failed)?,
        cases: &cases.chain(cut_off).collect::<Vec<_>>(),
    })?;
    match why_cut_off {
        Some(error) => Err(Failure::Failed(error)),
        None if tally.broken > 0 => Err(Failure::Reported),
        None => Ok(()),
    }
}

/// Each law with its sentence.
fn list(laws: &[Box<dyn Law>], options: &Options) -> Result<(), Failure> {
    match options.output.report().format {
        ReportFormat::Usual(Format::Data(data)) => {
            let laws: Vec<_> = laws
                .iter()
                .map(|law| json!({ "name": law.name(), "says": law.says() }))
                .collect();
            printer::data(&data.shown(&json!({ "laws": laws }))?)?;
        }
        ReportFormat::JUnit => {
            return Err(Failure::Usage(anyhow!(
                "--list tries nothing; take -o json for its list"
            )));
        }
        ReportFormat::Usual(Format::People(_)) => {
            for law in laws {
                printer::data(&format!("{}\n    {}\n", law.name(), law.says()))?;
            }
        }
    }
    Ok(())
}

/// Why less was tried than was asked for.
fn cut_off(found: &Report, options: &Options, interrupt: &Interrupt) -> Option<anyhow::Error> {
    if let Some(first) = &found.late {
        return Some(anyhow!(
            "the policy missed its deadline at {MOST_LATE} looks, and the exploration ended there: everything was tried to depth {}, and some \
             of what lies deeper. The first said: {first}",
            found.complete
        ));
    }
    if found.ended && interrupt.came() {
        return Some(anyhow!(
            "the exploration was interrupted: everything was tried to depth {}, and some of what lies deeper",
            found.complete
        ));
    }
    let most = &options.explore_memory;
    found.ended.then(|| {
        anyhow!(
            "the exploration has used the {most} it may: everything was tried to depth {}, and some of what lies deeper. Give it more \
             with --explore-memory, or ask for less with --depth",
            found.complete
        )
    })
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
        let pair = label.split_once('=');
        let pair = pair.filter(|(name, value)| labels::is_name(name) && labels::is_value(value));
        let (name, value) = pair.ok_or_else(|| {
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
