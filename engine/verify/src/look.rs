//! One look: something happens, evidence is taken in as the engine takes it in, and the policy decides.

use std::time::Duration;

use steadfast_core::board::{Board, Place, Surroundings};
use steadfast_core::decision::{Decide, Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::evidence::{Fault, FaultKind, Observed, accept};
use steadfast_core::facts::{
    Container, Deployment, EndSource, FlinkJob, FlinkOverview, HaData, JobEnd, Pod, Readiness, Rollout, Tasks,
    Termination, Waiting,
};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, Namespace, PolicyName, TargetId, Uid};
use steadfast_core::labels::Labels;
use steadfast_core::news::{Completeness, KubeNews, Object, ObjectKind, Scope, What};
use steadfast_core::planner::{Next, intend, plan};
use steadfast_core::record::{JobRecord, Origin, PostedIntent};
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::state::{Attention, Confidence, JobState, Mode};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;
use steadfast_core::tracked::{TrackingRules, follow};

use crate::scene::{FlinkSays, Health, Neighbours, Scene, There, Way};
use crate::state::{Asked, State};
use crate::step::{EndsStep, KubernetesStep, Sight, Step};

/// The moment at which explorations begin: 2026-01-01T00:00:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// The targets beside the one that is explored.
pub(crate) const NEIGHBOURS: u32 = 3;
/// The job that an archive of another job tells of.
const ANOTHER: u8 = 0xff;

/// What a look saw and what came of it.
#[derive(Debug)]
pub struct Look {
    /// What had happened.
    pub step: Step,
    /// The record before, as committed.
    pub before: JobRecord,
    /// What the policy was shown.
    pub snapshot: Snapshot,
    /// What it answered.
    pub outcome: Result<Decision, PolicyFailure>,
    /// Why there is no decision: the call failed, or its answer breaks the contract.
    pub failure: Option<PolicyFailure>,
    /// The state after.
    pub after: State,
}

impl Look {
    /// The record after.
    pub fn record(&self) -> &JobRecord {
        &self.after.record
    }
}

/// Takes looks: one policy on one thread.
pub struct Watcher {
    timing: Timing,
    decide: Box<dyn Decide>,
    fresh: Box<dyn Decide>,
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
            Step::Ends(_) | Step::Neighbours(_) | Step::Intent(_) | Step::PolicyFails => (false, false),
        };
        Self { flink, kubernetes }
    }
}

/// The names of the one job.
#[derive(Debug)]
struct Names {
    key: JobKey,
    place: Place,
    policy: PolicyName,
}

impl Watcher {
    /// A watcher with instances of its own.
    pub fn new(make: &(dyn Fn() -> Box<dyn Decide> + Sync), timing: Timing) -> Self {
        let namespace = Namespace::new("default");
        let target = TargetId::new(&ClusterName::new("local"), &namespace, "orders");
        Self {
            timing,
            decide: make(),
            fresh: make(),
            names: Names {
                place: Place::new(&namespace, &target.name),
                key: JobKey::application(target),
                policy: PolicyName::new("verified"),
            },
        }
    }

    /// The pace.
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Judges a snapshot once more, by an instance that has judged others.
    pub fn decide_again(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        self.decide.decide(snapshot)
    }

    /// Judges a snapshot once more, by an instance that has judged nothing.
    pub fn decide_afresh(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        self.fresh.end_batch();
        self.fresh.decide(snapshot)
    }

    /// A job that nobody has looked at; nothing answers yet.
    pub fn unseen(&self, laws: usize) -> State {
        State {
            now: BEGINNING,
            engine_since: BEGINNING,
            record: JobRecord::unseen(
                self.names.key.clone(),
                Mode::Application,
                Origin::Configured,
                self.names.policy.clone(),
                BEGINNING,
            ),
            board: Board::default(),
            scene: Scene::before_all(BEGINNING),
            asked: Asked::default(),
            trackers: vec![0; laws],
        }
    }

    /// The same job with everything answering, before the first look.
    pub fn healthy(&self, laws: usize) -> State {
        State {
            scene: Scene::healthy(BEGINNING),
            ..self.unseen(laws)
        }
    }

