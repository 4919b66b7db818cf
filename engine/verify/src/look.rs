//! One look: something happens, evidence is taken in as the engine takes it in, and the policy decides.
//!
//! The rules of evidence are core's, the same that the reactor runs: what is shown ([`observe()`]), which look-ups are open
//! ([`steadfast_core::board::lookups`]), what wakes a sleeping watch ([`steadfast_core::wake`]), what a new attempt leaves behind
//! ([`Board::committed`]). What stands here is only when they are applied, which the engine owes to its schedule. A test holds
//! the two side by side over random sequences.

use std::sync::Arc;
use std::time::Duration;

use steadfast_core::board::lookups::parting_words;
use steadfast_core::board::{Board, ObjectRef};
use steadfast_core::decision::{BATCH, Decide, Decision, LookupSource, PolicyFailure, PolicyFailureKind};
use steadfast_core::evidence::{Observation, Observed};
use steadfast_core::facts::{FlinkOverview, Pod};
use steadfast_core::id::{ClusterName, JobKey, Namespace, PolicyName, SessionJob, TargetId};
use steadfast_core::kube_update::{KubeUpdate, Scope};
use steadfast_core::lookup::Finding;
use steadfast_core::observe::{Context, observe};
use steadfast_core::planner::{Next, plan, record_intent};
use steadfast_core::record::{JobRecord, Origin, PostedIntent};
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::state::{Attention, JobState, Mode};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;
use steadfast_core::wake::woken_by;

use crate::answers;
use crate::beginning::{Beginning, Scene};
use crate::coverage::Coverage;
use crate::late::Late;
use crate::recovered::Recovered;
use crate::state::{OpenLookups, State};
use crate::step::{EndsStep, Explanation, KubernetesStep, MemoryStep, OF_ANOTHER, Step, Visibility};
use crate::world::{Neighbours, World};

/// The moment at which explorations begin: 2026-01-01T00:00:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// The targets beside the one that is explored.
pub(crate) const NEIGHBOURS: u32 = 3;

/// One piece of evidence, as the engine takes it in.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// From a Kubernetes list or watch.
    Kubernetes(Box<KubeUpdate>),
    /// Flink's overview.
    Overview(Observation<FlinkOverview>),
    /// From a look-up.
    Lookup(Finding),
}

/// What a look saw and what came of it.
#[derive(Debug)]
pub struct Look {
    /// What had happened.
    pub step: Step,
    /// The record before, as committed.
    pub before: Arc<JobRecord>,
    /// What the policy was shown.
    pub snapshot: Snapshot,
    /// What it answered.
    pub outcome: Result<Decision, PolicyFailure>,
    /// Why there is no decision: the call failed, or its answer breaks the contract.
    pub failure: Option<PolicyFailure>,
    /// What of the decision does not fit the contract, for people.
    pub trimmed: Option<String>,
    /// Whether the policy asks for a list of Kubernetes' newer than the one it was shown.
    pub wants_lists: bool,
    /// The state after.
    pub after: State,
}

impl Look {
    /// The record after.
    pub fn record(&self) -> &JobRecord {
        &self.after.record
    }
}

/// A look before the policy has decided.
pub(crate) struct Sight {
    step: Step,
    before: Arc<JobRecord>,
    snapshot: Snapshot,
    /// The record is still the one before.
    after: State,
}

impl Sight {
    /// Of what its future depends on: two sights that hash alike lead to the same looks.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.after.future_of(&self.snapshot, &self.snapshot.record)
    }
}

/// Takes looks: one policy on one thread.
pub struct Watcher {
    timing: Timing,
    decide: Box<dyn Decide>,
    fresh: Box<dyn Decide>,
    /// How many decisions the batch has.
    decided: usize,
    recovered: Arc<Recovered>,
    late: Arc<Late>,
    /// Of every decision, for whatever it was asked: what spoke here did speak.
    coverage: Coverage,
    names: Names,
}

/// Which sources are asked at a look.
struct Sources {
    flink: bool,
    kubernetes: bool,
}

impl Sources {
    /// Those that something happened to; all of them once time has passed.
    fn asked_at(step: Step) -> Self {
        let (flink, kubernetes) = match step {
            Step::Wait(_) | Step::Restart | Step::Heal => (true, true),
            Step::Flink(_) => (true, false),
            Step::Kubernetes(_) => (false, true),
            Step::Ends(_)
            | Step::Explained(_)
            | Step::Memory(_)
            | Step::Neighbours(_)
            | Step::Intent(_)
            | Step::PolicyFails => (false, false),
        };
        Self { flink, kubernetes }
    }
}

