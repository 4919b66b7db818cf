use super::*;
use crate::facts::EndSource;
use crate::id::FlinkJobId;
use crate::journal::{Change, Event};
use crate::planner::plan;
use crate::testing::{self, flink_job, flink_job_id, job_key, observed};

const HOUR: i64 = 3600;

/// So many seconds after the engine began to look.
fn at(seconds: i64) -> Timestamp {
    testing::at(1_795_000_000 + seconds)
}

fn id() -> FlinkJobId {
    flink_job_id(1)
}

fn unseen() -> JobRecord {
    testing::record(job_key("orders"), at(0))
}

fn lists(state: JobState, started: i64, ended: Option<i64>) -> FlinkJob {
    FlinkJob {
        ended_at: ended.map(at),
        ..flink_job(id(), state, at(started))
    }
}

/// Flink lists the job, and a policy takes its word. `None`: there was nothing to commit.
fn take(before: &JobRecord, now: i64, job: FlinkJob) -> Option<Change> {
    let mut tracked = before.clone();
    tracked.incarnation.see_job(&job, at(now), at(now));
    let mut snapshot = testing::snapshot(tracked, at(now));
    let state = job.state;
    snapshot.flink = observed(Observed::Present(job), at(now));
    plan(before, &snapshot, Ok(testing::decision(state))).change
}

/// The record after Flink listed all of these, one after the other: when, in which state, started when.
fn after(looks: &[(i64, JobState, i64)]) -> JobRecord {
    looks.iter().fold(unseen(), |record, (now, state, started)| {
        let change = take(&record, *now, lists(*state, *started, None));
        change.map_or(record, |change| JobRecord::clone(&change.record))
    })
}

/// A policy decides a state while Flink is silent, on what the archive tells of a job's end.
fn read_archive(before: &JobRecord, now: i64, job: FlinkJobId, told: JobState, ended: i64) -> Option<Change> {
    let mut snapshot = testing::snapshot(before.clone(), at(now));
    let end = JobEnd {
        job,
        state: told,
        cause: None,
        ended_at: Some(at(ended)),
        told_by: EndSource::Archive,
    };
    snapshot.archive = observed(Observed::Present(end), at(now));
    plan(before, &snapshot, Ok(testing::decision(JobState::Failed))).change
}

#[test]
fn a_job_that_has_run_for_a_day_runs_since_its_start_and_was_seen_just_now() {
    let change = take(&unseen(), 46, lists(JobState::Running, -26 * HOUR, None)).unwrap();
    let record = &change.record;
    assert_eq!(
        (record.told_since, record.since, record.began()),
        (Some(at(-26 * HOUR)), at(46), at(-26 * HOUR))
    );
    assert!(matches!(&change.events[..], [Event::Transition(moved)] if moved.told_since == record.told_since));
}

#[test]
fn a_job_that_failed_hours_ago_failed_then() {
    let change = take(&unseen(), 46, lists(JobState::Failed, -9 * HOUR, Some(-3 * HOUR))).unwrap();
    assert_eq!(
        (change.record.told_since, change.record.since),
        (Some(at(-3 * HOUR)), at(46))
    );
}

#[test]
fn later_polls_change_nothing() {
    for job in [
        lists(JobState::Running, -HOUR, None),
        lists(JobState::Finished, -HOUR, Some(-60)),
        lists(JobState::Restarting, -HOUR, None),
        // Its clock is ahead.
        lists(JobState::Running, HOUR, None),
    ] {
        let record = take(&unseen(), 5, job.clone()).unwrap().record;
        assert_eq!(take(&record, 4000, job.clone()), None, "{job:?}");
    }
}

#[test]
fn another_run_has_its_own_start() {
    let record = after(&[(5, JobState::Running, -HOUR), (90, JobState::Running, 80)]);
    assert_eq!(
        (record.incarnation.attempt, record.told_since, record.since),
        (2, Some(at(80)), at(90))
    );
}

#[test]
fn a_run_that_was_seen_to_come_up_runs_since_its_start() {
    let record = after(&[(5, JobState::Initializing, 3), (9, JobState::Running, 3)]);
    assert_eq!((record.told_since, record.since), (Some(at(3)), at(9)));
}

#[test]
fn a_run_that_was_seen_to_restart_runs_since_it_was_seen_to_run_again() {
    let restarting = after(&[(5, JobState::Running, -HOUR), (60, JobState::Restarting, -HOUR)]);
    assert_eq!((restarting.told_since, restarting.began()), (None, at(60)));
    let again = [
        (5, JobState::Running, -HOUR),
        (60, JobState::Restarting, -HOUR),
        (90, JobState::Running, -HOUR),
        (95, JobState::Running, -HOUR),
    ];
    assert_eq!((after(&again).told_since, after(&again).began()), (None, at(90)));
}

