//! Deployments that are there again, ends that Flink tells against the record, and what little else is said of silences.

use steadfast_policy::testing::{self, Says};
use steadfast_policy::{
    ConditionType, Confidence, Deployment, DesiredState, EndSource, FaultKind, FlinkResource, JobState, Mode,
    WantedSource,
};

use super::kit::{Story, alerts, conditions, wants};
use super::scaled::scaled;

fn state(story: &mut Story) -> (JobState, String) {
    let decision = story.decide();
    (decision.state, decision.reason.code)
}

fn gave_up(resource: &mut FlinkResource) {
    resource.lifecycle = Some("FAILED".into());
}

/// TERMINATED since second 62, as the operator has given up on it; then its resource cannot be read.
fn given_up() -> Story {
    let mut story = Story::gone();
    story.resource(61, gave_up);
    assert_eq!(state(&mut story).0, JobState::Terminated);
    story
        .at(70)
        .deployment_missing(70)
        .flink_resource(Says::Unknown(FaultKind::Timeout));
    story
}

#[test]
fn a_guess_keeps_its_reason_while_what_is_told_against_it_waits_for_the_resource() {
    let mut story = given_up();
    story.archive_tells(JobState::Finished, EndSource::Archive);
    assert_eq!(state(&mut story), (JobState::Terminated, "ClusterGone".to_owned()));
    story.at(200).deployment_missing(200);
    assert_eq!(
        state(&mut story),
        (JobState::Finished, "Archive".to_owned()),
        "nobody tells of it"
    );
}

#[test]
fn an_end_that_flink_told_after_a_guess_stands_when_flink_is_silent_again() {
    let mut story = given_up();
    story.at(80).flink_lists(JobState::Finished);
    assert_eq!(state(&mut story).0, JobState::Terminated);
    story.at(100).flink_lists(JobState::Finished);
    assert!(alerts(&story.decide()).is_empty(), "it is judged yet");
    let mut silent = story.clone();
    silent.at(105).flink_silent(105).deployment_missing(105);
    assert_eq!(alerts(&silent.decide()).len(), 1);
    story.at(110).flink_silent(110).deployment_missing(110).decide();
    story.at(200).flink_silent(110).deployment_missing(200);
    assert_eq!(state(&mut story).0, JobState::Finished);
    // What it told of before the guess was put down says nothing more.
    let mut before = given_up();
    before.at(90).flink_silent(90).deployment_missing(90);
    assert_eq!(state(&mut before).0, JobState::Terminated);
}

#[test]
fn an_end_on_the_way_to_an_upgrade_is_the_end_once_nobody_asks_for_more() {
    let mut story = Story::running();
    story.resource(9, |resource| resource.lifecycle = Some("UPGRADING".into()));
    story.at(10).flink_lists(JobState::Finished);
    assert_eq!(state(&mut story).0, JobState::Reconciling);
    // While the resource cannot be read it stays what it is, with its reason.
    let mut unread = story.clone();
    unread
        .at(20)
        .flink_lists(JobState::Finished)
        .flink_resource(Says::Unknown(FaultKind::Timeout));
    assert_eq!(
        state(&mut unread),
        (JobState::Reconciling, "OperatorUpgrade".to_owned())
    );
    story.at(40).flink_silent(20).deployment_there(40).resource(40, |_| {});
    assert_eq!(state(&mut story), (JobState::Finished, "FlinkReported".to_owned()));
    assert_eq!(state(story.at(60)).0, JobState::Finished);
}

