//! Breadth first through everything that may happen, by all threads, with one outcome whatever their number.
//!
//! # Breadth first, by weight
//!
//! The depth of a state is what the steps to it weigh together (`Step::weighs`). All states of one depth are gone on
//! from before any of the next, so the first counterexample of a law is one of the shortest. Steps weigh differently: a
//! state may first be met by a heavy step and then, before its turn, by lighter ones. It then counts at the lesser
//! depth, and what was put aside at the greater is dropped when that depth is taken up.
//!
//! # Fingerprints
//!
//! Of a state that was met only a 64-bit hash and the least depth are kept (`State::fingerprint`); a state met again is
//! not followed again. The hash covers what the future depends on: the record after the decision with the policy's
//! memory, the evidence with its times, the world, the look-ups that are open, and what the laws remember. Two
//! different states that hash alike would be taken for one, and what follows the second would go unseen: one chance in
//! about 400,000 among ten million states. Times are hashed as they are, since a policy's memory is opaque and may
//! contain any of them.
//!
//! # States are made again
//!
//! A whole state takes some 20 KB, and most of those that are met wait for their turn, or are never gone on from. So
//! only the state before is kept, shared by all that follow from it, with the step that led on and what the laws
//! remember; the state itself is made again by one more look when its turn comes. This is sound because a look is a
//! pure function of state and step, the policy included (the law `same-input-same-output` holds it to that). Keeping
//! whole states took about five times the memory. The fingerprint is taken again, which is that law's widest test.
//!
//! # Threads
//!
//! Threads take blocks of one depth's states and only read what was met before. What they found is merged afterwards,
//! in the order of the blocks. So the counts and the counterexamples are the same for any number of threads, and two
//! blocks that report the same new state do no harm: the merge keeps the first.
//!
//! # Where depth is spent
//!
//! Of most states there are thousands that differ in times alone. From the first state of each *kind* (`State::kind`) some long
//! lines are followed: nothing changes for days, everything heals and stays so, the same goes on in circles ([`lines`](crate::lines)).
//! And beyond the depth to which all is tried, only states of a new kind are gone on from.
//!
//! # Rejected
//!
//! - *A model in TLA+ or Alloy*: it would prove the model, and neither reads WebAssembly.
//! - *Symbolic execution of the module*: it explodes before a second look.
//! - *Random sequences alone*: 20,000 random worlds had passed over a fault that takes three events in one order.
//! - *No bound*: a policy's memory is opaque bytes, and nothing bounds its states.
//!
//! `docs/decisions/0012-bounded-exploration.md` has the whole of it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use steadfast_core::decision::Decide;

use crate::beginning::{Beginning, Scene};
use crate::calm::{Calm, Pace};
pub use crate::coverage::Coverage;
use crate::expansion::Expansion;
use crate::fault_kinds::{Alike, Trials};
use crate::frontier::Frontier;
use crate::late::{MOST_LATE, is_late};
use crate::laws::{Break, Law};
use crate::look::Watcher;
use crate::recovered::Recovered;
use crate::settings::Settings;
use crate::state::State;
use crate::step::Step;
use crate::successors;
use crate::trials::{self, Trial, Tried, TriedAll};

/// Makes instances of the policy: two for each thread.
pub type Make<'a> = &'a (dyn Fn() -> Box<dyn Decide> + Sync);

/// What was done to one depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthReport {
    /// The depth: so much had happened.
    pub depth: u32,
    /// States first met at this depth.
    pub states: usize,
    /// Looks taken to get there.
    pub transitions: usize,
    /// Looks that led to a state met before.
    pub merged: usize,
    /// States that were not gone on from, as they lie beyond the depth to which all is tried, and are of no new kind.
    pub left: usize,
}

/// How far a depth has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// From this depth states are gone on from.
    pub depth: u32,
    /// So many are done ...
    pub done: usize,
    /// ... of so many.
    pub of: usize,
}

/// Who is told how it goes, and may end it.
pub trait Observer {
    /// A depth is done.
    fn depth(&mut self, report: DepthReport);

    /// States are gone on from; told some times a second. `false` ends the exploration.
    fn goes_on(&mut self, _progress: Progress) -> bool {
        true
    }

    /// A law is broken that was not before.
    fn breaks(&mut self, _law: &str) {}
}

/// What came of an exploration.
#[derive(Debug)]
pub struct Report {
    /// By depth, from 0.
    pub depths: Vec<DepthReport>,
    /// To which depth everything was to be tried, ...
    pub depth: u32,
    /// ... and to which it was.
    pub complete: u32,
    /// Whether somebody ended it sooner than the settings say.
    pub ended: bool,
    /// What the policy's first call says that missed its deadline, if so many did ([`MOST_LATE`](crate::MOST_LATE)) that the
    /// exploration ended there.
    pub late: Option<String>,
    /// Where it began.
    pub beginnings: Vec<Beginning>,
    /// What the policy's answers depend on beside the evidence, wherever it began.
    pub tried: Tried,
    /// Kinds of state from which lines were followed.
    pub kinds: usize,
    /// Looks along lines.
    pub along_lines: usize,
    /// What was seen of the policy.
    pub coverage: Coverage,
    /// Alerts that laws name, and that no decision raised.
    pub unheard: BTreeSet<String>,
    /// Kinds of fault that one stood for.
    pub alike: Alike,
    /// For each law, in their order: the shortest way to break it, if there is one.
    pub laws: Vec<Option<Counterexample>>,
}

