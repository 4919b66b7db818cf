//! Properties of random worlds. Each world is a story that a plot tells; it is played once, in virtual time, and all
//! properties are looked for in what came of it.
//!
//! `PROPERTY_CASES` says how many worlds (200), `PROPERTY_SEED` which (1), `CHAOS_CASES` how many of them are played with
//! an engine in which things go wrong ([`chaos`]; 8). A failing world is made as small as it gets,
//! written to `target/tmp/properties/` as a story that `steadfast simulate` plays, and its seed is kept in
//! `properties.regressions`, which every run plays first.

mod arrival;
mod chaos;
mod plot;
mod replay;
mod telling;
mod truth;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use libtest_mimic::{Failed, Trial};
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};
use steadfast_core::journal::Event;
use steadfast_core::state::JobState;
use steadfast_core::timing::Timing;
use steadfast_simulate::judge::Shown;
use steadfast_simulate::{Chaos, Environment, Harness, Outcome, Sight, play_observed};
use steadfast_world::story::Story;

use crate::staged::{self, Module};
use plot::Plot;
use truth::Truth;

/// What is looked for in each world.
const OF_WORLDS: [&str; 5] = [
    "a world that heals is what the record says, and the record stays so",
    "no state is recorded without a reason in the world",
    "a watch is never without a next time",
    "a decision made again is the same, byte for byte",
    "journals chain, repeat nothing, and attempts never run backwards",
];
const OF_ARRIVALS: &str = "decisions do not depend on the order in which evidence arrives";

/// Worlds are spread over so many tests, which run beside each other.
const SHARDS: u32 = 8;
/// How long the record must stay as it is once all has healed, in seconds.
const STAYS: u64 = 30;
/// How often a failing world may be played to make it smaller.
const SHRINKS: u32 = 400;

static WORLDS: AtomicUsize = AtomicUsize::new(0);
static ARRIVALS: AtomicUsize = AtomicUsize::new(0);

/// The tests.
pub fn trials() -> Vec<Trial> {
    let cases = setting("PROPERTY_CASES", 200);
    let seed = u64::from(setting("PROPERTY_SEED", 1));
    let worlds = (0..SHARDS).map(move |shard| {
        let cases = (cases + shard) / SHARDS;
        Trial::test(format!("worlds-{}", shard + 1), move || of_worlds(cases, seed, shard)).with_kind("property")
    });
    let arrivals = Trial::test("arrivals", move || of_arrivals(cases, seed)).with_kind("property");
    worlds.chain([arrivals]).chain(chaos::trials(seed)).collect()
}

/// Which properties held, for the end of a run in which nothing failed.
pub fn conclusion() -> String {
    let (worlds, arrivals) = (WORLDS.load(Ordering::Relaxed), ARRIVALS.load(Ordering::Relaxed));
    let mut held = Vec::new();
    if worlds > 0 {
        held.extend(OF_WORLDS.map(|property| format!("  held in {worlds} random worlds: {property}")));
    }
    if arrivals > 0 {
        held.push(format!("  held in {arrivals} arrivals: {OF_ARRIVALS}"));
    }
    held.extend(chaos::conclusion());
    held.insert(0, format!("{} properties passed", held.len()));
    held.join("\n")
}

fn setting(name: &str, otherwise: u32) -> u32 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(otherwise)
}

