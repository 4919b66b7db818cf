//! The verifier beside the reactor: whatever happens, both show a policy the same snapshots, come to the same records, ask
//! Flink at the same moments and make the same look-ups. Without this, what is proven of a policy would be proven of a model.

mod erratic;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use steadfast_core::board::ObjectRef;
use steadfast_core::decision::{Decide, Decision, LookupSource, PolicyFailure, PolicyFailureKind};
use steadfast_core::evidence::{Fault, FaultKind, Observation, Observed};
use steadfast_core::facts::FlinkOverview;
use steadfast_core::id::{JobKey, TargetId};
use steadfast_core::record::{JobRecord, PostedIntent};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, Mode};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;
use steadfast_host::{PolicyEngine, PolicyLimits, builtin};
use steadfast_reconcile::fetch::{Fetch, Fetched};
use steadfast_reconcile::reactor::Reactor;
use steadfast_reconcile::turn::Turn;
use steadfast_reconcile::{Policies, PolicySetup, TargetSetup};
use steadfast_sources::route::FlinkRoute;

use crate::beginning::{Beginning, Scene};
use crate::fault_kinds::Alike;
use crate::look::{BEGINNING, Input, Look, NEIGHBOURS, Watcher};
use crate::settings::Settings;
use crate::state::State;
use crate::step::{MemoryStep, Step};
use crate::successors;
use crate::world::Neighbours;
use erratic::Erratic;

/// What the reactor's policy was shown of the job, and whether it is to fail.
#[derive(Default)]
struct Shown {
    snapshots: Vec<Snapshot>,
    fails: bool,
}

/// Notes what the policy behind it is shown of one job.
struct Noting {
    policy: Box<dyn Decide>,
    key: JobKey,
    shown: Arc<Mutex<Shown>>,
}

impl Decide for Noting {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        if snapshot.record.key != self.key {
            return self.policy.decide(snapshot);
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.snapshots.push(snapshot.clone());
        if shown.fails {
            return Err(PolicyFailure {
                kind: PolicyFailureKind::Trap,
                message: "it was made to fail".into(),
            });
        }
        self.policy.decide(snapshot)
    }

    fn end_batch(&mut self) {
        self.policy.end_batch();
    }
}

/// The reactor with the job, and the targets beside it.
struct Beside<'a> {
    make: &'a (dyn Fn() -> Box<dyn Decide> + Sync),
    key: JobKey,
    object: ObjectRef,
    reactor: Reactor,
    shown: Arc<Mutex<Shown>>,
    /// Look-ups of the job that were begun, or that wait after a fault.
    open: BTreeSet<LookupSource>,
    /// Whether a poll of the job was begun and has not been answered.
    polling: bool,
    seed: u64,
}

impl<'a> Beside<'a> {
    fn new(make: &'a (dyn Fn() -> Box<dyn Decide> + Sync), key: JobKey, object: ObjectRef, seed: u64) -> Self {
        let shown = Arc::default();
        let mut beside = Self {
            reactor: reactor(make, &key, &shown, BEGINNING, seed),
            make,
            key,
            object,
            shown,
            open: BTreeSet::new(),
            polling: false,
            seed,
        };
        beside.start(Vec::new(), BEGINNING);
        beside
    }

    /// The engine is killed and starts again.
    fn restart(&mut self, now: Timestamp) {
        let stored = self
            .reactor
            .records()
            .values()
            .map(|record| JobRecord::clone(record))
            .collect();
        self.reactor = reactor(self.make, &self.key, &self.shown, now, self.seed);
        self.open.clear();
        self.polling = false;
        self.start(stored, now);
    }

    fn start(&mut self, stored: Vec<JobRecord>, now: Timestamp) {
        let job = TargetSetup {
            object: Some(self.object.clone()),
            ..standalone(self.key.target.clone(), Mode::Application)
        };
        let others = self.neighbours().map(|id| standalone(id, Mode::Standalone));
        let targets = std::iter::once(job).chain(others).collect();
        let first = self.reactor.start(stored, targets, now);
        self.commit(first, now);
    }

    /// The job is decided by a policy of another name, and by the same as before again: that empties its memory.
    fn hand_over_and_back(&mut self, now: Timestamp) {
        for name in ["another", "verified"] {
            let policies = policies(self.make, name, &self.key, &self.shown);
            let turn = self.reactor.replace_policies(policies);
            self.commit(turn, now);
        }
    }

    fn neighbours(&self) -> impl Iterator<Item = TargetId> + use<> {
        let TargetId { cluster, namespace, .. } = self.key.target.clone();
        (0..NEIGHBOURS).map(move |number| TargetId::new(&cluster, &namespace, &format!("neighbour-{number}")))
    }

