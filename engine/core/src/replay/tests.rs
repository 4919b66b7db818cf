use super::*;
use crate::decision::{Decision, PolicyFailureKind};
use crate::evidence::{Evidence, Fault, FaultKind, Observation, Observed};
use crate::facts::FlinkJob;
use crate::id::TargetId;
use crate::planner::plan;
use crate::record::{JobRecord, Reason};
use crate::recording::{RecordChange, Sampler};
use crate::shown::{Apart, Side};
use crate::snapshot::Snapshot;
use crate::state::{Confidence, JobState};
use crate::testing::{self, at, flink_job, flink_job_id};
use std::sync::Arc;
use std::time::Duration;

const POLL: i64 = 5;

/// What is recorded here names no module, as the policies are none.
const SAME: PastFailures = PastFailures::RepeatOf(None);

/// Calls a job LOST after so many unknown answers, which it counts in its memory.
struct Counting {
    patience: u8,
}

impl Decide for Counting {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let record = &snapshot.record;
        let silent = record.memory.first().copied().unwrap_or(0);
        let (state, silent) = match snapshot.flink.as_ref().map(|evidence| &evidence.latest) {
            Some(Observed::Present(job)) => (job.state, 0),
            Some(Observed::Unknown(_)) if silent + 1 >= self.patience => (JobState::Lost, self.patience),
            Some(Observed::Unknown(_)) => (record.state, silent + 1),
            Some(Observed::Absent) | None => (record.state, silent),
        };
        Ok(Decision {
            reason: Reason::new("Counted", format!("{silent} silent looks")),
            rule: "count".into(),
            memory: vec![silent],
            ..testing::decision(state)
        })
    }
}

/// What Flink does at one poll.
#[derive(Clone, Copy)]
enum Look {
    Says(JobState),
    Silent,
    /// The policy fails, whatever Flink says.
    PolicyFails,
    /// The engine is started again before it polls, and Flink is silent.
    Restart,
}

/// The engine's way through snapshots: what it would have committed, and what it would have kept.
fn recorded(looks: &[Look], policy: &mut Counting) -> Vec<Recorded> {
    let mut record = testing::record(JobKey::application(TargetId::standalone("orders")), at(0));
    let mut sampler = Sampler::new(Duration::from_secs(60));
    let mut kept = Vec::new();
    let mut flink: Option<Evidence<FlinkJob>> = None;
    for (look, now) in looks.iter().zip((1..).map(|n| at(n * POLL))) {
        let answer = match look {
            Look::Says(state) => Observed::Present(flink_job(flink_job_id(1), *state, at(0))),
            Look::Silent | Look::PolicyFails | Look::Restart => {
                Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer"))
            }
        };
        if let Look::Restart = look {
            record.confidence = Confidence::Stale;
            record.revision += 1;
        }
        match &mut flink {
            Some(evidence) => drop(evidence.accept(Observation::new(answer, now, now))),
            None => flink = Some(Evidence::first(Observation::new(answer, now, now))),
        }
        let mut snapshot = testing::snapshot(record.clone(), now);
        snapshot.flink = flink.clone();
        let outcome = match look {
            Look::PolicyFails => Err(PolicyFailure {
                kind: PolicyFailureKind::Deadline,
                message: "too slow".into(),
            }),
            Look::Says(_) | Look::Silent | Look::Restart => policy.decide(&snapshot),
        };
        let planned = plan(&record, &snapshot, outcome.clone());
        let changes = if planned.change.is_some() {
            RecordChange::Yes
        } else {
            RecordChange::No
        };
        if sampler.should_record(&snapshot, changes) {
            kept.push(Recorded {
                before: Arc::new(record.clone()),
                snapshot,
                rule: outcome.as_ref().ok().map(|decision| decision.rule.clone()),
                failure: outcome.err(),
                transition: transition_of(&planned).cloned(),
                shown: Some(planned.shown.clone()),
                decided_by: None,
            });
        }
        if let Some(change) = planned.change {
            record = JobRecord::clone(&change.record);
        }
    }
    kept
}

fn differences(kept: &[Recorded], policy: &mut dyn Decide, past: PastFailures) -> Vec<Difference> {
    let mut replay = Replay::new(PolicyName::new("default"), past);
    for one in kept {
        replay.take(one, policy);
    }
    let replayed = replay.finish();
    assert_eq!(replayed.len(), 1);
    let of_job = &replayed[&kept[0].before.key];
    compare(&of_job.recorded, &of_job.own)
}

