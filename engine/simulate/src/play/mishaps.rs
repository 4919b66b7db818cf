//! Draws what goes wrong, at the points where it can.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use steadfast_core::decision::{Decide, Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::id::JobKey;
use steadfast_core::rule::Rule;
use steadfast_core::snapshot::Snapshot;
use steadfast_crash_points::CrashPoint;
use steadfast_reconcile::PolicySetup;
use steadfast_world::clock::WorldClock;
use steadfast_world::story::Moment;

use crate::chaos::{Chaos, Mishap, Mishaps, What};

/// Of so many commits the store refuses one, or it waits.
const COMMITS: u32 = 24;
/// Of so many decisions one fails.
const DECISIONS: u32 = 180;
/// Of so many deliveries.
const DELIVERIES: u32 = 4;
/// At a point of the store or of a sink a process dies once in so many times.
const DEATHS: u32 = 24;
/// And at a point of a decision, of which there are many at a time.
const DEATHS_DECIDING: u32 = 720;
/// And at one of a reload.
const DEATHS_RELOADING: u32 = 6;
/// Of so many looks of the judge.
const LOOKS: u32 = 10;
/// For at most so long a store refuses or a policy fails, in milliseconds.
const SPELL: i64 = 30_000;
/// A commit waits for at most so long, in milliseconds.
const WAIT: u64 = 1_500;
/// A clock is set off by at most so much, in milliseconds.
const CLOCK: i64 = 7_200_000;

/// How seldom a process dies at a point.
fn deaths_at(point: CrashPoint) -> u32 {
    if matches!(point, CrashPoint::PolicyCalled | CrashPoint::PolicyAnswered) {
        DEATHS_DECIDING
    } else if is_in_a_reload(point) {
        DEATHS_RELOADING
    } else {
        DEATHS
    }
}

fn is_in_a_reload(point: CrashPoint) -> bool {
    use CrashPoint::{ReloadReplaced, ReloadSeated, ReloadTried};
    matches!(point, ReloadTried | ReloadSeated | ReloadReplaced)
}

/// One engine's life.
#[derive(Debug, Default)]
pub(super) struct Life {
    is_over: AtomicBool,
}

impl Life {
    /// The process is killed: from now on nothing that it does lasts.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtCommit {
    Goes,
    Refused,
    Waits(Duration),
}

/// What becomes of an event that is offered to a sink's receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtDelivery {
    Taken,
    Refused,
    Hangs,
    /// Taken, and the answer is lost.
    CutOff,
}

/// What happens at a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtLook {
    Nothing,
    Reload,
    ClockSet(Moment),
}

/// The dice of one play. Clones throw the same.
#[derive(Clone)]
pub(super) struct Dice {
    clock: WorldClock,
    chaos: Option<Chaos>,
    drawn: Arc<Mutex<Drawn>>,
}

#[derive(Default)]
struct Drawn {
    mishaps: Mishaps,
    spells: Spells,
}

/// What goes on going wrong for a while.
#[derive(Default)]
struct Spells {
    store_refuses_until: Moment,
    receiver_refuses_until: Moment,
    policy_fails_until: Option<(Moment, PolicyFailureKind)>,
}

/// One throw. It depends on the seed, the time and what it is about, and on no other throw: engines that do the same in
/// another order, or twice at one moment, suffer the same.
struct Throw<'a> {
    rng: StdRng,
    now: Moment,
    mishaps: &'a mut Mishaps,
}

impl Throw<'_> {
    /// One of these, all equally likely, once in so many throws.
    fn gives<T: Copy>(&mut self, once_in: u32, of: &[(Mishap, T)]) -> Option<T> {
        if !self.rng.random_ratio(1, once_in) {
            return None;
        }
        let (mishap, what) = *of.get(self.rng.random_range(0..of.len()))?;
        *self.mishaps.entry(mishap).or_default() += 1;
        Some(what)
    }

    /// When a spell ends that begins now.
    fn spell(&mut self) -> Moment {
        Moment::from_millis(self.now.as_millis() + self.rng.random_range(1..=SPELL))
    }
}

impl Dice {
    pub(super) fn new(chaos: Option<Chaos>, clock: WorldClock) -> Self {
        Self {
            clock,
            chaos,
            drawn: Arc::default(),
        }
    }

    /// What went wrong so far.
    pub(super) fn mishaps(&self) -> Mishaps {
        self.with(|drawn| drawn.mishaps.clone())
    }

    pub(super) fn story_now(&self) -> Moment {
        self.clock.story_now()
    }

