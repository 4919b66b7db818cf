//! The loop with the conservative policy, shown what was recorded, at the pace at which it was recorded.
//!
//! Deployments, their pods and most of Flink's lists were not recorded beside the operator's resources. What stands in for them
//! is what the operator says of them at the time: `jobManagerDeploymentStatus`, and the job with its id, state and start. How a
//! cluster is stopped is told by `application-timeline.json`: Flink's REST ends seconds before the operator calls the Deployment
//! missing. It was seen beside it that it scales the Deployment to zero, and then deletes it in the foreground.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::OnceLock;
use std::time::Duration;

use steadfast_core::evidence::{Fault, FaultKind, Observation, Observed};
use steadfast_core::facts::{Deployment, FlinkOverview, Pod, Readiness, Untold};
use steadfast_core::id::{ClusterName, FlinkJobId};
use steadfast_core::journal::Change;
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind, Scope};
use steadfast_core::lookup::{Finding, ObjectQuestion, Query};
use steadfast_core::record::JobRecord;
use steadfast_core::state::{JobState, Mode};
use steadfast_core::testing::{self, flink_job};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits, builtin};
use steadfast_reconcile::fetch::{Fetch, Fetched, Provenance};
use steadfast_reconcile::reactor::{ClusterRules, Reactor};
use steadfast_reconcile::turn::Turn;
use steadfast_reconcile::{Discover, Policies, PolicySetup};
use steadfast_sources::route::FlinkRoute;

use crate::recording::{FlinkAnswer, Line};

/// A state and its attempt.
pub type Seen = (JobState, u32);

/// How a Deployment of Flink stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Gone,
    Starting,
    Ready,
    ScaledToZero,
    /// It is scaled to zero, and stays until what depends on it is gone.
    Going,
}

impl Stand {
    /// As the operator sees it.
    fn told_by(line: &Line) -> Self {
        match line.text("/status/jobManagerDeploymentStatus") {
            _ if line.is_deletion => Self::Gone,
            "" | "MISSING" => Self::Gone,
            // What the operator calls an error is a volume that could not be mounted at first.
            "DEPLOYING" | "ERROR" => Self::Starting,
            "DEPLOYED_NOT_READY" | "READY" => Self::Ready,
            other => panic!("a Deployment that is {other}"),
        }
    }
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Moment {
    Line(Box<Line>),
    Stands(String, Stand),
    Flink(String, FlinkAnswer),
}

/// The loop, and the world as it was recorded.
pub struct Replay {
    reactor: Reactor,
    module: Module,
    draw: u64,
    now: Timestamp,
    lists_at: Timestamp,
    ahead: VecDeque<(Timestamp, Moment)>,
    objects: BTreeMap<(ObjectKind, String), Object>,
    flinks: BTreeMap<String, FlinkAnswer>,
    deployed: u32,
    /// What each record said last, by its name.
    last: BTreeMap<String, Seen>,
    /// What each record has said and was not asked for yet.
    seen: BTreeMap<String, Vec<Seen>>,
    /// The names of all records that there ever were.
    names: BTreeSet<String>,
    /// Every alert that ever stood.
    alerts: BTreeSet<String>,
}

impl Replay {
    /// What becomes of these lines, with what Flinks answered meanwhile, by the names of their Deployments. Another draw asks
    /// Flink at other moments; in every other one the engine is killed before each phase, and starts again.
    pub fn of(
        lines: Vec<Line>,
        answers: Vec<(&str, Vec<(Timestamp, FlinkAnswer)>)>,
        module: Module,
        draw: u64,
    ) -> Self {
        println!("draw {draw}");
        let began = lines[0].at.before(Duration::from_millis(10_000 + draw * 700));
        let mut moments = Vec::new();
        let names: BTreeSet<String> = lines.iter().map(|line| line.name().to_owned()).collect();
        for name in &names {
            let answers = answers
                .iter()
                .find(|(of, _)| of == name)
                .map(|(_, answers)| answers.as_slice());
            let of_it = lines
                .iter()
                .filter(|line| line.is_of(ObjectKind::FlinkDeployment, name));
            moments.extend(behind(name, of_it, answers.unwrap_or_default()));
        }
        // What the operator tells of was there before.
        moments.extend(lines.into_iter().map(|line| (line.at, Moment::Line(Box::new(line)))));
        moments.sort_by_key(|(at, _)| *at);
        let mut replay = Self {
            reactor: reactor(module, draw, began),
            module,
            draw,
            now: began,
            lists_at: began,
            ahead: moments.into(),
            objects: BTreeMap::new(),
            flinks: BTreeMap::new(),
            deployed: 0,
            last: BTreeMap::new(),
            seen: BTreeMap::new(),
            names: BTreeSet::new(),
            alerts: BTreeSet::new(),
        };
        let first = replay.reactor.start(vec![], vec![], began);
        replay.commit(first);
        replay
    }