    /// Lets a step happen and looks.
    pub fn look(&mut self, state: &State, step: Step) -> Look {
        let mut after = state.clone();
        after.now = state.now.after(step.takes(self.timing.poll));
        self.happens(&mut after, step);
        let before = after.record.clone();
        let asked = Sources::asked_at(step);
        let touched = asked.kubernetes && self.see_kubernetes(&mut after, step);
        // A sleeping watch asks Flink only when something happens around the target, and then at once.
        let sleeps = before.attention == Attention::Sleeping && step != Step::Restart;
        if if sleeps { touched } else { asked.flink } {
            let answer = overview(&after.scene);
            let now = after.now;
            after.board.accept_overview(&self.names.key.target, answer, now, now);
        }
        if let Step::Ends(ends) = step {
            self.see_ends(&mut after, ends);
        }
        let snapshot = self.snapshot(&after, &before);
        let outcome = match step {
            Step::PolicyFails => Err(PolicyFailure {
                kind: PolicyFailureKind::Trap,
                message: "it was made to fail".into(),
            }),
            Step::Wait(_)
            | Step::Flink(_)
            | Step::Kubernetes(_)
            | Step::Ends(_)
            | Step::Neighbours(_)
            | Step::Intent(_)
            | Step::Restart
            | Step::Heal => self.decide.decide(&snapshot),
        };
        let plan = plan(&before, &snapshot, outcome.clone());
        if let Some(change) = plan.change {
            if change.record.incarnation.attempt != before.incarnation.attempt {
                after.board.clear_job(&self.names.key);
            }
            // The revision counts commits and says nothing of the job.
            after.record = JobRecord {
                revision: before.revision,
                ..change.record
            };
        }
        let failure = match plan.next {
            Next::Watch { wanted, .. } => {
                after.asked = Asked::of(&wanted, &snapshot);
                None
            }
            Next::Retry(failure) => {
                after.asked = Asked::default();
                Some(failure)
            }
        };
        Look {
            step,
            before,
            snapshot,
            outcome,
            failure,
            after,
        }
    }

    /// What changes in the world, and in the engine, before the look.
    fn happens(&self, state: &mut State, step: Step) {
        let now = state.now;
        match step {
            Step::Wait(_) | Step::Ends(_) | Step::PolicyFails => {}
            Step::Flink(step) => state.scene.flink_turns(step, now),
            Step::Kubernetes(step) => state.scene.kubernetes_turns(step, now),
            Step::Neighbours(sight) => {
                state.scene.neighbours = match sight {
                    Sight::Seen => Neighbours::Seen,
                    Sight::Dark => Neighbours::Dark,
                };
            }
            Step::Intent(intent) => {
                let posted = PostedIntent { intent, since: now };
                let revision = state.record.revision;
                state.record = JobRecord {
                    revision,
                    ..intend(&state.record, posted).record
                };
            }
            Step::Restart => {
                // As the reactor takes up a stored record: nothing is believed before it is confirmed.
                state.record.confidence = Confidence::Stale;
                state.board = Board::default();
                state.engine_since = now;
            }
            Step::Heal => state.scene.heals(now),
        }
    }

