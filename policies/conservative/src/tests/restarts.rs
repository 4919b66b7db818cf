//! An engine that starts: its clock may be an hour ahead of the one before, which was killed five seconds ago.

use steadfast_policy::{
    ConditionType, Confidence, DesiredState, FlinkResource, FlinkResourceKind, JobState, Mode, Rollout,
};

use super::kit::{Story, alerts, conditions, pod};

/// The clock was set ahead by an hour while no engine ran: by it, whatever was remembered is long past.
const AHEAD: i64 = 3600;

fn restarted(story: &mut Story, second: i64) -> &mut Story {
    story.at(second);
    story.snapshot.engine_since = story.snapshot.now;
    story
}

#[test]
fn absence_needs_its_window_under_one_engine() {
    let mut story = Story::running();
    story.at(62).flink_silent(60).deployment_missing(61).decide();
    restarted(&mut story, AHEAD).flink_silent(AHEAD);
    for second in [AHEAD + 2, AHEAD + 49] {
        story.at(second).deployment_missing(second).nothing_tells_the_end();
        assert_eq!(story.decide().state, JobState::Running, "at {second}");
    }
    story.at(AHEAD + 51).deployment_missing(AHEAD + 51).decide();
    story.at(AHEAD + 52).nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Terminated);
}

#[test]
fn a_job_that_flink_lacks_needs_its_window_under_one_engine() {
    let mut story = Story::running_in_a_pod();
    story.at(61).flink_lacks(60).decide();
    restarted(&mut story, AHEAD).pod(0, true);
    for second in [AHEAD + 2, AHEAD + 49] {
        story.at(second).flink_lacks(second).nothing_tells_the_end();
        assert_eq!(story.decide().state, JobState::Running, "at {second}");
    }
    story.at(AHEAD + 51).flink_lacks(AHEAD + 51).decide();
    story.at(AHEAD + 52).nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Lost);
}

#[test]
fn an_operator_that_is_to_bring_the_job_back_has_its_time_under_one_engine() {
    let mut story = Story::gone();
    story.resource(61, |_| {});
    assert_eq!(story.decide().state, JobState::Reconciling);
    restarted(&mut story, AHEAD).flink_silent(AHEAD);
    for second in [AHEAD + 60, AHEAD + 590] {
        story.at(second).deployment_missing(second).nothing_tells_the_end();
        story.resource(second, |_| {});
        assert_eq!(story.decide().state, JobState::Reconciling, "at {second}");
    }
    story.at(AHEAD + 601).deployment_missing(AHEAD + 601);
    story.resource(AHEAD + 601, |_| {});
    assert_eq!(story.decide().state, JobState::Terminated);
}

#[test]
fn a_start_has_its_time_under_one_engine() {
    let mut story = Story::starting();
    story.at(30).crash_looping();
    assert_eq!(story.decide().state, JobState::Starting);
    for second in [AHEAD + 1, AHEAD + 599] {
        restarted(&mut story, AHEAD).at(second).crash_looping();
        assert_eq!(story.decide().state, JobState::Starting, "at {second}");
    }
    story.at(AHEAD + 600).crash_looping();
    assert_eq!(story.decide().state, JobState::Failed);
    // It has failed, however often an engine starts.
    restarted(&mut story, 2 * AHEAD).at(2 * AHEAD + 1).crash_looping();
    assert_eq!(story.decide().state, JobState::Failed);
}

#[test]
fn a_session_job_that_is_gone_needs_its_window_under_one_engine() {
    let mut story = Story::unseen();
    story.snapshot.job.mode = Mode::Session;
    story.resource(1, |resource| resource.kind = FlinkResourceKind::FlinkSessionJob);
    story.at(2).deployment_there(1).flink_lacks(1);
    assert_eq!(story.decide().state, JobState::Starting);
    story.at(11).resource_missing(10).flink_lacks(10).decide();
    restarted(&mut story, AHEAD);
    for second in [AHEAD + 2, AHEAD + 49] {
        story.at(second).resource_missing(second).flink_lacks(second);
        assert_eq!(story.decide().state, JobState::Starting, "at {second}");
    }
    story
        .at(AHEAD + 51)
        .resource_missing(AHEAD + 51)
        .flink_lacks(AHEAD + 51);
    assert_eq!(story.decide().state, JobState::Terminated);
}

