mod blue_green;
mod discovery;
mod flooding;
mod forget;
mod looks;
mod missing;
mod refused;
mod replace_policies;
mod retire;
mod session_jobs;
mod silences;
mod slow_policies;
mod traces;
mod unwritten;
mod validate;

use std::time::Duration;

use steadfast_core::decision::{Decide, Decision, LookupRequest, LookupSource, PolicyFailure, Watch};
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::facts::FlinkOverview;
use steadfast_core::kube_update::{KubeChange, KubeUpdate, ObjectKind, Scope};
use steadfast_core::record::Reason;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;
use steadfast_core::testing::{at, flink_job, flink_job_id};

use steadfast_core::evidence::Observation;
use steadfast_core::id::TargetId;
use steadfast_core::journal::{Event, Loaded, LoadedPart};
use steadfast_core::lookup::Finding;
use steadfast_core::state::{Attention, Confidence, Mode};

use super::validate::Repair;
use super::*;
use crate::fetch::Fetched;
use crate::setup::{PolicySetup, TargetSetup};
use crate::turn::Show;

/// Believes Flink; terminal states are looked at every minute. Why a job is FAILING it asks for again and again.
struct Believer;

impl Decide for Believer {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let job = snapshot.flink.as_ref().and_then(|evidence| evidence.latest.present());
        let state = job.map_or(snapshot.record.state, |job| job.state);
        Ok(Decision {
            state,
            confidence: if job.is_some() {
                Confidence::Confirmed
            } else {
                Confidence::Stale
            },
            reason: Reason::new("Flink", "as Flink says"),
            rule: "believe".into(),
            watch: Watch {
                poll_after: Duration::from_secs(if state.is_terminal() { 60 } else { 5 }),
                validate_after: Duration::from_secs(60),
                attention: Attention::Active,
            },
            wanted: (state == JobState::Failing)
                .then(|| LookupRequest {
                    source: LookupSource::Exceptions,
                    observed_after: snapshot
                        .exceptions
                        .as_ref()
                        .map_or(Timestamp::default(), |e| e.asked_at),
                })
                .into_iter()
                .collect(),
            conditions: vec![],
            alerts: vec![],
            memory: vec![],
        })
    }
}

/// A reactor whose requests are answered by hand, with every commit taken at once.
struct Rig {
    reactor: Reactor,
    now: Timestamp,
    /// Requests that came up and were not handed out yet.
    fetches: Vec<Fetch>,
    /// How many entries of the journal were committed about each target.
    entries: BTreeMap<TargetId, usize>,
}

impl Rig {
    fn new(names: &[&str]) -> Self {
        let policy = PolicySetup::deciding("believe", Box::new(Believer));
        Self::under(vec![policy], names)
    }

    fn under(policies: Vec<PolicySetup>, names: &[&str]) -> Self {
        let targets = names.iter().map(|name| target(name)).collect();
        let now = Timestamp::from_millis(1_000_000);
        let policies = Policies::new(policies);
        let mut rig = Self {
            reactor: Reactor::new(Timing::default(), 7, now, BTreeMap::new(), policies, None),
            now,
            fetches: Vec::new(),
            entries: BTreeMap::new(),
        };
        let first = rig.reactor.start(vec![], targets, now);
        rig.commit(first);
        rig.settle();
        rig
    }

    /// In the cluster `local`, where that is discovered.
    fn discovering(discover: Vec<Discover>) -> Self {
        let rules = ClusterRules {
            discover,
            flink_rest: FlinkRoute::Service,
        };
        let now = Timestamp::from_millis(1_000_000);
        Self {
            reactor: reactor(BTreeMap::from([(ClusterName::new("local"), rules)]), now),
            now,
            fetches: Vec::new(),
            entries: BTreeMap::new(),
        }
    }

    /// Kubernetes says something now, of all namespaces. Returns what was committed for it.
    fn kube(&mut self, kind: ObjectKind, change: KubeChange) -> Vec<Change> {
        let scope = Scope {
            cluster: ClusterName::new("local"),
            kind,
            namespace: None,
        };
        let update = KubeUpdate {
            scope,
            asked_at: self.now,
            at: self.now,
            version: None,
            change,
        };
        self.reactor.kube_update(update, self.now);
        self.settle()
    }

    fn commit(&mut self, mut turn: Turn) -> Vec<Change> {
        self.fetches.append(&mut turn.fetches);
        let changes = turn.commit().changes;
        for change in &changes {
            *self.entries.entry(change.record.key.target.clone()).or_default() += change.events.len();
        }
        self.reactor.advance(turn, self.now);
        self.reactor.answer_looks();
        changes
    }