#[test]
fn a_deployment_that_is_there_again_starts_an_application_and_leaves_a_sessions_jobs_to_flink() {
    let mut story = Story::gone();
    assert_eq!(state(&mut story).0, JobState::Terminated);
    story.at(90).flink_silent(90).deployment_there(90);
    assert_eq!(state(&mut story), (JobState::Starting, "DeploymentBack".to_owned()));
    let mut session = Story::gone();
    session.snapshot.job.mode = Mode::Session;
    assert_eq!(state(&mut session).0, JobState::Terminated);
    session.at(90).flink_silent(90).deployment_there(90);
    assert_eq!(state(&mut session).0, JobState::Terminated);
    // An end that was told is none of it.
    let mut failed = Story::running();
    failed.at(10).flink_lists(JobState::Failed).decide();
    failed.at(60).flink_silent(60).deployment_there(60);
    assert_eq!(state(&mut failed).0, JobState::Failed);
    let mut lost = Story::running_in_a_pod();
    for second in [20, 75] {
        lost.at(second).flink_lacks(second).pod(0, true).decide();
    }
    lost.nothing_tells_the_end();
    assert_eq!(state(&mut lost).0, JobState::Lost);
    lost.at(90).flink_silent(90).deployment_there(90);
    assert_eq!(state(&mut lost).0, JobState::Lost);
}

#[test]
fn a_job_that_is_scaled_up_again_may_fail_to_start() {
    let mut story = Story::running();
    for second in [62, 112, 1000] {
        scaled(&mut story, second, u32::from(second == 1000)).decide();
    }
    assert_eq!(story.snapshot.job.state, JobState::Starting);
    for (second, state) in [
        (1010, JobState::Starting),
        (1599, JobState::Starting),
        (1600, JobState::Failed),
    ] {
        scaled(&mut story, second, 1).crash_looping();
        assert_eq!(story.decide().state, state, "at {second}");
    }
    // What is at zero stays so whatever else is dark.
    let mut zero = Story::running();
    for second in [62, 112] {
        scaled(&mut zero, second, 0).decide();
    }
    zero.snapshot.fleet = steadfast_policy::Fleet { targets: 10, dark: 10 };
    scaled(&mut zero, 200, 0);
    assert_eq!(state(&mut zero), (JobState::Suspended, "ScaledToZero".to_owned()));
    let mut running = Story::running();
    running.snapshot.fleet = steadfast_policy::Fleet { targets: 10, dark: 10 };
    for second in [62, 112, 170] {
        scaled(&mut running, second, 0);
        assert_eq!(state(&mut running).0, JobState::Running);
    }
}

#[test]
fn a_suspended_job_is_not_started_by_the_deployment_that_it_ran_in() {
    let suspended = |resource: &mut FlinkResource| resource.desired = DesiredState::Suspended;
    let mut story = Story::running();
    story.resource(9, suspended);
    story.at(10).flink_lists(JobState::Finished);
    assert_eq!(state(&mut story).0, JobState::Suspended);
    story.at(60).flink_silent(20).deployment_there(60);
    assert_eq!(state(&mut story), (JobState::Suspended, "SuspendIntended".to_owned()));
    // One of which no Deployment was there is news.
    let mut unseen = Story::unseen();
    unseen
        .at(1)
        .flink_silent(0)
        .deployment_missing(1)
        .resource(1, suspended);
    assert_eq!(state(&mut unseen).0, JobState::Suspended);
    let mut going = unseen.clone();
    unseen.at(20).flink_silent(20).deployment_there(20);
    assert_ne!(state(&mut unseen).0, JobState::Suspended);
    going.at(20).flink_silent(20);
    going.deployment(Says::Present(Deployment {
        deleting_since: Some(20_000),
        ..testing::deployment()
    }));
    assert_eq!(state(&mut going).0, JobState::Suspended, "it is on its way");
}

#[test]
fn another_deployment_is_a_start_for_as_long_as_one_takes() {
    for (second, state) in [(699, JobState::Starting), (700, JobState::Unknown)] {
        let mut story = Story::running();
        story.at(100);
        story.deployment(Says::Present(Deployment {
            uid: "u2".into(),
            ..testing::deployment()
        }));
        let attempt = &mut story.snapshot.job.incarnation;
        assert_eq!(attempt.attempt, 2);
        (attempt.started_at, attempt.flink_job_id) = (None, None);
        story.at(second).flink_silent(100).pod(0, true);
        assert_eq!(story.decide().state, state, "at {second}");
    }
}