/// The shortest story that breaks a law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// Where it begins.
    pub from: Beginning,
    /// What its steps weigh together.
    pub depth: u32,
    /// What happens, in order; the law is broken by the look at the last, or by what is done then.
    pub steps: Vec<Step>,
    /// How the last look breaks the law.
    pub broken: Break,
}

/// Explores to the settings' depth, and calls `on_depth` when a depth is done. Stops sooner once every law is broken.
pub fn verify(
    make: Make<'_>,
    laws: &[Box<dyn Law>],
    settings: &Settings,
    on_depth: &mut dyn FnMut(DepthReport),
) -> Report {
    struct Depths<'a>(&'a mut dyn FnMut(DepthReport));
    impl Observer for Depths<'_> {
        fn depth(&mut self, report: DepthReport) {
            (self.0)(report);
        }
    }
    verify_before(make, laws, settings, &mut Depths(on_depth))
}

/// The same before an observer, who may end it.
pub fn verify_before(
    make: Make<'_>,
    laws: &[Box<dyn Law>],
    settings: &Settings,
    observer: &mut dyn Observer,
) -> Report {
    let mut watcher = Watcher::new(make, settings.timing);
    let (all, mut tried) = beginnings(&mut watcher, laws, settings);
    let pace = if tried.tried.date { Pace::ByHours } else { Pace::ByDays };
    let calm = Calm::of(&all, pace, settings, &mut watcher);
    let alike = try_fault_kinds(&mut watcher, laws, settings);
    // From what lies at the last depth of all nothing is gone on, so that it would be begun at in vain.
    let last = settings.depth + settings.beyond;
    let is_reached = |from: &Beginning| from.weighs() <= settings.depth && from.weighs() < last;
    let (begun, beyond) = all.into_iter().partition(is_reached);
    tried.tried.not_begun = beyond;
    let mut frontier = Frontier::begin(&mut watcher, laws, settings, begun);
    let mut depths = Vec::new();
    let recovered = Arc::<Recovered>::default();
    let mut ended = false;
    let mut stood = vec![true; laws.len()];
    for depth in 0..=settings.depth + settings.beyond {
        if watcher.late().is_enough() {
            ended = true;
            break;
        }
        let (report, open) = frontier.take(depth);
        observer.depth(report);
        depths.push(report);
        let standing = frontier.stands();
        for ((law, stood), stands) in laws.iter().zip(&mut stood).zip(&standing) {
            if *stood && !stands {
                observer.breaks(law.name());
            }
            *stood = *stands;
        }
        if depth == settings.depth + settings.beyond || !standing.contains(&true) {
            break;
        }
        let expansion = Expansion {
            make,
            laws,
            settings,
            alike: &alike,
            calm: &calm,
            frontier: &frontier,
            recovered: &recovered,
            late: watcher.late(),
            open: &open,
            depth,
            standing,
        };
        let (expanded, is_whole) = expansion.run(observer);
        frontier.keep(&open, expanded);
        if !is_whole {
            ended = true;
            break;
        }
    }
    let mut report = frontier.report(depths, alike, ended, tried);
    report.late = watcher.late().reason();
    report.coverage.join(watcher.take_coverage());
    let named = laws.iter().flat_map(|law| law.alerts());
    let unheard = named.filter(|name| !report.coverage.alerts.contains(*name));
    report.unheard = unheard.map(str::to_owned).collect();
    report
}

/// Where it may begin: the usual places, and others that the policy's answers depend on.
fn beginnings(watcher: &mut Watcher, laws: &[Box<dyn Law>], settings: &Settings) -> (Vec<Beginning>, TriedAll) {
    let mut all = Beginning::usual();
    let mut trial = Trial::new(watcher, laws);
    let mut tried = Tried::default();
    if settings.trials {
        let running = || Beginning::of(Scene::Running);
        let (moments, moments_left_out) = trials::moments(&mut trial);
        let (labels, labels_left_out) = trials::labels(&mut trial, settings);
        if trial.watcher.late().is_enough() {
            let broken = trial.broken;
            return (all, TriedAll { tried, broken });
        }
        tried = Tried {
            was_tried: true,
            date: !moments.is_empty(),
            moments_left_out,
            labels_left_out,
            labels: labels.clone(),
            not_begun: Vec::new(),
        };
        all.extend(moments.into_iter().map(|at| running().at(at)));
        all.extend(labels.into_iter().map(|labels| running().labelled(labels)));
    }
    let broken = trial.broken;
    (all, TriedAll { tried, broken })
}

/// Tries every kind of fault at the first looks.
fn try_fault_kinds(watcher: &mut Watcher, laws: &[Box<dyn Law>], settings: &Settings) -> Alike {
    let mut trials = Trials::new();
    let alike = Alike::all();
    let mut met = HashSet::new();
    let usual = [Scene::Running, Scene::Start].map(Beginning::of);
    let mut open: Vec<State> = usual.iter().map(|from| from.state(watcher, laws)).collect();
    let mut late = 0;
    for _ in 0..settings.fault_depth {
        for state in std::mem::take(&mut open) {
            for step in successors::of(&state, settings, &alike) {
                if late >= MOST_LATE || watcher.late().is_enough() {
                    return trials.groups();
                }
                let look = watcher.look(&state, step);
                // Whichever fault it is, it would miss it again.
                if is_late(&look) {
                    late += 1;
                    continue;
                }
                trials.take(&look.snapshot, watcher);
                if met.insert(look.after.fingerprint(&look.snapshot).whole) {
                    open.push(look.after);
                }
            }
        }
    }
    trials.groups()
}