    /// Plays on through the first line of an object that is so, and then what happens before the next line that is read, for two
    /// polls at most.
    pub fn through(&mut self, kind: ObjectKind, name: &str, is_so: impl Fn(&Line) -> bool) {
        if self.draw % 2 == 1 {
            self.restart();
        }
        let is_it = |moment: &Moment| matches!(moment, Moment::Line(line) if line.is_of(kind, name) && is_so(line));
        let found = self.ahead.iter().position(|(_, moment)| is_it(moment));
        let place = found.unwrap_or_else(|| panic!("no line of {name} is so"));
        let at = self.ahead[place].0;
        let next_line = self
            .ahead
            .range(place + 1..)
            .find(|(_, moment)| matches!(moment, Moment::Line(line) if line.read.is_some()));
        let twice = at.after(Timing::default().poll * 2);
        let until = next_line.map_or(twice, |(next, _)| twice.min(next.before(Duration::from_millis(1))));
        let left = self.ahead.len() - place - 1;
        while self.ahead.len() > left {
            self.step(at);
        }
        if until > at {
            self.play(until);
        }
    }

    /// The engine is killed and starts again.
    fn restart(&mut self) {
        println!("{} the engine starts again", self.now);
        let records = self.reactor.records().values();
        let stored = records.map(|record| JobRecord::clone(record)).collect();
        self.reactor = reactor(self.module, self.draw, self.now);
        let first = self.reactor.start(stored, vec![], self.now);
        self.commit(first);
        self.list();
    }

    /// Plays on.
    pub fn play_for(&mut self, span: Duration) {
        self.play(self.now.after(span));
    }

    /// What a record has said since this was last asked.
    pub fn said(&mut self, record: &str) -> Vec<Seen> {
        self.seen.remove(record).unwrap_or_default()
    }

    pub fn record(&self, name: &str) -> &JobRecord {
        let found = self.reactor.records().iter().find(|(key, _)| key.to_string() == name);
        found
            .map(|(_, record)| &**record)
            .unwrap_or_else(|| panic!("{name} is not on record"))
    }

    /// The names of all records that there ever were.
    pub fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// Every alert that ever stood.
    pub fn alerts(&self) -> Vec<&str> {
        self.alerts.iter().map(String::as_str).collect()
    }

    fn play(&mut self, until: Timestamp) {
        while self.step(until) {}
        self.now = until;
    }

    /// What comes next, if it comes before that.
    fn step(&mut self, until: Timestamp) -> bool {
        let turn = self.reactor.next_turn(self.now);
        let told = self.ahead.front().map(|(at, _)| *at);
        let next = [turn, told, Some(self.lists_at)].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= until) else {
            return false;
        };
        self.now = self.now.max(next);
        if told.is_some_and(|at| at <= self.now)
            && let Some((_, moment)) = self.ahead.pop_front()
        {
            self.happens(moment);
        }
        if self.lists_at <= self.now {
            self.list();
        }
        self.settle();
        true
    }

    fn happens(&mut self, moment: Moment) {
        match moment {
            Moment::Line(line) => {
                let words = [
                    line.lifecycle(),
                    line.job_state(),
                    line.text("/status/jobManagerDeploymentStatus"),
                ];
                println!("{} {} {}: {}", self.now, line.kind(), line.name(), words.join(" "));
                let Some(change) = line.read.clone() else { return };
                let kind = crate::recording::kind_read(line.kind()).unwrap();
                self.change(kind, change);
            }
            Moment::Flink(deployment, answer) => drop(self.flinks.insert(deployment, answer)),
            Moment::Stands(name, stand) => self.stands(&name, stand),
        }
    }