    /// Lists of Deployments and pods, and what the watch tells before them. Says whether something was new.
    fn see_kubernetes(&self, state: &mut State, step: Step) -> bool {
        let now = state.now;
        let scene = state.scene;
        let mut touched = false;
        let mut going = false;
        let mut tell = |board: &mut Board, kind, what| {
            let scope = Scope {
                cluster: self.names.key.target.cluster.clone(),
                kind,
                namespace: None,
            };
            let accepted = board.accept_news(KubeNews {
                scope,
                asked_at: now,
                at: now,
                what,
            });
            touched |= !accepted.touched.is_empty();
            going |= !accepted.going.is_empty();
        };
        if let Way::Silent(kind) = scene.kubernetes {
            tell(&mut state.board, ObjectKind::Deployment, What::Failed(fault(kind)));
            tell(&mut state.board, ObjectKind::Pod, What::Failed(fault(kind)));
            return touched;
        }
        if step == Step::Kubernetes(KubernetesStep::Deleted) {
            // The watch is what tells of it; the next list confirms it.
            let deployment = Object::Deployment(self.deployment(&scene));
            let pod = Object::Pod(self.pod(&scene));
            tell(&mut state.board, ObjectKind::Pod, What::Deleted(pod));
            tell(&mut state.board, ObjectKind::Deployment, What::Deleted(deployment));
            return touched;
        }
        let (deployments, pods) = match scene.deployment.there {
            There::Up | There::Going { .. } => (
                vec![Object::Deployment(self.deployment(&scene))],
                vec![Object::Pod(self.pod(&scene))],
            ),
            There::Gone => (Vec::new(), Vec::new()),
        };
        let complete = Completeness::Complete;
        tell(
            &mut state.board,
            ObjectKind::Deployment,
            What::Listed(deployments, complete),
        );
        tell(&mut state.board, ObjectKind::Pod, What::Listed(pods, complete));
        if let Step::Kubernetes(KubernetesStep::Going(words)) = step
            && going
        {
            self.read_last_words(state, words);
        }
        touched
    }

    /// A pod begins to go: the engine reads its log at once.
    fn read_last_words(&self, state: &mut State, words: Option<JobState>) {
        let record = &state.record;
        let Some(job) = record.incarnation.flink_job_id else {
            return;
        };
        if record.state.is_terminal() && record.state != JobState::Terminated {
            return;
        }
        let answer = words.map_or(Observed::Absent, |state| {
            Observed::Present(end(job, state, EndSource::LastWords))
        });
        let slot = &mut state.board.job_mut(&self.names.key).last_words;
        accept_end(slot, answer, state.now);
    }

    fn see_ends(&self, state: &mut State, ends: EndsStep) {
        let now = state.now;
        let asked = state.asked;
        let job = state.record.incarnation.flink_job_id;
        let unreadable = || fault(FaultKind::Timeout);
        let key = &self.names.key;
        if asked.last_words {
            let answer = match ends {
                EndsStep::Unreadable => Observed::Unknown(unreadable()),
                EndsStep::Nothing | EndsStep::Archive(_) | EndsStep::OfAnotherJob(_) | EndsStep::RecoveryData => {
                    Observed::Absent
                }
            };
            accept_end(&mut state.board.job_mut(key).last_words, answer, now);
        }
        if asked.archive {
            let answer = match (ends, job) {
                (EndsStep::Unreadable, _) => Observed::Unknown(unreadable()),
                (EndsStep::Archive(state), Some(job)) => Observed::Present(end(job, state, EndSource::Archive)),
                (EndsStep::OfAnotherJob(state), _) => job_id(ANOTHER).map_or(Observed::Absent, |job| {
                    Observed::Present(end(job, state, EndSource::Archive))
                }),
                (EndsStep::Archive(_), None) | (EndsStep::Nothing | EndsStep::RecoveryData, _) => Observed::Absent,
            };
            accept_end(&mut state.board.job_mut(key).archive, answer, now);
        }
        if asked.ha_data {
            let answer = match ends {
                EndsStep::Unreadable => Observed::Unknown(unreadable()),
                EndsStep::RecoveryData => Observed::Present(HaData {
                    config_maps: vec!["orders-cluster-config-map".into()],
                }),
                EndsStep::Nothing | EndsStep::Archive(_) | EndsStep::OfAnotherJob(_) => Observed::Absent,
            };
            accept(&mut state.board.target_mut(&key.target).ha_data, answer, now, now);
        }
    }