#[test]
fn an_end_that_was_judged_by_a_deadline_stays_when_an_engine_starts() {
    let mut story = Story::running();
    let stable = |resource: &mut FlinkResource| {
        resource.rollout = Rollout::InProgress;
    };
    story.resource(9, stable);
    let reported = story.at(10).flink_lists(JobState::Finished).decide();
    assert_eq!(reported.state, JobState::Reconciling);
    story.at(700).flink_lists(JobState::Finished).resource(699, stable);
    assert_eq!(story.decide().state, JobState::Finished);
    restarted(&mut story, 710)
        .flink_lists(JobState::Finished)
        .resource(709, stable);
    let decision = story.decide();
    assert_eq!(
        (decision.state, decision.confidence),
        (JobState::Finished, Confidence::Confirmed)
    );
}

#[test]
fn an_alarm_waits_no_longer_because_engines_start() {
    let mut story = Story::running();
    for second in [10, 100, 190, 280] {
        story.at(second).flink_lists(JobState::Restarting).decide();
    }
    restarted(&mut story, 300).at(610).flink_lists(JobState::Restarting);
    assert!(conditions(&story.decide()).contains(&ConditionType::RestartLoop));

    let mut story = Story::running();
    story.resource(9, |resource| resource.lifecycle = Some("UPGRADING".into()));
    story.at(10).flink_lists(JobState::Finished).decide();
    restarted(&mut story, 300).at(610).flink_lists(JobState::Finished);
    assert_eq!(
        alerts(&story.decide()).first().map(|alert| alert.0),
        Some("UpgradeStalled")
    );
}

#[test]
fn who_suspended_a_job_is_remembered_through_a_silence_of_all() {
    let mut story = Story::gone();
    story.resource(61, |resource| resource.desired = DesiredState::Suspended);
    let suspended = story.decide();
    assert_eq!(suspended.state, JobState::Suspended);
    story.at(90).flink_silent(90).kubernetes_silent(90);
    let silent = story.decide();
    assert_eq!(
        (silent.state, silent.confidence, &silent.reason),
        (JobState::Suspended, Confidence::Stale, &suspended.reason)
    );
    restarted(&mut story, AHEAD).flink_silent(AHEAD);
    story.at(AHEAD + 1).deployment_missing(AHEAD + 1);
    story.resource(AHEAD + 1, |_| {});
    assert_eq!(story.decide().state, JobState::Reconciling);
    for second in [AHEAD + 60, AHEAD + 590] {
        story.at(second).deployment_missing(second).nothing_tells_the_end();
        story.resource(second, |_| {});
        assert_eq!(story.decide().state, JobState::Reconciling, "at {second}");
    }
}

#[test]
fn answers_of_two_job_managers_are_not_one_absence() {
    let mut story = Story::running();
    story.snapshot.job.mode = Mode::Session;
    for (second, job_manager) in [(60, "jm-a"), (115, "jm-b"), (150, "jm-b")] {
        story.at(second).deployment_there(second).pods(vec![pod(job_manager)]);
        story.flink_lacks(second).nothing_tells_the_end();
        assert_eq!(story.decide().state, JobState::Running, "at {second}");
    }
    story.at(170).deployment_there(170).flink_lacks(170).decide();
    story.at(171).nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Lost);
}

#[test]
fn an_engine_that_starts_ends_no_alarm() {
    let mut story = Story::running();
    story.at(60).flink_silent(60).deployment_there(60).pod(0, true).decide();
    story.at(120).flink_silent(60).deployment_there(120);
    assert!(conditions(&story.decide()).contains(&ConditionType::FlinkUnreachable));
    story.at(125).deployment_there(125);
    story.snapshot.engine_since = story.snapshot.now;
    story.snapshot.flink = None;
    let started = story.decide();
    assert!(conditions(&started).contains(&ConditionType::FlinkUnreachable));
    story.at(130).deployment_there(130).flink_silent(126);
    assert!(conditions(&story.decide()).contains(&ConditionType::FlinkUnreachable));
    story.at(135).flink_lists(JobState::Running);
    assert_eq!(conditions(&story.decide()), []);
}