    fn stands(&mut self, name: &str, stand: Stand) {
        let before = self.objects.get(&(ObjectKind::Deployment, name.to_owned())).cloned();
        let before = match before {
            Some(Object::Deployment(deployment)) => Some(deployment),
            Some(other) => panic!("{other:?}"),
            None => None,
        };
        self.deployed += u32::from(before.is_none());
        let mode = if name.starts_with("session") {
            Mode::Session
        } else {
            Mode::Application
        };
        let deployment = before.unwrap_or_else(|| Deployment {
            name: name.to_owned(),
            created_at: Some(self.now),
            native: Some(mode),
            owner: Some("FlinkDeployment".into()),
            ..testing::deployment(&format!("deployment-{}", self.deployed))
        });
        let pod = Pod {
            app: name.to_owned(),
            created_at: deployment.created_at,
            ..testing::pod(&format!("{}-pod", deployment.uid))
        };
        let (replicas, ready) = match stand {
            Stand::Starting => (1, 0),
            Stand::Ready => (1, 1),
            Stand::ScaledToZero | Stand::Going | Stand::Gone => (0, 0),
        };
        let deployment = Object::Deployment(Deployment {
            replicas,
            ready,
            deleting_since: (stand == Stand::Going).then_some(self.now),
            ..deployment
        });
        let pod_now = |phase: &str, ready: Readiness| {
            KubeChange::Applied(Object::Pod(Pod {
                phase: phase.into(),
                ready,
                ..pod.clone()
            }))
        };
        match stand {
            Stand::Starting => {
                self.change(ObjectKind::Deployment, KubeChange::Applied(deployment));
                self.change(ObjectKind::Pod, pod_now("Pending", Readiness::NotReady));
            }
            Stand::Ready => {
                self.change(ObjectKind::Deployment, KubeChange::Applied(deployment));
                self.change(ObjectKind::Pod, pod_now("Running", Readiness::Ready));
            }
            Stand::ScaledToZero | Stand::Going => {
                self.change(ObjectKind::Deployment, KubeChange::Applied(deployment));
                self.change(ObjectKind::Pod, KubeChange::Deleted(Object::Pod(pod)));
            }
            Stand::Gone => {
                self.change(ObjectKind::Deployment, KubeChange::Deleted(deployment));
                self.change(ObjectKind::Pod, KubeChange::Deleted(Object::Pod(pod)));
            }
        }
    }

    /// A watch tells of it.
    fn change(&mut self, kind: ObjectKind, change: KubeChange) {
        match &change {
            KubeChange::Applied(object) => {
                let name = object.namespaced_name().1.to_owned();
                self.objects.insert((kind, name), object.clone());
            }
            KubeChange::Deleted(object) => {
                let name = object.namespaced_name().1.to_owned();
                self.objects.remove(&(kind, name));
            }
            KubeChange::Relisted(..) | KubeChange::PodsOf(..) | KubeChange::NotFound(_) | KubeChange::Failed(_) => {}
        }
        let update = self.update(kind, change);
        self.reactor.kube_update(update, self.now);
        self.settle();
    }

    fn update(&self, kind: ObjectKind, change: KubeChange) -> KubeUpdate {
        let scope = Scope {
            cluster: cluster(),
            kind,
            namespace: None,
        };
        KubeUpdate {
            scope,
            asked_at: self.now,
            at: self.now,
            version: None,
            change,
        }
    }

    /// Everything is listed afresh, first what tells whose a Deployment is. The other way round, a side of a
    /// FlinkBlueGreenDeployment that a fresh engine sees has a record of its own until the FlinkDeployments are listed.
    fn list(&mut self) {
        self.lists_at = self.now.after(Timing::default().validate);
        for kind in [
            ObjectKind::FlinkDeployment,
            ObjectKind::FlinkSessionJob,
            ObjectKind::Deployment,
            ObjectKind::Pod,
        ] {
            let of_kind = self.objects.iter().filter(|((of, _), _)| *of == kind);
            let listed = of_kind.map(|(_, object)| object.clone()).collect();
            self.change(kind, KubeChange::Relisted(listed, Completeness::Complete));
        }
    }

    /// Turns until nothing more is to be done now.
    fn settle(&mut self) {
        for _ in 0..100 {
            let turn = self.reactor.turn(self.now);
            self.commit(turn);
            if self.reactor.next_turn(self.now).is_none_or(|next| next > self.now) {
                return;
            }
        }
        panic!("the loop does not come to rest");
    }

    fn commit(&mut self, mut turn: Turn) {
        if let Some((key, failure)) = turn.failures().next() {
            panic!("the policy failed on {key}: {failure:?}");
        }
        let fetches = std::mem::take(&mut turn.fetches);
        for change in turn.commit().changes {
            self.note(&change);
        }
        self.reactor.advance(turn, self.now);
        for fetch in fetches {
            self.answer(fetch);
        }
    }

