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
//! # Rejected
//!
//! - *A model in TLA+ or Alloy*: it would prove the model, and neither reads WebAssembly.
//! - *Symbolic execution of the module*: it explodes before a second look.
//! - *Random sequences alone*: 20,000 random worlds had passed over a fault that takes three events in one order.
//! - *No bound*: a policy's memory is opaque bytes, and nothing bounds its states.
//!
//! `docs/decisions/0012-bounded-exploration.md` has the whole of it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use steadfast_core::decision::Decide;

use crate::fault_kinds::{Alike, Trials};
use crate::fingerprints::{FingerprintMap, FingerprintSet};
use crate::laws::{Break, Future, Law};
use crate::look::{Look, Watcher};
use crate::recovered::Recovered;
use crate::settings::Settings;
use crate::state::State;
use crate::step::Step;
use crate::successors;

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
}

/// What came of an exploration.
#[derive(Debug)]
pub struct Report {
    /// By depth, from 0.
    pub depths: Vec<DepthReport>,
    /// Kinds of fault that one stood for.
    pub alike: Alike,
    /// For each law, in their order: the shortest way to break it, if there is one.
    pub laws: Vec<Option<Counterexample>>,
}

/// The shortest story that breaks a law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// Where it begins.
    pub from: From,
    /// What its steps weigh together.
    pub depth: u32,
    /// What happens, in order; the law is broken by the look at the last.
    pub steps: Vec<Step>,
    /// How the last look breaks the law.
    pub broken: Break,
}

/// Where a story begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum From {
    /// The engine starts, and nothing answers yet.
    Start,
    /// The job runs, and was seen to run.
    Running,
}

impl From {
    /// The first of two breaks of equal depth begins with a job that runs.
    const ALL: [Self; 2] = [Self::Running, Self::Start];

    /// How much of the depth is spent with it: most jobs are watched for long, and begin once.
    const fn weighs(self) -> u32 {
        match self {
            Self::Running => 0,
            Self::Start => 2,
        }
    }

    /// The state, with what the laws remember of it.
    pub(crate) fn state(self, watcher: &mut Watcher, laws: &[Box<dyn Law>]) -> State {
        match self {
            Self::Start => watcher.unseen(laws.len()),
            Self::Running => {
                let mut look = watcher.look(&watcher.healthy(laws.len()), Step::Wait(watcher.timing().poll));
                let mut trackers = std::mem::take(&mut look.after.trackers);
                for (law, tracker) in laws.iter().zip(&mut trackers) {
                    // What breaks here breaks from the start as well, and is reported there.
                    drop(law.judge(&look, tracker));
                }
                look.after.trackers = trackers;
                look.after
            }
        }
    }
}

/// Every state met so far, with the least depth at which it was.
type Met = FingerprintMap<u32>;

/// Futures that were probed, and in which no law was broken: states that differ only in what the laws remember have one.
type Probed = FingerprintSet;

/// How a state was first reached.
#[derive(Clone, Copy)]
struct Origin {
    before: u32,
    step: Step,
}

const ROOT: u32 = u32::MAX;

/// A state to go on from.
struct Open {
    fingerprint: u64,
    origin: Origin,
    found: Found,
}

/// How a state is found again. A whole one takes some 20 KB, and most of what is met waits long: it is made again from the
/// one before, by one more look.
enum Found {
    Root(Arc<State>),
    After {
        state: Arc<State>,
        step: Step,
        trackers: Vec<u64>,
    },
}

impl Open {
    /// The state, and whether it is the same as when it was met.
    fn state(&self, watcher: &mut Watcher) -> (Arc<State>, bool) {
        match &self.found {
            Found::Root(state) => (Arc::clone(state), true),
            Found::After { state, step, trackers } => {
                let mut look = watcher.look(state, *step);
                look.after.trackers.clone_from(trackers);
                let is_same = look.after.fingerprint(&look.snapshot).whole == self.fingerprint;
                (Arc::new(look.after), is_same)
            }
        }
    }
}

/// How many states a thread takes at once.
const BLOCK: usize = 32;

/// A state that a look led to.
struct Reached {
    fingerprint: u64,
    depth: u32,
    origin: Origin,
    /// Left out where nothing can follow within the bounds.
    found: Option<Found>,
}

