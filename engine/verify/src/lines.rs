//! Long lines from one state of each kind: a rule that waits for ten answers, for an hour or for a week is met there, far beyond
//! the depth to which everything is tried.
//!
//! A line is a way in which things simply go on. Nothing changes for days; nothing changes and what the policy asks for is
//! answered; everything heals and stays well; or the same few things happen again and again. Laws judge each look of it, and it as a
//! whole ([`Law::along`]).

use std::collections::BTreeMap;
use std::time::Duration;

use steadfast_core::evidence::FaultKind;
use steadfast_core::state::{Intent, JobState, Mode};
use steadfast_core::timing::Timing;

pub use crate::calm::{Calm, Pace};
use crate::laws::{Break, Law};
use crate::look::{Look, Watcher};
use crate::settings::Settings;
use crate::state::State;
use crate::step::{EndsStep, Explanation, FlinkStep, KubernetesStep, Step, Visibility};
use crate::successors;

/// How things go on along a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Only time passes, and the same evidence is found again.
    Still,
    /// The same, and what the policy asks for is answered.
    Answered,
    /// Everything answers, the job runs, and only time passes.
    Healed,
    /// The same few things happen again and again.
    Circles,
}

/// A line so far: its looks in order, the last one just taken.
#[derive(Debug)]
pub struct Along<'a> {
    /// How it goes on.
    pub course: Course,
    /// The looks.
    pub looks: &'a [Look],
    /// Of a line in circles: how many bytes the memory had after each round.
    pub sizes: &'a [usize],
    /// What stands beside a job of which nothing was ever wrong.
    pub calm: &'a Calm,
    /// Whether it ends here.
    pub is_end: bool,
}

/// What laws are held to along the lines of one state, and what came of it.
pub(crate) struct Line<'a> {
    pub(crate) laws: &'a [Box<dyn Law>],
    pub(crate) standing: &'a [bool],
    pub(crate) calm: &'a Calm,
    pub(crate) looks: usize,
    /// The spans by which the memory grew along the still line, each time that they passed.
    pub(crate) growing: Vec<Duration>,
    /// Breaks: of which law, and how many looks behind the state.
    pub(crate) broken: Vec<(usize, u32, Break)>,
}

/// Follows every line from a state.
pub(crate) fn follow(line: &mut Line<'_>, state: &State, depth: u32, settings: &Settings, watcher: &mut Watcher) {
    let is_early = depth <= LONG_TO;
    let still = still(settings, line.calm.pace, is_early);
    line.course(Course::Still, state, &still, watcher);
    if state.asked.open().next().is_some() {
        line.course(Course::Answered, state, &answered(&settings.timing), watcher);
    }
    let healed: Vec<Step> = std::iter::once(Step::Heal).chain(calm(settings)).collect();
    line.course(Course::Healed, state, &healed, watcher);
    let poll = Step::Wait(settings.timing.poll);
    line.circles(state, &[poll], watcher);
    for wait in line.growing.clone() {
        line.circles(state, &[Step::Wait(wait)], watcher);
    }
    if is_early {
        for round in rounds(state.world.mode) {
            let round: Vec<Step> = round.iter().flat_map(|step| [*step, poll]).collect();
            line.circles(state, &round, watcher);
        }
    }
    if depth == 0 {
        // What happens seldom is remembered for longer.
        for round in rounds(state.world.mode) {
            for wait in [MINUTE * 10, HOUR] {
                let round: Vec<Step> = round.iter().copied().chain([Step::Wait(wait)]).collect();
                line.circles(state, &round, watcher);
            }
        }
    }
}

/// From states that lie no deeper, lines are long, and go in circles.
const LONG_TO: u32 = 1;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Nothing changes: first at the pace of polls, then for longer and longer, then for what the parameters name.
fn still(settings: &Settings, pace: Pace, is_long: bool) -> Vec<Step> {
    let (polls, scale) = if is_long { (64, 2) } else { (12, 1) };
    let mut spans = vec![settings.timing.poll; polls];
    spans.extend(vec![Duration::from_secs(50); 3 * scale]);
    spans.extend(vec![MINUTE * 10; 3 * scale]);
    spans.extend(settings.spans.iter().copied());
    spans.extend(vec![HOUR; 2 * scale]);
    spans.extend(days(DAYS + 2 * (scale - 1), pace));
    spans.into_iter().map(Step::Wait).collect()
}

/// Longer than a long weekend.
const DAYS: usize = 4;

fn days(count: usize, pace: Pace) -> Vec<Duration> {
    match pace {
        Pace::ByDays => vec![DAY; count],
        Pace::ByHours => vec![HOUR; 24 * count],
    }
}

/// Nothing is wrong, and days pass.
pub(crate) fn calm_days(settings: &Settings, pace: Pace) -> impl Iterator<Item = Step> + use<'_> {
    calm(settings).chain(days(DAYS, pace).into_iter().map(Step::Wait))
}