/// The names of the one job, in each mode.
#[derive(Debug)]
struct Names {
    application: JobKey,
    session: JobKey,
    standalone: JobKey,
    object: ObjectRef,
    policy: PolicyName,
}

impl Names {
    fn new() -> Self {
        let namespace = Namespace::new("default");
        let target = TargetId::new(&ClusterName::new("local"), &namespace, "orders");
        let first = answers::job_id(1).map(SessionJob::Submitted);
        let application = JobKey::application(target.clone());
        Self {
            object: ObjectRef::new(&namespace, &target.name),
            session: first.map_or_else(|| application.clone(), |job| JobKey::of_session(target, job)),
            application,
            standalone: JobKey::application(TargetId::standalone("orders")),
            policy: PolicyName::new("verified"),
        }
    }

    fn key(&self, mode: Mode) -> &JobKey {
        match mode {
            Mode::Application => &self.application,
            Mode::Session => &self.session,
            Mode::Standalone => &self.standalone,
        }
    }

    /// The Deployment, where there is one.
    fn object(&self, mode: Mode) -> Option<&ObjectRef> {
        match mode {
            Mode::Application | Mode::Session => Some(&self.object),
            Mode::Standalone => None,
        }
    }
}

impl Watcher {
    /// A watcher with instances of its own.
    pub fn new(make: &(dyn Fn() -> Box<dyn Decide> + Sync), timing: Timing) -> Self {
        Self {
            timing,
            decide: make(),
            fresh: make(),
            decided: 0,
            recovered: Arc::default(),
            late: Arc::default(),
            coverage: Coverage::default(),
            names: Names::new(),
        }
    }

    /// The same, which knows what others of the same exploration found.
    pub(crate) fn among(self, recovered: &Arc<Recovered>, late: &Arc<Late>) -> Self {
        Self {
            recovered: Arc::clone(recovered),
            late: Arc::clone(late),
            ..self
        }
    }

    /// The sights from which the record is known to recover.
    pub(crate) fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// The looks whose calls missed their deadline.
    pub(crate) fn late(&self) -> &Arc<Late> {
        &self.late
    }

    /// What was seen of the policy since this was asked last.
    pub(crate) fn take_coverage(&mut self) -> Coverage {
        std::mem::take(&mut self.coverage)
    }

    /// The intervals and deadlines that looks keep to.
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Judges a snapshot once more, by an instance that has judged others.
    pub fn decide_again(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        // The engine's turn ends a batch, and an instance with it.
        if self.decided >= BATCH {
            self.decide.end_batch();
            self.decided = 0;
        }
        self.decided += 1;
        let outcome = self.decide.decide(snapshot);
        if let Ok(decision) = &outcome {
            self.coverage.note(decision);
        }
        outcome
    }

    /// Judges a snapshot once more, by an instance that has judged nothing.
    pub fn decide_afresh(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        self.fresh.end_batch();
        self.fresh.decide(snapshot)
    }

    /// A job of which nothing has been observed; nothing answers yet.
    pub fn unseen(&self, laws: usize) -> State {
        State {
            world: World::before_all(BEGINNING),
            ..self.healthy(&Beginning::of(Scene::Running), laws)
        }
    }

    /// A job of which nothing has been observed either, with everything answering.
    pub fn healthy(&self, from: &Beginning, laws: usize) -> State {
        let (mode, now) = (from.scene.mode(), from.at);
        State {
            now,
            engine_since: now,
            record: Arc::new(JobRecord::unseen(
                self.names.key(mode).clone(),
                mode,
                Origin::Configured,
                self.names.policy.clone(),
                now,
            )),
            board: Board::default(),
            world: World::healthy(mode, now),
            labels: from.labels.clone(),
            elsewhere: 0,
            asked: OpenLookups::default(),
            trackers: vec![0; laws],
        }
    }

    /// Lets a step happen and looks.
    pub fn look(&mut self, state: &State, step: Step) -> Look {
        self.look_aloud(state, step, &mut |_| {})
    }

    /// The same, naming every piece of evidence in the order in which it is taken in.
    pub fn look_aloud(&mut self, state: &State, step: Step, says: &mut dyn FnMut(&Input)) -> Look {
        let sight = self.see(state, step, says);
        self.decide_on(sight)
    }

    /// What the policy would be shown if a step happened.
    pub(crate) fn see(&self, state: &State, step: Step, says: &mut dyn FnMut(&Input)) -> Sight {
        let mut after = state.clone();
        after.now = state.now.after(step.takes(self.timing.poll));
        self.happens(&mut after, step);
        let before = Arc::clone(&after.record);
        self.take_in(&mut after, step, says);
        let snapshot = observe(&before, &after.board, self.context(&after), after.now);
        Sight {
            step,
            before,
            snapshot,
            after,
        }
    }

