use std::collections::BTreeMap;

use super::*;
use crate::decision::Watch;
use crate::evidence::{Fault, FaultKind, Observed};
use crate::facts::Deployment;
use crate::record::{Condition, OtherJob, PostedIntent, Reason};
use crate::state::{ConditionType, Confidence, Intent, JobState};
use crate::testing::{self, at, job_key, observed};

/// Calls everything FAILED and sleeps.
struct Sleeper;

impl Decide for Sleeper {
    fn decide(&mut self, _: &Snapshot) -> Result<Decision, PolicyFailure> {
        let awake = testing::decision(JobState::Failed);
        Ok(Decision {
            reason: Reason::new("Asleep", "nothing more is to be seen"),
            rule: "sleep".into(),
            watch: Watch {
                attention: Attention::Sleeping,
                ..awake.watch
            },
            memory: vec![1],
            ..awake
        })
    }
}

fn real() -> JobRecord {
    JobRecord {
        state: JobState::Running,
        policy: PolicyName::new("real"),
        memory: vec![7],
        ..testing::record(job_key("orders"), at(0))
    }
}

fn snapshot(real: &JobRecord, now: i64, deployment: Option<Observed<Deployment>>) -> Snapshot {
    let mut snapshot = testing::snapshot(real.clone(), at(now));
    snapshot.deployment = deployment.and_then(|answer| observed(answer, at(now)));
    snapshot
}

fn deployment(uid: &str) -> Observed<Deployment> {
    Observed::Present(testing::deployment(uid))
}

#[test]
fn only_the_memory_of_the_same_policy_is_taken_over() {
    let real = real();
    let of = |name| {
        Counterfactual::take_over(&real, &PolicyName::new(name))
            .record()
            .memory
            .clone()
    };
    assert_eq!((of("real"), of("other")), (vec![7], vec![]));
}

/// Says more than fits.
struct Wordy;

impl Decide for Wordy {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        Ok(Decision {
            reason: Reason::new("Wordy", "x".repeat(crate::planner::TEXT_LIMIT + 1)),
            ..testing::decision(snapshot.record.state)
        })
    }
}

#[test]
fn a_decision_that_is_trimmed_is_trimmed_in_the_record_beside_as_in_the_real_one() {
    let real = real();
    let now = snapshot(&real, 1, None);
    let planned = plan(&real, &now, Wordy.decide(&now));
    let mut own = Counterfactual::take_over(&real, &PolicyName::new("real"));
    let judged = own.judge(&mut Wordy, &real, &now).unwrap();
    assert_eq!(judged.plan.shown, planned.shown);
    assert_eq!(judged.plan.shown.conditions, [ConditionType::DecisionTrimmed]);
    let committed = planned.change.unwrap().record;
    assert_eq!(own.record().conditions, committed.conditions);
    assert!(
        own.is_in_step_with(&committed),
        "so that it goes on as the real one does"
    );
    assert!(judged.outcome.unwrap().reason.message.len() <= crate::planner::TEXT_LIMIT);
}

#[test]
fn a_watch_that_sleeps_alone_is_woken_by_new_evidence_and_not_by_silence() {
    let real = real();
    let mut own = Counterfactual::take_over(&real, &PolicyName::new("shadow"));
    let mut judges = |now, deployment| {
        own.judge(&mut Sleeper, &real, &snapshot(&real, now, deployment))
            .is_some()
    };
    assert!(judges(1, Some(deployment("u1"))));
    assert!(!judges(2, Some(deployment("u1"))), "nothing is new");
    let silence = Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer"));
    assert!(!judges(3, Some(silence)), "silence is no evidence");
    assert!(judges(4, Some(deployment("u2"))), "a new Deployment is");
    assert!(judges(5, Some(Observed::Absent)), "and so is that it is gone");
}

#[test]
fn where_the_real_watch_sleeps_too_what_woke_it_wakes_both() {
    let real = JobRecord {
        attention: Attention::Sleeping,
        ..real()
    };
    let mut own = Counterfactual::take_over(&real, &PolicyName::new("shadow"));
    for now in 1..4 {
        let shown = snapshot(&real, now, None);
        assert!(own.judge(&mut Sleeper, &real, &shown).is_some());
    }
}

#[test]
fn in_step_it_takes_what_happened_beside_decisions() {
    let real = real();
    let mut own = Counterfactual::take_over(&real, &PolicyName::new("real"));
    let restarted = JobRecord {
        confidence: Confidence::Stale,
        revision: real.revision + 1,
        ..real.clone()
    };
    let shown = snapshot(&restarted, 1, None);
    let mut seen = None;
    own.judge_with(&restarted, &shown, |own| {
        seen = Some((own.record.confidence, own.record.revision));
        Sleeper.decide(own)
    });
    assert_eq!(seen, Some((Confidence::Stale, restarted.revision)));
}

