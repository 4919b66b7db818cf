//! Jobs that the operator is to bring back: what keeps them awaited, what ends that, and what does neither.

use steadfast_policy::testing::{self, Says, World};
use steadfast_policy::{
    Deployment, DesiredState, FaultKind, FlinkResource, FlinkResourceKind, JobState, Mode, Rollout, WantedSource,
};

use super::kit::{Story, alerts};
use crate::Conservative;

const TIMEOUT: FaultKind = FaultKind::Timeout;

fn suspended(resource: &mut FlinkResource) {
    resource.desired = DesiredState::Suspended;
}

fn upgrading(resource: &mut FlinkResource) {
    resource.lifecycle = Some("UPGRADING".into());
}

fn session() -> Story {
    let mut story = Story::running();
    story.snapshot.job.mode = Mode::Session;
    story
}

fn restart(story: &mut Story, second: i64) {
    story.at(second);
    story.snapshot.engine_since = story.snapshot.now;
}

/// Flink has lacked a session's job over the window, and nothing tells its end.
fn lacked(resource: impl FnOnce(&mut FlinkResource)) -> Story {
    let mut story = session();
    story.resource(9, resource);
    for second in [10, 62] {
        story.at(second).flink_lacks(second).decide();
    }
    story.nothing_tells_the_end();
    story.decide();
    story
}

#[test]
fn one_list_of_resources_that_fails_ends_no_upgrade() {
    let mut story = Story::gone();
    story.resource(61, |_| {});
    assert_eq!(story.decide().state, JobState::Reconciling);
    story.at(115).deployment_missing(115).resource(115, |_| {}).decide();
    story.at(120).deployment_missing(120);
    story.flink_resource(Says::Unknown(TIMEOUT));
    assert_eq!(story.decide().state, JobState::Reconciling);
    story.at(125).deployment_missing(125).resource(125, |_| {});
    assert_eq!(story.decide().state, JobState::Reconciling);

    let mut story = lacked(upgrading);
    assert_eq!(story.snapshot.job.state, JobState::Reconciling);
    story.at(70).flink_lacks(70).flink_resource(Says::Unknown(TIMEOUT));
    assert_eq!(story.decide().state, JobState::Reconciling);
    story.at(75).flink_lacks(75).resource(75, upgrading);
    assert_eq!(story.decide().state, JobState::Reconciling);

    let mut story = Story::running();
    story.resource(9, upgrading);
    let told = story.at(10).flink_lists(JobState::Finished).decide();
    assert_eq!(told.state, JobState::Reconciling);
    story
        .at(20)
        .flink_lists(JobState::Finished)
        .flink_resource(Says::Unknown(TIMEOUT));
    assert_eq!(story.decide().state, JobState::Reconciling);
}

/// A cluster that is gone, and was judged so while its resource could not be read.
fn gone_unread() -> Story {
    let mut story = Story::running();
    story.resource(9, |_| {});
    story.at(10).flink_lists(JobState::Running).decide();
    story.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
    story.nothing_tells_the_end();
    story.flink_resource(Says::Unknown(TIMEOUT));
    for second in [62, 130] {
        story.at(second).decide();
    }
    assert_eq!(story.snapshot.job.state, JobState::Terminated);
    story
}

#[test]
fn what_a_resource_asks_for_is_heard_when_it_can_be_read_again() {
    for (ask, state) in [
        (suspended as fn(&mut FlinkResource), JobState::Suspended),
        (upgrading, JobState::Reconciling),
    ] {
        let mut story = session();
        story.resource(9, |_| {});
        story.at(10).flink_lists(JobState::Running).decide();
        story.at(15).flink_resource(Says::Unknown(TIMEOUT));
        for second in [20, 72, 140] {
            story.at(second).flink_lacks(second).nothing_tells_the_end();
            story.decide();
        }
        assert_eq!(
            story.snapshot.job.state,
            JobState::Lost,
            "nobody tells until it was asked for again"
        );
        story.at(180).flink_lacks(180).resource(180, ask);
        assert_eq!(story.decide().state, state);

        let mut story = gone_unread();
        story.at(140).deployment_missing(140).resource(140, ask);
        let decision = story.decide();
        assert_eq!(decision.state, state);
        assert!(alerts(&decision).is_empty());
    }
    // Somebody deleted it meanwhile: the end stays, and is no alarm.
    let mut story = gone_unread();
    story.at(170).decide();
    assert_eq!(alerts(&story.decide()).len(), 1);
    story.at(180).deployment_missing(180).resource_missing(180);
    let decision = story.decide();
    assert_eq!((decision.state, alerts(&decision).len()), (JobState::Terminated, 0));
}