    fn note(&mut self, change: &Change) {
        let Change { record, .. } = change;
        let name = record.key.to_string();
        self.names.insert(name.clone());
        let now = (record.state, record.incarnation.attempt);
        if self.last.insert(name.clone(), now) != Some(now) {
            // Shown where a test fails.
            println!(
                "{} {name}: {} in attempt {}, {:?} {}",
                self.now, now.0, now.1, record.confidence, record.reason.message
            );
            self.seen.entry(name).or_default().push(now);
        }
        self.alerts.extend(record.alerts.iter().map(|alert| alert.name.clone()));
    }

    fn answer(&mut self, fetch: Fetch) {
        let now = self.now;
        let fetched = match fetch {
            Fetch::Overview { endpoint, expected, .. } => {
                let answer = self.flinks.get(&endpoint.deployment).cloned().unwrap_or_else(refused);
                let answer = match answer {
                    Ok(overview) => Observed::Present(asked_of(overview, &expected.followed)),
                    Err(fault) => Observed::Unknown(fault),
                };
                Fetched::Overview {
                    provenance: if answer.is_known() {
                        Provenance::Vouched
                    } else {
                        Provenance::Silent
                    },
                    target: endpoint.target,
                    observation: Observation::new(answer, now, now),
                    deployment: Some(endpoint.deployment),
                }
            }
            Fetch::Lookup { key, query, .. } => Fetched::Lookup {
                key,
                finding: not_recorded(&query, now),
            },
            Fetch::Objects {
                target,
                questions,
                after,
            } => {
                let answers = questions.into_iter().map(|question| {
                    let kind = question.kind();
                    let change = match question {
                        ObjectQuestion::Named { object, .. } => {
                            let found = self.objects.get(&(kind, object.name.clone()));
                            found.map_or(KubeChange::NotFound(object), |it| KubeChange::Applied(it.clone()))
                        }
                        ObjectQuestion::PodsOf { object, .. } => {
                            let is_its = |it: &&Object| it.pod().is_some_and(|pod| pod.app == object.name);
                            let pods = self.objects.values().filter(is_its).cloned().collect();
                            KubeChange::PodsOf(object, pods)
                        }
                    };
                    Ok(self.update(kind, change))
                });
                Fetched::Objects {
                    target,
                    after,
                    answers: answers.collect(),
                }
            }
            Fetch::Relist { .. } => {
                self.list();
                return;
            }
        };
        self.reactor.fetched(fetched, now);
    }
}

fn reactor(module: Module, draw: u64, now: Timestamp) -> Reactor {
    let rules = ClusterRules {
        discover: vec![Discover::Native, Discover::FlinkDeployment],
        flink_rest: FlinkRoute::Service,
    };
    let policies = Policies::new(vec![PolicySetup::deciding("default", Box::new(module.policy()))]);
    let clusters = BTreeMap::from([(cluster(), rules)]);
    Reactor::new(Timing::default(), draw, now, clusters, policies, None)
}

fn cluster() -> ClusterName {
    ClusterName::new("local")
}

/// Which policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// The default one, as the product embeds it, or the build that `STEADFAST_CONSERVATIVE_WASM` names.
    Conservative,
    /// The one that takes an error for absence, to prove that these tests can tell.
    Naive,
}

impl Module {
    /// Compiled once.
    fn policy(self) -> Policy {
        static CONSERVATIVE: OnceLock<Policy> = OnceLock::new();
        static NAIVE: OnceLock<Policy> = OnceLock::new();
        let policy = match self {
            Self::Conservative => CONSERVATIVE.get_or_init(|| match std::env::var_os("STEADFAST_CONSERVATIVE_WASM") {
                Some(path) => load(&std::fs::read(path).unwrap()),
                None => load(builtin::CONSERVATIVE),
            }),
            Self::Naive => NAIVE.get_or_init(|| load(builtin::NAIVE)),
        };
        policy.another()
    }
}

fn load(module: &[u8]) -> Policy {
    let limits = PolicyLimits {
        // Real time, on a machine that may be busy.
        deadline: Duration::from_secs(20),
        ..PolicyLimits::default()
    };
    let engine = PolicyEngine::new(None).unwrap();
    engine.load("default", module, "{}", limits).unwrap()
}

