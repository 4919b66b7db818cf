//! The same worlds, with an engine in which things go wrong: in its store, in its policies, with its process, with the clock of
//! its host. Each is played twice: with nothing wrong, and so.
//!
//! `tests/chaos` plays on without an end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{TestCaseError, TestError};
use steadfast_core::state::{Confidence, JobState};
use steadfast_simulate::{Chaos, Mishap, Mishaps, Outcome, POINTS, What};
use steadfast_world::story::{Moment, Story};

use super::held::Held;
use super::kept::Worlds;
use super::plot::{self, Plot};
use super::{Played, played, runner, setting, shards, told};

/// By then all that is there has been seen: a story that says otherwise would ask the engine for what it never heard of.
const BEGINS: Moment = Moment::from_millis(20_000);
/// For so long after the last mishap things may still wait at the pace of what failed, in milliseconds.
const LINGERS: i64 = 61_000;

/// In so many worlds a point is looked for.
const WORLDS_FOR_A_POINT: u32 = 30;
const SHARDS: u32 = 2;
/// How long the record must stay as it is, in seconds: an engine that was killed begins its windows anew, and one that sleeps looks
/// when it validates.
const STAYS: u64 = 300;
const STAYS_MILLIS: i64 = 300_000;

/// Ends that are known to those who were there: no absence tells of them.
const TOLD_ENDS: [JobState; 3] = [JobState::Finished, JobState::Failed, JobState::Canceled];

/// What is looked for, beside what is looked for in each world.
const OF_CHAOS: [&str; 4] = [
    "whatever befell the engine, everything holds that holds of a world",
    "its record ends as that of an engine which nothing befell",
    "memory, store and sink agree in the end, and what was told of goes forward",
    "the process holds no more memory, the more worlds it has played",
];
const OF_SEEDS: &str = "one seed is one run: what goes wrong, what is decided and recorded, and when";
/// Of so many worlds with chaos one more is played twice alike.
const REPEATED: u32 = 4;

/// What all plays came to.
#[derive(Default)]
struct Sum {
    worlds: u32,
    story_time: Duration,
    mishaps: Mishaps,
    /// From the last mishap until the record was what it stayed.
    settled_in: Vec<i64>,
    held: Held,
}

static SUM: Mutex<Option<Sum>> = Mutex::new(None);
static REPEATS: AtomicU32 = AtomicU32::new(0);

pub fn trials(seed: u64) -> Vec<Trial> {
    let cases = setting("CHAOS_CASES", 8);
    let stream = super::SHARDS + 1;
    let mut trials = shards("worlds-with-chaos", cases, SHARDS, stream, move |_, worlds| {
        of_chaos(worlds, seed)
    });
    let twice = Worlds::New {
        cases: cases.div_ceil(REPEATED),
        stream: stream + SHARDS,
    };
    trials.push(Trial::test("worlds-with-chaos-twice", move || of_seeds(twice, seed)).with_kind("property"));
    let at_points = Worlds::New {
        cases: 1,
        stream: stream + SHARDS + 1,
    };
    trials.push(Trial::test("killed-at-each-point", move || at_each_point(at_points, seed)).with_kind("property"));
    trials
}

/// The process is killed at each point that a play has, each in a world of its own; a point that a world does not come to is looked
/// for in the next ones.
fn at_each_point(worlds: Worlds, seed: u64) -> Result<(), Failed> {
    let mut runner = runner(worlds, seed);
    for point in POINTS {
        let mut is_hit = false;
        for _ in 0..WORLDS_FOR_A_POINT {
            let plot = plot::plots().new_tree(&mut runner)?.current();
            let chaos = Chaos {
                what: What::KilledAt(point),
                ..chaos(&plot, &told(&plot, STAYS)?)
            };
            let (objections, mishaps) = under(&plot, chaos)?;
            if !objections.is_empty() {
                return Err(shown(&plot, chaos, &objections.join("\n"))?.into());
            }
            is_hit = mishaps.contains_key(&Mishap::Killed(point));
            if is_hit {
                break;
            }
        }
        if !is_hit {
            return Err(format!("no world came to {point}").into());
        }
    }
    Ok(())
}

