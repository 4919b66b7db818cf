//! What the record itself says holds where nothing is remembered, as after a clock that was ahead.

use steadfast_policy::testing::Says;
use steadfast_policy::{
    Checkpoints, ConditionType, Decision, DesiredState, FaultKind, FlinkResource, FlinkResourceKind, JobState, Mode,
};

use super::kit::{Story, alerts, conditions};

fn stands(decision: &Decision, kind: ConditionType) -> bool {
    conditions(decision).contains(&kind)
}

/// The same world, of which the policy remembers nothing.
fn forgotten(story: &Story) -> Story {
    let mut fresh = Story::unseen();
    fresh.snapshot = story.snapshot.clone();
    fresh
}

fn suspended(resource: &mut FlinkResource) {
    resource.desired = DesiredState::Suspended;
}

fn unread(story: &mut Story) -> &mut Story {
    story.flink_resource(Says::Unknown(FaultKind::Timeout));
    story
}

#[test]
fn a_job_that_the_operator_is_to_bring_back_is_known_by_its_record() {
    let mut story = Story::gone();
    story.resource(61, |_| {});
    assert_eq!(story.decide().state, JobState::Reconciling);
    let mut story = forgotten(&story);
    story.at(120).deployment_missing(120);
    unread(&mut story).nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Reconciling);
    // And so is one whose resource was still to be read.
    let mut story = Story::gone();
    story.resource(59, |_| {});
    assert_eq!(story.decide().state, JobState::Running);
}

#[test]
fn a_job_that_never_ran_and_was_asked_for_ends_with_its_resource() {
    let session_job = |resource: &mut FlinkResource| resource.kind = FlinkResourceKind::FlinkSessionJob;
    let mut story = Story::unseen();
    story.snapshot.job.mode = Mode::Session;
    story.resource(1, session_job);
    story.at(2).deployment_there(1).flink_lacks(1);
    assert_eq!(story.decide().state, JobState::Starting);
    let mut story = forgotten(&story);
    for second in [10, 61] {
        story.at(second).resource_missing(second).flink_lacks(second).decide();
    }
    let ended = story.decide();
    assert_eq!(
        (ended.state, ended.reason.code.as_str()),
        (JobState::Terminated, "Withdrawn")
    );
    let mut story = Story::unseen();
    story.at(1).flink_silent(0).deployment_missing(1).resource(1, |_| {});
    assert_eq!(story.decide().state, JobState::Starting);
    let mut story = forgotten(&story);
    for second in [10, 61] {
        story
            .at(second)
            .resource_missing(second)
            .deployment_missing(second)
            .decide();
    }
    assert_eq!(story.decide().state, JobState::Terminated);
}

#[test]
fn an_end_that_somebody_asked_for_is_no_alarm_by_its_reason() {
    let quiet = |story: &Story, code: &str| {
        let mut story = forgotten(story);
        story.at(5000);
        let decision = story.decide();
        assert_eq!(
            (decision.state, decision.reason.code.as_str()),
            (JobState::Terminated, code)
        );
        assert!(alerts(&decision).is_empty(), "{}", decision.reason.message);
    };
    // Its resource was deleted, or was on its way.
    let mut deleted = Story::running();
    deleted.resource(9, |_| {});
    deleted.at(10).flink_lists(JobState::Running).decide();
    deleted.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
    deleted.resource_missing(61).nothing_tells_the_end();
    deleted.decide();
    quiet(&deleted, "ClusterGone");
    let mut going = Story::gone();
    going.resource(61, |resource| resource.deleting_since = Some(60_000));
    going.decide();
    quiet(&going, "ClusterGone");
    let mut suspended_first = Story::gone();
    suspended_first.resource(61, suspended);
    suspended_first.decide();
    for second in [299, 359, 360] {
        suspended_first
            .at(second + 1)
            .deployment_missing(second)
            .resource_missing(second)
            .nothing_tells_the_end();
        suspended_first.decide();
    }
    quiet(&suspended_first, "DeletedWhileSuspended");
    // One that nobody asked for is.
    let mut story = Story::gone();
    story.decide();
    let mut story = forgotten(&story);
    story.at(5000);
    assert_eq!(alerts(&story.decide()).len(), 1);
}