/// What one block of states led to.
struct Expanded {
    block: usize,
    /// Looks taken, by the depth they led to.
    transitions: BTreeMap<u32, usize>,
    reached: Vec<Reached>,
    /// Futures in which no law was broken.
    probed: Probed,
    /// The shortest break of each law in this block: its depth first.
    broken: Vec<Option<(u32, Origin, Break)>>,
}

/// Explores to the settings' depth, and calls `on_depth` when a depth is done. Stops sooner once every law is broken.
pub fn verify(
    make: Make<'_>,
    laws: &[Box<dyn Law>],
    settings: &Settings,
    on_depth: &mut dyn FnMut(DepthReport),
) -> Report {
    let mut watcher = Watcher::new(make, settings.timing);
    let alike = try_fault_kinds(&mut watcher, laws, settings);
    let mut exploration = Exploration::begin(&mut watcher, laws, settings);
    let mut depths = Vec::new();
    let recovered = Arc::<Recovered>::default();
    for depth in 0..=settings.depth {
        let open = exploration.take(depth);
        let transitions = exploration.transitions_to.get(&depth).copied().unwrap_or_default();
        let states = exploration.states_at.get(&depth).copied().unwrap_or_default();
        let report = DepthReport {
            depth,
            states,
            transitions,
            merged: transitions.saturating_sub(states),
        };
        on_depth(report);
        depths.push(report);
        let standing: Vec<bool> = exploration.stands();
        if depth == settings.depth || !standing.contains(&true) {
            break;
        }
        let expansion = Expansion {
            make,
            laws,
            settings,
            alike: &alike,
            met: &exploration.met,
            probed: &exploration.probed,
            recovered: &recovered,
            first: exploration.next_index(),
            open: &open,
            depth,
            standing,
        };
        let expanded = expansion.run();
        exploration.keep(&open, expanded);
    }
    Report {
        depths,
        alike,
        laws: exploration.counterexamples(),
    }
}

/// Tries every kind of fault at the first looks.
fn try_fault_kinds(watcher: &mut Watcher, laws: &[Box<dyn Law>], settings: &Settings) -> Alike {
    let mut trials = Trials::new();
    let alike = Alike::all();
    let mut met = HashSet::new();
    let mut open: Vec<State> = From::ALL.iter().map(|from| from.state(watcher, laws)).collect();
    for _ in 0..settings.fault_depth {
        for state in std::mem::take(&mut open) {
            for step in successors::of(&state, settings, &alike) {
                let look = watcher.look(&state, step);
                trials.take(&look.snapshot, watcher);
                if met.insert(look.after.fingerprint(&look.snapshot).whole) {
                    open.push(look.after);
                }
            }
        }
    }
    trials.groups()
}

/// How far an exploration has come.
struct Exploration {
    /// States to go on from, by depth.
    buckets: BTreeMap<u32, Vec<Open>>,
    met: Met,
    probed: Probed,
    /// Those gone on from, in their order: by it the way to each is found again.
    origins: Vec<Origin>,
    states_at: BTreeMap<u32, usize>,
    transitions_to: BTreeMap<u32, usize>,
    /// The shortest break of each law, and how deep it lies.
    broken: Vec<Option<(u32, Origin, Break)>>,
    /// How deep the exploration is complete.
    depth: u32,
}

impl Exploration {
    fn begin(watcher: &mut Watcher, laws: &[Box<dyn Law>], settings: &Settings) -> Self {
        let mut exploration = Self {
            buckets: BTreeMap::new(),
            met: Met::default(),
            probed: Probed::default(),
            origins: Vec::new(),
            states_at: BTreeMap::new(),
            transitions_to: BTreeMap::new(),
            broken: laws.iter().map(|_| None).collect(),
            depth: 0,
        };
        for (fingerprint, from) in (0..).zip(From::ALL) {
            if from.weighs() > settings.depth {
                continue;
            }
            let root = Reached {
                fingerprint,
                depth: from.weighs(),
                origin: Origin {
                    before: ROOT,
                    step: Step::Wait(settings.timing.poll),
                },
                found: Some(Found::Root(Arc::new(from.state(watcher, laws)))),
            };
            exploration.reach(root);
        }
        exploration
    }