#[test]
fn of_what_was_never_observed_nothing_is_said_while_nobody_answers() {
    let mut story = Story::unseen();
    let before = story.snapshot.job.reason.clone();
    story.at(60).flink_silent(5).kubernetes_silent(5);
    let decision = story.decide();
    assert_eq!((decision.state, &decision.reason), (JobState::Unknown, &before));
    // What Flink told before all fell silent is said beside the state that stays.
    let mut story = Story::running();
    story.resource(9, |_| {});
    story.at(10).flink_lists(JobState::Running).decide();
    story.flink_resource(Says::Unknown(FaultKind::Timeout));
    story.at(20).flink_lists(JobState::Finished).decide();
    story.at(60).flink_silent(22).kubernetes_silent(22);
    let message = story.decide().reason.message;
    assert!(message.contains("Flink reported FINISHED when last heard"), "{message}");
    let mut running = Story::running();
    running.at(60).flink_silent(22).kubernetes_silent(22);
    let message = running.decide().reason.message;
    assert!(message.contains("RUNNING when last seen"), "{message}");
}

#[test]
fn a_job_without_tasks_lacks_no_task_manager() {
    for (total, explained) in [(0, false), (4, true)] {
        let mut story = Story::running();
        story.at(60).tasks(total, 0).decide();
        story.at(75).tasks(total, 0);
        assert_eq!(wants(&story.decide(), WantedSource::TaskManagers), explained, "{total}");
    }
}

#[test]
fn a_darkness_from_before_a_loop_hides_nothing_of_it() {
    let mut story = Story::running();
    for (from, to, lists) in [(20, 60, JobState::Initializing), (120, 140, JobState::Restarting)] {
        if lists == JobState::Restarting {
            story.at(100).flink_lists(lists).decide();
        }
        story.at(from).flink_silent(from).kubernetes_silent(from).decide();
        story.at(to).deployment_there(to).flink_lists(lists).decide();
    }
    let looped = (600..900).find(|second| {
        story
            .at(*second)
            .deployment_there(*second)
            .flink_lists(JobState::Restarting);
        conditions(&story.decide()).contains(&ConditionType::RestartLoop)
    });
    assert_eq!(looped, Some(720));
}

#[test]
fn an_end_forgets_what_was_waited_for() {
    let finished = |story: &mut Story| {
        let decision = story
            .at(90)
            .deployment_there(90)
            .flink_lists(JobState::Finished)
            .decide();
        assert_eq!(
            (decision.state, decision.confidence),
            (JobState::Finished, Confidence::Confirmed)
        );
        decision.memory
    };
    let mut straight = Story::running_in_a_pod();
    let mut lacking = Story::running_in_a_pod();
    lacking.at(20).flink_lacks(20).decide();
    lacking.at(60).flink_silent(30).decide();
    lacking.at(80).flink_lacks(80).decide();
    assert_eq!(finished(&mut lacking), finished(&mut straight));
}

#[test]
fn an_end_is_said_as_it_was_told_while_its_cluster_stays() {
    let mut story = Story::running();
    story.at(10).flink_lists(JobState::Finished);
    let told = state(&mut story);
    story.at(60).flink_silent(20).deployment_there(60);
    assert_eq!(state(&mut story), told);
    assert_eq!(told, (JobState::Finished, "FlinkReports".to_owned()));
    // Told before the operator was seen at an upgrade, which it gives up.
    let mut story = Story::running();
    story.resource(8, |_| {});
    story.at(9).flink_lists(JobState::Running).decide();
    story
        .at(10)
        .flink_lists(JobState::Finished)
        .flink_resource(Says::Unknown(FaultKind::Timeout));
    assert_eq!(state(&mut story).0, JobState::Running);
    story.resource(20, |resource| resource.lifecycle = Some("UPGRADING".into()));
    story.at(20).flink_lists(JobState::Finished);
    assert_eq!(state(&mut story).0, JobState::Reconciling);
    story.at(60).flink_silent(30).deployment_there(60).resource(60, |_| {});
    assert_eq!(state(&mut story).0, JobState::Finished);
}

#[test]
fn a_job_that_could_be_resumed_is_not_said_to_start_by_a_flink_that_lacks_it() {
    let mut story = Story::gone();
    story.ha_data_there();
    assert_eq!(state(&mut story).0, JobState::Suspended);
    story.at(90).deployment_there(90).flink_lacks(90);
    assert_ne!(story.decide().rule, "starting");
}
