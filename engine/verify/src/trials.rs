//! What a policy's answers depend on beside the evidence: the calendar, and labels. Both are tried over a few short stories
//! before an exploration, as kinds of fault are, and only what makes a difference is explored.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use steadfast_core::evidence::FaultKind;
use steadfast_core::labels::Labels;
use steadfast_core::state::{Attention, JobState};
use steadfast_core::time::Timestamp;

use crate::beginning::{Beginning, Scene};
use crate::look::{BEGINNING, Look, Watcher};
use crate::settings::Settings;
use crate::step::{FlinkStep, KubernetesStep, Step};

const SOON: Step = Step::Wait(Duration::from_secs(5));
const LATER: Step = Step::Wait(Duration::from_secs(50));
const MUCH_LATER: Step = Step::Wait(Duration::from_secs(600));
const SILENT: Step = Step::Flink(FlinkStep::Silent(FaultKind::Timeout));
const DARK: Step = Step::Kubernetes(KubernetesStep::Silent(FaultKind::Timeout));

/// The common troubles, each until it has lasted for a while.
const STORIES: [&[Step]; 8] = [
    &[SOON, LATER, MUCH_LATER],
    &[SILENT, SOON, LATER, MUCH_LATER],
    &[SILENT, DARK, SOON, LATER, MUCH_LATER],
    &[Step::Flink(FlinkStep::Says(JobState::Failed)), LATER, MUCH_LATER],
    &[
        Step::Flink(FlinkStep::Says(JobState::Restarting)),
        MUCH_LATER,
        MUCH_LATER,
    ],
    &[Step::Flink(FlinkStep::Lacks), LATER, MUCH_LATER],
    &[SILENT, Step::Kubernetes(KubernetesStep::Deleted), SOON, LATER],
    &[SILENT, Step::Kubernetes(KubernetesStep::Missing), LATER, LATER],
];

/// What becomes of the stories from a beginning on.
fn outcome(watcher: &mut Watcher, beginning: &Beginning) -> u64 {
    let mut hasher = DefaultHasher::new();
    let begun = beginning.state(watcher, &[]);
    for story in STORIES {
        let mut state = begun.clone();
        for step in story {
            let look = watcher.look(&state, *step);
            told(&look, &mut hasher);
            state = look.after;
        }
    }
    hasher.finish()
}

/// What counts of a look: not its words, which may name the moment.
fn told(look: &Look, hasher: &mut impl Hasher) {
    let record = look.record();
    (record.state, record.confidence, &record.reason.code).hash(hasher);
    (record.attention == Attention::Sleeping, look.failure.is_some()).hash(hasher);
    for alert in &record.alerts {
        (&alert.name, alert.scope).hash(hasher);
    }
    for condition in &record.conditions {
        condition.kind.hash(hasher);
    }
}

/// Other moments to begin at: none, if the policy's answers do not depend on the calendar.
pub(crate) fn moments(watcher: &mut Watcher) -> Vec<Timestamp> {
    let mut of = |at: Timestamp| outcome(watcher, &Beginning::of(Scene::Running).at(at));
    let usual = of(BEGINNING);
    let hours: Vec<(Timestamp, u64)> = hours_of_a_week().map(|at| (at, of(at))).collect();
    let days: Vec<(Timestamp, u64)> = hours_of_odd_days().map(|at| (at, of(at))).collect();
    let mut chosen = Vec::new();
    // One hour of each kind, ...
    let mut kinds = BTreeMap::new();
    for (at, kind) in hours.iter().chain(&days) {
        if *kind != usual {
            kinds.entry(*kind).or_insert(*at);
        }
    }
    chosen.extend(kinds.into_values().take(MOST));
    // ... and just before one that differs from the hour before, in that week and on each of the odd days.
    let turns = |hours: &[(Timestamp, u64)]| -> Vec<Timestamp> {
        let turns = hours.windows(2).filter_map(|pair| match pair {
            [(before, one), (after, other)] if one != other && *after == before.after(HOUR) => Some(*after),
            _ => None,
        });
        turns.collect()
    };
    chosen.extend(turns(&hours).into_iter().take(2).map(just_before));
    let of_days = days.chunks(24).filter_map(|day| turns(day).first().copied());
    chosen.extend(of_days.take(MOST).map(just_before));
    chosen
}

/// How many beginnings of each sort there are at most.
const MOST: usize = 4;
const HOUR: Duration = Duration::from_secs(3_600);
/// How many milliseconds before a turn of the calendar a story begins.
const JUST_BEFORE: i64 = 90_000;

fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis() - JUST_BEFORE)
}

/// Each hour of the week that begins with the usual moment, and one more.
fn hours_of_a_week() -> impl Iterator<Item = Timestamp> {
    (0..=168).map(|hour| BEGINNING.after(HOUR * hour))
}

/// Days after 1 January 2026 on which calendars do odd things: clocks are set in America and in Europe, in spring and in autumn; the
/// last and the first days of months and years; a leap day.
const ODD_DAYS: [u32; 12] = [30, 31, 58, 59, 66, 87, 180, 297, 304, 363, 364, 789];

/// Each hour of those.
fn hours_of_odd_days() -> impl Iterator<Item = Timestamp> {
    ODD_DAYS
        .into_iter()
        .flat_map(|day| (0..24).map(move |hour| BEGINNING.after(HOUR * (day * 24 + hour))))
}

/// Labels that make a difference, one set after the other.
pub(crate) fn labels(watcher: &mut Watcher, settings: &Settings) -> Vec<Labels> {
    let mut of = |pairs: &[(String, String)]| outcome(watcher, &Beginning::of(Scene::Running).labelled(set(pairs)));
    let usual = of(&[]);
    let mut found = Vec::new();
    // A label has one value at a time.
    let mut by_value: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    for (name, value) in &settings.labels {
        by_value.entry(value).or_default().push((name.clone(), value.clone()));
    }
    for pairs in by_value.into_values() {
        for group in pairs.chunks(AT_ONCE) {
            if found.len() < MOST && of(group) != usual {
                found.push(set(&narrowed(group.to_vec(), &mut |pairs| of(pairs) != usual)));
            }
        }
    }
    found
}

/// So many labels are tried at once: a snapshot with all there may be would take too long to hand over.
const AT_ONCE: usize = 500;

fn set(pairs: &[(String, String)]) -> Labels {
    Labels::from(pairs.iter().cloned().collect::<BTreeMap<_, _>>())
}

/// Whether these labels make a difference.
type Trial<'a> = &'a mut dyn FnMut(&[(String, String)]) -> bool;

/// The half of the labels that still makes a difference, again and again; all of them, if neither does alone.
fn narrowed(mut pairs: Vec<(String, String)>, makes_a_difference: Trial<'_>) -> Vec<(String, String)> {
    while pairs.len() > 1 {
        let (one, other) = pairs.split_at(pairs.len() / 2);
        let half = [one, other].into_iter().find(|half| makes_a_difference(half));
        match half.map(<[_]>::to_vec) {
            Some(half) => pairs = half,
            None => break,
        }
    }
    pairs
}