    /// Compares memory with what the store has, and commits what that comes to.
    fn repair(&mut self, stored: Vec<JobRecord>) -> Vec<Show> {
        self.repair_by(Loaded {
            records: stored,
            ..Loaded::default()
        })
    }

    fn repair_by(&mut self, loaded: Loaded) -> Vec<Show> {
        let part = LoadedPart { loaded, next: None };
        self.repair_by_part(part)
    }

    fn repair_by_part(&mut self, part: LoadedPart) -> Vec<Show> {
        let Repair { mut shown, mut turn } = self.reactor.repair(part, self.now);
        drop(turn.commit());
        shown.extend(self.reactor.advance(turn, self.now));
        shown
    }

    /// Returns the requests that came up; if there are none, lets time pass up to the next turn, at most `limit`.
    /// The store takes nothing of a turn.
    fn refuse(&mut self, mut turn: Turn, retry_at: Timestamp) {
        self.reactor.refuse(&mut turn, "the disk is full", self.now, retry_at);
        drop(self.reactor.advance(turn, self.now));
    }

    fn advance(&mut self, limit: Duration) -> Vec<Fetch> {
        if !self.fetches.is_empty() {
            return std::mem::take(&mut self.fetches);
        }
        let end = self.now.after(limit);
        let next = self.reactor.next_turn(self.now);
        self.now = next.map_or(end, |next| next.clamp(self.now, end));
        self.settle();
        std::mem::take(&mut self.fetches)
    }

    /// Turns until nothing more is to be done now. Returns what was committed.
    fn settle(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for _ in 0..100 {
            let turn = self.reactor.turn(self.now);
            changes.extend(self.commit(turn));
            if self.reactor.next_turn(self.now).is_none_or(|next| next > self.now) {
                return changes;
            }
        }
        panic!("the loop does not come to rest");
    }

    fn answer(&mut self, fetch: &Fetch, answer: Observed<FlinkOverview>) {
        let Fetch::Overview { endpoint, .. } = fetch else {
            panic!("not a poll: {fetch:?}")
        };
        let observation = Observation::new(answer, self.now, self.now);
        let fetched = Fetched::overview(endpoint.target.clone(), observation);
        self.reactor.fetched(fetched, self.now);
        self.settle();
    }

    fn record(&self, name: &str) -> &JobRecord {
        &self.reactor.records()[&JobKey::application(TargetId::standalone(name))]
    }
}

fn reactor(clusters: BTreeMap<ClusterName, ClusterRules>, now: Timestamp) -> Reactor {
    let policy = PolicySetup::deciding("believe", Box::new(Believer));
    Reactor::new(Timing::default(), 7, now, clusters, Policies::new(vec![policy]), None)
}

fn target(name: &str) -> TargetSetup {
    let id = TargetId::standalone(name);
    TargetSetup {
        id,
        mode: Mode::Standalone,
        object: None,
        flink_rest: Some(FlinkRoute::Template("http://{name}".into())),
        pinned: None,
    }
}

fn running() -> Observed<FlinkOverview> {
    listed(JobState::Running)
}

fn listed(state: JobState) -> Observed<FlinkOverview> {
    Observed::Present(FlinkOverview::listing(vec![flink_job(flink_job_id(1), state, at(999))]))
}

fn silent() -> Observed<FlinkOverview> {
    Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer"))
}

/// Answers every poll for `span`; returns how many there were to each target.
fn live(
    rig: &mut Rig,
    span: Duration,
    answer: impl Fn(&TargetId) -> Observed<FlinkOverview>,
) -> BTreeMap<TargetId, u32> {
    let end = rig.now.after(span);
    let mut polls = BTreeMap::new();
    while rig.now < end {
        let left = end.since(rig.now);
        for fetch in rig.advance(left) {
            if let Fetch::Overview { endpoint, .. } = &fetch {
                *polls.entry(endpoint.target.clone()).or_default() += 1;
                let answer = answer(&endpoint.target);
                rig.answer(&fetch, answer);
            }
        }
    }
    polls
}

#[test]
fn a_target_that_answers_is_asked_once_a_poll() {
    let mut rig = Rig::new(&["orders"]);
    let polls = live(&mut rig, Duration::from_secs(60), |_| running());
    let polls = polls[&TargetId::standalone("orders")];
    assert!((12..=14).contains(&polls), "{polls}");
    assert_eq!(rig.record("orders").state, JobState::Running);
}

#[test]
fn a_target_that_ended_is_asked_once_a_minute_and_never_dropped() {
    let mut rig = Rig::new(&["orders"]);
    let polls = live(&mut rig, Duration::from_secs(3600), |_| listed(JobState::Failed));
    // One for each minute, at its place in the minute, the first, before anything was known, and one that leads to its place.
    let polls = polls[&TargetId::standalone("orders")];
    assert!((60..=62).contains(&polls), "{polls}");
    assert!(rig.reactor.polls.status(&TargetId::standalone("orders")).next.is_some());
}

