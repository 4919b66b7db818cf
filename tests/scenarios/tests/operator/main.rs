//! What the Flink Kubernetes Operator 1.15.0 wrote into its resources over the lives of one of each kind
//! (`tests/fixtures/operator-1.15.0`), shown to the loop with the conservative policy in the order in which it was recorded.

// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod recording;
mod replay;

use std::time::Duration;

use steadfast_core::facts::{FlinkResource, SnapshotPhase};
use steadfast_core::kube_update::ObjectKind::{FlinkDeployment, FlinkSessionJob};
use steadfast_core::kube_update::{KubeChange, Object};
use steadfast_core::state::JobState::{self, *};

use recording::{Line, flinks_answers, lines, lines_of};
use replay::{Module, Replay, Seen};

/// How often each life is replayed: Flink is asked at other moments each time, and every other time the engine is killed before
/// each phase.
const DRAWS: u64 = 12;

fn replay_of(names: &[&str], module: Module, draw: u64) -> Replay {
    let lines = lines().into_iter().filter(|line| names.contains(&line.name()));
    let answers = ["application", "session"].map(|name| (name, flinks_answers(&format!("{name}-timeline.json"))));
    Replay::of(lines.collect(), answers.into(), module, draw)
}

/// The operator has carried out the n-th specification, and saw the job run.
fn is_stable(generation: i64) -> impl Fn(&Line) -> bool {
    move |line| {
        let is_that = line.number("/metadata/generation") == generation && !line.is_asked_anew();
        is_that && !line.is_going() && line.lifecycle() == "STABLE" && matches!(line.job_state(), "RUNNING" | "")
    }
}

/// A record came to its last state by way of these and no others, and its attempt never fell.
#[track_caller]
fn assert_way(said: &[Seen], by_way_of: &[JobState], end: Seen) {
    assert_eq!(said.last(), Some(&end), "{said:?}");
    let is_allowed = |(state, _): &Seen| by_way_of.contains(state) || *state == end.0;
    assert!(said.iter().all(is_allowed), "{said:?}");
    assert!(said.is_sorted_by_key(|(_, attempt)| *attempt), "{said:?}");
}

#[test]
fn a_flink_deployment_is_created_upgraded_suspended_resumed_and_deleted() {
    const COMES_UP: [JobState; 3] = [Starting, Initializing, Created];
    for draw in 0..DRAWS {
        let mut told = replay_of(&["application"], Module::Conservative, draw);
        let record = "local/default/application";

        told.through(FlinkDeployment, "application", is_stable(1));
        let said = told.said(record);
        assert_eq!(said[0], (Unknown, 0));
        assert_way(&said[1..], &COMES_UP, (Running, 1));

        told.through(FlinkDeployment, "application", is_stable(2));
        let said = told.said(record);
        assert!(said.contains(&(Reconciling, 1)), "{said:?}");
        assert_way(&said, &[&COMES_UP[..], &[Reconciling, Running]].concat(), (Running, 2));

        told.through(FlinkDeployment, "application", |line| line.lifecycle() == "SUSPENDED");
        assert_eq!(told.said(record), [(Suspended, 2)], "and not STARTING meanwhile");

        told.through(FlinkDeployment, "application", is_stable(4));
        assert_way(
            &told.said(record),
            &[&COMES_UP[..], &[Reconciling]].concat(),
            (Running, 3),
        );

        told.through(FlinkDeployment, "application", |line| line.is_deletion);
        told.play_for(Duration::from_secs(600));
        // No answer of its Flink was recorded, and nothing else that tells how the job ended.
        assert_eq!(told.said(record), [(Terminated, 3)]);
        assert_eq!(told.names(), [record]);
        assert!(told.alerts().is_empty(), "{:?}", told.alerts());
    }
}