#[test]
fn an_upgrade_that_is_told_to_stall_is_told_so_on() {
    let upgrading = |resource: &mut FlinkResource| resource.lifecycle = Some("UPGRADING".into());
    let mut story = Story::running();
    story.resource(9, upgrading);
    story.at(10).flink_lists(JobState::Finished).decide();
    let mut fresh = forgotten(&story);
    story.at(700).flink_lists(JobState::Finished).resource(700, upgrading);
    let stalled = |story: &mut Story| alerts(&story.decide()).iter().any(|alert| alert.0 == "UpgradeStalled");
    assert!(stalled(&mut story));
    let mut story = forgotten(&story);
    story.at(710).flink_silent(710).kubernetes_silent(710);
    assert!(stalled(unread(&mut story)));
    fresh.at(710).flink_silent(710).kubernetes_silent(710);
    assert!(!stalled(unread(&mut fresh)), "nobody saw it stall");
}

#[test]
fn whose_reconciling_it_is_stays_said_until_the_job_or_its_deployment_is_back() {
    let code = |story: &mut Story| {
        let decision = story.decide();
        (decision.state, decision.reason.code)
    };
    let is_awaited = (JobState::Reconciling, "OperatorUpgrade".to_owned());
    let awaited = || {
        let mut story = Story::gone();
        story.resource(61, |_| {});
        story.decide();
        story
    };
    let mut silent = awaited();
    silent.at(90).flink_silent(90).kubernetes_silent(90);
    assert_eq!(code(&mut silent), is_awaited);
    let mut back = awaited();
    back.at(90).flink_silent(90).deployment_there(90).resource(90, |_| {});
    assert_ne!(code(&mut back).1, "OperatorUpgrade");
    // A Flink that says RECONCILING itself is not the operator's.
    let mut own = Story::running();
    own.at(10).flink_lists(JobState::Reconciling).decide();
    own.at(30).flink_silent(12).kubernetes_silent(12);
    assert_eq!(code(&mut own).1, "AllSilent");
}

#[test]
fn a_loop_that_stands_goes_on_in_silence_and_ends_with_rest() {
    let mut story = Story::running_in_a_pod();
    story.at(0).flink_lists(JobState::Restarting).decide();
    story.at(601).flink_lists(JobState::Restarting);
    assert!(stands(&story.decide(), ConditionType::RestartLoop));
    let mut story = forgotten(&story);
    for second in [660, 2_000] {
        story.at(second).flink_silent(610).kubernetes_silent(610);
        assert!(stands(&story.decide(), ConditionType::RestartLoop), "at {second}");
    }
    for (second, still) in [(2_100, true), (2_221, false)] {
        story.at(second).deployment_there(second).flink_lists(JobState::Running);
        assert_eq!(
            stands(&story.decide(), ConditionType::RestartLoop),
            still,
            "at {second}"
        );
    }
}

#[test]
fn checkpoints_that_fail_go_on_to_fail_in_silence_and_in_their_attempt_alone() {
    let failing = || {
        let mut story = Story::running_in_a_pod();
        for (second, failed) in [(60, 0), (120, 20)] {
            let counters = Checkpoints { completed: 1, failed };
            story.checkpoints(Says::Present(counters));
            story.at(second).flink_lists(JobState::Running).decide();
        }
        forgotten(&story)
    };
    let silent = |story: &mut Story, second| {
        story.at(second).flink_silent(125).kubernetes_silent(125);
        story.checkpoints(Says::Unknown(FaultKind::Timeout));
        stands(&story.decide(), ConditionType::CheckpointsFailing)
    };
    let mut story = failing();
    assert!(silent(&mut story, 200));
    assert!(silent(&mut story, 260));
    let counters = Checkpoints {
        completed: 2,
        failed: 20,
    };
    story.checkpoints(Says::Present(counters));
    story.at(300).deployment_there(300).flink_lists(JobState::Running);
    assert!(!stands(&story.decide(), ConditionType::CheckpointsFailing));
    // Another attempt has checkpoints of its own.
    let mut story = failing();
    story.at(150);
    let now = story.snapshot.now;
    story.snapshot.job.incarnation.attempt += 1;
    story.snapshot.job.incarnation.since = Some(now);
    assert!(!silent(&mut story, 200));
}