#[test]
fn a_resource_that_is_made_after_the_end_is_none_of_its_business() {
    let mut story = Story::gone();
    assert_eq!(story.decide().state, JobState::Terminated);
    story.at(9_000_000).deployment_missing(9_000_000);
    story.resource(9_000_000, |resource| resource.lifecycle = None);
    assert_eq!(story.decide().state, JobState::Terminated);
}

#[test]
fn a_lost_answer_gives_the_operator_no_more_time() {
    let mut story = lacked(suspended);
    assert_eq!(story.snapshot.job.state, JobState::Suspended);
    for minute in 2..12 {
        let second = minute * 60;
        story.at(second).deployment_there(second).resource(second, |_| {});
        if minute % 5 == 0 {
            story.flink_silent(second);
        } else {
            story.flink_lacks(second);
        }
        assert_eq!(story.decide().state, JobState::Reconciling, "at {second}");
    }
    // The answers after the silence have their own window, and are followed by a look for the end.
    story.at(780).flink_lacks(780).resource(780, |_| {});
    story.decide();
    story.at(781).nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Lost);
}

#[test]
fn an_upgrade_that_stalls_is_one_alarm_whatever_is_lost_meanwhile() {
    let stalled = |story: &mut Story| alerts(&story.decide()).iter().any(|alert| alert.0 == "UpgradeStalled");
    let mut story = lacked(upgrading);
    story
        .at(700)
        .deployment_there(700)
        .flink_lacks(700)
        .resource(700, upgrading);
    assert!(stalled(&mut story));
    story.at(705).flink_silent(705).deployment_there(705);
    assert!(stalled(&mut story), "one answer is lost");
    restart(&mut story, 710);
    story.at(711).flink_lacks(711).resource(711, upgrading);
    assert!(stalled(&mut story), "an engine starts");
    // Another upgrade has its own time.
    let mut story = Story::running();
    story.resource(9, |resource| resource.rollout = Rollout::InProgress);
    story.at(10).flink_lists(JobState::Finished).decide();
    story.at(700).flink_lists(JobState::Finished).resource(700, |_| {});
    assert_eq!(story.decide().state, JobState::Finished);
    story
        .at(90_000)
        .flink_lists(JobState::Finished)
        .resource(90_000, upgrading);
    assert!(!stalled(&mut story));
    assert_eq!(story.snapshot.job.state, JobState::Reconciling);
}

#[test]
fn a_suspension_at_zero_replicas_stays_when_an_engine_starts() {
    let zero = |story: &mut Story, second: i64, resource: fn(&mut FlinkResource)| {
        story.at(second).flink_silent(second).no_pod(second);
        story.deployment(Says::Present(Deployment {
            replicas: 0,
            ready: 0,
            ..testing::deployment()
        }));
        story.resource(second, resource);
        story.decide().state
    };
    let mut story = Story::running();
    assert_eq!(zero(&mut story, 10, suspended), JobState::Suspended);
    assert_eq!(zero(&mut story, 20, |_| {}), JobState::Reconciling);
    for second in [621, 680] {
        zero(&mut story, second, |_| {});
    }
    assert_eq!(story.snapshot.job.state, JobState::Suspended);
    restart(&mut story, 710);
    assert_eq!(zero(&mut story, 711, |_| {}), JobState::Suspended);
}

#[test]
fn a_job_that_was_suspended_before_it_ran_ends_as_flink_says() {
    let mut story = Story::unseen();
    story.snapshot.job.mode = Mode::Session;
    let named = |resource: &mut FlinkResource, job: Option<&str>| {
        resource.kind = FlinkResourceKind::FlinkSessionJob;
        resource.flink_job_id = job.map(Into::into);
    };
    story.resource(1, |resource| {
        named(resource, None);
        suspended(resource);
    });
    story.at(2).deployment_there(1).flink_lacks(1);
    assert_eq!(story.decide().state, JobState::Suspended);
    story
        .at(10)
        .flink_lacks(10)
        .resource(10, |resource| named(resource, None));
    assert_eq!(story.decide().state, JobState::Starting);
    story.at(15).resource(15, |resource| {
        named(resource, Some(super::kit::JOB));
        resource.reported_state = Some(JobState::Finished);
    });
    assert_eq!(story.flink_lists(JobState::Finished).decide().state, JobState::Finished);
}

#[test]
fn what_flink_said_before_a_suspension_was_lifted_is_no_news_of_the_job_to_come() {
    for is_polled_between in [true, false] {
        let mut story = session();
        story.resource(9, suspended);
        story.at(10).flink_lists(JobState::Running).decide();
        if is_polled_between {
            story.at(12).flink_lacks(12).decide();
        }
        story.at(13).resource(13, |_| {}).decide();
        for second in [15, 70] {
            story.at(second).flink_lacks(second).decide();
        }
        story.nothing_tells_the_end();
        assert_eq!(story.decide().state, JobState::Reconciling, "{is_polled_between}");
    }
}

