//! What one expression alone decides. Each was found as a mistake that no test and no story noticed (docs/track-record.md).

use steadfast_policy::testing::Says;
use steadfast_policy::{Attention, Checkpoints, ConditionType, FaultKind, JobState, WantedSource};

use super::kit::{Story, conditions};

fn stands(story: &mut Story, condition: ConditionType) -> bool {
    conditions(&story.decide()).contains(&condition)
}

#[test]
fn where_no_checkpoint_ever_completed_all_failures_count_from_the_first_look() {
    for (completed, fails) in [(0, true), (1, false)] {
        let mut story = Story::running();
        story.checkpoints(Says::Present(Checkpoints { completed, failed: 12 }));
        story.at(60).flink_lists(JobState::Running);
        assert_eq!(
            stands(&mut story, ConditionType::CheckpointsFailing),
            fails,
            "{completed}"
        );
    }
}

#[test]
fn a_failure_whose_cause_is_not_known_yet_is_not_explained_by_what_was_said_before() {
    let mut story = Story::running();
    let before = story.at(5).flink_lists(JobState::Running).decide();
    let failed = story.at(10).flink_lists(JobState::Failed).decide();
    assert_eq!(
        (failed.state, failed.reason.code.as_str()),
        (JobState::Failed, "FlinkReports")
    );
    assert_ne!(failed.reason.message, before.reason.message);
}

#[test]
fn a_silent_job_manager_whose_pod_is_not_ready_is_said_to_be_that() {
    for (ready, says) in [(false, true), (true, false)] {
        let mut story = Story::running();
        story.at(62).flink_silent(60).deployment_there(61).pod(0, ready);
        let message = story.decide().reason.message;
        assert_eq!(message.contains("its pod is not ready"), says, "{message}");
    }
}

#[test]
fn a_loop_ends_where_the_job_manager_is_ready_and_restarts_no_more_though_flink_is_silent() {
    let mut story = Story::running();
    story.at(0).flink_lists(JobState::Restarting).decide();
    story.at(601).flink_lists(JobState::Restarting);
    assert!(stands(&mut story, ConditionType::RestartLoop));
    for (second, still) in [(610, true), (700, true), (740, false)] {
        story.at(second).flink_silent(605).deployment_there(second).pod(0, true);
        assert_eq!(stands(&mut story, ConditionType::RestartLoop), still, "at {second}");
    }
}

#[test]
fn a_loop_counts_from_the_failure_that_began_it() {
    let mut story = Story::running();
    story.at(10).flink_lists(JobState::Failed).decide();
    story.at(20).flink_lists(JobState::Restarting).decide();
    for (second, is_loop) in [(609, false), (611, true)] {
        story.at(second).flink_lists(JobState::Restarting);
        assert_eq!(stands(&mut story, ConditionType::RestartLoop), is_loop, "at {second}");
    }
}

#[test]
fn an_end_is_judged_again_when_it_may_be_an_alarm_and_a_job_that_runs_with_the_validation() {
    let mut story = Story::running();
    assert_eq!(
        story.at(5).flink_lists(JobState::Running).decide().watch.validate_after,
        60_000
    );
    let failed = story.at(10).flink_lists(JobState::Failed).decide();
    assert_eq!(failed.watch.validate_after, 30_000, "alert_after");
    let mut gone = Story::gone();
    gone.ha_data_there();
    gone.decide();
    gone.at(70).deployment_missing(70);
    let suspended = gone.decide();
    assert_eq!(
        (
            suspended.state,
            suspended.watch.attention,
            suspended.watch.validate_after
        ),
        (JobState::Suspended, Attention::Sleeping, 30_000)
    );
}

#[test]
fn checkpoints_are_asked_for_while_flink_lists_the_job_and_soon_again_while_a_savepoint_is_taken() {
    let asked = |story: &mut Story| story.want_of(WantedSource::Checkpoints);
    let mut story = Story::running();
    story
        .at(60)
        .flink_lists(JobState::Running)
        .checkpoints(Says::Present(Checkpoints {
            completed: 1,
            failed: 0,
        }));
    assert_eq!(asked(&mut story), Some(120));
    story.flink_lists(JobState::Savepointing);
    assert_eq!(asked(&mut story), Some(65));
    story.at(70).flink_silent(65);
    assert_eq!(
        (story.snapshot.job.state, asked(&mut story)),
        (JobState::Savepointing, None)
    );
    let mut silent = Story::running();
    silent.at(70).flink_silent(65);
    assert_eq!(asked(&mut silent), None);
    story.at(80).flink_lists(JobState::Restarting);
    assert_eq!(asked(&mut story), None);
}