    fn with<T>(&self, then: impl FnOnce(&mut Drawn) -> T) -> T {
        then(&mut self.drawn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Throws, while things go wrong.
    fn throw<T>(&self, about: impl Hash, then: impl FnOnce(Throw<'_>, &mut Spells) -> Option<T>) -> Option<T> {
        let now = self.story_now();
        let chaos = self.chaos.filter(|chaos| (chaos.from..chaos.until).contains(&now))?;
        if chaos.what != What::Anything {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (chaos.seed, now, about).hash(&mut hasher);
        let rng = StdRng::seed_from_u64(hasher.finish());
        self.with(|Drawn { mishaps, spells }| then(Throw { rng, now, mishaps }, spells))
    }

    /// That life is at this point, which may be its end. `about` says of which of those that may be there at a time.
    pub(super) fn reach(&self, point: CrashPoint, about: impl Hash, life: &Life) {
        if life.is_over() {
            return;
        }
        let dies = match self.chaos.map(|chaos| chaos.what) {
            Some(What::KilledAt(at)) => at == point && self.dies_for_the_first_time(point),
            Some(What::Anything) | None => {
                let of = [(Mishap::Killed(point), ())];
                self.throw((point, about), |mut throw, _| throw.gives(deaths_at(point), &of))
                    .is_some()
            }
        };
        if dies {
            life.end();
        }
    }

    /// Whether that is so, and notes it.
    fn dies_for_the_first_time(&self, point: CrashPoint) -> bool {
        let now = self.story_now();
        let is_time = self.chaos.is_some_and(|chaos| (chaos.from..chaos.until).contains(&now));
        is_time && self.with(|drawn| drawn.mishaps.insert(Mishap::Killed(point), 1).is_none())
    }

    pub(super) fn commit(&self) -> AtCommit {
        let thrown = self.throw("commit", |mut throw, spells| {
            if throw.now < spells.store_refuses_until {
                return Some(AtCommit::Refused);
            }
            let wait = Duration::from_millis(throw.rng.random_range(1..=WAIT));
            let of = [
                (Mishap::StoreRefuses, AtCommit::Refused),
                (Mishap::StoreWaits, AtCommit::Waits(wait)),
            ];
            let given = throw.gives(COMMITS, &of)?;
            if given == AtCommit::Refused {
                spells.store_refuses_until = throw.spell();
            }
            Some(given)
        });
        thrown.unwrap_or(AtCommit::Goes)
    }

    pub(super) fn look(&self) -> AtLook {
        if let Some(What::KilledAt(point)) = self.chaos.map(|chaos| chaos.what) {
            let is_due = is_in_a_reload(point) && self.mishaps().is_empty();
            return if is_due { AtLook::Reload } else { AtLook::Nothing };
        }
        let thrown = self.throw("look", |mut throw, _| {
            let ahead = Moment::from_millis(throw.rng.random_range(-CLOCK..=CLOCK));
            let of = [
                (Mishap::Reload, AtLook::Reload),
                (Mishap::ClockSet, AtLook::ClockSet(ahead)),
            ];
            throw.gives(LOOKS, &of)
        });
        thrown.unwrap_or(AtLook::Nothing)
    }

    /// What becomes of a delivery.
    pub(super) fn delivery(&self, event: &str) -> AtDelivery {
        let thrown = self.throw(("delivery", event), |mut throw, spells| {
            if throw.now < spells.receiver_refuses_until {
                return Some(AtDelivery::Refused);
            }
            let of = [
                (Mishap::ReceiverRefuses, AtDelivery::Refused),
                (Mishap::ReceiverHangs, AtDelivery::Hangs),
                (Mishap::ReceiverIsCutOff, AtDelivery::CutOff),
            ];
            let given = throw.gives(DELIVERIES, &of)?;
            if given == AtDelivery::Refused {
                spells.receiver_refuses_until = throw.spell();
            }
            Some(given)
        });
        thrown.unwrap_or(AtDelivery::Taken)
    }

    /// The failure of a decision about a job, if it fails.
    fn decision(&self, key: &JobKey) -> Option<PolicyFailure> {
        let kind = self.throw(("decision", key), |mut throw, spells| {
            if let Some((_, kind)) = spells.policy_fails_until.filter(|(until, _)| throw.now < *until) {
                return Some(kind);
            }
            let of = [
                (Mishap::PolicyTraps, PolicyFailureKind::Trap),
                (Mishap::PolicyIsLate, PolicyFailureKind::Deadline),
            ];
            let kind = throw.gives(DECISIONS, &of)?;
            spells.policy_fails_until = Some((throw.spell(), kind));
            Some(kind)
        })?;
        Some(PolicyFailure {
            kind,
            message: "it was made to fail".into(),
        })
    }

    /// Policies that fail when the dice say so, in that engine.
    pub(super) fn over(&self, policies: Vec<PolicySetup>, life: &Arc<Life>) -> Vec<PolicySetup> {
        let over = |setup: PolicySetup| PolicySetup {
            decide: Box::new(Diced {
                decide: setup.decide,
                dice: self.clone(),
                life: Arc::clone(life),
            }),
            ..setup
        };
        policies.into_iter().map(over).collect()
    }
}

/// A policy over which dice are thrown.
struct Diced {
    decide: Box<dyn Decide>,
    dice: Dice,
    life: Arc<Life>,
}

impl Decide for Diced {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let key = &snapshot.record.key;
        self.dice.reach(CrashPoint::PolicyCalled, key, &self.life);
        let outcome = match self.dice.decision(key) {
            Some(failure) => Err(failure),
            None => self.decide.decide(snapshot),
        };
        self.dice.reach(CrashPoint::PolicyAnswered, key, &self.life);
        outcome
    }

    fn end_batch(&mut self) {
        self.decide.end_batch();
    }

    fn rule(&self, name: &str) -> Option<Rule> {
        self.decide.rule(name)
    }
}