#[test]
fn times_that_cannot_be_are_not_told() {
    let first_flink = FIRST_FLINK.as_millis() / 1000 - at(0).as_millis() / 1000;
    for (ended, is_told) in [
        (first_flink - 1, false),
        (first_flink, true),
        (46, true),
        (47, false),
        (46 + HOUR, false),
    ] {
        let job = lists(JobState::Canceled, -HOUR, Some(ended));
        let record = take(&unseen(), 46, job).unwrap().record;
        assert_eq!(record.told_since, is_told.then(|| at(ended)), "{ended}");
        assert!(record.began() <= record.since);
    }
}

#[test]
fn an_end_is_told_by_the_archive_where_flink_is_gone() {
    let running = after(&[(5, JobState::Running, -HOUR)]);
    let failed = read_archive(&running, 600, id(), JobState::Failed, 60).unwrap().record;
    assert_eq!((failed.told_since, failed.since), (Some(at(60)), at(600)));
    let of_another = read_archive(&running, 600, flink_job_id(2), JobState::Failed, 60).unwrap();
    assert_eq!(of_another.record.told_since, None, "another job's end");
    let otherwise = read_archive(&running, 600, id(), JobState::Finished, 60).unwrap();
    assert_eq!(otherwise.record.told_since, None, "another end than was decided");
}

#[test]
fn a_source_that_tells_the_time_later_is_heard_once() {
    let running = after(&[(5, JobState::Running, -HOUR)]);
    let snapshot = testing::snapshot(running.clone(), at(500));
    let failed = plan(&running, &snapshot, Ok(testing::decision(JobState::Failed))).change;
    let failed = failed.unwrap().record;
    assert_eq!(failed.told_since, None);
    let told = read_archive(&failed, 600, id(), JobState::Failed, 60).unwrap();
    assert_eq!((told.record.told_since, told.record.since), (Some(at(60)), at(500)));
    assert_eq!(told.events, [Event::updated(&told.record)]);
    assert_eq!(read_archive(&told.record, 700, id(), JobState::Failed, 70), None);
}

#[test]
fn an_ended_run_that_the_next_job_manager_lists_with_other_times_ended_when_it_was_first_told() {
    let failed = take(&unseen(), 46, lists(JobState::Failed, -9 * HOUR, Some(-3 * HOUR)));
    let failed = failed.unwrap().record;
    let again = take(&failed, 900, lists(JobState::Failed, 800, Some(20)))
        .unwrap()
        .record;
    assert_eq!(
        (again.incarnation.started_at, again.told_since),
        (Some(at(800)), Some(at(-3 * HOUR)))
    );
}

#[test]
fn a_record_from_before_times_were_kept_learns_what_is_certain() {
    let kept = |looks: &[(i64, JobState, i64)]| JobRecord {
        told_since: None,
        ..after(looks)
    };
    let seen_running = kept(&[(5, JobState::Running, -HOUR)]);
    let learnt = take(&seen_running, 700, lists(JobState::Running, -HOUR, None)).unwrap();
    assert_eq!(
        (learnt.record.told_since, learnt.record.since),
        (Some(at(-HOUR)), at(5))
    );
    // It ran again, and the start-time does not say since when.
    let ran_again = kept(&[(5, JobState::Restarting, -HOUR), (9, JobState::Running, -HOUR)]);
    assert_eq!(take(&ran_again, 700, lists(JobState::Running, -HOUR, None)), None);
}

#[test]
fn what_is_decided_against_flinks_word_has_no_time_of_flinks() {
    let running = after(&[(5, JobState::Running, -HOUR)]);
    let mut snapshot = testing::snapshot(running.clone(), at(60));
    snapshot.flink = observed(Observed::Present(lists(JobState::Running, -HOUR, None)), at(60));
    for state in [JobState::Lost, JobState::Failed, JobState::Restarting] {
        let change = plan(&running, &snapshot, Ok(testing::decision(state))).change.unwrap();
        assert_eq!(change.record.told_since, None, "{state}");
    }
}

#[test]
fn what_was_told_stays_while_the_run_goes_on_even_if_flink_could_not_tell_it_again() {
    let told = after(&[(40, JobState::Initializing, 30), (46, JobState::Running, 30)]);
    assert_eq!(told.told_since, Some(at(30)));
    // The row says no more that this state began with the run.
    let change = take(&told, 60, lists(JobState::Running, 30, None));
    let record = change.map_or(told, |change| JobRecord::clone(&change.record));
    assert_eq!(record.told_since, Some(at(30)));
}

#[test]
fn an_end_that_flink_lists_for_another_state_tells_nothing_of_this_one() {
    let running = after(&[(46, JobState::Running, -HOUR)]);
    let mut snapshot = testing::snapshot(running.clone(), at(60));
    snapshot.flink = observed(Observed::Present(lists(JobState::Canceled, -HOUR, Some(55))), at(60));
    let change = plan(&running, &snapshot, Ok(testing::decision(JobState::Failed))).change;
    assert_eq!(change.unwrap().record.told_since, None);
}
