//! What a policy's answers depend on beside the evidence: the calendar, and labels. Both are tried over a few short stories
//! before an exploration, as kinds of fault are, and only what makes a difference is explored.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use steadfast_core::evidence::FaultKind;
use steadfast_core::labels::Labels;
use steadfast_core::state::{Attention, JobState};
use steadfast_core::time::Timestamp;

use crate::beginning::{Beginning, Scene};
use crate::explore::Counterexample;
use crate::late::is_late;
use crate::laws::Law;
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

const AN_HOUR_LATER: Step = Step::Wait(HOUR);
const A_DAY_LATER: Step = Step::Wait(Duration::from_secs(86_400));

/// Of labels too: one may name a deadline, or for how long a silence is borne.
const LONG_STORIES: [&[Step]; 3] = [
    &[SOON, AN_HOUR_LATER, A_DAY_LATER, A_DAY_LATER],
    &[SILENT, AN_HOUR_LATER, A_DAY_LATER],
    &[SILENT, DARK, AN_HOUR_LATER, A_DAY_LATER],
];

/// What a policy's answers depend on beside the evidence, as far as it was tried: apart from where an exploration began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Whether it was tried at all.
    pub was_tried: bool,
    /// Whether they depend on the date.
    pub date: bool,
    /// The labels that make a difference, one set after the other.
    pub labels: Vec<Labels>,
    /// Kinds of hour, turns from one to another, and days at which they come out otherwise, and of which there were too many to begin
    /// at each.
    pub moments_left_out: usize,
    /// Labels that were not tried, as enough others make a difference.
    pub labels_left_out: usize,
    /// Where the exploration would have begun too, had it been deeper.
    pub not_begun: Vec<Beginning>,
}

/// What was tried beforehand, and the breaks that were seen meanwhile.
pub(crate) struct TriedAll {
    pub(crate) tried: Tried,
    /// Of each law.
    pub(crate) broken: Vec<Option<Counterexample>>,
}

/// Tries what makes a difference, and holds the laws to each look.
pub(crate) struct Trial<'a> {
    pub(crate) watcher: &'a mut Watcher,
    pub(crate) laws: &'a [Box<dyn Law>],
    /// The shortest break of each law.
    pub(crate) broken: Vec<Option<Counterexample>>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(watcher: &'a mut Watcher, laws: &'a [Box<dyn Law>]) -> Self {
        let broken = laws.iter().map(|_| None).collect();
        Self { watcher, laws, broken }
    }

    /// What becomes of the stories from a beginning on.
    fn outcome(&mut self, beginning: &Beginning, long: &[&[Step]]) -> u64 {
        let mut hasher = DefaultHasher::new();
        if self.watcher.late().is_enough() {
            return hasher.finish();
        }
        let begun = beginning.state(self.watcher, self.laws);
        for story in STORIES.iter().chain(long) {
            let mut state = begun.clone();
            for (place, step) in story.iter().enumerate() {
                let mut look = self.watcher.look(&state, *step);
                told(&look, &mut hasher);
                self.judge(&mut look, beginning, || story.iter().take(place + 1).copied().collect());
                // It would miss it at each look that follows.
                if is_late(&look) {
                    break;
                }
                state = look.after;
            }
        }
        hasher.finish()
    }

    fn judge(&mut self, look: &mut Look, from: &Beginning, steps: impl Fn() -> Vec<Step>) {
        // What nothing judges is a question of its own: so many labels at once may be too much to hand over.
        if !self.laws.is_empty() {
            self.watcher.late().note(look);
        }
        let mut trackers = std::mem::take(&mut look.after.trackers);
        for ((law, tracker), slot) in self.laws.iter().zip(&mut trackers).zip(&mut self.broken) {
            let Err(broken) = law.judge(look, tracker) else {
                continue;
            };
            let steps = steps();
            let depth = from.weighs() + steps.iter().map(|step| step.weighs()).sum::<u32>();
            if slot.as_ref().is_none_or(|known| depth < known.depth) {
                *slot = Some(Counterexample {
                    from: from.clone(),
                    depth,
                    steps,
                    broken,
                });
            }
        }
        look.after.trackers = trackers;
    }
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

/// Other moments to begin at, and how many were left out: none, if the policy's answers do not depend on the calendar.
pub(crate) fn moments(trial: &mut Trial<'_>) -> (Vec<Timestamp>, usize) {
    let mut of = |at: Timestamp| Hour {
        at,
        kind: trial.outcome(&Beginning::of(Scene::Running).at(at), &[]),
    };
    let usual = of(BEGINNING).kind;
    let week: Vec<Hour> = hours_of_a_week().map(&mut of).collect();
    let days: Vec<Hour> = hours_of_odd_days().map(&mut of).collect();
    let sorts = [
        of_each_kind(usual, week.iter().chain(&days)),
        turns(&week),
        odd_days(&week, &days),
    ];
    let (mut chosen, mut left_out) = (Vec::new(), 0);
    for sort in sorts {
        left_out += sort.len().saturating_sub(MOST);
        chosen.extend(sort.into_iter().take(MOST));
    }
    let mut met = HashSet::new();
    chosen.retain(|at| met.insert(*at));
    (chosen, left_out)
}