#[test]
fn a_flink_session_job_has_one_record_from_its_creation_to_its_deletion() {
    for draw in 0..DRAWS {
        let mut told = replay_of(&["session", "session-job"], Module::Conservative, draw);
        let record = "local/default/session/session-job";

        told.through(FlinkDeployment, "session", is_stable(1));
        assert!(
            told.names().is_empty(),
            "a session without a job has no record: {:?}",
            told.names()
        );

        told.through(FlinkSessionJob, "session-job", |line| line.lifecycle().is_empty());
        assert_eq!(told.said(record), [(Unknown, 0), (Starting, 0)], "it waits");

        told.through(FlinkSessionJob, "session-job", is_stable(1));
        assert_way(&told.said(record), &[Initializing], (Running, 1));

        told.through(FlinkSessionJob, "session-job", is_stable(2));
        let said = told.said(record);
        assert!(said.contains(&(Reconciling, 1)), "{said:?}");
        assert_way(&said, &[Cancelling, Reconciling, Initializing], (Running, 2));

        // 1.15.0 stays at UPGRADING where `upgradeMode` is stateless.
        told.through(FlinkSessionJob, "session-job", |line| {
            line.text("/spec/job/state") == "suspended" && line.job_state() == "CANCELED"
        });
        assert_way(&told.said(record), &[Cancelling], (Suspended, 2));

        told.through(FlinkSessionJob, "session-job", is_stable(4));
        assert_way(&told.said(record), &[Reconciling, Initializing], (Running, 3));

        told.through(FlinkSessionJob, "session-job", |line| line.is_deletion);
        assert_way(&told.said(record), &[Cancelling], (Canceled, 3));

        told.through(FlinkDeployment, "session", |line| line.is_deletion);
        told.play_for(Duration::from_secs(600));
        assert_eq!(told.said(record), []);
        assert_eq!(told.names(), [record], "none by a job's id");
        assert!(told.alerts().is_empty(), "{:?}", told.alerts());
    }
}

#[test]
fn a_flink_session_job_that_the_operator_refuses_waits_with_its_error_and_fails_at_the_start_deadline() {
    // Its own session was not recorded. The other run's is as it was.
    let stands = |line: &Line| line.is_of(FlinkDeployment, "session") && !line.is_going();
    let mut all: Vec<Line> = lines().into_iter().filter(stands).collect();
    let at = all.last().unwrap().at.after(Duration::from_secs(5));
    all.extend(
        lines_of("refused-session-job.jsonl")
            .into_iter()
            .map(|line| Line { at, ..line }),
    );
    let mut told = Replay::of(all, vec![], Module::Conservative, 0);
    let record = "local/default/session/session-job";

    told.through(FlinkSessionJob, "session-job", |line| line.lifecycle() == "FAILED");
    told.play_for(Duration::from_secs(9 * 60));
    assert_eq!(told.said(record), [(Unknown, 0), (Starting, 0)]);
    let refusal = "jarURI scheme 'file' is not in the allowlist [https]";
    let reason = &told.record(record).reason;
    assert!(reason.message.contains(refusal), "{reason:?}");
    assert!(told.alerts().is_empty(), "{:?}", told.alerts());

    told.play_for(Duration::from_secs(2 * 60));
    assert_eq!(told.said(record), [(Failed, 0)]);
    let reason = &told.record(record).reason;
    assert!(reason.message.contains(refusal), "{reason:?}");
    assert_eq!(told.names(), [record]);
    assert_eq!(told.alerts(), ["JobFailed"]);
}

#[test]
fn a_flink_blue_green_deployment_has_one_record_and_a_switch_is_an_attempt_more() {
    for draw in 0..DRAWS {
        let mut told = replay_of(&["pair", "pair-blue", "pair-green"], Module::Conservative, draw);
        let record = "local/default/pair";

        told.through(FlinkDeployment, "pair-blue", is_stable(1));
        let said = told.said(record);
        assert_eq!(said[0], (Unknown, 0));
        assert_way(&said[1..], &[Starting, Created], (Running, 1));

        told.through(FlinkDeployment, "pair-green", is_stable(1));
        assert_eq!(told.said(record), [], "blue still runs");

        told.through(FlinkDeployment, "pair-blue", Line::is_going);
        assert_eq!(told.said(record), [(Running, 2)]);

        told.through(FlinkDeployment, "pair-blue", |line| line.is_deletion);
        assert_eq!(told.said(record), [], "it goes unnoticed");

        // With its owner.
        told.through(FlinkDeployment, "pair-green", |line| line.is_deletion);
        told.play_for(Duration::from_secs(600));
        assert_eq!(told.said(record), [(Terminated, 2)]);
        assert_eq!(told.names(), [record], "none by the name of a side");
        assert!(told.alerts().is_empty(), "{:?}", told.alerts());
    }
}

