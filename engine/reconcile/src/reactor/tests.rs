mod discovery;
mod takeover;

use std::time::Duration;

use steadfast_core::decision::{Decide, Decision, PolicyFailure, Want, WantedSource, Watch};
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::facts::{EndSource, FlinkOverview, JobEnd};
use steadfast_core::record::Reason;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;
use steadfast_core::testing::{at, flink_job, flink_job_id};

use super::*;
use crate::looks::{Answer, Look, WantedAnswer};
use crate::setup::PolicySetup;

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
                .then(|| Want {
                    source: WantedSource::Exceptions,
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

/// A reactor whose looks are answered by hand, with every change committed at once.
struct Rig {
    reactor: Reactor,
    now: Timestamp,
}

impl Rig {
    fn new(names: &[&str]) -> Self {
        let policy = PolicySetup::deciding("believe", Box::new(Believer));
        let now = Timestamp::from_millis(1_000_000);
        let mut reactor = Reactor::new(
            Timing::default(),
            7,
            now,
            BTreeMap::new(),
            Policies::new(vec![policy]),
            None,
        );
        let targets = names.iter().map(|name| target(name)).collect();
        let mut rig = {
            let first = reactor.begin(vec![], targets, now);
            first.iter().for_each(|change| drop(reactor.committed(change)));
            Self { reactor, now }
        };
        rig.settle();
        rig
    }

    /// Lets time pass up to the next due moment, at most `limit`; returns the looks due then.
    fn advance(&mut self, limit: Duration) -> Vec<Look> {
        let end = self.now.after(limit);
        self.now = self.reactor.next_due().map_or(end, |due| due.clamp(self.now, end));
        let looks = self.reactor.due(self.now);
        self.settle();
        looks
    }

    fn settle(&mut self) {
        for decided in self.reactor.decide(self.now) {
            for change in self.reactor.tell_once(decided.plan.change.iter().cloned().collect()) {
                self.reactor.committed(&change);
            }
            self.reactor.follow_up(&decided.key, &decided.plan, self.now);
        }
    }

    fn answer(&mut self, look: &Look, answer: Observed<FlinkOverview>) {
        let Look::Overview { endpoint, .. } = look else {
            panic!("not a poll: {look:?}")
        };
        let target = endpoint.target.clone();
        self.reactor.answered(
            Answer::Overview {
                target,
                asked: self.now,
                at: self.now,
                answer,
            },
            self.now,
        );
        self.settle();
    }

    fn record(&self, name: &str) -> &JobRecord {
        &self.reactor.records()[&JobKey::application(TargetId::standalone(name))]
    }
}

fn target(name: &str) -> TargetSetup {
    let id = TargetId::standalone(name);
    TargetSetup {
        id,
        mode: Mode::Standalone,
        place: None,
        flink_rest: Some(FlinkRoute::Template("http://flink".into())),
        pinned: None,
    }
}

fn running() -> Observed<FlinkOverview> {
    listed(JobState::Running)
}

fn listed(state: JobState) -> Observed<FlinkOverview> {
    Observed::Present(FlinkOverview {
        jobs: vec![flink_job(flink_job_id(1), state, at(999))],
    })
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
        for look in rig.advance(left) {
            if let Look::Overview { endpoint, .. } = &look {
                *polls.entry(endpoint.target.clone()).or_default() += 1;
                let answer = answer(&endpoint.target);
                rig.answer(&look, answer);
            }
        }
    }
    polls
}

#[test]
fn a_target_that_answers_is_asked_once_a_poll() {
    let mut rig = Rig::new(&["orders"]);
    let polls = live(&mut rig, Duration::from_secs(60), |_| running());
    assert!((12..=13).contains(&polls[&TargetId::standalone("orders")]), "{polls:?}");
    assert_eq!(rig.record("orders").state, JobState::Running);
}

#[test]
fn a_target_that_ended_is_asked_once_a_minute_and_never_dropped() {
    let mut rig = Rig::new(&["orders"]);
    let polls = live(&mut rig, Duration::from_secs(3600), |_| listed(JobState::Failed));
    assert!((59..=62).contains(&polls[&TargetId::standalone("orders")]), "{polls:?}");
    assert!(rig.reactor.polls.get(&TargetId::standalone("orders")).is_some());
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
    let mut asked = 0;
    while rig.now < end {
        for look in rig.advance(end.since(rig.now)) {
            match &look {
                Look::Overview { .. } => rig.answer(&look, listed(JobState::Failing)),
                Look::Wanted { key, .. } => {
                    asked += 1;
                    let answer = Answer::Wanted {
                        key: key.clone(),
                        asked: rig.now,
                        at: rig.now,
                        answer: WantedAnswer::Exceptions(Observed::Absent),
                    };
                    rig.reactor.answered(answer, rig.now);
                    rig.settle();
                }
                Look::Lists { .. } => {}
            }
        }
    }
    assert!((10..=25).contains(&asked), "{asked} looks in a minute");
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
fn stored_records_are_stale_until_confirmed_and_removed_targets_forgotten() {
    let mut rig = Rig::new(&["orders", "gone"]);
    live(&mut rig, Duration::from_secs(10), |_| running());
    let stored: Vec<JobRecord> = rig
        .reactor
        .records()
        .values()
        .map(|record| (**record).clone())
        .collect();
    let policy = PolicySetup::deciding("believe", Box::new(Believer));
    let mut again = Reactor::new(
        Timing::default(),
        7,
        rig.now,
        BTreeMap::new(),
        Policies::new(vec![policy]),
        None,
    );
    let changes = again.begin(stored, vec![target("orders")], rig.now);
    let (forgotten, kept): (Vec<_>, Vec<_>) = changes
        .iter()
        .partition(|change| change.events.contains(&Event::Forgotten));
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

#[test]
fn an_end_that_was_asked_about_the_attempt_before_is_not_this_ones() {
    let mut rig = Rig::new(&["orders"]);
    live(&mut rig, Duration::from_secs(10), |_| running());
    let record = rig.record("orders");
    let (key, since) = (record.key.clone(), record.incarnation.since.unwrap());
    let end = |told_by| {
        Observed::Present(JobEnd {
            job: flink_job_id(1),
            state: JobState::Finished,
            cause: None,
            ended_at: None,
            told_by,
        })
    };
    let mut answer = |asked, told_by| {
        let answer = Answer::Wanted {
            key: key.clone(),
            asked,
            at: rig.now,
            answer: WantedAnswer::Archive(end(told_by)),
        };
        rig.reactor.answered(answer, rig.now);
        let told = rig
            .reactor
            .board
            .job(&key)
            .and_then(|job| job.archive.as_ref()?.latest.present());
        told.map(|end| end.told_by)
    };
    let before = Timestamp::from_millis(since.as_millis() - 1);
    assert_eq!(answer(before, EndSource::Archive), None);
    assert_eq!(answer(since, EndSource::Archive), Some(EndSource::Archive));
    let stays = answer(since.after(Duration::from_secs(1)), EndSource::HistoryServer);
    assert_eq!(stays, Some(EndSource::Archive), "what was told stays told");
}