/// From when to when what was recorded and what another shows differ.
fn spans(kept: &[Recorded], policy: &mut dyn Decide, past: PastFailures) -> Vec<Span> {
    let mut replay = Replay::new(PolicyName::new("default"), past);
    for one in kept {
        replay.take(one, policy);
    }
    let replayed = replay.finish();
    let of_job = &replayed[&kept[0].before.key];
    beside(&of_job.recorded_showings, &of_job.own_showings)
}

/// An outage, a restart amid it, a policy that fails once, and the job back.
fn eventful() -> Vec<Look> {
    let mut looks = vec![Look::Says(JobState::Running); 40];
    looks.extend([
        Look::Silent,
        Look::PolicyFails,
        Look::Silent,
        Look::Restart,
        Look::Silent,
        Look::Silent,
    ]);
    looks.extend([Look::Says(JobState::Running); 30]);
    looks.push(Look::Says(JobState::Finished));
    looks
}

#[test]
fn the_same_policy_goes_the_same_way() {
    let kept = recorded(&eventful(), &mut Counting { patience: 4 });
    let states: Vec<JobState> = kept
        .iter()
        .filter_map(|one| Some(one.transition.as_ref()?.to))
        .collect();
    assert_eq!(
        states,
        [JobState::Running, JobState::Lost, JobState::Running, JobState::Finished]
    );
    assert_eq!(differences(&kept, &mut Counting { patience: 4 }, SAME), []);
    assert_eq!(spans(&kept, &mut Counting { patience: 4 }, SAME), []);
}

/// The same policy, but it alerts while Flink is silent.
struct Alerting(Counting);

impl Decide for Alerting {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let decision = self.0.decide(snapshot)?;
        let is_silent = decision.memory != [0];
        let alert = crate::decision::DecidedAlert {
            name: "Silent".to_owned(),
            scope: crate::record::AlertScope::Job,
            message: format!("{} looks", decision.memory.len()),
        };
        Ok(Decision {
            alerts: if is_silent { vec![alert] } else { Vec::new() },
            ..decision
        })
    }
}