    /// What the policy is shown, made as the reactor makes it.
    fn snapshot(&self, state: &State, before: &JobRecord) -> Snapshot {
        let place = Some(&self.names.place);
        let rules = TrackingRules {
            pinned: None,
            late_answers: self.timing.validate,
        };
        let followed = follow(before, &state.board, place, rules, state.now);
        let is_next_attempt = followed.incarnation.attempt != before.incarnation.attempt;
        let is_dark = state.board.is_dark(&self.names.key.target, place);
        let dark = match state.scene.neighbours {
            Neighbours::Seen => 0,
            Neighbours::Dark => NEIGHBOURS,
        };
        let surroundings = Surroundings {
            fleet: Fleet {
                targets: NEIGHBOURS + 1,
                dark: dark + u32::from(is_dark),
            },
            timing: self.timing,
            engine_since: state.engine_since,
        };
        let mut snapshot = state.board.snapshot(followed, place, surroundings, state.now);
        if is_next_attempt {
            snapshot.exceptions = None;
            snapshot.checkpoints = None;
            snapshot.last_words = None;
            snapshot.archive = None;
        }
        snapshot
    }

    fn deployment(&self, scene: &Scene) -> Deployment {
        let body = scene.deployment;
        Deployment {
            namespace: self.names.place.namespace.clone(),
            name: self.names.place.name.clone(),
            uid: Uid::new(format!("u{}", body.uid)),
            created_at: Some(body.created_at),
            deleting_since: deleting_since(scene),
            replicas: 1,
            ready: u32::from(scene.pod.health == Health::Ready),
            native: None,
            owner: None,
            trouble: None,
            rollout: Rollout::Settled,
            labels: Labels::default(),
        }
    }

    fn pod(&self, scene: &Scene) -> Pod {
        let body = scene.deployment;
        let name = format!("orders-jm-{}", body.uid);
        let crashes = scene.pod.health == Health::CrashLoop;
        Pod {
            namespace: self.names.place.namespace.clone(),
            uid: Uid::new(&name),
            name,
            app: self.names.place.name.clone(),
            created_at: Some(body.created_at),
            deleting_since: deleting_since(scene),
            phase: "Running".into(),
            reason: None,
            ip: None,
            ready: if crashes { Readiness::NotReady } else { Readiness::Ready },
            unschedulable: None,
            container: Some(Container {
                name: "flink-main-container".into(),
                restarts: u32::from(scene.pod.restarts),
                waiting: crashes.then(|| Waiting {
                    reason: "CrashLoopBackOff".into(),
                    message: "back-off".into(),
                }),
                terminated: (scene.pod.restarts > 0).then(|| Termination {
                    reason: "Error".into(),
                    exit_code: 1,
                    at: None,
                }),
            }),
        }
    }
}

fn deleting_since(scene: &Scene) -> Option<Timestamp> {
    match scene.deployment.there {
        There::Going { since } => Some(since),
        There::Up | There::Gone => None,
    }
}

/// An end that was told stays told.
fn accept_end(slot: &mut Option<steadfast_core::evidence::Evidence<JobEnd>>, answer: Observed<JobEnd>, now: Timestamp) {
    let is_told = slot.as_ref().is_some_and(|told| told.latest.present().is_some());
    if !is_told {
        accept(slot, answer, now, now);
    }
}

fn overview(scene: &Scene) -> Observed<FlinkOverview> {
    match scene.flink {
        FlinkSays::Silent(kind) => Observed::Unknown(fault(kind)),
        FlinkSays::Lacks => Observed::Present(FlinkOverview::default()),
        FlinkSays::Lists => {
            let running = u32::from(scene.run.state == JobState::Running);
            let jobs = job_id(scene.run.job)
                .into_iter()
                .map(|id| FlinkJob {
                    id,
                    state: scene.run.state,
                    started_at: scene.run.started_at,
                    ended_at: None,
                    tasks: Tasks { total: 1, running },
                })
                .collect();
            Observed::Present(FlinkOverview { jobs })
        }
    }
}

fn end(job: FlinkJobId, state: JobState, told_by: EndSource) -> JobEnd {
    JobEnd {
        job,
        state,
        cause: None,
        ended_at: None,
        told_by,
    }
}

fn job_id(number: u8) -> Option<FlinkJobId> {
    FlinkJobId::parse(&format!("{number:032x}"))
}

/// The same words for every kind, so that only the kind can make a difference.
fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "no usable answer")
}

/// How long a known answer counts as fresh: two polls and a timeout.
pub(crate) fn fresh_for(timing: &Timing) -> Duration {
    timing.poll * 2 + timing.timeout
}
