//! Properties of random worlds. Each world is a story that a plot tells; it is played once, in virtual time, and all
//! properties are looked for in what came of it.
//!
//! `PROPERTY_CASES` says how many worlds (200), `PROPERTY_SEED` which (1), `CHAOS_CASES` how many of them are played with
//! an engine in which things go wrong ([`chaos`]; 8). A failing world is made as small as it gets,
//! written to `target/tmp/properties/` as a story that `steadfast simulate` plays, and its seed is kept in
//! `properties.regressions`, which a test of its own plays ([`kept`]).

mod arrival;
mod chaos;
mod held;
mod kept;
mod plot;
mod replay;
mod telling;
mod texts;
mod truth;
mod watch;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use libtest_mimic::{Failed, Trial};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use steadfast_core::journal::Event;
use steadfast_core::state::Mode;
use steadfast_core::timing::Timing;
use steadfast_simulate::{Chaos, Environment, Harness, Outcome, Sight, play_observed};
use steadfast_world::story::Story;

use crate::staged::{self, Module};
use kept::Worlds;
use plot::Plot;
use truth::Truth;

/// What is looked for in each world.
const OF_WORLDS: [&str; 6] = [
    "a world that heals is what the record says, and the record stays so",
    "no state is recorded without a reason in the world",
    "a watch is never without a next time, and what is decided is written down",
    "what records and evidence say is bounded and harmless, and nothing that others write trims a decision",
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
    let mut trials = shards("worlds", cases, SHARDS, 0, move |name, worlds| {
        of_worlds(name, worlds, seed)
    });
    trials.push(Trial::test("hostile-texts", read_back).with_kind("property"));
    trials.push(Trial::test("arrivals", move || of_arrivals(cases, seed)).with_kind("property"));
    trials.extend(chaos::trials(seed));
    trials
}

/// A test of the worlds that failed once, and some of new ones, each with a stream of random numbers from the first on.
fn shards(
    name: &str,
    cases: u32,
    shards: u32,
    first_stream: u32,
    test: impl Fn(&str, Worlds) -> Result<(), Failed> + Copy + Send + 'static,
) -> Vec<Trial> {
    let new = (0..shards).map(|shard| {
        let cases = (cases + shard) / shards;
        let stream = first_stream + shard;
        (format!("{name}-{}", shard + 1), Worlds::New { cases, stream })
    });
    let trials = [(format!("{name}-kept"), Worlds::Kept)].into_iter().chain(new);
    trials
        .map(|(name, worlds)| Trial::test(name.clone(), move || test(&name, worlds)).with_kind("property"))
        .collect()
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

fn runner(worlds: Worlds, seed: u64) -> TestRunner {
    let (cases, stream) = match worlds {
        Worlds::Kept => (0, 0),
        Worlds::New { cases, stream } => (cases, stream),
    };
    let config = Config {
        cases,
        max_shrink_iters: SHRINKS,
        failure_persistence: Some(Box::new(worlds)),
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..12].copy_from_slice(&stream.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn of_worlds(name: &str, worlds: Worlds, seed: u64) -> Result<(), Failed> {
    let outcome = runner(worlds, seed).run(&plot::plots(), |plot| {
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
        Err(TestError::Fail(_, plot)) => Err(shown(&plot, name)?.into()),
        Err(TestError::Abort(reason)) => Err(format!("no world could be made: {reason}").into()),
    }
}

/// A story says what somebody wrote, to the letter: else the worlds would not hold what they seem to.
fn read_back() -> Result<(), Failed> {
    telling::misread().map_or(Ok(()), |text| Err(format!("a story reads {text:?} otherwise").into()))
}

fn of_arrivals(cases: u32, seed: u64) -> Result<(), Failed> {
    let policy = staged::policy(Module::Conservative)?;
    let worlds = Worlds::New { cases, stream: SHARDS };
    runner(worlds, seed)
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
    let (mut unwatched, mut harmful) = (None, None);
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
            harmful = harmful.take().or_else(|| texts::objection(view, &sight));
            // What fails is tried again at another pace.
            if chaos.is_none_or(|chaos| chaos::is_over(chaos, sight.at)) {
                unwatched = unwatched.take().or_else(|| watch::objection(view, &sight));
            }
        }
    })?;
    let told = outcome
        .broken
        .iter()
        .map(|broken| format!("at {}: {}", broken.at, broken.what));
    let mut objections: Vec<String> = told.collect();
    objections.extend(unwatched);
    objections.extend(harmful);
    objections.extend(unlicensed(&story, &outcome));
    objections.extend(texts::objection_to_evidence(&outcome.recorded));
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
fn unlicensed(story: &Story, outcome: &Outcome) -> Vec<String> {
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
            let Some(commit) = outcome.commits.get(&entry.sequence) else {
                objections.push(format!("{name}: nobody saw the commit of {:?}", entry.sequence));
                continue;
            };
            let foreign = target.flink_id(telling::FOREIGN);
            if target.mode != Mode::Standalone && commit.job.is_some_and(|job| job.to_string() == foreign) {
                objections.push(format!("{name} followed the job of a Flink that names another cluster"));
            }
            let id = job
                .map(|job| target.flink_id(&named(story, job)))
                .or_else(|| commit.job.map(|job| job.to_string()));
            let objection = truth.objection(transition.to, id.as_deref(), commit.at);
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
fn shown(plot: &Plot, name: &str) -> anyhow::Result<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("properties");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.toml"));
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