fn runner(cases: u32, seed: u64, stream: u32) -> TestRunner {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/properties.regressions");
    let config = Config {
        cases,
        max_shrink_iters: SHRINKS,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))),
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..12].copy_from_slice(&stream.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn of_worlds(cases: u32, seed: u64, shard: u32) -> Result<(), Failed> {
    let outcome = runner(cases, seed, shard).run(&plot::plots(), |plot| {
        let played =
            played(&plot, STAYS, None, &mut |_| {}).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        if !played.objections.is_empty() {
            return Err(TestCaseError::fail(played.objections.join("\n")));
        }
        WORLDS.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(_, plot)) => Err(shown(&plot, shard)?.into()),
        Err(TestError::Abort(reason)) => Err(format!("no world could be made: {reason}").into()),
    }
}

fn of_arrivals(cases: u32, seed: u64) -> Result<(), Failed> {
    let policy = staged::policy(Module::Conservative)?;
    runner(cases, seed, SHARDS)
        .run(&arrival::arrivals(), |arrival| {
            arrival::objection(&arrival, policy).map_or(Ok(()), |why| Err(TestCaseError::fail(why)))?;
            ARRIVALS.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .map_err(|error| format!("{OF_ARRIVALS}: {error}").into())
}

/// What came of a world, and what is wrong with it.
struct Played {
    story: Story,
    objections: Vec<String>,
    outcome: Outcome,
}

/// Plays a world, with an engine in which things go wrong or nothing does.
fn played(
    plot: &Plot,
    stays: u64,
    chaos: Option<Chaos>,
    observer: &mut dyn FnMut(&Sight<'_>),
) -> anyhow::Result<Played> {
    let story = told(plot, stays)?;
    let policy = staged::policy(Module::Conservative)?;
    let record = replay::Record::default();
    let mut unwatched = None;
    let mut tracked: BTreeMap<(String, i64, JobState), String> = BTreeMap::new();
    let harness = Harness {
        timing: Timing::default(),
        seed: plot.seed,
        policies: &|| vec![staged::deciding(record.of(policy.another()))],
        environment: Environment::InProcess,
        recording: Some(staged::recording()),
        chaos,
    };
    let outcome = play_observed(&story, &harness, &mut |sight| {
        observer(&sight);
        for view in sight.views {
            // What fails is tried again at another pace.
            if chaos.is_none_or(|chaos| chaos::is_over(chaos, sight.at)) {
                unwatched = unwatched.take().or_else(|| watch::objection(view, &sight));
            }
            let shown = &view.record;
            let target = story.targets.iter().find(|target| Shown::from(view).is_of(target));
            if let (Some(job), Some(target)) = (shown.incarnation.flink_job_id, target) {
                let name = target.handle.clone();
                tracked.insert((name, shown.since.as_millis(), shown.state), job.to_string());
            }
        }
    })?;
    let told = outcome
        .broken
        .iter()
        .map(|broken| format!("at {}: {}", broken.at, broken.what));
    let mut objections: Vec<String> = told.collect();
    objections.extend(unwatched);
    objections.extend(unlicensed(&story, &outcome, &tracked));
    objections.extend(replay::objection(&record.take(), policy));
    objections.extend(staged::replayed_otherwise(&outcome.recorded, policy));
    Ok(Played {
        story,
        objections,
        outcome,
    })
}

fn told(plot: &Plot, stays: u64) -> anyhow::Result<Story> {
    let text = telling::tell(plot, stays);
    Story::parse("random-world", &text).with_context(|| format!("the story is wrong:\n{text}"))
}

/// Transitions for which the world gave no reason.
fn unlicensed(story: &Story, outcome: &Outcome, tracked: &BTreeMap<(String, i64, JobState), String>) -> Vec<String> {
    let mut objections = Vec::new();
    for (name, entries) in &outcome.journals {
        let (target, job) = name
            .split_once('/')
            .map_or((name.as_str(), None), |(target, job)| (target, Some(job)));
        let Some(target) = story.select(Some(target)).next() else {
            continue;
        };
        let truth = Truth::of(story, target);
        for entry in entries {
            let Event::Transition(transition) = &entry.event else {
                continue;
            };
            let seen = tracked.get(&(target.handle.clone(), entry.at.as_millis(), transition.to));
            let id = job
                .map(|job| target.flink_id(&named(story, job)))
                .or_else(|| seen.cloned());
            let Some(at) = outcome.committed_at.get(&entry.sequence) else {
                objections.push(format!("{name}: nobody saw the commit of {:?}", entry.sequence));
                continue;
            };
            let objection = truth.objection(transition.to, id.as_deref(), *at);
            objections
                .extend(objection.map(|why| format!("{name} was recorded {why} ({})", transition.reason.message)));
        }
    }
    objections
}

/// The job that a record of a session cluster is about, by its own name or by that of its FlinkSessionJob, which in these
/// worlds stands for one job only.
fn named(story: &Story, job: &str) -> String {
    let mut requested = story
        .steps
        .iter()
        .flat_map(|(_, step)| step.session_jobs.iter().flatten());
    let resource = requested.find(|resource| resource.name == job);
    resource
        .and_then(|resource| resource.job.clone())
        .unwrap_or_else(|| job.to_owned())
}

/// A failing world for people: where its story is, what is wrong, and the timeline.
fn shown(plot: &Plot, shard: u32) -> anyhow::Result<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("properties");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("random-world-{}.toml", shard + 1));
    let story = telling::tell(plot, STAYS);
    std::fs::write(&path, &story)?;
    let Played {
        objections, outcome, ..
    } = played(plot, STAYS, None, &mut |_| {})?;
    Ok(format!(
        "{}\n\n{story}\n{}\nThe story is at {}; `steadfast simulate --timeline --seed {} FILE` plays it.",
        objections.join("\n"),
        outcome.timeline,
        path.display(),
        plot.seed
    ))
}
