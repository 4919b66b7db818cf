//! Flink answers and does not know the job: who answers, and for how long that may be on the way to a start.

use steadfast_policy::testing::Says;
use steadfast_policy::{DesiredState, FaultKind, JobState, Mode};

use super::kit::{Story, pod};
use super::scaled::scaled;

/// A job that was scaled to zero, and is so on record.
fn at_zero() -> Story {
    let mut story = Story::running();
    for second in [62, 112] {
        scaled(&mut story, second, 0).decide();
    }
    assert_eq!(story.snapshot.job.state, JobState::Suspended);
    story
}

/// Flink answers at that second that it lists no job, while so many replicas are asked for: the state, and the rule.
fn answers_without(story: &mut Story, second: i64, replicas: u32) -> (JobState, String) {
    scaled(story, second, replicas).flink_lacks(second);
    let decision = story.decide();
    (decision.state, decision.rule)
}

fn is(decided: &(JobState, String), state: JobState, rule: &str) -> bool {
    decided.0 == state && decided.1 == rule
}

#[test]
fn a_job_that_is_scaled_up_again_has_the_time_of_any_start_to_be_submitted() {
    let mut story = at_zero();
    for second in [1000, 1300, 1599] {
        let decided = answers_without(&mut story, second, 1);
        assert!(is(&decided, JobState::Starting, "starting"), "{second}: {decided:?}");
    }
    let late = answers_without(&mut story, 1600, 1);
    assert!(is(&late, JobState::Starting, "job-not-listed"), "{late:?}");
    // The same of one whose Deployment came back while Flink was still silent.
    let mut story = at_zero();
    assert_eq!(scaled(&mut story, 1000, 1).decide().state, JobState::Starting);
    let decided = answers_without(&mut story, 1010, 1);
    assert!(is(&decided, JobState::Starting, "starting"), "{decided:?}");
}

#[test]
fn no_start_is_awaited_of_a_job_that_is_to_stop_or_whose_deployment_asks_for_nothing() {
    let mut story = at_zero();
    story.resource(999, |resource| resource.desired = DesiredState::Suspended);
    assert_ne!(answers_without(&mut story, 1000, 1).0, JobState::Starting);
    assert_ne!(answers_without(&mut at_zero(), 1000, 0).0, JobState::Starting);
    let mut going = at_zero();
    scaled(&mut going, 1000, 1).flink_lacks(1000);
    let mut deployment = steadfast_policy::testing::deployment();
    deployment.deleting_since = Some(going.snapshot.now);
    going.deployment(Says::Present(deployment));
    assert_ne!(going.decide().state, JobState::Starting);
}

#[test]
fn while_kubernetes_does_not_tell_a_start_goes_on_and_a_job_that_runs_does_not_start() {
    let mut story = at_zero();
    scaled(&mut story, 1000, 1).kubernetes_silent(1000).flink_lacks(1000);
    assert_eq!(story.decide().state, JobState::Starting);
    let mut story = Story::running();
    story.at(60).kubernetes_silent(60).flink_lacks(60);
    assert_eq!(story.decide().state, JobState::Running);
}

#[test]
fn a_job_manager_that_started_anew_is_about_to_submit_the_job_unless_that_is_to_end() {
    let restarted = |story: &mut Story| {
        story.at(20).pod(1, true).flink_lacks(20);
        let decision = story.decide();
        (decision.state, decision.reason.code)
    };
    let is_restart = (JobState::Restarting, "JobManagerRestarted".to_owned());
    assert_eq!(restarted(&mut Story::running_in_a_pod()), is_restart);
    let mut other = Story::running_in_a_pod();
    other.at(20).pods(vec![pod("orders-2")]).flink_lacks(20);
    assert_eq!(other.decide().state, JobState::Restarting);
    let mut session = Story::running_in_a_pod();
    session.snapshot.job.mode = Mode::Session;
    assert_ne!(
        restarted(&mut session).0,
        JobState::Restarting,
        "nobody submits a session's job anew"
    );
    let mut cancelling = Story::running_in_a_pod();
    cancelling.at(10).flink_lists(JobState::Cancelling).decide();
    assert_ne!(restarted(&mut cancelling).0, JobState::Restarting);
    let mut stopping = Story::running_in_a_pod();
    stopping.resource(9, |resource| resource.desired = DesiredState::Suspended);
    assert_ne!(restarted(&mut stopping).0, JobState::Restarting);
}

/// Flink has not known the job since second 10; the rule that speaks when it says so at second 61.
fn after_silence(mut story: Story, silence: impl FnOnce(&mut Story)) -> String {
    story.at(10).flink_lacks(10).decide();
    silence(&mut story);
    story.at(61).flink_lacks(61);
    story.decide().rule
}

#[test]
fn answers_without_the_job_are_one_loss_unless_another_may_have_begun_to_answer_between_them() {
    let one_answer_lost = |story: &mut Story| {
        story.at(22).flink_silent(20).decide();
    };
    let silent_for_long = |story: &mut Story| {
        story.at(40).flink_silent(20).decide();
    };
    let pods_unread = |story: &mut Story| story.pods_say(Says::Unknown(FaultKind::Forbidden));
    let (lost, open) = ("looking-for-the-end", "job-not-listed");
    assert_eq!(after_silence(Story::running_in_a_pod(), |_| {}), lost);
    assert_eq!(after_silence(Story::running_in_a_pod(), one_answer_lost), lost);
    assert_eq!(after_silence(Story::running_in_a_pod(), silent_for_long), open);
    let unread = after_silence(Story::running_in_a_pod(), |story| {
        pods_unread(story);
        one_answer_lost(story);
    });
    assert_eq!(unread, open, "nobody tells whether it is the same JobManager");
    let mut standalone = Story::running();
    standalone.snapshot.job.mode = Mode::Standalone;
    standalone.snapshot.deployment = None;
    assert_eq!(
        after_silence(standalone, one_answer_lost),
        lost,
        "there are no pods to be read"
    );
}

/// The second at which an end is looked for of a job that Flink does not know, where each answer is followed by a long silence.
/// Half of the time is dark so, and only the other half is counted.
fn given_up(mode: Mode, pods: Says<Vec<steadfast_policy::Pod>>) -> Option<i64> {
    let mut story = Story::running_in_a_pod();
    story.snapshot.job.mode = mode;
    (10..6000).step_by(40).find(|second| {
        story.at(*second).deployment_there(*second).flink_lacks(*second);
        story.pods_say(pods.clone());
        let rule = story.decide().rule;
        story.at(second + 20).flink_silent(second + 1).decide();
        rule == "looking-for-the-end"
    })
}

#[test]
fn a_route_that_loses_answers_again_and_again_keeps_no_job_for_ever() {
    let known = || Says::Present(vec![pod("orders-1")]);
    let unread = || Says::Unknown(FaultKind::Forbidden);
    let within = |given_up: Option<i64>, from: i64, to: i64| given_up.is_some_and(|at| (from..=to).contains(&at));
    let same = given_up(Mode::Application, known());
    assert!(within(same, 1200, 1300), "{same:?}");
    let session = given_up(Mode::Session, unread());
    assert!(within(session, 1200, 1300), "{session:?}");
    // An application's next JobManager submits it anew, and may be moved a few times.
    let moved = given_up(Mode::Application, unread());
    assert!(within(moved, 3500, 3900), "{moved:?}");
}