fn refused() -> FlinkAnswer {
    Err(Fault::new(FaultKind::Refused, "Connection refused"))
}

/// Asked for it by its id, a Flink that does not list a job says that it does not know it.
fn asked_of(mut overview: FlinkOverview, followed: &[FlinkJobId]) -> FlinkOverview {
    let unlisted = followed.iter().filter(|id| overview.job(**id).is_none());
    let unlisted: Vec<FlinkJobId> = unlisted.copied().collect();
    overview
        .untold
        .extend(unlisted.into_iter().map(|id| (id, Untold::Gone)));
    overview
}

/// Logs, archives and the like were not recorded. There was no high availability.
fn not_recorded(query: &Query, now: Timestamp) -> Finding {
    fn unknown<T>(now: Timestamp) -> Observation<T> {
        let fault = Fault::new(FaultKind::Other, "it was not recorded");
        Observation::new(Observed::Unknown(fault), now, now)
    }
    match query {
        Query::Exceptions { .. } => Finding::Exceptions(unknown(now)),
        Query::Checkpoints { .. } => Finding::Checkpoints(unknown(now)),
        Query::LastWords { .. } => Finding::LastWords(unknown(now)),
        Query::Archive(_) => Finding::Archive(unknown(now)),
        Query::HaData { .. } => Finding::HaData(Observation::new(Observed::Absent, now, now)),
        Query::Events { .. } => Finding::Events(unknown(now)),
        Query::TaskManagers { .. } => Finding::TaskManagers(unknown(now)),
    }
}

/// What happens to the Flink cluster behind a FlinkDeployment.
fn behind<'a>(
    name: &str,
    lines: impl Iterator<Item = &'a Line>,
    answers: &[(Timestamp, FlinkAnswer)],
) -> Vec<(Timestamp, Moment)> {
    let flink = |answer: FlinkAnswer| Moment::Flink(name.to_owned(), answer);
    let stands = |stand: Stand| Moment::Stands(name.to_owned(), stand);
    let mut moments: Vec<(Timestamp, Moment)> = answers
        .iter()
        .map(|(at, answer)| (*at, flink(answer.clone())))
        .collect();
    let (mut stand, mut told) = (Stand::Gone, refused());
    let mut stopped_since = None;
    let mut before = Timestamp::default();
    for line in lines {
        let now = Stand::told_by(line);
        if stand != Stand::Gone && (line.is_asked_anew() || line.is_going()) {
            stopped_since.get_or_insert(line.at);
        }
        if let Some(since) = stopped_since.filter(|_| now == Stand::Gone) {
            // Flink's REST ends with the JobManager's pod: as recorded, or half way.
            let is_end = |(at, answer): &&(Timestamp, FlinkAnswer)| (since..=line.at).contains(at) && answer.is_err();
            let half_way = since.after(line.at.since(since) / 2);
            let end = answers.iter().find(is_end).map_or(half_way, |(at, _)| *at);
            moments.push((end, stands(Stand::ScaledToZero)));
            moments.push((end, flink(refused())));
            moments.push((end.after(line.at.since(end) / 2), stands(Stand::Going)));
            stopped_since = None;
        }
        if now != stand {
            moments.push((line.at, stands(now)));
            stand = now;
        }
        let says = flink_told_by(line);
        if says != told {
            // The operator saw it a moment later.
            let at = line.at.before(Duration::from_secs(1)).max(before);
            moments.push((at, flink(says.clone())));
            told = says;
        }
        before = line.at;
    }
    moments
}

/// What Flink must have answered when the operator wrote this.
fn flink_told_by(line: &Line) -> FlinkAnswer {
    if line.is_deletion || line.text("/status/jobManagerDeploymentStatus") != "READY" {
        return refused();
    }
    let state =
        JobState::parse(line.job_state()).filter(|state| line.job_state() != "RECONCILING" && state.is_flinks());
    let id = FlinkJobId::parse(line.text("/status/jobStatus/jobId"));
    // Until it has seen it the operator calls the job RECONCILING.
    let Some((state, id)) = state.zip(id) else {
        return Ok(FlinkOverview::default());
    };
    let began = line.object.pointer("/status/jobStatus/startTime").unwrap();
    let began = began.as_i64().or_else(|| began.as_str()?.parse().ok()).unwrap();
    Ok(FlinkOverview::listing(vec![flink_job(
        id,
        state,
        Timestamp::from_millis(began),
    )]))
}
