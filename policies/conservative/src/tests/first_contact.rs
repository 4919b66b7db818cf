//! What was not looked at is not spoken of.

use steadfast_policy::{Deployment, DeploymentAnswer, JobState, Readiness};

use super::kit::{Story, pod};

fn deployment(story: &mut Story, change: impl FnOnce(&mut Deployment)) {
    if let Some(DeploymentAnswer::Present(deployment)) =
        story.snapshot.deployment.as_mut().map(|evidence| &mut evidence.answer)
    {
        change(deployment);
    }
}

#[test]
fn nothing_is_said_of_a_flink_that_was_not_asked_yet() {
    let mut story = Story::unseen();
    let before = story.snapshot.job.reason.clone();
    let decision = story.at(1).deployment_there(1).pod(0, true).decide();
    assert_eq!((decision.state, decision.reason), (JobState::Unknown, before));
    assert_eq!(
        story.at(2).flink_lists(JobState::Running).decide().state,
        JobState::Running
    );
}

#[test]
fn a_deployment_that_was_ready_before_anybody_looked_is_not_said_to_start() {
    let mut story = Story::unseen();
    for second in [2, 300, 100_000] {
        let decision = story
            .at(second)
            .deployment_there(second)
            .pod(0, true)
            .flink_silent(1)
            .decide();
        assert_eq!(
            (decision.state, decision.rule.as_str()),
            (JobState::Unknown, "flink-not-heard")
        );
        let message = &decision.reason.message;
        assert!(
            message.contains("has not answered yet") && !message.contains("lists no job"),
            "{message}"
        );
    }
}

#[test]
fn that_flink_lists_no_job_is_said_if_flink_said_so() {
    let mut story = Story::unseen();
    let decision = story.at(2).deployment_there(1).pod(0, true).flink_lacks(2).decide();
    assert_eq!(decision.state, JobState::Starting);
    assert!(decision.reason.message.contains("Flink lists no job yet"));
}

#[test]
fn a_start_is_said_if_kubernetes_says_so() {
    let mut pending = pod("orders-1");
    (pending.phase, pending.readiness) = ("Pending".into(), Readiness::NotReady);
    let mut story = Story::unseen();
    assert_eq!(
        story.at(1).deployment_there(1).pods(vec![pending]).decide().state,
        JobState::Starting
    );
    let mut story = Story::unseen();
    story.at(1).deployment_there(1);
    deployment(&mut story, |deployment| deployment.ready = 0);
    assert_eq!(story.decide().state, JobState::Starting);
    // One that is seen to appear, and one that takes another's place.
    let mut story = Story::unseen();
    story.at(1).flink_silent(0).deployment_missing(1).decide();
    assert_eq!(
        story.at(60).deployment_there(60).pod(0, true).decide().state,
        JobState::Starting
    );
}

#[test]
fn a_start_that_was_seen_stays_one_until_its_pod_has_been_well_for_long() {
    let mut story = Story::starting();
    story.flink_silent(1).pod(0, true);
    for (second, state) in [
        (30, JobState::Starting),
        (629, JobState::Starting),
        (630, JobState::Unknown),
        (700, JobState::Unknown),
    ] {
        assert_eq!(
            story.at(second).deployment_there(second).decide().state,
            state,
            "at {second}"
        );
    }
}

#[test]
fn a_pod_between_two_crashes_is_not_well() {
    let mut story = Story::starting();
    story.flink_silent(1).crash_looping();
    assert_eq!(story.at(550).deployment_there(550).decide().state, JobState::Starting);
    story.pod(5, true);
    assert_eq!(story.at(605).deployment_there(605).decide().state, JobState::Starting);
    story.crash_looping();
    assert_eq!(story.at(610).deployment_there(610).decide().state, JobState::Failed);
}

#[test]
fn a_problem_that_comes_late_is_given_its_time() {
    let mut story = Story::unseen();
    story.at(2).deployment_there(2).pod(0, true).flink_silent(1).decide();
    story.at(5000).crash_looping();
    assert_eq!(story.deployment_there(5000).decide().state, JobState::Starting);
    assert_eq!(story.at(5599).deployment_there(5599).decide().state, JobState::Starting);
    assert_eq!(story.at(5600).deployment_there(5600).decide().state, JobState::Failed);
}
