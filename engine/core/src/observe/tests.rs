use super::*;
use crate::evidence::{Observation, Observed};
use crate::facts::{Checkpoints, EndSource, FlinkJob, FlinkOverview, JobEnd, RootException, Tasks};
use crate::id::{JobKey, PolicyName, TargetId};
use crate::lookup::Finding;
use crate::record::Origin;
use crate::state::{JobState, Mode};
use crate::testing;
use std::time::Duration;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn job(n: u8) -> FlinkJobId {
    FlinkJobId::parse(&format!("{n:032x}")).unwrap()
}

fn record() -> JobRecord {
    let key = JobKey::application(TargetId::standalone("orders"));
    JobRecord::unseen(key, Mode::Standalone, Origin::Configured, PolicyName::new("p"), at(0))
}

fn list(board: &mut Board, n: u8, started: i64, asked: i64) {
    let jobs = vec![FlinkJob {
        id: job(n),
        state: JobState::Running,
        started_at: at(started),
        ended_at: None,
        tasks: Tasks::default(),
    }];
    let overview = Observed::Present(FlinkOverview::listing(jobs));
    board.accept_overview(&record().key.target, Observation::new(overview, at(asked), at(asked)));
}

fn observed(before: &JobRecord, board: &Board, now: i64) -> Snapshot {
    observe(before, board, Context::default(), at(now))
}

#[test]
fn the_record_is_shown_with_the_run_that_is_there() {
    let mut board = Board::default();
    list(&mut board, 1, 5, 10);
    let snapshot = observed(&record(), &board, 11);
    assert_eq!(snapshot.record.incarnation.flink_job_id, Some(job(1)));
    let listed = snapshot
        .flink
        .and_then(|flink| flink.latest.present().map(|job| job.id));
    assert_eq!(listed, Some(job(1)));
    assert_eq!(
        record().incarnation.flink_job_id,
        None,
        "the record itself changes only by a commit"
    );
}

#[test]
fn a_new_attempt_is_not_shown_what_was_looked_up_about_the_one_before() {
    let mut board = Board::default();
    list(&mut board, 1, 5, 10);
    let before = observed(&record(), &board, 11).record;
    let thrown = RootException {
        headline: "java.lang.OutOfMemoryError".into(),
        at: None,
    };
    let end = JobEnd {
        job: job(1),
        state: JobState::Failed,
        cause: None,
        ended_at: None,
        told_by: EndSource::Archive,
    };
    let seen = |answer| Observation::new(Observed::Present(answer), at(20), at(20));
    board.accept_finding(
        &before,
        Finding::Exceptions(Observation::new(Observed::Present(thrown), at(20), at(20))),
    );
    board.accept_finding(&before, Finding::Archive(seen(end)));
    board.accept_finding(
        &before,
        Finding::TaskManagers(Observation::new(Observed::Absent, at(20), at(20))),
    );
    let shown = observed(&before, &board, 21);
    assert!(shown.exceptions.is_some() && shown.archive.is_some() && shown.task_managers.is_some());
    list(&mut board, 1, 25, 30);
    let next = observed(&before, &board, 31);
    assert_eq!(next.record.incarnation.attempt, before.incarnation.attempt + 1);
    assert!(next.exceptions.is_none() && next.archive.is_none());
    assert!(next.task_managers.is_some(), "attempts share the cluster's own");
}

#[test]
fn a_running_job_is_shown_as_savepointing_while_flinks_word_of_that_is_fresh() {
    let shown = |state, savepoint_in_progress, age_ms: u64| {
        let mut board = Board::default();
        list(&mut board, 1, 5, 10);
        let before = observed(&record(), &board, 11).record;
        let checkpoints = Checkpoints {
            savepoint_in_progress,
            ..Checkpoints::default()
        };
        let found = Observation::new(Observed::Present(checkpoints), at(20), at(20));
        board.accept_finding(&before, Finding::Checkpoints(found));
        let jobs = vec![testing::flink_job(job(1), state, at(5))];
        let overview = Observed::Present(FlinkOverview::listing(jobs));
        board.accept_overview(&before.key.target, Observation::new(overview, at(20), at(20)));
        let now = at(20).after(Duration::from_millis(age_ms));
        let snapshot = observe(&before, &board, Context::default(), now);
        snapshot
            .flink
            .and_then(|flink| flink.latest.present().map(|job| job.state))
    };
    // Two polls of 5 s and a time-out of 3 s.
    let (running, savepoint) = (Some(JobState::Running), Some(JobState::Savepointing));
    assert_eq!(shown(JobState::Running, Some(3), 0), savepoint);
    assert_eq!(shown(JobState::Running, Some(3), 13_000), savepoint);
    assert_eq!(shown(JobState::Running, Some(3), 13_001), running);
    assert_eq!(shown(JobState::Running, None, 0), running);
    assert_eq!(shown(JobState::Restarting, Some(3), 0), Some(JobState::Restarting));
}
