//! Policies that take their time: they answer when the test says so.

use std::sync::Mutex;

use steadfast_core::decision::PolicyFailureKind;
use steadfast_core::id::PolicyName;
use steadfast_core::planner::ALERT_AFTER;
use steadfast_core::record::PostedIntent;
use steadfast_core::state::{ConditionType, Intent};
use tokio::sync::oneshot;

use super::*;
use crate::judging::{Answered, Case, Decided, Judge, Outcome, Question, Ruling, SeatId};
use crate::setup::{Role, Select};
use crate::turn::Show;

/// A judge who keeps what it is given until the test answers.
#[derive(Clone, Default)]
struct ByHand(Arc<Mutex<Vec<Case>>>);

impl Judge for ByHand {
    fn decide(&mut self, cases: Vec<Case>) -> Option<Decided> {
        let mut held = self.0.lock().unwrap();
        assert!(held.is_empty(), "it was given more before it gave back what it has");
        *held = cases;
        None
    }

    fn answer(&mut self, _: Question) -> Option<Answered> {
        unreachable!("nobody asks")
    }
}

/// Two groups of jobs: those named `slow-*` have a policy that answers by hand, the others one that decides in the loop.
struct Two {
    rig: Rig,
    slow: ByHand,
    seat: SeatId,
}

impl Two {
    fn new(names: &[&str], role: Role) -> Self {
        let slow = ByHand::default();
        let mut seat = SeatId::default();
        let mut rig = Rig::new(names);
        let only = match role {
            Role::Decides => "slow-*",
            Role::Shadow => "*",
        };
        let policies = vec![
            PolicySetup {
                role,
                select: Select {
                    name: vec![only.into()],
                    ..Select::all()
                },
                ..PolicySetup::deciding("slow", Box::new(Believer))
            },
            PolicySetup::deciding("believe", Box::new(Believer)),
        ];
        let mut number = 0;
        let policies = Policies::seated(policies, |name, decide| {
            number += 1;
            let id = SeatId::numbered(number);
            if name.as_str() == "slow" {
                seat = id;
                (id, Box::new(slow.clone()))
            } else {
                (id, Box::new(crate::judging::InLoop::new(decide)))
            }
        });
        let turn = rig.reactor.replace_policies(policies);
        rig.commit(turn);
        rig.settle();
        Self { rig, slow, seat }
    }

    /// The jobs that the slow policy holds.
    fn held(&self) -> Vec<String> {
        let held = self.slow.0.lock().unwrap();
        held.iter()
            .map(|case| case.record.key.target.name.to_string())
            .collect()
    }

    /// The slow policy answers the first `count` of the jobs that it holds, after `spent`.
    fn answer(&mut self, count: usize, spent: Duration, outcome: impl Fn(&Case) -> Outcome) -> Vec<Change> {
        self.rules(count, spent, outcome);
        self.rig.settle()
    }

    /// The same, before anything is made of it.
    fn rules(&mut self, count: usize, spent: Duration, outcome: impl Fn(&Case) -> Outcome) {
        let mut held = std::mem::take(&mut *self.slow.0.lock().unwrap());
        let left = held.split_off(count);
        let outcomes = held.into_iter().map(|case| {
            let outcome = outcome(&case);
            (case, outcome)
        });
        let decided = Decided {
            seat: self.seat,
            outcomes: outcomes.collect(),
            left,
            spent,
            took: Vec::new(),
        };
        self.rig.reactor.ruled(Ruling::Decided(decided), self.rig.now);
    }

    fn answer_all(&mut self) -> Vec<Change> {
        let count = self.held().len();
        self.answer(count, Duration::ZERO, believes)
    }

    fn misses(&mut self) -> Vec<Change> {
        self.answer(1, Duration::from_millis(50), |_| Err(missed()))
    }

    /// Lets Flink say something of a job.
    fn flink(&mut self, name: &str, answer: Observed<FlinkOverview>) -> Vec<Change> {
        let observation = Observation::new(answer, self.rig.now, self.rig.now);
        let fetched = Fetched::overview(TargetId::standalone(name), observation);
        self.rig.reactor.fetched(fetched, self.rig.now);
        self.rig.settle()
    }

    fn wait(&mut self, span: Duration) -> Vec<Change> {
        self.rig.now = self.rig.now.after(span);
        self.rig.settle()
    }

