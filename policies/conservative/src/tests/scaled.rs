//! A Deployment that asks for no replica.

use steadfast_policy::testing::Says;
use steadfast_policy::{Attention, Confidence, DeploymentAnswer, DesiredState, FaultKind, JobState, Rollout};

use super::kit::{Story, alerts, conditions, pod};

/// A look of that second shows so many replicas asked for, and no pod.
pub(super) fn scaled(story: &mut Story, second: i64, replicas: u32) -> &mut Story {
    story.at(second).flink_silent(60).deployment_there(second);
    story.no_pod(second);
    if let Some(DeploymentAnswer::Present(deployment)) =
        story.snapshot.deployment.as_mut().map(|evidence| &mut evidence.answer)
    {
        (deployment.replicas, deployment.ready) = (replicas, 0);
    }
    story
}

#[test]
fn a_job_that_is_scaled_to_zero_is_suspended_after_the_window() {
    let mut story = Story::running();
    for second in [62, 80, 111] {
        assert_eq!(
            scaled(&mut story, second, 0).decide().state,
            JobState::Running,
            "at {second}"
        );
    }
    let decision = scaled(&mut story, 112, 0).decide();
    assert_eq!(
        (decision.state, decision.confidence, decision.reason.code.as_str()),
        (JobState::Suspended, Confidence::Inferred, "ScaledToZero")
    );
    assert_eq!(decision.watch.attention, Attention::Active, "its Deployment is there");
    let later = story.at(900).decide();
    assert!(alerts(&later).is_empty() && conditions(&later).is_empty());
    let up = scaled(&mut story, 1000, 1).decide();
    assert_eq!(up.state, JobState::Starting);
}

#[test]
fn pods_that_cannot_be_listed_are_not_absent() {
    let mut story = Story::running();
    scaled(&mut story, 62, 0).decide();
    for second in [80, 120, 900] {
        scaled(&mut story, second, 0);
        story.pods_say(Says::Unknown(FaultKind::Forbidden));
        assert_eq!(story.decide().state, JobState::Running);
    }
    let mut story = Story::running();
    scaled(&mut story, 62, 0).pods(vec![pod("orders-1")]);
    assert_eq!(story.at(900).decide().state, JobState::Running, "a pod is left");
}

#[test]
fn the_resource_explains_at_once() {
    for (desired, lifecycle, rollout, state) in [
        (
            DesiredState::Suspended,
            "SUSPENDED",
            Rollout::Settled,
            JobState::Suspended,
        ),
        (
            DesiredState::Running,
            "UPGRADING",
            Rollout::Settled,
            JobState::Reconciling,
        ),
        (
            DesiredState::Running,
            "STABLE",
            Rollout::InProgress,
            JobState::Reconciling,
        ),
        (DesiredState::Running, "STABLE", Rollout::Settled, JobState::Running),
    ] {
        let mut story = Story::running();
        story.resource(61, |resource| {
            (resource.desired, resource.rollout) = (desired, rollout);
            resource.lifecycle = Some(lifecycle.into());
        });
        let decision = scaled(&mut story, 62, 0).decide();
        assert_eq!(decision.state, state, "{desired:?} {lifecycle}");
        if state != JobState::Running {
            assert!(conditions(&story.at(100).decide()).is_empty());
        }
    }
}