    fn commit(&mut self, mut turn: Turn, now: Timestamp) {
        for fetch in std::mem::take(&mut turn.fetches) {
            match fetch {
                Fetch::Overview { endpoint, .. } => self.polling |= endpoint.target == self.key.target,
                Fetch::Lookup { key, query, .. } => {
                    if key == self.key {
                        self.open.insert(query.source());
                    }
                }
                Fetch::Objects { .. } | Fetch::Relist { .. } => {}
            }
        }
        drop(turn.commit());
        self.reactor.advance(turn, now);
    }

    fn neighbours_are(&mut self, neighbours: Neighbours, now: Timestamp) {
        for target in self.neighbours() {
            let answer = match neighbours {
                Neighbours::Seen => Observed::Present(FlinkOverview::default()),
                Neighbours::Dark => Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer")),
            };
            let observation = Observation::new(answer, now, now);
            self.reactor.fetched(Fetched::overview(target, observation), now);
        }
    }

    /// Takes in what the verifier took in. Says for which of it the reactor had not asked.
    fn take_in(&mut self, inputs: &[Input], now: Timestamp) {
        for input in inputs {
            match input.clone() {
                Input::Kubernetes(update) => self.reactor.kube_update(*update, now),
                Input::Overview(observation) => {
                    let target = self.key.target.clone();
                    self.reactor.fetched(Fetched::overview(target, observation), now);
                    self.polling = false;
                }
                Input::Lookup(finding) => {
                    if finding.fault().is_none() {
                        self.open.remove(&finding.source());
                    }
                    let key = self.key.clone();
                    self.reactor.fetched(Fetched::Lookup { key, finding }, now);
                }
            }
        }
    }

    fn record(&self) -> &JobRecord {
        &self.reactor.records()[&self.key]
    }

    /// The look-ups that come up in this moment.
    fn look_ups_of(&mut self, turn: &Turn) -> BTreeSet<LookupSource> {
        let of_job = turn.fetches.iter().filter_map(|fetch| match fetch {
            Fetch::Lookup { key, query, .. } if *key == self.key => Some(query.source()),
            Fetch::Lookup { .. } | Fetch::Overview { .. } | Fetch::Objects { .. } | Fetch::Relist { .. } => None,
        });
        of_job.collect()
    }

    /// Does what the verifier did, and holds the one to the other.
    fn follow(&mut self, look: &Look, state: &State, inputs: &[Input]) -> Result<(), String> {
        let now = look.after.now;
        match look.step {
            Step::Restart => self.restart(now),
            Step::Intent(intent) => {
                let turn = self
                    .reactor
                    .intend(&self.key, PostedIntent::new(intent, None, now), None)
                    .map_err(|error| error.to_string())?;
                self.commit(turn, now);
            }
            // Another policy, and the same again, with what is on record.
            Step::Memory(_) => self.hand_over_and_back(now),
            Step::Wait(_)
            | Step::Flink(_)
            | Step::Kubernetes(_)
            | Step::Ends(_)
            | Step::Explained(_)
            | Step::Neighbours(_)
            | Step::PolicyFails
            | Step::Heal => {}
        }
        self.neighbours_are(look.after.world.neighbours, now);
        let slept = state.record.attention == Attention::Sleeping && look.step != Step::Restart;
        let (overviews, others): (Vec<Input>, Vec<Input>) = inputs
            .iter()
            .cloned()
            .partition(|input| matches!(input, Input::Overview(_)));
        let (lookups, kubernetes): (Vec<Input>, Vec<Input>) =
            others.into_iter().partition(|input| matches!(input, Input::Lookup(_)));
        self.take_in(&kubernetes, now);
        if slept && !self.polling {
            let asks = self.reactor.watch_status(&self.key).next_poll_at.is_some();
            same("whether a sleeping watch asks Flink", !overviews.is_empty(), asks)?;
        }
        self.take_in(&overviews, now);
        let answered: BTreeSet<LookupSource> = lookups
            .iter()
            .filter_map(|input| match input {
                Input::Lookup(finding) => Some(finding.source()),
                Input::Kubernetes(_) | Input::Overview(_) => None,
            })
            .collect();
        let before = self.open.clone();
        self.take_in(&lookups, now);
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).fails = look.step == Step::PolicyFails;
        self.reactor.enqueue(&self.key);
        let turn = self.reactor.turn(now);
        let begun = self.look_ups_of(&turn);
        for source in &answered {
            if !before.contains(source) && !begun.contains(source) {
                return Err(format!("{source:?} was answered, and the reactor had not asked"));
            }
        }
        if begun.contains(&LookupSource::LastWords) {
            same(
                "whether parting words are read",
                answered.contains(&LookupSource::LastWords),
                true,
            )?;
        }
        self.commit(turn, now);
        // What was begun in this turn was answered in it, above.
        self.open.retain(|source| !answered.contains(source));
        self.compare(look)?;
        // What the decision asks for is begun with the next turn.
        let next = self.reactor.turn(now);
        same("a second decision on the same evidence", 0, next.judged())?;
        self.commit(next, now);
        Ok(())
    }

    /// What the policies were shown, and the records that they made of it.
    fn compare(&self, look: &Look) -> Result<(), String> {
        let shown = std::mem::take(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner).snapshots);
        let shown: Vec<Snapshot> = shown.into_iter().map(without_revision).collect();
        same(
            "what the policy is shown",
            &vec![without_revision(look.snapshot.clone())],
            &shown,
        )?;
        same("the record", &revised(look.record()), &revised(self.record()))
    }

    /// Every look-up that the verifier counts as open was begun.
    fn has_begun(&self, state: &State) -> Result<(), String> {
        for source in state.asked.open() {
            if !self.open.contains(&source) {
                return Err(format!("{source:?} is open, and the reactor has not begun it"));
            }
        }
        Ok(())
    }
}