#[test]
fn an_engine_that_starts_with_an_earlier_clock_takes_nothing_out_of_step() {
    let real = real();
    let mut own = Counterfactual::take_over(&real, &PolicyName::new("real"));
    let before = real.taken_up(real.origin, &real.policy, at(0));
    own.show(&before, &snapshot(&before, 1, None)).unwrap();
    // Its times are yet to come for the next engine, and the memory that counts from them goes.
    let starts = Timestamp::from_millis(at(0).as_millis() - 60_000);
    let restarted = JobRecord {
        revision: real.revision + 1,
        ..before.taken_up(real.origin, &real.policy, starts)
    };
    assert!(restarted.since < before.since && restarted.memory.is_empty());
    let shown = Snapshot {
        engine_since: starts,
        ..snapshot(&restarted, -59, None)
    };
    assert_eq!(own.show(&restarted, &shown).unwrap().record, restarted);
}

#[test]
fn out_of_step_it_is_shown_the_evidence_of_the_real_record_and_what_it_made_itself() {
    let real = real();
    let mut own = Counterfactual::take_over(&real, &PolicyName::new("shadow"));
    let mut seen = real.clone();
    seen.incarnation.attempt = 4;
    seen.labels = BTreeMap::from([("team".to_owned(), "search".to_owned())]).into();
    seen.other_jobs = vec![OtherJob {
        flink_job_id: testing::flink_job_id(2),
        state: JobState::Running,
    }];
    seen.intent = Some(PostedIntent {
        intent: Intent::Cancel,
        since: at(1),
        author: None,
        savepoint: None,
    });
    let shown = own.show(&real, &snapshot(&seen, 2, None)).unwrap().record;
    let expected = JobRecord {
        policy: PolicyName::new("shadow"),
        memory: Vec::new(),
        ..seen
    };
    assert_eq!(shown, expected);
}

#[test]
fn in_step_the_policy_stays_its_own() {
    let real = JobRecord {
        memory: Vec::new(),
        ..real()
    };
    let mut own = Counterfactual::take_over(&real, &PolicyName::new("shadow"));
    assert!(own.is_in_step_with(&real));
    let shown = own.show(&real, &snapshot(&real, 2, None)).unwrap();
    assert_eq!(shown.record.policy, PolicyName::new("shadow"));
}

#[test]
fn each_thing_that_decisions_made_takes_it_out_of_step() {
    let real = real();
    let own = Counterfactual::take_over(&real, &real.policy);
    let beside: [fn(&mut JobRecord); 3] = [
        |r| r.confidence = Confidence::Confirmed,
        |r| r.revision += 1,
        |r| r.confirmed_at = Some(at(7)),
    ];
    let decided: [fn(&mut JobRecord); 7] = [
        |r| r.state = JobState::Restarting,
        |r| r.since = at(7),
        |r| r.reason = Reason::new("Other", "for another reason"),
        |r| r.memory = vec![8],
        |r| r.attention = Attention::Sleeping,
        |r| {
            r.conditions = vec![Condition {
                kind: ConditionType::CrashLoop,
                since: at(7),
                message: "why".into(),
            }];
        },
        |r| {
            r.alerts = vec![StandingAlert {
                name: "JobFailed".into(),
                scope: AlertScope::Job,
                since: at(7),
                message: "why".into(),
                silenced: false,
            }];
        },
    ];
    let in_step = |change: fn(&mut JobRecord)| {
        let mut other = real.clone();
        change(&mut other);
        own.is_in_step_with(&other)
    };
    assert_eq!(beside.map(in_step), [true; 3]);
    assert_eq!(decided.map(in_step), [false; 7]);
}

#[test]
fn whether_people_were_told_of_what_many_share_takes_no_record_out_of_step() {
    for (scope, in_step) in [
        (AlertScope::Job, false),
        (AlertScope::Cluster, true),
        (AlertScope::Policy, true),
    ] {
        let standing = |silenced| JobRecord {
            alerts: vec![StandingAlert {
                name: "Any".into(),
                scope,
                since: at(7),
                message: "why".into(),
                silenced,
            }],
            ..real()
        };
        let own = Counterfactual::take_over(&standing(false), &real().policy);
        assert_eq!(own.is_in_step_with(&standing(true)), in_step, "{scope:?}");
    }
}
