//! Lets shadows judge what was committed, on time that nobody else needs.
//!
//! One shadow decides at a time, and then all rest for as long as it took: together they never take more than half of one
//! processor, whatever they do. What comes meanwhile waits, of each job the newest ([`crate::shadows`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::judging::{Decided, Leave};
use crate::shadows::{Compared, Next};
use crate::turn::{Show, Work};

/// How many cases a shadow is given at a time.
const BATCH: usize = 64;

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct ShadowTurns {
    /// Who was asked last. The next one behind it follows.
    last: Option<PolicyName>,
    /// None is asked before.
    rests_until: Timestamp,
}

impl Reactor {
    /// Whether a shadow is for a job.
    pub(super) fn is_compared(&self, key: &JobKey) -> bool {
        self.policies.shadows().any(|seat| seat.is_for(&key.target))
    }

    /// Lets the shadows that are for a job judge it when there is time.
    pub(super) fn compare(&mut self, compared: Compared) {
        let target = compared.committed.key.target.clone();
        let mut seats = self
            .policies
            .shadows_mut()
            .filter(|seat| seat.is_for(&target))
            .peekable();
        while let Some(seat) = seats.next() {
            if seats.peek().is_none() {
                seat.shadow.add(compared);
                return;
            }
            seat.shadow.add(compared.clone());
        }
    }

    /// When a shadow may be asked next; `None` if there is nothing to ask.
    pub(super) fn next_comparison(&self) -> Option<Timestamp> {
        let mut shadows = self.policies.shadows();
        let is_idle = shadows.all(|seat| !seat.is_busy);
        let waits = self.policies.shadows().any(|seat| seat.shadow.has_waiting());
        (is_idle && waits).then_some(self.shadows.rests_until)
    }

    /// Asks one shadow after the other, as long as they answer at once.
    pub(super) fn ask_shadows(&mut self, now: Timestamp) {
        while self.next_comparison().is_some_and(|at| at <= now) {
            let Some(name) = self.whose_turn() else { return };
            self.ask_shadow(&name, now);
            self.shadows.last = Some(name);
        }
    }

    /// The next shadow for which something waits.
    fn whose_turn(&self) -> Option<PolicyName> {
        let shadows = self.policies.shadows().filter(|seat| seat.shadow.has_waiting());
        let waiting: BTreeSet<&PolicyName> = shadows.map(|seat| &seat.name).collect();
        let last = self.shadows.last.as_ref();
        let behind = last.and_then(|last| waiting.iter().find(|name| **name > last));
        behind.or(waiting.first()).map(|name| (*name).clone())
    }

    fn ask_shadow(&mut self, name: &PolicyName, now: Timestamp) {
        let Some(seat) = self.policies.named(name) else { return };
        let limit = match seat.breaker.leave(now) {
            Leave::All => seat.allotment(BATCH),
            Leave::One => 1,
            Leave::None => {
                seat.shadow.skip_waiting();
                return;
            }
        };
        let mut cases = Vec::new();
        while cases.len() < limit {
            match seat.shadow.next(name) {
                Some(Next::Decide(case)) => cases.push(case),
                Some(Next::Asleep(committed, verdict)) => {
                    self.told.push(Show::Shadow(name.clone(), committed, verdict));
                }
                None => break,
            }
        }
        if cases.is_empty() {
            return;
        }
        match seat.judge.decide(cases) {
            Some(decided) => self.settle_comparisons(name, decided, now),
            None => seat.is_busy = true,
        }
    }

    /// Takes in what a shadow made of what it was given. All rest for as long as it took.
    pub(super) fn compared(&mut self, decided: Decided, now: Timestamp) {
        let Some(seat) = self.policies.numbered(decided.seat) else {
            return;
        };
        let name = seat.name.clone();
        self.shadows.rests_until = now.after(decided.spent);
        self.settle_comparisons(&name, decided, now);
    }

    fn settle_comparisons(&mut self, name: &PolicyName, decided: Decided, now: Timestamp) {
        let Decided {
            outcomes,
            left,
            spent,
            took,
            ..
        } = decided;
        for (case, outcome) in outcomes {
            self.note(name, &outcome, now);
            let Some(seat) = self.policies.named(name) else { return };
            if let Some(verdict) = seat.shadow.settle(&case, outcome) {
                let committed = Arc::clone(&case.record);
                self.told.push(Show::Shadow(name.clone(), committed, Box::new(verdict)));
            }
        }
        let Some(seat) = self.policies.named(name) else { return };
        for case in left {
            if self.records.contains_key(&case.record.key) {
                seat.shadow.put_back(case);
            }
        }
        let work = Work {
            spent,
            took,
            waiting: 0,
            skipped: seat.shadow.take_skipped(),
        };
        self.told.push(Show::Worked(name.clone(), work));
    }
}
