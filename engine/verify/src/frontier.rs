//! How far an exploration has come: what was met, what waits for its turn, and the shortest break of each law.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::beginning::{Beginning, Scene};
use crate::explore::{Counterexample, Coverage, DepthReport, Report};
use crate::fault_kinds::Alike;
use crate::fingerprints::{FingerprintMap, FingerprintSet};
use crate::laws::{Break, Law};
use crate::look::Watcher;
use crate::settings::Settings;
use crate::state::State;
use crate::step::Step;
use crate::trials::TriedAll;

/// Every state met so far, with the least depth at which it was.
pub(crate) type Met = FingerprintMap<u32>;

/// Futures that were probed, and in which no law was broken: states that differ only in what the laws remember have one.
pub(crate) type Probed = FingerprintSet;

/// How a state was first reached.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    /// The index of the state before; of a beginning, counted down from the greatest.
    pub(crate) before: u32,
    pub(crate) step: Step,
}

/// How many beginnings there may be.
const BEGINNINGS: u32 = 256;

/// A break of a law, and where it was found.
#[derive(Clone)]
pub(crate) struct Found {
    /// How deep the state lies at which it shows, or from which a line leads to it.
    pub(crate) depth: u32,
    /// How many looks lie behind it on that line.
    pub(crate) behind: u32,
    pub(crate) origin: Origin,
    pub(crate) broken: Break,
}

impl Found {
    /// By what it is shorter than another: a line's look counts as much as a common step.
    pub(crate) fn length(&self) -> u32 {
        self.depth.saturating_add(self.behind)
    }

    /// Keeps the shorter break, of equal ones that of fewer looks along a line, and of those the first.
    pub(crate) fn keep(slot: &mut Option<Self>, found: Self) {
        let length = |one: &Self| (one.length(), one.behind);
        if slot.as_ref().is_none_or(|known| length(&found) < length(known)) {
            *slot = Some(found);
        }
    }
}

/// A state to go on from.
pub(crate) struct Open {
    pub(crate) fingerprint: u64,
    pub(crate) origin: Origin,
    pub(crate) again: Again,
    /// The first of its kind: lines are followed from it.
    pub(crate) is_new: bool,
}

/// How a state is found again. A whole one takes some 20 KB, and most of what is met waits long: it is made again from the
/// one before, by one more look.
pub(crate) enum Again {
    Begin(Arc<State>),
    After {
        state: Arc<State>,
        step: Step,
        trackers: Vec<u64>,
    },
}

impl Open {
    /// The state, and whether it is the same as when it was met.
    pub(crate) fn state(&self, watcher: &mut Watcher) -> (Arc<State>, bool) {
        match &self.again {
            Again::Begin(state) => (Arc::clone(state), true),
            Again::After { state, step, trackers } => {
                let mut look = watcher.look(state, *step);
                look.after.trackers.clone_from(trackers);
                let is_same = look.after.fingerprint(&look.snapshot).whole == self.fingerprint;
                (Arc::new(look.after), is_same)
            }
        }
    }
}

/// A state that a look led to.
pub(crate) struct Reached {
    pub(crate) fingerprint: u64,
    pub(crate) kind: u64,
    pub(crate) depth: u32,
    pub(crate) origin: Origin,
    /// Left out where nothing can follow within the bounds.
    pub(crate) again: Option<Again>,
}

/// What one block of states led to.
pub(crate) struct Expanded {
    pub(crate) block: usize,
    /// Looks taken, by the depth they led to.
    pub(crate) transitions: BTreeMap<u32, usize>,
    pub(crate) along_lines: usize,
    pub(crate) reached: Vec<Reached>,
    /// Futures in which no law was broken.
    pub(crate) probed: Probed,
    /// The shortest break of each law in this block.
    pub(crate) broken: Vec<Option<Found>>,
    pub(crate) coverage: Coverage,
}

/// How far an exploration has come.
pub(crate) struct Frontier {
    /// States to go on from, by depth.
    buckets: BTreeMap<u32, Vec<Open>>,
    pub(crate) met: Met,
    pub(crate) probed: Probed,
    kinds: FingerprintSet,
    /// Those gone on from, in their order: by it the way to each is found again.
    origins: Vec<Origin>,
    beginnings: Vec<Beginning>,
    states_at: BTreeMap<u32, usize>,
    transitions_to: BTreeMap<u32, usize>,
    left_at: BTreeMap<u32, usize>,
    along_lines: usize,
    /// The shortest break of each law.
    pub(crate) broken: Vec<Option<Found>>,
    coverage: Coverage,
    /// How deep the exploration is complete.
    depth: u32,
    /// To which depth all is tried; beyond it, what is new.
    all_to: u32,
}