    /// Shows it to the policy, and records what that decides.
    pub(crate) fn decide_on(&mut self, sight: Sight) -> Look {
        let Sight {
            step,
            before,
            snapshot,
            mut after,
        } = sight;
        let outcome = match step {
            Step::PolicyFails => Err(PolicyFailure {
                kind: PolicyFailureKind::Trap,
                message: "it was made to fail".into(),
            }),
            Step::Wait(_)
            | Step::Flink(_)
            | Step::Kubernetes(_)
            | Step::Ends(_)
            | Step::Explained(_)
            | Step::Memory(_)
            | Step::Neighbours(_)
            | Step::Intent(_)
            | Step::Restart
            | Step::Heal => self.decide_again(&snapshot),
        };
        let plan = plan(&before, &snapshot, outcome.clone());
        let trimmed = plan.complaint();
        if let Some(change) = plan.change {
            after.board.committed(&before, &change.record);
            // The revision counts commits and says nothing of the job.
            after.record = change.record;
            Arc::make_mut(&mut after.record).revision = before.revision;
        }
        let mut wants_lists = false;
        let failure = match plan.next {
            Next::Watch { wanted, .. } => {
                let object = self.names.object(after.world.mode);
                let key = &after.record.key;
                wants_lists = object.is_some()
                    && wanted.iter().any(|request| {
                        request.source == LookupSource::Kubernetes && !after.board.answers(key, object, request)
                    });
                after.asked = OpenLookups::of(&wanted, &after.board, &after.record, object, after.now);
                None
            }
            Next::Retry(failure) => {
                after.asked = OpenLookups::default();
                Some(failure)
            }
        };
        let look = Look {
            step,
            before,
            snapshot,
            outcome,
            failure,
            trimmed,
            wants_lists,
            after,
        };
        if look.outcome.is_ok() {
            self.coverage.note_beginnings(&look);
        }
        look
    }

    /// What changes in the world, and in the engine, before the look.
    fn happens(&self, state: &mut State, step: Step) {
        let now = state.now;
        match step {
            Step::Wait(_) | Step::Ends(_) | Step::Explained(_) | Step::PolicyFails => {}
            Step::Memory(step) => {
                Arc::make_mut(&mut state.record).memory = match step {
                    MemoryStep::Emptied => Vec::new(),
                    MemoryStep::OfAnother => OF_ANOTHER.to_vec(),
                }
            }
            Step::Flink(step) => state.world.flink_turns(step, now),
            Step::Kubernetes(step) => state.world.kubernetes_turns(step, now),
            Step::Neighbours(sight) => {
                state.world.neighbours = match sight {
                    Visibility::Seen => Neighbours::Seen,
                    Visibility::Dark => Neighbours::Dark,
                };
            }
            Step::Intent(intent) => {
                let posted = PostedIntent::new(intent, None, now);
                let revision = state.record.revision;
                state.record = record_intent(&state.record, posted, None).record;
                Arc::make_mut(&mut state.record).revision = revision;
            }
            Step::Restart => {
                state.record = Arc::new(state.record.taken_up(state.record.origin, &state.record.policy, now));
                state.board = Board::default();
                state.engine_since = now;
            }
            Step::Heal => state.world.heals(now),
        }
    }

    /// Evidence of what can have changed: what it happened to is asked at once, and everything once time has passed.
    fn take_in(&self, state: &mut State, step: Step, says: &mut dyn FnMut(&Input)) {
        let asked = Sources::asked_at(step);
        let is_woken = asked.kubernetes && self.see_kubernetes(state, step, says);
        // A sleeping watch asks Flink only when something happens around the target, and then at once. An engine that
        // starts asks everybody.
        let sleeps = state.record.attention == Attention::Sleeping && step != Step::Restart;
        let asks_flink = if sleeps { is_woken } else { asked.flink };
        if asks_flink {
            let record = &state.record;
            let followed = record.incarnation.flink_job_id.filter(|_| !record.state.is_terminal());
            let answer = answers::overview(&state.world, followed);
            let overview = Observation::new(answer, state.now, state.now);
            says(&Input::Overview(overview.clone()));
            state.board.accept_overview(&state.record.key.target, overview);
        }
        match step {
            Step::Ends(ends) => self.answer_lookups(state, ends, says),
            Step::Explained(explanation) => self.explain(state, explanation, says),
            Step::Wait(_)
            | Step::Flink(_)
            | Step::Kubernetes(_)
            | Step::Memory(_)
            | Step::Neighbours(_)
            | Step::Intent(_)
            | Step::Restart
            | Step::PolicyFails
            | Step::Heal => {}
        }
    }