#[test]
fn all_of_it_at_once_is_three_records_without_an_alert() {
    let mut told = replay_of(
        &[
            "application",
            "savepoint",
            "pair",
            "pair-blue",
            "pair-green",
            "session",
            "session-job",
        ],
        Module::Conservative,
        0,
    );
    told.through(FlinkDeployment, "session", |line| line.is_deletion);
    told.play_for(Duration::from_secs(600));
    assert_eq!(
        told.names(),
        [
            "local/default/application",
            "local/default/pair",
            "local/default/session/session-job"
        ]
    );
    assert!(told.alerts().is_empty(), "{:?}", told.alerts());
    let ends = told
        .names()
        .into_iter()
        .map(|name| told.record(name))
        .map(|it| (it.state, it.incarnation.attempt));
    assert_eq!(
        ends.collect::<Vec<_>>(),
        [(Terminated, 3), (Terminated, 2), (Canceled, 3)]
    );
}

#[test]
fn a_policy_that_takes_an_error_for_absence_makes_up_an_end() {
    let mut told = replay_of(&["application"], Module::Naive, 0);
    told.through(FlinkDeployment, "application", is_stable(4));
    let said = told.said("local/default/application");
    assert!(said.iter().any(|(state, _)| state.is_terminal()), "{said:?}");
}

#[test]
fn every_recorded_line_is_read_whole_or_is_of_a_kind_that_is_not_read() {
    let mut counts = std::collections::BTreeMap::new();
    let mut snapshots = Vec::new();
    for line in lines().into_iter().chain(lines_of("refused-session-job.jsonl")) {
        *counts.entry((line.file, line.read.is_some())).or_insert(0) += 1;
        let object = match &line.read {
            Some(KubeChange::Applied(object)) if !line.is_deletion => object,
            Some(KubeChange::Deleted(object)) if line.is_deletion => object,
            Some(other) => panic!("{}: {other:?}", line.file),
            None => continue,
        };
        match object {
            Object::FlinkResource(read) => assert_is_read(&line, read),
            Object::StateSnapshot(read) => snapshots.push((read.of.1.clone(), read.phase)),
            other @ (Object::Deployment(_)
            | Object::Pod(_)
            | Object::Undecodable { .. }
            | Object::Unanswered { .. }) => {
                panic!("{}: {other:?}", line.file)
            }
        }
    }
    let counts: Vec<(&str, bool, u32)> = counts
        .into_iter()
        .map(|((file, read), count)| (file, read, count))
        .collect();
    assert_eq!(
        counts,
        [
            ("events.jsonl", false, 30),
            ("flinkbluegreendeployments.jsonl", false, 8),
            ("flinkdeployments.jsonl", true, 62),
            ("flinksessionjobs.jsonl", true, 24),
            ("flinkstatesnapshots.jsonl", true, 6),
            ("refused-session-job.jsonl", true, 3),
        ]
    );
    let under_way = snapshots
        .iter()
        .filter(|(_, phase)| *phase == SnapshotPhase::SavepointUnderWay);
    assert!(under_way.clone().count() > 0, "{snapshots:?}");
    assert!(under_way.clone().all(|(job, _)| job == "application"), "{snapshots:?}");
}

/// What was read is what was sent.
fn assert_is_read(line: &Line, read: &FlinkResource) {
    let text = |pointer: &str| Some(line.text(pointer).to_owned()).filter(|text| !text.is_empty());
    assert_eq!(format!("{:?}", read.kind), line.kind());
    assert_eq!(read.name, line.name());
    assert_eq!(read.uid.as_str(), line.text("/metadata/uid"));
    assert!(read.created_at.is_some(), "{read:?}");
    assert_eq!(read.deleting_since.is_some(), line.is_going(), "{read:?}");
    assert_eq!(read.blue_green.is_some(), line.name().starts_with("pair-"), "{read:?}");
    let job = read.flink_job_id.map(|id| id.to_string());
    assert_eq!(job, text("/status/jobStatus/jobId"));
    assert_eq!(read.lifecycle.as_deref(), text("/status/lifecycleState").as_deref());
    assert_eq!(
        read.job_manager_status.as_deref(),
        text("/status/jobManagerDeploymentStatus").as_deref()
    );
    assert_eq!(read.error.is_some(), text("/status/error").is_some(), "{read:?}");
    assert_eq!(
        format!("{:?}", read.desired).to_lowercase(),
        text("/spec/job/state").unwrap_or("running".to_owned())
    );
    let reported = text("/status/jobStatus/state");
    assert_eq!(read.reported_state.map(|state| state.to_string()), reported, "{read:?}");
}