fn reactor(
    make: &(dyn Fn() -> Box<dyn Decide> + Sync),
    key: &JobKey,
    shown: &Arc<Mutex<Shown>>,
    now: Timestamp,
    seed: u64,
) -> Reactor {
    let policies = policies(make, "verified", key, shown);
    Reactor::new(Timing::default(), seed, now, BTreeMap::new(), policies, None)
}

fn policies(
    make: &(dyn Fn() -> Box<dyn Decide> + Sync),
    name: &str,
    key: &JobKey,
    shown: &Arc<Mutex<Shown>>,
) -> Policies {
    let noting = Noting {
        policy: make(),
        key: key.clone(),
        shown: Arc::clone(shown),
    };
    Policies::new(vec![PolicySetup::deciding(name, Box::new(noting))])
}

fn standalone(id: TargetId, mode: Mode) -> TargetSetup {
    TargetSetup {
        id,
        mode,
        object: None,
        flink_rest: Some(FlinkRoute::Service),
        pinned: None,
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, verifier: T, reactor: T) -> Result<(), String> {
    if verifier == reactor {
        return Ok(());
    }
    Err(format!("{what}\nverifier: {verifier:#?}\nreactor: {reactor:#?}"))
}

/// Revisions count commits, of which an exploration makes none.
fn revised(record: &JobRecord) -> JobRecord {
    JobRecord {
        revision: 0,
        ..record.clone()
    }
}

fn without_revision(snapshot: Snapshot) -> Snapshot {
    Snapshot {
        record: revised(&snapshot.record),
        ..snapshot
    }
}

/// Steps both through random sequences of `length`. Panics with the way to the first difference.
fn walk(make: &(dyn Fn() -> Box<dyn Decide> + Sync), sequences: u64, length: usize) {
    let settings = Settings::default();
    let alike = Alike::all();
    let mut watcher = Watcher::new(make, settings.timing);
    let unseen = watcher.unseen(0);
    let key = unseen.record.key.clone();
    let object = ObjectRef::new(&key.target.namespace, &key.target.name);
    for seed in 0..sequences {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut beside = Beside::new(make, key.clone(), object.clone(), seed);
        let mut state = if rng.random_bool(0.5) {
            unseen.clone()
        } else {
            watcher.healthy(&Beginning::of(Scene::Running), 0)
        };
        let mut steps = Vec::new();
        for _ in 0..length {
            let mut offered = successors::of(&state, &settings, &alike);
            // What another module remembered comes with a record that another module wrote.
            offered.retain(|step| *step != Step::Memory(MemoryStep::OfAnother));
            let step = offered[rng.random_range(0..offered.len())];
            steps.push(step);
            let mut inputs = Vec::new();
            let look = watcher.look_aloud(&state, step, &mut |input| inputs.push(input.clone()));
            let held = beside
                .follow(&look, &state, &inputs)
                .and_then(|()| beside.has_begun(&look.after));
            if let Err(difference) = held {
                panic!("sequence {seed}, {steps:#?}\ndiffers in {difference}");
            }
            state = look.after;
        }
    }
}

#[test]
fn an_erratic_policy_is_shown_the_same_by_both() {
    let sequences = std::env::var("SIDE_BY_SIDE").ok().and_then(|count| count.parse().ok());
    walk(&|| Box::new(Erratic), sequences.unwrap_or(10_000), 12);
}

#[test]
fn the_conservative_policy_is_shown_the_same_by_both() {
    let engine = PolicyEngine::new(None).unwrap();
    let loaded = engine
        .load("verified", builtin::CONSERVATIVE, "{}", PolicyLimits::default())
        .unwrap();
    walk(&|| Box::new(loaded.another()), 300, 12);
}