pub fn conclusion() -> Vec<String> {
    let repeats = REPEATS.load(Ordering::Relaxed);
    let of_seeds = (repeats > 0).then(|| format!("  held in {repeats} worlds with chaos: {OF_SEEDS}"));
    let mut lines: Vec<String> = of_seeds.into_iter().collect();
    let sum = SUM.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(sum) = sum.as_ref() else { return lines };
    lines.extend(OF_CHAOS.map(|property| format!("  held in {} worlds with chaos: {property}", sum.worlds)));
    let mishaps: Vec<String> = sum
        .mishaps
        .iter()
        .map(|(what, times)| format!("{what} {times}"))
        .collect();
    let mut settled_in = sum.settled_in.clone();
    settled_in.sort_unstable();
    let share = |percent: usize| {
        let place = (settled_in.len() * percent / 100).min(settled_in.len().saturating_sub(1));
        settled_in.get(place).copied().unwrap_or_default() / 1000
    };
    lines.push(format!(
        "  chaos: {:.1} simulated hours; {}; settled after the last mishap in {} s (p50), {} s (p99), {} s (max)",
        sum.story_time.as_secs_f64() / 3600.0,
        mishaps.join(", "),
        share(50),
        share(99),
        share(100),
    ));
    lines
}

/// Whether what goes wrong, and what lingers of it, is over.
pub fn is_over(chaos: Chaos, at: Moment) -> bool {
    at.as_millis() > chaos.until.as_millis() + LINGERS
}

fn of_chaos(worlds: Worlds, seed: u64) -> Result<(), Failed> {
    let outcome = runner(worlds, seed).run(&plot::plots(), |plot| {
        let objections = of_world(&plot).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        if objections.is_empty() {
            Ok(())
        } else {
            Err(TestCaseError::fail(objections.join("\n")))
        }
    });
    match outcome {
        Ok(()) => {
            let sum = SUM.lock().unwrap_or_else(PoisonError::into_inner);
            let grows = sum.as_ref().and_then(|sum| sum.held.objection());
            grows.map_or(Ok(()), |why| Err(why.into()))
        }
        Err(TestError::Fail(why, plot)) => {
            let chaos = chaos(&plot, &told(&plot, STAYS)?);
            Err(shown(&plot, chaos, why.message())?.into())
        }
        Err(TestError::Abort(reason)) => Err(format!("no world could be made: {reason}").into()),
    }
}

fn of_seeds(worlds: Worlds, seed: u64) -> Result<(), Failed> {
    runner(worlds, seed)
        .run(&plot::plots(), |plot| {
            let traces = trace(&plot).and_then(|first| Ok((first, trace(&plot)?)));
            let (first, second) = traces.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
            if first == second {
                REPEATS.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            let differ = first.iter().zip(&second).find(|(first, second)| first != second);
            let (seed, lines) = (plot.seed, (first.len(), second.len()));
            Err(TestCaseError::fail(format!(
                "two plays with seed {seed} differ, of {lines:?} lines first in {differ:#?}"
            )))
        })
        .map_err(|error| format!("{OF_SEEDS}: {error}").into())
}

/// All that a play comes to, in lines.
fn trace(plot: &Plot) -> anyhow::Result<Vec<String>> {
    let chaos = chaos(plot, &told(plot, STAYS)?);
    let Outcome {
        broken,
        timeline,
        journals,
        commits,
        recorded,
        mishaps,
        failures: _,
    } = played(plot, STAYS, Some(chaos), &mut |_| {})?.outcome;
    let told = timeline.to_string();
    let mut lines: Vec<String> = told.lines().map(str::to_owned).collect();
    lines.extend(broken.iter().map(|broken| format!("{broken:?}")));
    lines.extend(journals.iter().map(|journal| format!("{journal:?}")));
    lines.extend(commits.iter().map(|commit| format!("{commit:?}")));
    lines.extend(recorded.iter().map(|recorded| format!("{recorded:?}")));
    lines.push(format!("{mishaps:?}"));
    Ok(lines)
}

/// What a record comes to in the end. An engine that was away infers what one that was there has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stands {
    state: JobState,
    is_stale: bool,
    job: Option<String>,
}

/// What all records came to, by their keys, at each look.
type Looks = Vec<(Moment, BTreeMap<String, Stands>)>;

fn observed(plot: &Plot, chaos: Option<Chaos>) -> anyhow::Result<(Played, Looks)> {
    let mut looks = Looks::new();
    let played = played(plot, STAYS, chaos, &mut |sight| {
        let stands = sight.views.iter().map(|view| {
            let record = &view.record;
            let stands = Stands {
                state: record.state,
                is_stale: record.confidence == Confidence::Stale,
                job: record.incarnation.flink_job_id.map(|id| id.to_string()),
            };
            (record.key.to_string(), stands)
        });
        looks.push((sight.at, stands.collect()));
    })?;
    Ok((played, looks))
}

fn of_world(plot: &Plot) -> anyhow::Result<Vec<String>> {
    under(plot, chaos(plot, &told(plot, STAYS)?)).map(|(objections, _)| objections)
}