/// Long enough at the pace of polls to tell what is asked for each time from what is asked for now and then.
fn answered(timing: &Timing) -> Vec<Step> {
    vec![Step::Wait(timing.poll); 32]
}

/// What is healed stays so, for longer than anything of before should be remembered.
fn calm(settings: &Settings) -> impl Iterator<Item = Step> + use<'_> {
    let poll = settings.timing.poll;
    let spans = [poll, poll, poll, MINUTE, MINUTE * 10, MINUTE * 10, HOUR, DAY];
    spans.into_iter().chain(settings.spans.iter().copied()).map(Step::Wait)
}

/// What may happen again and again, with a poll after each thing.
fn rounds(mode: Mode) -> Vec<Vec<Step>> {
    use KubernetesStep::{
        Answers, Deleted, PodCrashes, PodJoins, PodLeaves, PodRecovers, PodRestarts, Replaced, Silent,
    };
    let silent = FaultKind::Timeout;
    let flink = |steps: &[FlinkStep]| steps.iter().copied().map(Step::Flink).collect::<Vec<_>>();
    let kubernetes = |steps: &[KubernetesStep]| steps.iter().copied().map(Step::Kubernetes).collect::<Vec<_>>();
    let says = FlinkStep::Says;
    let mut rounds = vec![
        flink(&[FlinkStep::Silent(silent), says(JobState::Running)]),
        flink(&[FlinkStep::Lacks, says(JobState::Running)]),
        flink(&[says(JobState::Restarting), says(JobState::Running)]),
        flink(&[says(JobState::Failed), FlinkStep::NewStart]),
        flink(&[FlinkStep::NewStart]),
        vec![Step::Restart],
        vec![Step::Intent(Intent::Savepoint), Step::Intent(Intent::None)],
        vec![Step::Neighbours(Visibility::Dark), Step::Neighbours(Visibility::Seen)],
    ];
    if mode != Mode::Standalone {
        rounds.push(kubernetes(&[Silent(silent), Answers]));
        rounds.push(kubernetes(&[PodRestarts]));
        rounds.push(kubernetes(&[PodCrashes, PodRecovers]));
        rounds.push(kubernetes(&[PodJoins, PodLeaves]));
        rounds.push(kubernetes(&[Deleted, Replaced]));
    }
    if mode != Mode::Session {
        rounds.push(flink(&[FlinkStep::NewJob]));
    }
    rounds
}

