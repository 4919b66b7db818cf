//! One depth's work: every state that waits is gone on from, by all threads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::calm::Calm;
use crate::explore::{Coverage, Make, Observer, Progress};
use crate::fault_kinds::Alike;
use crate::frontier::{Again, Expanded, Found, Frontier, Met, Open, Origin, Probed, Reached};
use crate::late::Late;
use crate::laws::{Future, Law};
use crate::lines::{self, Line};
use crate::look::{Look, Watcher};
use crate::recovered::Recovered;
use crate::settings::Settings;
use crate::state::State;
use crate::successors;

/// How many states a thread takes at once.
const BLOCK: usize = 32;

/// One depth's work.
pub(crate) struct Expansion<'a> {
    pub(crate) make: Make<'a>,
    pub(crate) laws: &'a [Box<dyn Law>],
    pub(crate) settings: &'a Settings,
    pub(crate) alike: &'a Alike,
    /// What stands beside a job of which nothing was ever wrong.
    pub(crate) calm: &'a Calm,
    pub(crate) frontier: &'a Frontier,
    pub(crate) recovered: &'a Arc<Recovered>,
    pub(crate) late: &'a Arc<Late>,
    pub(crate) open: &'a [Open],
    pub(crate) depth: u32,
    /// Which laws are not broken yet.
    pub(crate) standing: Vec<bool>,
}