#[test]
fn an_alert_that_only_the_other_raises_differs_from_when_it_is_raised_until_it_is_resolved() {
    let kept = recorded(&eventful(), &mut Counting { patience: 9 });
    let mut alerting = Alerting(Counting { patience: 9 });
    let found = spans(&kept, &mut alerting, SAME);
    let of_alerts: Vec<_> = found
        .iter()
        .filter(|span| matches!(span.what, Apart::Alert(..)))
        .collect();
    // The first silent look is the 41st; after six of them the job is back.
    match of_alerts.as_slice() {
        [
            Span {
                what: Apart::Alert(alert, Side::Second),
                from,
                until,
            },
        ] => {
            assert_eq!(
                (alert.name.as_str(), *from, *until),
                ("Silent", at(41 * POLL), Some(at(47 * POLL)))
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(differences(&kept, &mut alerting, SAME), [], "no transition differs");
}

#[test]
fn what_was_recorded_without_its_decision_is_counted_and_not_compared() {
    let mut kept = recorded(&eventful(), &mut Counting { patience: 4 });
    kept.iter_mut().for_each(|one| one.shown = None);
    let mut replay = Replay::new(PolicyName::new("default"), SAME);
    for one in &kept {
        replay.take(one, &mut Counting { patience: 9 });
    }
    let replayed = replay.finish();
    let of_job = &replayed[&kept[0].before.key];
    assert_eq!(of_job.unknown(), kept.len());
    assert_eq!(beside(&of_job.recorded_showings, &of_job.own_showings), []);
}

#[test]
fn most_decisions_on_a_healthy_job_are_not_kept() {
    let looks = vec![Look::Says(JobState::Running); 120];
    let kept = recorded(&looks, &mut Counting { patience: 4 });
    // One that changed the record, and one each minute of ten.
    assert_eq!(kept.len(), 10, "{} looks", looks.len());
}

#[test]
fn a_more_patient_policy_leaves_out_what_it_would_not_have_said() {
    let kept = recorded(&eventful(), &mut Counting { patience: 4 });
    let found = differences(&kept, &mut Counting { patience: 9 }, PastFailures::Ask);
    let words: Vec<(&str, JobState)> = found
        .iter()
        .map(|difference| {
            let word = match difference {
                Difference::Added(_) => "added",
                Difference::Removed(_) => "removed",
                Difference::Earlier { .. } => "earlier",
                Difference::Later { .. } => "later",
            };
            (word, difference.recorded().transition.to)
        })
        .collect();
    assert_eq!(words, [("removed", JobState::Lost), ("removed", JobState::Running)]);
}

#[test]
fn a_less_patient_policy_says_it_sooner() {
    let kept = recorded(&eventful(), &mut Counting { patience: 4 });
    let found = differences(&kept, &mut Counting { patience: 2 }, PastFailures::Ask);
    match found.as_slice() {
        // One snapshot instead of four, of which the policy failed in one: three polls.
        [Difference::Earlier { recorded, by }] => {
            assert_eq!((recorded.transition.to, *by), (JobState::Lost, Duration::from_secs(15)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn transitions_of_one_side_alone_are_reported_as_such() {
    let kept = recorded(&eventful(), &mut Counting { patience: 9 });
    let found = differences(&kept, &mut Counting { patience: 4 }, SAME);
    assert!(
        matches!(found.as_slice(), [Difference::Added(lost), Difference::Added(back)]
            if lost.transition.to == JobState::Lost && back.transition.to == JobState::Running),
        "{found:?}"
    );
}

#[test]
fn each_policy_is_held_to_what_was_recorded_while_it_decided() {
    let kept = recorded(&eventful(), &mut Counting { patience: 4 });
    // Another policy is put in charge when the job is back.
    let after = kept.len() - 12;
    let mut parts = kept;
    for one in parts.iter_mut().skip(after) {
        Arc::make_mut(&mut one.before).policy = PolicyName::new("second");
    }
    for (name, policy) in [("default", 0..after), ("second", after..parts.len())] {
        let mut replay = Replay::new(PolicyName::new(name), SAME);
        for one in &parts[policy] {
            replay.take(one, &mut Counting { patience: 4 });
        }
        for of_job in replay.finish().values() {
            assert_eq!(compare(&of_job.recorded, &of_job.own), [], "{name}");
        }
    }
}

#[test]
fn another_module_is_asked_where_the_one_before_failed() {
    let mut kept = recorded(&eventful(), &mut Counting { patience: 4 });
    for one in &mut kept {
        one.decided_by = Some("old".to_owned());
    }
    let failures = |past| {
        let mut replay = Replay::new(PolicyName::new("default"), past);
        for one in &kept {
            replay.take(one, &mut Counting { patience: 4 });
        }
        replay.finish()[&kept[0].before.key].failures.len()
    };
    let of = |module: &str| PastFailures::RepeatOf(Some(module.to_owned()));
    assert_eq!((failures(of("old")), failures(of("new")), failures(SAME)), (1, 0, 0));
}

/// Calls everything the same.
struct Always(JobState);

impl Decide for Always {
    fn decide(&mut self, _: &Snapshot) -> Result<Decision, PolicyFailure> {
        Ok(testing::decision(self.0))
    }
}

/// The states that a policy goes to which calls everything LOST, from RUNNING, where snapshots were kept at these moments of
/// these revisions.
fn calls_lost(kept: &[(i64, u64)]) -> usize {
    let mut replay = Replay::new(PolicyName::new("default"), PastFailures::Ask);
    let key = testing::job_key("orders");
    for (now, revision) in kept {
        let record = JobRecord {
            state: JobState::Running,
            revision: *revision,
            ..testing::record(key.clone(), at(0))
        };
        let kept = Recorded {
            snapshot: testing::snapshot(record.clone(), at(*now)),
            before: Arc::new(record),
            rule: None,
            failure: None,
            transition: None,
            shown: None,
            decided_by: None,
        };
        replay.take(&kept, &mut Always(JobState::Lost));
    }
    replay.finish()[&key].own.len()
}

#[test]
fn a_replay_goes_its_own_way_until_the_record_begins_anew() {
    assert_eq!(calls_lost(&[(5, 3), (10, 3), (10, 3), (15, 4)]), 1);
    assert_eq!(
        calls_lost(&[(5, 3), (10, 1)]),
        2,
        "it was forgotten, and is there again"
    );
    assert_eq!(calls_lost(&[(5, 3), (4, 3)]), 2, "in another store");
}