impl Line<'_> {
    fn course(&mut self, course: Course, from: &State, steps: &[Step], watcher: &mut Watcher) {
        let mut looks: Vec<Look> = Vec::with_capacity(steps.len());
        for (place, step) in steps.iter().enumerate() {
            if watcher.late().is_enough() {
                return;
            }
            self.look(&mut looks, from, *step, watcher);
            match course {
                Course::Answered => self.answer(&mut looks, from, watcher),
                Course::Healed => self.explain(&mut looks, from, watcher),
                Course::Still | Course::Circles => {}
            }
            let along = Along {
                course,
                looks: &looks,
                sizes: &[],
                calm: self.calm,
                is_end: place + 1 == steps.len(),
            };
            self.judge_along(&along);
            if self.is_idle() {
                return;
            }
        }
        if course == Course::Still {
            self.growing = growing(&looks);
        }
    }

    /// Whether no law is left to be held to.
    fn is_idle(&self) -> bool {
        let is_broken = |place: usize| self.broken.iter().any(|(law, ..)| *law == place);
        self.standing
            .iter()
            .enumerate()
            .all(|(place, stands)| !stands || is_broken(place))
    }

    /// Takes one look, and holds every law to it.
    fn look(&mut self, looks: &mut Vec<Look>, from: &State, step: Step, watcher: &mut Watcher) {
        let mut look = watcher.look(looks.last().map_or(from, |last| &last.after), step);
        self.looks += 1;
        watcher.late().note(&look);
        let broken = self.judge(&mut look);
        looks.push(look);
        for (place, why) in broken {
            self.note(place, steps(looks), why);
        }
    }

    /// Which laws a look breaks, by their places.
    fn judge(&self, look: &mut Look) -> Vec<(usize, Break)> {
        let mut trackers = std::mem::take(&mut look.after.trackers);
        let mut broken = Vec::new();
        for ((place, law), tracker) in self.laws.iter().enumerate().zip(&mut trackers) {
            if self.standing.get(place) == Some(&true)
                && let Err(why) = law.judge(look, tracker)
            {
                broken.push((place, why));
            }
        }
        look.after.trackers = trackers;
        broken
    }

    /// Answers what the policy has asked for.
    fn answer(&mut self, looks: &mut Vec<Look>, from: &State, watcher: &mut Watcher) {
        self.explain(looks, from, watcher);
        let asked = looks.last().map_or(from.asked, |last| last.after.asked);
        if asked.of_the_end() {
            self.look(looks, from, Step::Ends(EndsStep::Nothing), watcher);
        }
    }

    /// Answers what explains.
    fn explain(&mut self, looks: &mut Vec<Look>, from: &State, watcher: &mut Watcher) {
        let asked = looks.last().map_or(from.asked, |last| last.after.asked);
        if asked.that_explains() {
            self.look(looks, from, Step::Explained(Explanation::Calm), watcher);
        }
    }

    fn judge_along(&mut self, along: &Along<'_>) {
        for (place, law) in self.laws.iter().enumerate() {
            if self.standing.get(place) == Some(&true)
                && let Err(why) = law.along(along)
            {
                self.note(place, steps(along.looks), why);
            }
        }
    }

    /// Keeps a break with what was done to find it. Of one law the first on each line counts; the shortest is chosen later.
    fn note(&mut self, place: usize, then: impl ExactSizeIterator<Item = Step>, why: Break) {
        let behind = u32::try_from(then.len()).unwrap_or(u32::MAX);
        let is_shorter = self
            .broken
            .iter()
            .all(|(law, known, _)| *law != place || behind < *known);
        if is_shorter {
            self.broken.retain(|(law, ..)| *law != place);
            let then = then.collect();
            self.broken.push((place, behind, Break { then, ..why }));
        }
    }

    /// The same few things again and again, every law held to each look. Where the memory does not come to rest it goes on until
    /// something breaks.
    fn circles(&mut self, from: &State, round: &[Step], watcher: &mut Watcher) {
        // Only the last look is kept: a line of thousands would not fit.
        let mut last: Option<Look> = None;
        let mut circle = Circle::default();
        for number in 0..MOST_ROUNDS {
            let mut is_failed = false;
            for step in round {
                let before = last.as_ref().map_or(from, |last| &last.after);
                if !successors::is_possible(before, *step) || watcher.late().is_enough() {
                    return;
                }
                let mut look = watcher.look(before, *step);
                self.looks += 1;
                circle.steps.push(*step);
                watcher.late().note(&look);
                for (place, why) in self.judge(&mut look) {
                    self.note(place, circle.steps.iter().copied(), why);
                }
                // A call that fails leaves record and memory as they were: the next round would be this one.
                is_failed = look.failure.is_some() && *step != Step::PolicyFails;
                last = Some(look);
                if is_failed {
                    break;
                }
            }
            let Some(look) = &last else { return };
            circle.sizes.push(look.record().memory.len());
            let goes_on = number < FEW_ROUNDS || grows(&circle.sizes);
            if is_failed || !goes_on || number + 1 == MOST_ROUNDS {
                self.judge_circle(look, &circle);
                return;
            }
            if self.is_idle() {
                return;
            }
        }
    }

    fn judge_circle(&mut self, last: &Look, circle: &Circle) {
        let along = Along {
            course: Course::Circles,
            looks: std::slice::from_ref(last),
            sizes: &circle.sizes,
            calm: self.calm,
            is_end: true,
        };
        for (place, law) in self.laws.iter().enumerate() {
            if self.standing.get(place) == Some(&true)
                && let Err(why) = law.along(&along)
            {
                self.note(place, circle.steps.iter().copied(), why);
            }
        }
    }
}

/// How far a line in circles has come.
#[derive(Default)]
struct Circle {
    /// What was done so far.
    steps: Vec<Step>,
    /// How many bytes the memory had after each round.
    sizes: Vec<usize>,
}

/// What led to the last of these looks.
fn steps(looks: &[Look]) -> impl ExactSizeIterator<Item = Step> {
    looks.iter().map(|look| look.step)
}

/// The spans that passed at least three times, and with each of which the memory grew. What is kept of a week grows for a week, so
/// that it is followed in circles before a law judges it.
fn growing(looks: &[Look]) -> Vec<Duration> {
    let mut spans: BTreeMap<Duration, (usize, bool)> = BTreeMap::new();
    for look in looks {
        if let Step::Wait(span) = look.step {
            let (times, grew) = spans.entry(span).or_insert((0, true));
            *times += 1;
            *grew &= look.record().memory.len() > look.before.memory.len();
        }
    }
    let all = spans.into_iter().filter(|(_, (times, grew))| *times >= 3 && *grew);
    all.map(|(span, _)| span).collect()
}

/// After so many rounds what is bounded has come to rest, ...
const FEW_ROUNDS: usize = 32;
/// ... and what has not is followed for so many, which is longer than 16 KiB take at four bytes a round.
const MOST_ROUNDS: usize = 4_096;

/// Whether the memory is longer than it was a while ago, and was longer then than a while before.
pub(crate) fn grows(sizes: &[usize]) -> bool {
    let behind = |rounds: usize| sizes.len().checked_sub(rounds).and_then(|place| sizes.get(place));
    let while_ago = FEW_ROUNDS / 4;
    let marks = [behind(1), behind(1 + while_ago), behind(1 + 2 * while_ago)];
    matches!(marks, [Some(now), Some(before), Some(long_before)] if now > before && before > long_before)
}