impl Frontier {
    pub(crate) fn begin(
        watcher: &mut Watcher,
        laws: &[Box<dyn Law>],
        settings: &Settings,
        beginnings: Vec<Beginning>,
    ) -> Self {
        let mut frontier = Self {
            buckets: BTreeMap::new(),
            met: Met::default(),
            probed: Probed::default(),
            kinds: FingerprintSet::default(),
            origins: Vec::new(),
            beginnings: Vec::new(),
            states_at: BTreeMap::new(),
            transitions_to: BTreeMap::new(),
            left_at: BTreeMap::new(),
            along_lines: 0,
            broken: laws.iter().map(|_| None).collect(),
            coverage: Coverage::default(),
            depth: 0,
            all_to: settings.depth,
        };
        for (number, beginning) in (0..BEGINNINGS).zip(&beginnings) {
            let mut state = beginning.state(watcher, laws);
            if !beginning.is_usual() {
                state.elsewhere = number;
            }
            frontier.reach(Reached {
                fingerprint: u64::from(number),
                kind: state.kind(),
                depth: beginning.weighs(),
                origin: Origin {
                    before: u32::MAX - number,
                    step: Step::Wait(settings.timing.poll),
                },
                again: Some(Again::Begin(Arc::new(state))),
            });
        }
        frontier.beginnings = beginnings;
        frontier
    }

    /// The states of a depth, which are then gone on from.
    pub(crate) fn take(&mut self, depth: u32) -> (DepthReport, Vec<Open>) {
        self.depth = depth;
        let mut open = self.buckets.remove(&depth).unwrap_or_default();
        // Some were reached sooner after they had been put here.
        open.retain(|open| self.met.get(&open.fingerprint) == Some(&depth));
        let of = |counts: &BTreeMap<u32, usize>| counts.get(&depth).copied().unwrap_or_default();
        let (states, transitions) = (of(&self.states_at), of(&self.transitions_to));
        let report = DepthReport {
            depth,
            states,
            transitions,
            merged: transitions.saturating_sub(states),
            left: of(&self.left_at),
        };
        (report, open)
    }

    /// The index of the next state that is gone on from among all.
    pub(crate) fn next_index(&self) -> usize {
        self.origins.len()
    }

    /// Which laws are not broken within the depth that is complete.
    pub(crate) fn stands(&self) -> Vec<bool> {
        let stands = |broken: &Option<Found>| broken.as_ref().is_none_or(|found| found.length() > self.depth);
        self.broken.iter().map(stands).collect()
    }

    fn reach(&mut self, reached: Reached) {
        let Reached {
            fingerprint,
            kind,
            depth,
            origin,
            again,
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
        let Some(again) = again else {
            return;
        };
        let is_new = self.kinds.insert(kind);
        if !is_new && depth >= self.all_to {
            *self.left_at.entry(depth).or_default() += 1;
            return;
        }
        self.buckets.entry(depth).or_default().push(Open {
            fingerprint,
            origin,
            again,
            is_new,
        });
    }

    /// Takes in what the states of a depth led to.
    pub(crate) fn keep(&mut self, open: &[Open], expanded: Vec<Expanded>) {
        self.origins.extend(open.iter().map(|open| open.origin));
        for block in expanded {
            for (depth, count) in block.transitions {
                *self.transitions_to.entry(depth).or_default() += count;
            }
            self.along_lines += block.along_lines;
            self.coverage.join(block.coverage);
            for reached in block.reached {
                self.reach(reached);
            }
            self.probed.extend(block.probed);
            for (slot, found) in self.broken.iter_mut().zip(block.broken) {
                if let Some(found) = found {
                    Found::keep(slot, found);
                }
            }
        }
    }

    /// What came of it. A break that the trials had found counts where it is the shorter.
    pub(crate) fn report(self, depths: Vec<DepthReport>, alike: Alike, ended: bool, tried: TriedAll) -> Report {
        let told = |(found, in_trials): (&Option<Found>, Option<Counterexample>)| match (found, in_trials) {
            (Some(found), Some(other)) if other.depth < found.length() => Some(other),
            (Some(found), _) => Some(self.story(found)),
            (None, other) => other,
        };
        Report {
            depths,
            depth: self.all_to,
            complete: self.depth.min(self.all_to),
            ended,
            late: None,
            kinds: self.kinds.len(),
            along_lines: self.along_lines,
            alike,
            laws: self.broken.iter().zip(tried.broken).map(told).collect(),
            tried: tried.tried,
            unheard: BTreeSet::new(),
            coverage: self.coverage,
            beginnings: self.beginnings,
        }
    }

    /// The steps from a beginning to the look that breaks a law.
    fn story(&self, found: &Found) -> Counterexample {
        let mut steps = Vec::new();
        let mut origin = found.origin;
        let beginning = loop {
            let number = u32::MAX - origin.before;
            if number < BEGINNINGS {
                break usize::try_from(number)
                    .ok()
                    .and_then(|number| self.beginnings.get(number));
            }
            steps.push(origin.step);
            match usize::try_from(origin.before)
                .ok()
                .and_then(|index| self.origins.get(index))
            {
                Some(before) => origin = *before,
                None => break None,
            }
        };
        steps.reverse();
        Counterexample {
            from: beginning.cloned().unwrap_or_else(|| Beginning::of(Scene::Running)),
            depth: found.depth,
            steps,
            broken: found.broken.clone(),
        }
    }
}
