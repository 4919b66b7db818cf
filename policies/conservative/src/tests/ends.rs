//! Ends that nobody told, and what corrects them.

use steadfast_policy::testing::{self, Says};
use steadfast_policy::{
    Confidence, Deployment, DesiredState, EndSource, FaultKind, FlinkResource, JobState, WantedSource,
};

use super::kit::{self, Story, wants};

fn suspended(resource: &mut FlinkResource) {
    resource.desired = DesiredState::Suspended;
}

/// A cluster that is gone whose HA data could not be read.
fn gone_unread() -> Story {
    let mut story = Story::gone();
    story.ha_data(Says::Unknown(FaultKind::Timeout));
    for second in [62, 70] {
        story.at(second).decide();
    }
    assert_eq!(
        (story.snapshot.job.state, story.snapshot.job.confidence),
        (JobState::Terminated, Confidence::Inferred)
    );
    story
}

#[test]
fn a_job_that_could_be_resumed_is_over_once_its_ha_data_is_gone_too() {
    let mut story = Story::gone();
    story.ha_data_there();
    assert_eq!(story.decide().state, JobState::Suspended);
    story.at(700).deployment_missing(700).ha_data_there();
    let decision = story.decide();
    assert_eq!(decision.state, JobState::Suspended);
    assert!(wants(&decision, WantedSource::HaData), "it is looked at on");
    assert!(!wants(&decision, WantedSource::Archive));
    story.at(1400).deployment_missing(1400).nothing_tells_the_end();
    let ended = story.decide();
    assert_eq!(
        (ended.state, ended.reason.code.as_str()),
        (JobState::Terminated, "ClusterGone")
    );
}

#[test]
fn an_end_that_was_judged_without_its_ha_data_is_judged_once_that_can_be_read() {
    let mut story = gone_unread();
    story.at(700).deployment_missing(700).ha_data_there();
    assert_eq!(story.decide().state, JobState::Suspended);
    let mut story = gone_unread();
    story.at(700).deployment_missing(700).nothing_tells_the_end();
    let ended = story.decide();
    assert_eq!(
        (ended.state, ended.confidence),
        (JobState::Terminated, Confidence::Confirmed)
    );
    assert!(
        !wants(&story.at(710).decide(), WantedSource::HaData),
        "it is known by now"
    );
    // Another cluster has its name by then: the data is that one's.
    let mut story = gone_unread();
    story.at(700).deployment_there(700).flink_lacks(700).ha_data_there();
    assert_eq!(story.decide().state, JobState::Terminated);
}

#[test]
fn of_a_job_that_never_ran_no_archive_is_asked_after_its_end_either() {
    let mut story = Story::starting();
    story.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
    story.nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Terminated);
    assert_eq!(story.want_of(WantedSource::Archive), None);
    assert_ne!(gone_unread().want_of(WantedSource::Archive), None);
}

#[test]
fn a_suspended_job_that_was_deleted_stays_so_when_its_ha_data_is_read_late() {
    let mut story = Story::gone();
    story.resource(61, suspended);
    story.decide();
    for second in [299, 359, 362, 370] {
        story.at(second + 1).deployment_missing(second).resource_missing(second);
        story.ha_data(Says::Unknown(FaultKind::Forbidden));
        story.decide();
    }
    let unread = story.snapshot.job.reason.clone();
    assert_eq!(unread.code, "DeletedWhileSuspended");
    assert!(unread.message.contains("not read"), "{}", unread.message);
    assert_eq!(
        story.want_of(WantedSource::Archive),
        None,
        "it was suspended before it was deleted"
    );
    story.at(1000).deployment_missing(1000).resource_missing(1000);
    story.ha_data(Says::Absent);
    let read = story.decide();
    assert_eq!(
        (read.state, read.confidence, read.reason.code.as_str()),
        (JobState::Terminated, Confidence::Confirmed, "DeletedWhileSuspended")
    );
    assert!(!read.reason.message.contains("not read"), "{}", read.reason.message);
    // It ended when it was suspended: how it did so is no end of its own.
    story.archive_tells(JobState::Finished, EndSource::Archive);
    assert_eq!(story.decide().reason.code, "DeletedWhileSuspended");
}

/// A job with a resource that cannot be read any more.
fn unread(mut story: Story, second: i64) -> Story {
    story.at(second).flink_resource(Says::Unknown(FaultKind::Timeout));
    story
}

#[test]
fn while_its_resource_cannot_be_read_an_end_is_said_beside_the_state() {
    let mut story = Story::running();
    story.resource(9, |_| {});
    story.at(10).flink_lists(JobState::Running).decide();
    let mut told = unread(story, 20);
    let decision = told.flink_lists(JobState::Finished).decide();
    assert_eq!(
        (decision.state, decision.reason.code.as_str()),
        (JobState::Running, "FlinkReports")
    );
    assert!(
        decision
            .reason
            .message
            .ends_with("looking whether its resource still asks for it"),
        "{}",
        decision.reason.message
    );
    // One that FAILED was not guessed, whatever is told besides.
    let mut story = Story::running();
    story.resource(9, |_| {});
    story.at(10).flink_lists(JobState::Failed).decide();
    let mut failed = unread(story, 20);
    let decision = failed.flink_lists(JobState::Finished).decide();
    assert_eq!(decision.state, JobState::Failed);
    assert!(
        decision.reason.message.starts_with("Flink reports FINISHED"),
        "{}",
        decision.reason.message
    );
    assert_eq!(kit::alerts(&decision), []);
}

/// A job that Flink was cancelling, when another Deployment takes the place of its own, whose Flink says nothing of it.
fn replaced_while_cancelling(flink: FaultKind) -> Story {
    let mut story = Story::running();
    story.at(10).flink_lists(JobState::Cancelling).decide();
    story.at(20).deployment(Says::Present(Deployment {
        uid: "u2".into(),
        ..testing::deployment()
    }));
    let attempt = &mut story.snapshot.job.incarnation;
    assert_eq!(attempt.attempt, 2);
    (attempt.started_at, attempt.flink_job_id) = (None, None);
    story.flink_unknown(flink);
    story
}

#[test]
fn a_cancellation_is_of_the_attempt_in_which_it_began() {
    for flink in [FaultKind::Timeout, FaultKind::Other] {
        let mut story = replaced_while_cancelling(flink);
        assert_eq!(story.decide().state, JobState::Starting, "after {flink:?}");
        let mut story = replaced_while_cancelling(flink);
        // Nobody judged between the two: the record still says CANCELLING.
        story.at(25).deletion_seen(22).deployment_missing(25).flink_silent(24);
        story.nothing_tells_the_end();
        assert_eq!(story.decide().state, JobState::Terminated, "after {flink:?}");
    }
}