    /// The states of a depth, which are then gone on from.
    fn take(&mut self, depth: u32) -> Vec<Open> {
        self.depth = depth;
        let mut open = self.buckets.remove(&depth).unwrap_or_default();
        // Some were reached sooner after they had been put here.
        open.retain(|open| self.met.get(&open.fingerprint) == Some(&depth));
        open
    }

    fn next_index(&self) -> usize {
        self.origins.len()
    }

    /// Which laws are not broken within the depth that is complete.
    fn stands(&self) -> Vec<bool> {
        let stands = |broken: &Option<(u32, Origin, Break)>| broken.as_ref().is_none_or(|(at, ..)| *at > self.depth);
        self.broken.iter().map(stands).collect()
    }

    fn reach(&mut self, reached: Reached) {
        let Reached {
            fingerprint,
            depth,
            origin,
            found,
        } = reached;
        let before = self.met.get(&fingerprint).copied();
        if before.is_some_and(|before| before <= depth) {
            return;
        }
        self.met.insert(fingerprint, depth);
        *self.states_at.entry(depth).or_default() += 1;
        if let Some(before) = before.and_then(|before| self.states_at.get_mut(&before)) {
            *before -= 1;
        }
        if let Some(found) = found {
            self.buckets.entry(depth).or_default().push(Open {
                fingerprint,
                origin,
                found,
            });
        }
    }

    /// Takes in what the states of a depth led to.
    fn keep(&mut self, open: &[Open], expanded: Vec<Expanded>) {
        self.origins.extend(open.iter().map(|open| open.origin));
        for block in expanded {
            for (depth, count) in block.transitions {
                *self.transitions_to.entry(depth).or_default() += count;
            }
            for reached in block.reached {
                self.reach(reached);
            }
            self.probed.extend(block.probed);
            for (slot, broken) in self.broken.iter_mut().zip(block.broken) {
                let is_shorter = match (&slot, &broken) {
                    (_, None) => false,
                    (None, Some(_)) => true,
                    (Some((known, ..)), Some((depth, ..))) => depth < known,
                };
                if is_shorter {
                    *slot = broken;
                }
            }
        }
    }

    fn counterexamples(&self) -> Vec<Option<Counterexample>> {
        let counterexample = |broken: &Option<(u32, Origin, Break)>| {
            let (depth, origin, broken) = broken.as_ref()?;
            (*depth <= self.depth).then(|| self.story(*depth, *origin, broken.clone()))
        };
        self.broken.iter().map(counterexample).collect()
    }

    /// The steps from a root to the look that breaks a law.
    fn story(&self, depth: u32, last: Origin, broken: Break) -> Counterexample {
        let mut steps = vec![last.step];
        let mut object = last.before;
        let origin_of = |object: u32| usize::try_from(object).ok().and_then(|object| self.origins.get(object));
        while let Some(origin) = origin_of(object).filter(|origin| origin.before != ROOT) {
            steps.push(origin.step);
            object = origin.before;
        }
        steps.reverse();
        Counterexample {
            from: if object == 0 { From::Running } else { From::Start },
            depth,
            steps,
            broken,
        }
    }
}

/// One depth's work.
struct Expansion<'a> {
    make: Make<'a>,
    laws: &'a [Box<dyn Law>],
    settings: &'a Settings,
    alike: &'a Alike,
    met: &'a Met,
    probed: &'a Probed,
    recovered: &'a Arc<Recovered>,
    /// The index of the first of these states among all origins.
    first: usize,
    open: &'a [Open],
    depth: u32,
    /// Which laws are not broken yet.
    standing: Vec<bool>,
}