/// An hour, and what becomes of the stories at its beginning.
#[derive(Clone, Copy)]
struct Hour {
    at: Timestamp,
    kind: u64,
}

/// The rarest first, of equal ones the earliest: what is rare is what nobody else begins at.
fn by_rarity<K: Ord>(all: impl Iterator<Item = (K, Timestamp)>) -> Vec<Timestamp> {
    let mut kinds: BTreeMap<K, (usize, Timestamp)> = BTreeMap::new();
    for (kind, at) in all {
        kinds.entry(kind).or_insert((0, at)).0 += 1;
    }
    let mut kinds: Vec<(usize, Timestamp)> = kinds.into_values().collect();
    kinds.sort_unstable();
    kinds.into_iter().map(|(_, at)| at).collect()
}

/// One hour of each kind, ...
fn of_each_kind<'a>(usual: u64, hours: impl Iterator<Item = &'a Hour>) -> Vec<Timestamp> {
    let others = hours.filter(|hour| hour.kind != usual);
    by_rarity(others.map(|hour| (hour.kind, hour.at)))
}

/// ... just before one that differs from the hour before, in that week, ...
fn turns(week: &[Hour]) -> Vec<Timestamp> {
    let turns = week.windows(2).filter_map(|pair| match pair {
        [before, after] if before.kind != after.kind => Some(((before.kind, after.kind), just_before(after.at))),
        _ => None,
    });
    by_rarity(turns)
}

/// ... and on each of the odd days just before the first hour that differs from the same hour of the usual week.
fn odd_days(week: &[Hour], days: &[Hour]) -> Vec<Timestamp> {
    let differs = |hour: &&Hour| {
        let since = hour.at.since(BEGINNING).as_secs() / HOUR.as_secs();
        let usual = usize::try_from(since % HOURS_OF_A_WEEK)
            .ok()
            .and_then(|place| week.get(place));
        usual.is_some_and(|usual| usual.kind != hour.kind)
    };
    let odd = days.chunks(24).filter_map(|day| {
        let first = day.iter().find(differs)?;
        let pattern: Vec<u64> = day.iter().map(|hour| hour.kind).collect();
        Some((pattern, just_before(first.at)))
    });
    by_rarity(odd)
}

/// How many beginnings of each sort there are at most.
const MOST: usize = 4;
const HOUR: Duration = Duration::from_secs(3_600);
const HOURS_OF_A_WEEK: u64 = 168;
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

/// Labels that make a difference, one set after the other, and how many were not tried. What is tried at once has more labels than
/// anybody would read: laws are held to what is left of it.
pub(crate) fn labels(trial: &mut Trial<'_>, settings: &Settings) -> (Vec<Labels>, usize) {
    let with = |pairs: &[(String, String)]| Beginning::of(Scene::Running).labelled(set(pairs));
    let mut unjudged = Trial::new(trial.watcher, &[]);
    let mut of = |pairs: &[(String, String)]| unjudged.outcome(&with(pairs), &LONG_STORIES);
    let usual = of(&[]);
    let (mut found, mut left_out) = (Vec::new(), 0);
    // A label has one value at a time.
    let mut by_value: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    for (name, value) in &settings.labels {
        by_value.entry(value).or_default().push((name.clone(), value.clone()));
    }
    for group in by_value.values().flat_map(|pairs| pairs.chunks(AT_ONCE)) {
        if found.len() >= MOST {
            left_out += group.len();
        } else if of(group) != usual {
            found.push(narrowed(group.to_vec(), &mut |pairs| of(pairs) != usual));
        }
    }
    for pairs in &found {
        trial.outcome(&with(pairs), &LONG_STORIES);
    }
    (found.iter().map(|pairs| set(pairs)).collect(), left_out)
}

/// So many labels are tried at once: a snapshot with all there may be would take too long to hand over.
const AT_ONCE: usize = 500;

fn set(pairs: &[(String, String)]) -> Labels {
    Labels::from(pairs.iter().cloned().collect::<BTreeMap<_, _>>())
}

/// Whether these labels make a difference.
type Difference<'a> = &'a mut dyn FnMut(&[(String, String)]) -> bool;

/// The half of the labels that still makes a difference, again and again; all of them, if neither does alone.
fn narrowed(mut pairs: Vec<(String, String)>, makes_a_difference: Difference<'_>) -> Vec<(String, String)> {
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