    fn stands(&self, name: &str) -> (JobState, Confidence, bool) {
        let record = self.rig.record(name);
        let failing = record.condition(ConditionType::PolicyFailing).is_some();
        (record.state, record.confidence, failing)
    }
}

fn believes(case: &Case) -> Outcome {
    Believer.decide(&case.shown)
}

fn missed() -> PolicyFailure {
    PolicyFailure {
        kind: PolicyFailureKind::Deadline,
        message: "too long".into(),
    }
}

fn states(changes: &[Change]) -> Vec<(String, JobState)> {
    let of = |change: &Change| (change.record.key.target.name.to_string(), change.record.state);
    changes.iter().map(of).collect()
}

#[test]
fn the_jobs_of_others_are_judged_while_one_policy_takes_its_time() {
    let mut two = Two::new(&["fast", "slow-1", "slow-2"], Role::Decides);
    assert_eq!(two.held(), ["slow-1", "slow-2"]);
    assert_eq!(
        states(&two.flink("fast", running())),
        [("fast".into(), JobState::Running)]
    );
    assert!(
        two.rig
            .reactor
            .next_turn(two.rig.now)
            .is_none_or(|next| next > two.rig.now),
        "nothing spins meanwhile"
    );
    assert!(two.flink("slow-1", running()).is_empty(), "it is not asked about more");
    two.answer_all();
    assert_eq!(two.held(), ["slow-1"], "asked again, on what came meanwhile");
    assert_eq!(states(&two.answer_all()), [("slow-1".into(), JobState::Running)]);
}

#[test]
fn what_a_policy_came_to_is_committed_and_the_rest_is_handed_out_again_in_its_order() {
    let mut two = Two::new(&["slow-1", "slow-2", "slow-3"], Role::Decides);
    two.answer_all();
    for name in ["slow-1", "slow-2", "slow-3"] {
        two.flink(name, running());
    }
    // The first came alone, the others while it was decided.
    assert_eq!(two.held(), ["slow-1"]);
    two.answer_all();
    assert_eq!(two.held(), ["slow-2", "slow-3"]);
    let committed = two.answer(1, Duration::from_millis(20), believes);
    assert_eq!(states(&committed), [("slow-2".into(), JobState::Running)]);
    assert_eq!(two.held(), ["slow-3"]);
}

