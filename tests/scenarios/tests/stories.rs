//! The corpus: every story under `stories/`, a test each, those of the example policies, and the properties of random
//! worlds. `cargo test -p scenarios sp-cancel` plays one.
//!
//! Stories listed in `known-gaps` must fail: one that begins to pass has to leave the list.

// Clippy knows tests by their attribute; what they share has none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod examples;
mod properties;
mod staged;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use libtest_mimic::{Arguments, Failed, Trial};
use steadfast_simulate::{Outcome, play};
use steadfast_world::story::Story;

use staged::Module;

/// The seed of the repeatable run; `STORY_SEED` plays another.
const SEED: u64 = 7;
/// How many broken expectations are shown.
const SHOWN: usize = 12;

static PASSED: AtomicUsize = AtomicUsize::new(0);
static GAPS: AtomicUsize = AtomicUsize::new(0);

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::from_args();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let gaps = std::fs::read_to_string(here.join("known-gaps")).context("known-gaps")?;
    let gaps: Vec<String> = gaps
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(here.join("stories"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    let missing = gaps.iter().find(|gap| !names.contains(gap));
    anyhow::ensure!(missing.is_none(), "known-gaps names {missing:?}, which is no story");
    let trials: Vec<Trial> = names
        .into_iter()
        .map(|name| {
            let is_gap = gaps.contains(&name);
            let kind = if is_gap { "gap" } else { "" };
            Trial::test(name.clone(), move || judge(&name, is_gap)).with_kind(kind)
        })
        .collect();
    let trials = trials.into_iter().chain(examples::trials()?);
    let trials = trials.chain(properties::trials()).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !conclusion.has_failed() && !arguments.list {
        println!(
            "{} scenarios passed, {} known gaps are still open",
            PASSED.load(Ordering::Relaxed),
            GAPS.load(Ordering::Relaxed)
        );
        println!("{}\n", properties::conclusion());
    }
    conclusion.exit();
}

fn judge(name: &str, is_gap: bool) -> Result<(), Failed> {
    let place = format!("tests/scenarios/stories/{name}.toml");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("stories/{name}.toml"));
    let story = read(&place, &path, name)?;
    let outcome = staged::in_virtual_time(Module::Conservative, seed(), |harness| play(&story, harness))
        .map_err(|error| format!("{error:#}"))?;
    let policy = staged::policy(Module::Conservative).map_err(|error| format!("{error:#}"))?;
    if let Some(otherwise) = staged::replayed_otherwise(&outcome.recorded, policy).first() {
        return Err(format!("{}\n\n{}\n{otherwise}", story.title, outcome.timeline).into());
    }
    match (outcome.broken.as_slice(), is_gap) {
        ([], false) => {
            PASSED.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        ([], true) => Err("it passes now: take it off known-gaps".into()),
        (_, true) => {
            GAPS.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        (_, false) => Err(told(&story, &outcome)),
    }
}

/// A story, which has its file's name.
fn read(place: &str, path: &Path, name: &str) -> Result<Story, Failed> {
    let story = Story::parse(place, &std::fs::read_to_string(path)?)?;
    if story.id != name {
        return Err(format!("{place}: its id is `{}`", story.id).into());
    }
    Ok(story)
}

/// What jitters are drawn from.
fn seed() -> u64 {
    let seed = std::env::var("STORY_SEED").ok().and_then(|seed| seed.parse().ok());
    seed.unwrap_or(SEED)
}

/// A play that broke what was expected of it.
fn told(story: &Story, outcome: &Outcome) -> Failed {
    let broken = &outcome.broken;
    let mut text = format!("{}\n\n{}\n", story.title, outcome.timeline);
    for one in broken.iter().take(SHOWN) {
        text += &format!("broken at {}: {}\n", one.at, one.what);
    }
    if let Some(more) = broken.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text += &format!("and {more} more\n");
    }
    text.into()
}