/// What is wrong with a world under such chaos, and what went wrong in it.
fn under(plot: &Plot, chaos: Chaos) -> anyhow::Result<(Vec<String>, Mishaps)> {
    let (calmly, calm) = observed(plot, None)?;
    let (stormy, looks) = observed(plot, Some(chaos))?;
    let mut objections = calmly.objections;
    objections.extend(stormy.objections);
    let end = |looks: &Looks| looks.last().map(|(_, stands)| stands.clone()).unwrap_or_default();
    // A story of which nothing is expected ends with its last step, before anything can have settled.
    if stormy.story.ends().as_millis() - chaos.until.as_millis() > LINGERS + STAYS_MILLIS {
        objections.extend(otherwise(&end(&calm), &end(&looks)));
    }
    if objections.is_empty() {
        let mut sum = SUM.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sum.get_or_insert_default();
        sum.worlds += 1;
        sum.story_time += Duration::from_millis(u64::try_from(stormy.story.ends().as_millis())?);
        for (mishap, times) in &stormy.outcome.mishaps {
            *sum.mishaps.entry(*mishap).or_default() += times;
        }
        sum.settled_in.push(settled(&looks) - chaos.until.as_millis());
        sum.held.note()?;
    }
    Ok((objections, stormy.outcome.mishaps))
}

/// Things go wrong until the world's last change.
fn chaos(plot: &Plot, story: &Story) -> Chaos {
    Chaos {
        seed: plot.seed,
        from: BEGINS,
        until: story.steps.last().map(|(at, _)| *at).unwrap_or_default().max(BEGINS),
        what: What::Anything,
    }
}

/// Records that did not end as those of an engine which nothing befell. How a job that is gone ended is known only to an
/// engine that was there; one that was not may wait for the operator, or for whoever resumes it.
fn otherwise(calm: &BTreeMap<String, Stands>, stormy: &BTreeMap<String, Stands>) -> Vec<String> {
    let alive = |stands: &&Stands| !stands.state.is_terminal();
    let keys = calm.keys().chain(stormy.keys().filter(|key| !calm.contains_key(*key)));
    let differs = keys.filter_map(|key| {
        let (calm, stormy) = (calm.get(key), stormy.get(key));
        let is_alike = calm.filter(alive) == stormy.filter(alive);
        let is_gone = |stands: Option<&Stands>| {
            stands.is_some_and(|stands| {
                stands.state.is_terminal() || matches!(stands.state, JobState::Suspended | JobState::Reconciling)
            })
        };
        let is = |stands: Option<&Stands>, states: &[JobState]| stands.is_some_and(|it| states.contains(&it.state));
        let was_told = is(calm, &TOLD_ENDS) || is(stormy, &TOLD_ENDS);
        // A Flink that is gone says no more that it has lost a job.
        let [lost, awaited] = [&[JobState::Lost], &[JobState::Reconciling]];
        let was_lost = is(calm, lost) && is(stormy, awaited) || is(calm, awaited) && is(stormy, lost);
        let was_missed = was_told && is_gone(calm) && is_gone(stormy) || was_lost;
        // An intent has its time by the clock, which may have been set; and one that a killed engine had not taken is posted again,
        // perhaps in the attempt after the one that it was meant for.
        let [wished, ran] = [&[JobState::Savepointing], &[JobState::Running]];
        let is_of_intent = is(calm, wished) && is(stormy, ran) || is(calm, ran) && is(stormy, wished);
        (!is_alike && !was_missed && !is_of_intent)
            .then(|| format!("{key} ended as {stormy:?}, and where nothing went wrong as {calm:?}"))
    });
    differs.collect()
}

/// Since when the record is what it stayed.
fn settled(looks: &Looks) -> i64 {
    let last = looks.last().map(|(_, stands)| stands);
    let otherwise = looks.iter().rposition(|(_, stands)| Some(stands) != last);
    let first = otherwise.map_or(0, |place| place + 1);
    looks.get(first).map_or(0, |(at, _)| at.as_millis())
}

/// A failing world for people: its story, what is wrong, and the timelines.
fn shown(plot: &Plot, chaos: Chaos, why: &str) -> anyhow::Result<String> {
    let (played, _) = observed(plot, Some(chaos))?;
    let (calm, _) = observed(plot, None)?;
    Ok(format!(
        "{why}\n\n{}\n{}\nWhere nothing went wrong:\n{}\nThe seed is {}; mishaps: {:?}.",
        super::telling::tell(plot, STAYS),
        played.outcome.timeline,
        calm.outcome.timeline,
        plot.seed,
        played.outcome.mishaps
    ))
}
