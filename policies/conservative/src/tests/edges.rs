//! What one expression alone decides. Each was found as a mistake that no test and no story noticed (docs/track-record.md).

use steadfast_policy::testing::Says;
use steadfast_policy::{Checkpoints, ConditionType, JobState};

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