#[test]
fn the_canary_keeps_the_polls_pace_through_a_day_of_silence() {
    let mut rig = Rig::new(&["orders"]);
    live(&mut rig, Duration::from_secs(86_400), |_| silent());
    let began = rig.now;
    live(&mut rig, Duration::from_secs(6), |_| running());
    let confirmed = rig.record("orders").confirmed_at.unwrap();
    assert!(
        confirmed.since(began) <= Duration::from_secs(5),
        "{:?}",
        confirmed.since(began)
    );
}

#[test]
fn the_first_success_ends_everybodys_pause() {
    let names: Vec<String> = (0..20).map(|n| format!("job-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut rig = Rig::new(&names);
    live(&mut rig, Duration::from_secs(20), |_| running());
    live(&mut rig, Duration::from_secs(600), |_| silent());
    live(&mut rig, Duration::from_secs(11), |_| running());
    for name in names {
        assert_eq!(rig.record(name).confidence, Confidence::Confirmed, "{name}");
    }
}

#[test]
fn retry_after_holds_the_canary_too_and_no_longer_than_its_cap() {
    let mut rig = Rig::new(&["orders"]);
    let fault = Fault {
        retry_after: Some(Duration::from_secs(86_400)),
        ..Fault::new(FaultKind::TooManyRequests, "slow down")
    };
    let polls = live(&mut rig, Duration::from_secs(601), |_| Observed::Unknown(fault.clone()));
    assert!((10..=11).contains(&polls[&TargetId::standalone("orders")]), "{polls:?}");
}

#[test]
fn a_policy_that_is_never_content_with_an_answer_does_not_ask_without_a_pause() {
    let mut rig = Rig::new(&["orders"]);
    let end = rig.now.after(Duration::from_secs(60));
    let mut asked = Vec::new();
    while rig.now < end {
        for fetch in rig.advance(end.since(rig.now)) {
            match &fetch {
                Fetch::Overview { .. } => rig.answer(&fetch, listed(JobState::Failing)),
                Fetch::Lookup { key, .. } => {
                    asked.push(rig.now);
                    let finding = Finding::Exceptions(Observation::new(Observed::Absent, rig.now, rig.now));
                    let key = key.clone();
                    rig.reactor.fetched(Fetched::Lookup { key, finding }, rig.now);
                    rig.settle();
                }
                Fetch::Objects { .. } | Fetch::Relist { .. } => {}
            }
        }
    }
    let pause = Timing::default().poll / 2;
    assert!(asked.len() > 10);
    assert!(
        asked.windows(2).all(|pair| pair[1].since(pair[0]) >= pause),
        "{asked:?}"
    );
}

#[test]
fn what_is_committed_is_what_was_decided_and_nothing_twice() {
    let mut rig = Rig::new(&["orders"]);
    live(&mut rig, Duration::from_secs(30), |_| running());
    let revision = rig.record("orders").revision;
    live(&mut rig, Duration::from_secs(300), |_| running());
    assert_eq!(
        rig.record("orders").revision,
        revision,
        "steady evidence commits nothing"
    );
}

#[test]
fn what_a_policy_remembers_outlives_the_engine() {
    let rig = Rig::new(&["orders"]);
    let remembered = JobRecord {
        memory: b"missing since noon".to_vec(),
        ..rig.record("orders").clone()
    };
    let mut again = reactor(BTreeMap::new(), rig.now);
    let changes = again.start(vec![remembered.clone()], vec![target("orders")], rig.now);
    let taken_up = changes.changes.first().map_or(&remembered, |change| &*change.record);
    assert_eq!(taken_up.memory, remembered.memory);
}

#[test]
fn stored_records_are_stale_until_confirmed_and_removed_targets_forgotten() {
    let mut rig = Rig::new(&["orders", "gone"]);
    live(&mut rig, Duration::from_secs(10), |_| running());
    let stored: Vec<JobRecord> = rig
        .reactor
        .records()
        .values()
        .map(|record| (**record).clone())
        .collect();
    let mut again = reactor(BTreeMap::new(), rig.now);
    let changes = again.start(stored, vec![target("orders")], rig.now).commit().changes;
    let (forgotten, kept): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.forgets());
    assert_eq!(
        forgotten.iter().map(|c| &*c.record.key.target.name).collect::<Vec<_>>(),
        ["gone"]
    );
    assert_eq!(
        kept.iter()
            .map(|c| (c.record.state, c.record.confidence))
            .collect::<Vec<_>>(),
        [(JobState::Running, Confidence::Stale)]
    );
}