#[test]
fn thousands_that_wait_are_decided_batch_by_batch_and_share_one_commit() {
    let names: Vec<String> = (0..1_200).map(|n| format!("slow-{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut two = Two::new(&names, Role::Decides);
    let mut batches = Vec::new();
    loop {
        let held = two.held().len();
        batches.push(held);
        two.rules(held, Duration::ZERO, believes);
        assert!(!two.rig.reactor.awaits_policies());
        assert_eq!(two.rig.reactor.judge_on(two.rig.now).judged(), 0);
        if !two.rig.reactor.awaits_policies() {
            break;
        }
    }
    assert_eq!(batches, [512, 512, 176]);
    let turn = two.rig.reactor.take_rulings(two.rig.now).unwrap();
    assert_eq!(turn.judged(), 1_200);
    two.rig.commit(turn);
    assert!(
        two.rig.settle().is_empty() && two.held().is_empty(),
        "nobody waits any more"
    );
}

#[test]
fn what_waits_for_its_policy_is_polled_half_as_often() {
    let mut two = Two::new(&["fast", "slow-1"], Role::Decides);
    let polls = live(&mut two.rig, Duration::from_secs(100), |_| running());
    let of = |name: &str| polls[&TargetId::standalone(name)];
    assert!((20..=22).contains(&of("fast")), "{polls:?}");
    assert!((10..=13).contains(&of("slow-1")), "{polls:?}");
    assert_eq!(two.held(), ["slow-1"]);
}

#[test]
fn what_is_decided_at_once_while_others_are_asked_on_is_not_lost() {
    let names: Vec<String> = (0..600).map(|n| format!("fast-{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["slow-1"]).collect();
    let mut two = Two::new(&names, Role::Decides);
    two.answer_all();
    for name in &names {
        let observation = Observation::new(running(), two.rig.now, two.rig.now);
        let fetched = Fetched::overview(TargetId::standalone(name), observation);
        two.rig.reactor.fetched(fetched, two.rig.now);
    }
    let turn = two.rig.reactor.turn(two.rig.now);
    let first = turn.judged();
    two.rig.commit(turn);
    two.rules(1, Duration::ZERO, believes);
    let turn = two.rig.reactor.judge_on(two.rig.now);
    assert_eq!(first + turn.judged(), 600);
    assert!(!two.rig.reactor.awaits_policies(), "nobody is asked any more");
    two.rig.commit(turn);
    two.rig.settle();
    assert!(names.iter().all(|name| two.rig.record(name).state == JobState::Running));
}

#[test]
fn a_decision_that_newer_facts_overtook_is_not_committed() {
    let mut two = Two::new(&["slow-1"], Role::Decides);
    two.answer_all();
    two.flink("slow-1", listed(JobState::Failed));
    two.flink("slow-1", running());
    assert_eq!(
        states(&two.answer_all()),
        [],
        "FAILED was the last word when it was asked, and is not now"
    );
    assert_eq!(states(&two.answer_all()), [("slow-1".into(), JobState::Running)]);
}

#[test]
fn it_is_not_committed_either_where_it_came_late_while_others_were_awaited() {
    let mut two = Two::new(&["fast", "slow-1"], Role::Decides);
    two.answer_all();
    two.flink("slow-1", listed(JobState::Failed));
    // Its turn is over, and others are asked.
    two.rig.reactor.await_no_longer();
    two.flink("slow-1", running());
    two.rules(1, Duration::ZERO, believes);
    let turn = two.rig.reactor.judge_on(two.rig.now);
    assert_eq!(
        two.held(),
        [""; 0],
        "what it said last is planned before it is asked on"
    );
    two.rig.commit(turn);
    assert_eq!(states(&two.rig.settle()), [], "FAILED is not the last word any more");
    assert_eq!(two.held(), ["slow-1"]);
    assert_eq!(states(&two.answer_all()), [("slow-1".into(), JobState::Running)]);
}

#[test]
fn what_a_policy_does_not_come_to_is_the_first_of_its_next_batch() {
    let names: Vec<String> = (0..1_200).map(|n| format!("slow-{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut two = Two::new(&names, Role::Decides);
    for next in [["slow-0100", "slow-0101"], ["slow-0200", "slow-0201"]] {
        two.rules(100, Duration::from_millis(20), believes);
        assert_eq!(two.rig.reactor.judge_on(two.rig.now).judged(), 0);
        assert_eq!(two.held()[..2], next);
    }
}

#[test]
fn a_look_is_answered_by_what_was_decided_on_it_and_by_nothing_older() {
    let mut two = Two::new(&["slow-1"], Role::Decides);
    two.answer_all();
    two.flink("slow-1", listed(JobState::Failing));
    // The next one counts, though it is overtaken too.
    for _ in 0..3 {
        two.wait(Duration::from_secs(1));
        two.flink("slow-1", listed(JobState::Failing));
        assert_eq!(states(&two.answer_all()), []);
    }
    two.wait(Duration::from_secs(1));
    let (reply, mut answer) = oneshot::channel();
    let key = JobKey::application(TargetId::standalone("slow-1"));
    two.rig.reactor.look(&key, reply, two.rig.now);
    two.wait(Duration::from_secs(1));
    two.flink("slow-1", running());
    assert_eq!(states(&two.answer_all()), [("slow-1".into(), JobState::Failing)]);
    assert!(answer.try_recv().is_err(), "nothing is decided of what was asked for");
    // The record is another one since then, so it is asked once more.
    two.answer_all();
    two.answer_all();
    assert_eq!(answer.try_recv().unwrap().unwrap().record.state, JobState::Running);
}

#[test]
fn a_policy_that_is_always_overtaken_is_heard_all_the_same() {
    let mut two = Two::new(&["slow-1"], Role::Decides);
    two.answer_all();
    two.flink("slow-1", running());
    let mut heard = 0;
    while two.rig.record("slow-1").state != JobState::Running {
        two.wait(Duration::from_millis(1));
        two.flink("slow-1", running());
        two.answer_all();
        heard += 1;
        assert!(heard < 10, "it is never heard");
    }
    assert_eq!(heard, 4);
}

#[test]
fn a_decision_on_a_record_that_was_changed_is_not_committed() {
    let mut two = Two::new(&["slow-1"], Role::Decides);
    two.answer_all();
    two.flink("slow-1", running());
    let key = two.rig.record("slow-1").key.clone();
    let turn = two
        .rig
        .reactor
        .intend(&key, PostedIntent::new(Intent::Cancel, None, two.rig.now), None)
        .unwrap();
    two.rig.commit(turn);
    assert_eq!(two.answer_all(), [], "it did not know of the intent");
    assert_eq!(states(&two.answer_all()), [("slow-1".into(), JobState::Running)]);
    assert!(two.rig.record("slow-1").intent.is_some());
}

#[test]
fn a_policy_that_is_always_overtaken_takes_back_nothing_that_others_said() {
    let mut two = Two::new(&["slow-1"], Role::Decides);
    two.answer_all();
    two.flink("slow-1", running());
    for _ in 0..4 {
        two.wait(Duration::from_millis(1));
        two.flink("slow-1", running());
        let key = two.rig.record("slow-1").key.clone();
        let turn = two
            .rig
            .reactor
            .intend(&key, PostedIntent::new(Intent::Cancel, None, two.rig.now), None)
            .unwrap();
        two.rig.commit(turn);
        assert_eq!(two.answer_all(), [], "it did not know of the intent");
        assert!(two.rig.record("slow-1").intent.is_some());
    }
}

#[test]
fn what_a_policy_says_after_another_took_its_place_is_not_heard() {
    let mut two = Two::new(&["slow-1"], Role::Decides);
    two.answer_all();
    two.flink("slow-1", listed(JobState::Failed));
    let turn = two
        .rig
        .reactor
        .replace_policies(Policies::new(vec![PolicySetup::deciding("other", Box::new(Believer))]));
    two.rig.commit(turn);
    two.rig.settle();
    two.flink("slow-1", running());
    assert_eq!(two.answer_all(), []);
    assert_eq!(two.stands("slow-1").0, JobState::Running);
}

#[test]
fn a_policy_that_runs_out_of_time_again_and_again_is_asked_about_one_job_at_a_time() {
    let names = ["slow-1", "slow-2", "slow-3", "slow-4"];
    let mut two = Two::new(&names, Role::Decides);
    two.answer_all();
    for name in names {
        two.flink(name, running());
    }
    // Each gives back the others unasked.
    for _ in 0..3 {
        assert!(!two.held().is_empty());
        two.misses();
    }
    assert_eq!(two.held(), [""; 0], "suspended: nothing is asked");
    for name in names {
        assert_eq!(two.stands(name), (JobState::Unknown, Confidence::Stale, true), "{name}");
    }
    // Their turns come again and again; one in a pause is asked about, and the pauses grow.
    let mut asked = 0;
    for _ in 0..60 {
        two.wait(Duration::from_secs(1));
        if !two.held().is_empty() {
            assert_eq!(two.held().len(), 1);
            asked += 1;
            two.misses();
        }
    }
    assert!((3..=7).contains(&asked), "{asked}");
    // It answers one, and is asked about all.
    while two.held().is_empty() {
        two.wait(Duration::from_secs(1));
    }
    two.answer_all();
    two.answer_all();
    for name in names {
        assert_eq!(
            two.stands(name),
            (JobState::Running, Confidence::Confirmed, false),
            "{name}"
        );
    }
}

#[test]
fn a_policy_that_fails_is_an_alert_once_and_its_end_is_told_once() {
    let names = ["slow-1", "slow-2", "slow-3"];
    let mut two = Two::new(&names, Role::Decides);
    let mut told = Vec::new();
    let end = two.rig.now.after(ALERT_AFTER * 3);
    while two.rig.now < end {
        if two.held().is_empty() {
            told.extend(two.wait(Duration::from_secs(1)));
        } else {
            told.extend(two.misses());
        }
    }
    for name in names {
        let alerts = &two.rig.record(name).alerts;
        assert_eq!(
            alerts.iter().map(|alert| &*alert.name).collect::<Vec<_>>(),
            ["PolicyFailing"],
            "{name}"
        );
    }
    while names.iter().any(|name| !two.rig.record(name).alerts.is_empty()) {
        if two.held().is_empty() {
            told.extend(two.wait(Duration::from_secs(1)));
        } else {
            told.extend(two.answer_all());
        }
    }
    let alerts: Vec<_> = told
        .iter()
        .flat_map(|change| &change.events)
        .filter_map(|event| match event {
            Event::Alert(alert) => Some((alert.alert.as_str(), alert.status)),
            Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
        })
        .collect();
    use steadfast_core::alert::AlertStatus::{Firing, Resolved};
    assert_eq!(alerts, [("PolicyFailing", Firing), ("PolicyFailing", Resolved)]);
}

#[test]
fn a_job_to_which_its_policy_does_not_come_is_not_confirmed_for_long() {
    let mut two = Two::new(&["slow-1", "slow-2"], Role::Decides);
    two.answer_all();
    two.flink("slow-1", running());
    two.answer_all();
    two.flink("slow-2", running());
    two.answer_all();
    assert_eq!(two.stands("slow-1"), (JobState::Running, Confidence::Confirmed, false));
    // The policy is busy with the one for ever, and the other waits.
    two.flink("slow-2", listed(JobState::Failing));
    two.flink("slow-1", listed(JobState::Failing));
    let timing = Timing::default();
    two.wait(timing.poll * 2 + timing.timeout);
    assert_eq!(two.stands("slow-1"), (JobState::Running, Confidence::Stale, true));
    two.answer_all();
    two.answer_all();
    assert_eq!(two.stands("slow-1"), (JobState::Failing, Confidence::Confirmed, false));
}

#[test]
fn a_shadow_that_never_answers_keeps_nobody_and_is_shown_the_newest() {
    let mut two = Two::new(&["a", "b"], Role::Shadow);
    assert_eq!(two.held(), ["a", "b"], "as soon as there was something to compare");
    for state in [JobState::Running, JobState::Failing, JobState::Failed] {
        for name in ["a", "b"] {
            assert_eq!(states(&two.flink(name, listed(state))), [(name.into(), state)]);
        }
    }
    two.answer(1, Duration::from_millis(50), believes);
    assert_eq!(two.held(), [""; 0], "it rests for as long as it worked");
    two.wait(Duration::from_millis(50));
    assert_eq!(two.held(), ["a", "b"], "each once");
    let shown: Vec<JobState> = two
        .slow
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|case| case.record.state)
        .collect();
    assert_eq!(shown, [JobState::Failed, JobState::Failed]);
}

#[test]
fn a_shadow_is_compared_with_what_was_committed_with_what_it_saw() {
    let mut two = Two::new(&["a"], Role::Shadow);
    two.answer_all();
    two.flink("a", running());
    two.flink("a", listed(JobState::Failing));
    let held = std::mem::take(&mut *two.slow.0.lock().unwrap());
    let decided = Decided {
        seat: two.seat,
        outcomes: held
            .into_iter()
            .map(|case| {
                let outcome = believes(&case);
                (case, outcome)
            })
            .collect(),
        left: Vec::new(),
        took: Vec::new(),
        spent: Duration::ZERO,
    };
    two.rig.reactor.ruled(Ruling::Decided(decided), two.rig.now);
    let compared: Vec<(JobState, JobState)> = two
        .rig
        .reactor
        .told
        .iter()
        .filter_map(|show| match show {
            Show::Shadow(_, committed, verdict) => Some((committed.state, verdict.shown.shows.state)),
            Show::Changed(..)
            | Show::Forgotten(_)
            | Show::Repaired(_)
            | Show::Dropped(_)
            | Show::Watch(..)
            | Show::Policies(_)
            | Show::Worked(..)
            | Show::Suspended(..) => None,
        })
        .collect();
    assert_eq!(
        compared,
        [(JobState::Running, JobState::Running)],
        "not with what was committed since"
    );
}

#[test]
fn a_suspended_shadow_is_not_asked_and_keeps_no_snapshots() {
    let mut two = Two::new(&["a", "b"], Role::Shadow);
    for _ in 0..3 {
        while two.held().is_empty() {
            two.flink("a", running());
            two.wait(Duration::from_millis(50));
        }
        two.misses();
    }
    two.flink("b", running());
    two.wait(Duration::from_millis(100));
    assert_eq!(two.held(), [""; 0]);
    let slow = two.rig.reactor.policies.seat(&PolicyName::new("slow")).unwrap();
    assert!(!slow.shadow.has_waiting());
    for name in ["a", "b"] {
        assert_eq!(
            two.stands(name),
            (JobState::Running, Confidence::Confirmed, false),
            "{name}"
        );
    }
}