impl Expansion<'_> {
    /// By block, in the order of the states they are from.
    fn run(&self) -> Vec<Expanded> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut watcher = Watcher::new(self.make, self.settings.timing).among(self.recovered);
            let mut done = Vec::new();
            loop {
                let block = next.fetch_add(1, Ordering::Relaxed);
                let from = block.saturating_mul(BLOCK);
                let states = self.open.get(from..self.open.len().min(from.saturating_add(BLOCK)));
                let Some(states) = states.filter(|states| !states.is_empty()) else {
                    return done;
                };
                done.push(self.expand(block, states, &mut watcher));
            }
        };
        let mut expanded: Vec<Expanded> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.settings.threads.get()).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            for other in others {
                match other.join() {
                    Ok(done) => all.extend(done),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            all
        });
        expanded.sort_by_key(|done| done.block);
        expanded
    }

    fn expand(&self, block: usize, states: &[Open], watcher: &mut Watcher) -> Expanded {
        let mut done = Expanded {
            block,
            transitions: BTreeMap::new(),
            reached: Vec::new(),
            probed: Probed::default(),
            broken: self.laws.iter().map(|_| None).collect(),
        };
        let mut here = Met::default();
        for (object, open) in (self.first + block * BLOCK..).zip(states) {
            let (state, is_same) = open.state(watcher);
            if !is_same {
                self.came_out_otherwise(open, &mut done.broken);
            }
            for step in successors::of(&state, self.settings, self.alike) {
                let depth = self.depth + step.weighs();
                if depth > self.settings.depth {
                    continue;
                }
                *done.transitions.entry(depth).or_default() += 1;
                let origin = Origin {
                    before: u32::try_from(object).unwrap_or(ROOT),
                    step,
                };
                let mut look = watcher.look(&state, step);
                self.judge(&mut look, (depth, origin), &mut done.broken);
                let fingerprint = look.after.fingerprint(&look.snapshot);
                let is_known = |met: &Met| met.get(&fingerprint.whole).is_some_and(|before| *before <= depth);
                if is_known(self.met) || is_known(&here) {
                    continue;
                }
                here.insert(fingerprint.whole, depth);
                let is_probed = self.probed.contains(&fingerprint.future) || done.probed.contains(&fingerprint.future);
                if !is_probed && self.probe(&look, fingerprint.future, (depth, origin), watcher, &mut done.broken) {
                    done.probed.insert(fingerprint.future);
                }
                done.reached.push(Reached {
                    fingerprint: fingerprint.whole,
                    depth,
                    origin,
                    found: (depth < self.settings.depth).then(|| Found::After {
                        state: Arc::clone(&state),
                        step,
                        trackers: std::mem::take(&mut look.after.trackers),
                    }),
                });
            }
        }
        done
    }

    fn judge(&self, look: &mut Look, at: (u32, Origin), broken: &mut [Option<(u32, Origin, Break)>]) {
        let mut trackers = std::mem::take(&mut look.after.trackers);
        for (((law, standing), tracker), slot) in self.laws.iter().zip(&self.standing).zip(&mut trackers).zip(broken) {
            if !standing {
                // What a broken law remembers no longer distinguishes states.
                *tracker = 0;
            } else if let Err(why) = law.judge(look, tracker) {
                note(slot, at, why);
            }
        }
        look.after.trackers = trackers;
    }

    /// Returns whether every law that stands was probed and holds.
    fn probe(
        &self,
        look: &Look,
        fingerprint: u64,
        at: (u32, Origin),
        watcher: &mut Watcher,
        broken: &mut [Option<(u32, Origin, Break)>],
    ) -> bool {
        let mut holds = true;
        let future = Future {
            fingerprint,
            depth: at.0,
        };
        for ((law, standing), slot) in self.laws.iter().zip(&self.standing).zip(broken) {
            if !standing {
                continue;
            }
            let may_be_shorter = slot.as_ref().is_none_or(|(depth, ..)| at.0 < *depth);
            holds &= may_be_shorter;
            if may_be_shorter && let Err(why) = law.probe(look, future, watcher) {
                holds = false;
                note(slot, at, why);
            }
        }
        holds
    }

    /// The same step from the same state led elsewhere.
    fn came_out_otherwise(&self, open: &Open, broken: &mut [Option<(u32, Origin, Break)>]) {
        for ((law, standing), slot) in self.laws.iter().zip(&self.standing).zip(broken) {
            if *standing && let Some(why) = law.came_out_otherwise() {
                note(slot, (self.depth, open.origin), why);
            }
        }
    }
}

/// Keeps the shorter break, and of equal ones the first.
fn note(slot: &mut Option<(u32, Origin, Break)>, (depth, origin): (u32, Origin), why: Break) {
    if slot.as_ref().is_none_or(|(known, ..)| depth < *known) {
        *slot = Some((depth, origin, why));
    }
}