    /// Takes in lists of Deployments and pods, and what the watch says before them. Returns whether that wakes a sleeping
    /// watch.
    fn see_kubernetes(&self, state: &mut State, step: Step, says: &mut dyn FnMut(&Input)) -> bool {
        let now = state.now;
        let step = match step {
            Step::Kubernetes(step) => Some(step),
            Step::Wait(_)
            | Step::Flink(_)
            | Step::Ends(_)
            | Step::Explained(_)
            | Step::Memory(_)
            | Step::Neighbours(_)
            | Step::Intent(_)
            | Step::Restart
            | Step::PolicyFails
            | Step::Heal => None,
        };
        let mut is_woken = false;
        let Some(object) = self.names.object(state.world.mode) else {
            return is_woken;
        };
        for (kind, change) in answers::kubernetes(&state.world, object, &state.labels, step) {
            let scope = Scope {
                cluster: state.record.key.target.cluster.clone(),
                kind,
                namespace: None,
            };
            let update = KubeUpdate {
                scope,
                asked_at: now,
                at: now,
                version: None,
                change,
            };
            says(&Input::Kubernetes(Box::new(update.clone())));
            let accepted = state.board.accept_update(update);
            is_woken |= woken_by(&accepted).next().is_some();
            let words = match step {
                Some(KubernetesStep::Going(words)) => words,
                Some(_) | None => None,
            };
            for pod in &accepted.terminating_pods {
                self.hear_parting_words(state, pod, words, says);
            }
        }
        is_woken
    }

    /// The deletion of a pod begins: the engine reads its log at once, if the end of the job is not known.
    fn hear_parting_words(&self, state: &mut State, pod: &Pod, words: Option<JobState>, says: &mut dyn FnMut(&Input)) {
        if let Some(object) = self.names.object(state.world.mode)
            && parting_words(&state.record, object, pod).is_some()
            && let Some(job) = state.record.incarnation.flink_job_id
        {
            let answer = answers::parting_words(words, job);
            self.find(
                state,
                Finding::LastWords(Observation::new(answer, state.now, state.now)),
                says,
            );
        }
    }

    /// Answers the look-ups that are open.
    fn answer_lookups(&self, state: &mut State, ends: EndsStep, says: &mut dyn FnMut(&Input)) {
        let (asked, now) = (state.asked, state.now);
        let job = state.record.incarnation.flink_job_id;
        if asked.last_words {
            let answer = answers::last_words(ends);
            self.find(state, Finding::LastWords(Observation::new(answer, now, now)), says);
        }
        if asked.archive {
            let answer = answers::archive(ends, job);
            self.find(state, Finding::Archive(Observation::new(answer, now, now)), says);
        }
        if asked.ha_data {
            let answer = answers::ha_data(ends);
            self.find(state, Finding::HaData(Observation::new(answer, now, now)), says);
        }
    }

    /// Answers the look-ups that explain.
    fn explain(&self, state: &mut State, explanation: Explanation, says: &mut dyn FnMut(&Input)) {
        let (asked, now) = (state.asked, state.now);
        if asked.exceptions {
            let answer = answers::exceptions(&state.world);
            self.find(state, Finding::Exceptions(Observation::new(answer, now, now)), says);
        }
        if asked.checkpoints {
            let answer = answers::checkpoints(explanation);
            self.find(state, Finding::Checkpoints(Observation::new(answer, now, now)), says);
        }
        if asked.events {
            let answer = Observed::Present(Vec::new());
            self.find(state, Finding::Events(Observation::new(answer, now, now)), says);
        }
        if asked.task_managers {
            let answer = Observed::Present(Vec::new());
            self.find(state, Finding::TaskManagers(Observation::new(answer, now, now)), says);
        }
    }

    fn find(&self, state: &mut State, finding: Finding, says: &mut dyn FnMut(&Input)) {
        says(&Input::Lookup(finding.clone()));
        state.board.accept_finding(&state.record, finding);
    }

    fn context(&self, state: &State) -> Context<'_> {
        let object = self.names.object(state.world.mode);
        let is_dark = state.board.is_dark(&state.record.key.target, object);
        let dark = match state.world.neighbours {
            Neighbours::Seen => 0,
            Neighbours::Dark => NEIGHBOURS,
        };
        Context {
            object,
            pinned: None,
            claimed: &[],
            fleet: Fleet {
                targets: NEIGHBOURS + 1,
                dark: dark + u32::from(is_dark),
            },
            timing: self.timing,
            engine_since: state.engine_since,
        }
    }
}

/// How long a known answer counts as fresh: two polls and a timeout.
pub(crate) fn fresh_for(timing: &Timing) -> Duration {
    timing.poll * 2 + timing.timeout
}