#[test]
fn a_resume_that_the_operator_gave_up_ends_as_flink_said() {
    let mut story = session();
    story.resource(9, suspended);
    let told = story.at(10).flink_lists(JobState::Finished).decide();
    assert_eq!(told.state, JobState::Suspended);
    story.at(20).flink_lists(JobState::Finished);
    story.resource(20, |resource| resource.lifecycle = Some("FAILED".into()));
    assert_eq!(story.decide().state, JobState::Finished);
}

#[test]
fn a_suspension_on_record_whose_lifting_was_not_noted_is_awaited() {
    let mut story = session();
    story.resource(9, |_| {});
    story.at(10).flink_lists(JobState::Running).decide();
    story.snapshot.job.state = JobState::Suspended;
    story.snapshot.job.reason.code = "SuspendIntended".into();
    for second in [20, 80, 140] {
        story.at(second).flink_lacks(second).resource(second, |_| {});
        story.nothing_tells_the_end();
        assert_eq!(story.decide().state, JobState::Reconciling, "at {second}");
    }
}

#[test]
fn nothing_is_deleted_while_the_fleet_is_dark() {
    let mut story = Story::gone();
    story.resource(61, suspended);
    story.decide();
    story.nothing_tells_the_end();
    story.fleet(10, 9);
    for second in [300, 360, 420] {
        story.at(second).deployment_missing(second).resource_missing(second);
        assert_eq!(story.decide().state, JobState::Suspended);
    }
}

#[test]
fn a_log_is_read_again_soon_after_an_engine_has_started() {
    let mut story = Story::running();
    story.going_pod();
    story.at(10).flink_silent(10).last_words(Says::Absent);
    story.decide();
    restart(&mut story, 3600);
    story.flink_silent(3600).deployment_there(3600);
    story.going_pod();
    story.last_words(Says::Absent);
    assert!(
        story
            .want_of(WantedSource::LastWords)
            .is_some_and(|second| second <= 3601)
    );
}

/// The memory after each of these looks.
fn memories(story: &mut Story, seconds: [i64; 2], mut look: impl FnMut(&mut Story, i64)) -> [Vec<u8>; 2] {
    seconds.map(|second| {
        look(story.at(second), second);
        story.decide().memory
    })
}

#[test]
fn what_goes_on_as_it_was_costs_the_store_nothing() {
    let mut stalled = lacked(upgrading);
    let [before, after] = memories(&mut stalled, [70, 75], |story, second| {
        story.flink_lacks(second).resource(second, upgrading);
    });
    assert_eq!(before, after, "an upgrade stalls");

    let mut suspended_job = session();
    suspended_job.resource(9, suspended);
    suspended_job.at(10).flink_lists(JobState::Finished).decide();
    let [before, after] = memories(&mut suspended_job, [20, 50], |story, _| {
        story
            .flink_lists(JobState::Finished)
            .flink_resource(Says::Unknown(TIMEOUT));
    });
    assert_eq!(before, after, "nobody tells of a suspended job's resource");

    let mut scaled_up = Story::running();
    scaled_up.snapshot.job.state = JobState::Suspended;
    scaled_up.snapshot.job.reason.code = "ScaledToZero".into();
    scaled_up.fleet(10, 9);
    let [before, after] = memories(&mut scaled_up, [20, 25], |story, second| {
        story.deployment_there(second).flink_lacks(second);
    });
    assert_eq!(before, after, "it is scaled up while most of its cluster is dark");
}

/// Flink lists FINISHED from second 13 on, at each poll, and from second 12 on Kubernetes is silent: the second at which
/// that is on record.
fn finished_at(poll: i64, params: &str) -> Option<i64> {
    let policy = testing::policy::<Conservative>(params);
    let mut story = session();
    story.snapshot.timing.poll = poll.unsigned_abs() * 1000;
    story.resource(9, |_| {});
    story.at(10).flink_lists(JobState::Running).decide();
    story
        .at(12)
        .kubernetes_silent(12)
        .flink_resource(Says::Unknown(TIMEOUT));
    (0..1800 / poll).map(|look| 13 + look * poll).find(|second| {
        story.at(*second).flink_lists(JobState::Finished);
        World::decide(&mut story, &policy).state == JobState::Finished
    })
}

#[test]
fn an_end_that_flink_goes_on_to_tell_is_told_after_a_start_s_time() {
    let told = [(5, "{}"), (60, "{}"), (240, "{}"), (5, r#"{"start_deadline":"30s"}"#)];
    let told = told.map(|(poll, params)| finished_at(poll, params));
    // A slow poll counts in longer steps; and who is asked again with the validation is waited for however short a start is.
    assert_eq!(told, [Some(618), Some(793), Some(973), Some(93)]);
}