/// Nobody answers from the one second to the other, and is judged at both.
fn dark(story: &mut Story, from: i64, to: i64) {
    for second in [from, to] {
        story.at(second).flink_silent(from).kubernetes_silent(from).decide();
    }
}

#[test]
fn a_darkness_is_forgotten_once_the_job_runs_and_counts_for_no_loop_until_then() {
    let mut lit = Story::running();
    let mut story = Story::running();
    dark(&mut story, 100, 400);
    for story in [&mut lit, &mut story] {
        story
            .at(401)
            .flink_lists(JobState::Running)
            .deployment_there(401)
            .decide();
        story.at(410).flink_lists(JobState::Running).decide();
    }
    assert_eq!(lit.decide().memory, story.decide().memory);
    // Of a loop it hides what it hid.
    let mut story = Story::running();
    story.at(10).flink_lists(JobState::Restarting).decide();
    dark(&mut story, 100, 400);
    story
        .at(401)
        .flink_lists(JobState::Running)
        .deployment_there(401)
        .decide();
    story.at(402).flink_lists(JobState::Restarting).decide();
    for (second, is_loop) in [(700, false), (915, true)] {
        story.at(second).flink_lists(JobState::Restarting);
        assert_eq!(stands(&mut story, ConditionType::RestartLoop), is_loop, "at {second}");
    }
}

#[test]
fn a_refusal_is_a_condition_of_its_own_once_it_lasts() {
    for (kind, is_refusal) in [
        (FaultKind::Unauthorized, true),
        (FaultKind::Forbidden, true),
        (FaultKind::Timeout, false),
    ] {
        let mut story = Story::running();
        story.at(60).deployment_there(60).flink_unknown(kind);
        assert!(!stands(&mut story, ConditionType::AccessDenied), "{kind:?}");
        story.at(80).deployment_there(80);
        assert_eq!(stands(&mut story, ConditionType::AccessDenied), is_refusal, "{kind:?}");
    }
    // One that stands is ended by an answer, and not by an engine that has not asked yet.
    let mut story = Story::running();
    story.at(60).deployment_there(60).flink_unknown(FaultKind::Forbidden);
    story.decide();
    story.at(80).deployment_there(80).decide();
    story.flink_not_asked();
    assert!(stands(&mut story, ConditionType::AccessDenied));
}

#[test]
fn unresponsive_is_a_ready_job_manager_that_does_not_answer_in_time() {
    for (kind, ready, is_unresponsive) in [
        (FaultKind::Timeout, true, true),
        (FaultKind::Timeout, false, false),
        (FaultKind::Refused, true, false),
    ] {
        let mut story = Story::running_in_a_pod();
        story.at(60).deployment_there(60).pod(0, ready).flink_unknown(kind);
        story.decide();
        story.at(80).deployment_there(80);
        assert!(stands(&mut story, ConditionType::FlinkUnreachable));
        assert_eq!(
            stands(&mut story, ConditionType::Unresponsive),
            is_unresponsive,
            "{kind:?} {ready}"
        );
    }
}

#[test]
fn while_flink_does_not_tell_of_checkpoints_what_was_told_of_this_run_stands() {
    let mut story = Story::running();
    story.checkpoints(Says::Present(Checkpoints {
        completed: 0,
        failed: 12,
    }));
    story.at(60).flink_lists(JobState::Running);
    assert!(stands(&mut story, ConditionType::CheckpointsFailing));
    story.at(65).checkpoints(Says::Unknown(FaultKind::Timeout));
    assert!(stands(&mut story, ConditionType::CheckpointsFailing));
    let mut well = Story::running();
    well.checkpoints(Says::Present(Checkpoints {
        completed: 3,
        failed: 1,
    }));
    well.at(60).flink_lists(JobState::Running).decide();
    well.at(65).checkpoints(Says::Unknown(FaultKind::Timeout));
    assert!(!stands(&mut well, ConditionType::CheckpointsFailing));
    // A completed one begins the count anew, and so do Flink's counters after a failover.
    for (completed, failed, fails) in [
        (3, 10, false),
        (3, 11, true),
        (4, 30, false),
        (4, 5, false),
        (4, 15, true),
    ] {
        well.checkpoints(Says::Present(Checkpoints { completed, failed }));
        assert_eq!(
            stands(&mut well, ConditionType::CheckpointsFailing),
            fails,
            "{completed} completed, {failed} failed"
        );
    }
}