impl Expansion<'_> {
    /// By block, in the order of the states they are from, and whether all was done.
    pub(crate) fn run(&self, observer: &mut dyn Observer) -> (Vec<Expanded>, bool) {
        let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = |mut observer: Option<&mut dyn Observer>| {
            let mut watcher = Watcher::new(self.make, self.settings.timing).among(self.recovered, self.late);
            let mut done = Vec::new();
            loop {
                let block = next.fetch_add(1, Ordering::Relaxed);
                let from = block.saturating_mul(BLOCK);
                if let Some(observer) = &mut observer {
                    let progress = Progress {
                        depth: self.depth,
                        done: from.min(self.open.len()),
                        of: self.open.len(),
                    };
                    if !observer.goes_on(progress) {
                        ended.store(true, Ordering::Relaxed);
                    }
                }
                if self.late.is_enough() {
                    ended.store(true, Ordering::Relaxed);
                }
                let states = self.open.get(from..self.open.len().min(from.saturating_add(BLOCK)));
                let Some(states) = states.filter(|states| !states.is_empty() && !ended.load(Ordering::Relaxed)) else {
                    return done;
                };
                done.push(self.expand(block, states, &mut watcher));
            }
        };
        let mut expanded: Vec<Expanded> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.settings.threads.get())
                .map(|_| scope.spawn(|| work(None)))
                .collect();
            let mut all = work(Some(observer));
            for other in others {
                match other.join() {
                    Ok(done) => all.extend(done),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            all
        });
        expanded.sort_by_key(|done| done.block);
        (expanded, !ended.into_inner() && !self.late.is_enough())
    }

    fn expand(&self, block: usize, states: &[Open], watcher: &mut Watcher) -> Expanded {
        let mut done = Expanded {
            block,
            transitions: BTreeMap::new(),
            along_lines: 0,
            reached: Vec::new(),
            probed: Probed::default(),
            broken: self.laws.iter().map(|_| None).collect(),
            coverage: Coverage::default(),
        };
        let mut here = Met::default();
        for (index, open) in (self.frontier.next_index() + block * BLOCK..).zip(states) {
            if self.late.is_enough() {
                break;
            }
            let (state, is_same) = open.state(watcher);
            if !is_same {
                self.came_out_otherwise(open, &mut done.broken);
            }
            if open.is_new {
                self.follow_lines(open, &state, watcher, &mut done);
            }
            self.go_on(
                u32::try_from(index).unwrap_or(u32::MAX),
                &state,
                watcher,
                (&mut here, &mut done),
            );
        }
        done.coverage = watcher.take_coverage();
        done
    }

    /// Lets everything happen that may happen next.
    fn go_on(&self, index: u32, state: &Arc<State>, watcher: &mut Watcher, (here, done): (&mut Met, &mut Expanded)) {
        let last = self.settings.depth + self.settings.beyond;
        for step in successors::of(state, self.settings, self.alike) {
            let depth = self.depth + self.alike.weighs(step);
            if depth > last {
                continue;
            }
            if self.late.is_enough() {
                break;
            }
            *done.transitions.entry(depth).or_default() += 1;
            let origin = Origin { before: index, step };
            let mut look = watcher.look(state, step);
            self.late.note(&look);
            self.judge(&mut look, (depth, origin), &mut done.broken);
            let fingerprint = look.after.fingerprint(&look.snapshot);
            let is_known = |met: &Met| met.get(&fingerprint.whole).is_some_and(|before| *before <= depth);
            if is_known(&self.frontier.met) || is_known(here) {
                continue;
            }
            here.insert(fingerprint.whole, depth);
            let is_probed =
                self.frontier.probed.contains(&fingerprint.future) || done.probed.contains(&fingerprint.future);
            if !is_probed && self.probe(&look, fingerprint.future, (depth, origin), watcher, &mut done.broken) {
                done.probed.insert(fingerprint.future);
            }
            done.reached.push(Reached {
                fingerprint: fingerprint.whole,
                kind: look.after.kind(),
                depth,
                origin,
                again: (depth < last).then(|| Again::After {
                    state: Arc::clone(state),
                    step,
                    trackers: std::mem::take(&mut look.after.trackers),
                }),
            });
        }
    }

    /// Follows lines from the first state of a kind.
    fn follow_lines(&self, open: &Open, state: &Arc<State>, watcher: &mut Watcher, done: &mut Expanded) {
        let mut line = Line {
            laws: self.laws,
            standing: &self.standing,
            calm: self.calm,
            looks: 0,
            growing: Vec::new(),
            broken: Vec::new(),
        };
        lines::follow(&mut line, state, self.depth, self.settings, watcher);
        done.along_lines += line.looks;
        for (law, behind, broken) in line.broken {
            if let Some(slot) = done.broken.get_mut(law) {
                Found::keep(
                    slot,
                    Found {
                        depth: self.depth,
                        behind,
                        origin: open.origin,
                        broken,
                    },
                );
            }
        }
    }

    fn judge(&self, look: &mut Look, (depth, origin): (u32, Origin), broken: &mut [Option<Found>]) {
        let mut trackers = std::mem::take(&mut look.after.trackers);
        for (((law, standing), tracker), slot) in self.laws.iter().zip(&self.standing).zip(&mut trackers).zip(broken) {
            if !standing {
                // What a broken law remembers no longer distinguishes states.
                *tracker = 0;
            } else if let Err(broken) = law.judge(look, tracker) {
                Found::keep(
                    slot,
                    Found {
                        depth,
                        behind: 0,
                        origin,
                        broken,
                    },
                );
            }
        }
        look.after.trackers = trackers;
    }

    /// Returns whether every law that stands was probed and holds.
    fn probe(
        &self,
        look: &Look,
        fingerprint: u64,
        (depth, origin): (u32, Origin),
        watcher: &mut Watcher,
        broken: &mut [Option<Found>],
    ) -> bool {
        let mut holds = true;
        let future = Future { fingerprint, depth };
        for ((law, standing), slot) in self.laws.iter().zip(&self.standing).zip(broken) {
            if !standing {
                continue;
            }
            let may_be_shorter = slot.as_ref().is_none_or(|known| depth < known.length());
            holds &= may_be_shorter;
            if may_be_shorter && let Err(broken) = law.probe(look, future, watcher) {
                holds = false;
                Found::keep(
                    slot,
                    Found {
                        depth,
                        behind: 0,
                        origin,
                        broken,
                    },
                );
            }
        }
        holds
    }

    /// The same step from the same state led elsewhere.
    fn came_out_otherwise(&self, open: &Open, broken: &mut [Option<Found>]) {
        for ((law, standing), slot) in self.laws.iter().zip(&self.standing).zip(broken) {
            if *standing && let Some(broken) = law.came_out_otherwise() {
                Found::keep(
                    slot,
                    Found {
                        depth: self.depth,
                        behind: 0,
                        origin: open.origin,
                        broken,
                    },
                );
            }
        }
    }
}
