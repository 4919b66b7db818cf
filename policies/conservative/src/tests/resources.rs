//! A resource that is made anew, withdrawn or left behind.

use steadfast_policy::testing::Says;
use steadfast_policy::{DesiredState, FlinkResource, FlinkResourceKind, JobState, Mode, Rollout};

use super::kit::{Story, alerts};

fn anew(resource: &mut FlinkResource) {
    resource.uid = "r2".into();
}

/// A job that ran for a resource which went with its cluster.
fn withdrawn() -> Story {
    let mut story = Story::running();
    story.resource(9, |_| {});
    story.at(10).flink_lists(JobState::Running).decide();
    story.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
    story.resource_missing(61).nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Terminated);
    story
}

#[test]
fn a_resource_that_is_made_anew_under_its_name_is_another_start() {
    let mut story = withdrawn();
    story.at(500).deployment_missing(500).resource(500, anew);
    let decision = story.decide();
    assert_eq!(
        (decision.state, decision.rule.as_str()),
        (JobState::Starting, "not-deployed-yet")
    );
    // Nobody tells of it for a while: it is as it was.
    story
        .at(510)
        .deployment_missing(510)
        .flink_resource(Says::Unknown(steadfast_policy::FaultKind::Timeout));
    assert_eq!(story.decide().state, JobState::Starting);
    // It is deleted again before anything of it ran.
    for second in [520, 580] {
        story
            .at(second)
            .deployment_missing(second)
            .resource_missing(second)
            .decide();
    }
    let ended = story.decide();
    assert_eq!(
        (ended.state, ended.reason.code.as_str()),
        (JobState::Terminated, "Withdrawn")
    );
    assert!(alerts(&story.at(700).decide()).is_empty());
}

#[test]
fn the_same_resource_seen_again_is_another_start_only_if_it_was_being_deleted() {
    let mut story = Story::running();
    story.resource(9, |resource| resource.deleting_since = Some(9_000));
    story.at(10).flink_lists(JobState::Running).decide();
    story.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
    story.resource_missing(61).nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Terminated);
    let mut going = story.clone();
    story.at(500).deployment_missing(500).resource(500, |_| {});
    assert_eq!(story.decide().state, JobState::Starting);
    going.at(500).deployment_missing(500);
    going.resource(500, |resource| resource.deleting_since = Some(9_000));
    assert_eq!(going.decide().state, JobState::Terminated, "it is on its way yet");
}

#[test]
fn what_another_resource_asks_for_explains_no_end_from_before_it() {
    let mut story = Story::running();
    story.resource(9, |_| {});
    let finished = story.at(10).flink_lists(JobState::Finished).decide();
    assert_eq!(finished.state, JobState::Finished);
    for second in [20, 60, 90, 200] {
        story.resource(second, |resource| {
            anew(resource);
            resource.desired = DesiredState::Suspended;
        });
        story
            .at(second)
            .flink_lists(JobState::Finished)
            .deployment_there(second);
        assert_eq!(story.decide().state, JobState::Finished, "at {second}");
    }
    // The same one suspends it at once.
    let mut story = Story::running();
    story.resource(9, |_| {});
    story.at(10).flink_lists(JobState::Running).decide();
    story.resource(20, |resource| resource.desired = DesiredState::Suspended);
    assert_eq!(
        story.at(20).flink_lists(JobState::Finished).decide().state,
        JobState::Suspended
    );
}

#[test]
fn a_job_that_finished_while_its_resource_was_carried_out_has_finished_whatever_is_asked_for_later() {
    let finished = |until: i64| {
        let mut story = Story::running();
        story.resource(9, |_| {});
        for second in [10, until] {
            story.resource(second, |_| {});
            story.at(second).flink_lists(JobState::Finished).decide();
        }
        story.resource(until + 5, |resource| resource.desired = DesiredState::Suspended);
        story.at(until + 5).flink_lists(JobState::Finished);
        story.decide().state
    };
    assert_eq!(finished(60), JobState::Finished);
    assert_eq!(finished(59), JobState::Suspended, "the wish may have been read late");
}

/// A job whose resource is missing from that second on, until which it goes on; then it is lost, or gone with its cluster.
fn left_behind(mode: Mode, missing: i64, until: i64, replicas: u32) -> Story {
    let mut story = Story::running_in_a_pod();
    story.snapshot.job.mode = mode;
    story.resource(9, |resource| {
        if mode == Mode::Session {
            resource.kind = FlinkResourceKind::FlinkSessionJob;
        }
    });
    story.at(10).flink_lists(JobState::Running).decide();
    for second in (missing..=until).step_by(60) {
        story
            .at(second)
            .flink_lists(JobState::Running)
            .deployment_there(second)
            .pod(0, true);
        story.deployment(Says::Present(steadfast_policy::Deployment {
            replicas,
            ready: replicas,
            ..steadfast_policy::testing::deployment()
        }));
        story.resource_missing(second).decide();
    }
    let end = until + 60;
    for second in [end, end + 51] {
        story.at(second).resource_missing(second);
        if mode == Mode::Session {
            story.flink_lacks(second).deployment_there(second).pod(0, true);
        } else {
            story.flink_silent(end).deployment_missing(second);
        }
        story.decide();
    }
    story.nothing_tells_the_end();
    story.decide();
    story.at(end + 120).decide();
    story
}

#[test]
fn a_job_that_runs_on_long_after_its_resource_went_was_left_behind_and_its_end_is_an_alarm() {
    let alarms = |mode, until, replicas| {
        let mut story = left_behind(mode, 20, until, replicas);
        assert!(story.snapshot.job.state.is_terminal(), "{:?}", story.snapshot.job.state);
        alerts(&story.decide()).len()
    };
    for mode in [Mode::Session, Mode::Application] {
        assert_eq!(alarms(mode, 620, 1), 1, "{mode:?}");
        assert_eq!(
            alarms(mode, 560, 1),
            0,
            "{mode:?}: whoever deleted it asked for its end"
        );
    }
    assert_eq!(
        alarms(Mode::Application, 620, 0),
        0,
        "one that asks for nothing goes with its Deployment"
    );
}

#[test]
fn a_resource_that_asks_for_nothing_is_waited_for_in_no_upgrade() {
    // It names another job than the one that Flink no longer knows: that one is to come.
    let next = |desired: DesiredState, kind: FlinkResourceKind| {
        let mut story = Story::running_in_a_pod();
        story.snapshot.job.mode = Mode::Session;
        let names_another = move |resource: &mut FlinkResource| {
            resource.kind = kind;
            resource.desired = desired;
            resource.flink_job_id = Some("00000000000000000000000000000002".into());
        };
        story.resource(9, names_another);
        for second in [10, 61] {
            story.at(second).flink_lacks(second).pod(0, true).decide();
        }
        story.resource(61, names_another).nothing_tells_the_end();
        story.decide().state
    };
    let session_job = FlinkResourceKind::FlinkSessionJob;
    assert_eq!(next(DesiredState::Running, session_job), JobState::Reconciling);
    assert_eq!(next(DesiredState::Suspended, session_job), JobState::Suspended);
    assert_eq!(
        next(DesiredState::Running, FlinkResourceKind::FlinkDeployment),
        JobState::Lost
    );
}

#[test]
fn a_session_job_that_was_never_submitted_waits_while_nobody_tells_of_it() {
    let session_job = |resource: &mut FlinkResource| resource.kind = FlinkResourceKind::FlinkSessionJob;
    let submitted = |change: fn(&mut FlinkResource)| {
        let mut story = Story::unseen();
        story.snapshot.job.mode = Mode::Session;
        story.resource(1, |resource| {
            session_job(resource);
            change(resource);
        });
        story.at(2).deployment_there(1).flink_lacks(1);
        story
    };
    let mut story = submitted(|_| {});
    assert_eq!(story.decide().state, JobState::Starting);
    story
        .at(10)
        .flink_lacks(10)
        .flink_resource(Says::Unknown(steadfast_policy::FaultKind::Timeout));
    for silent_since in [None, Some(20)] {
        if let Some(second) = silent_since {
            story.at(second).flink_silent(second);
        }
        let decision = story.decide();
        assert_eq!(
            (decision.state, decision.rule.as_str()),
            (JobState::Starting, "not-submitted-yet")
        );
    }
    // It fails by its deadline with the operator's error, and not without one.
    let mut story = submitted(|_| {});
    story.decide();
    story.at(700).deployment_there(700).flink_lacks(700);
    assert_eq!(story.decide().state, JobState::Starting);
    let mut story = submitted(|resource| resource.error = Some("no slots".into()));
    assert_eq!(story.decide().state, JobState::Starting);
    story.at(601).deployment_there(601).flink_lacks(601);
    assert_eq!(story.decide().state, JobState::Starting);
    story.at(602).deployment_there(602).flink_lacks(602);
    let failed = story.decide();
    assert_eq!(
        (failed.state, failed.reason.code.as_str()),
        (JobState::Failed, "OperatorError")
    );
    story.at(610).deployment_there(610).flink_lacks(610);
    assert_eq!(story.decide().state, JobState::Failed, "it stands");
    story.resource(620, session_job);
    story.at(620).deployment_there(620).flink_lacks(620);
    assert_eq!(story.decide().state, JobState::Starting, "it was mended");
    for (change, state) in [
        (
            (|resource| resource.desired = DesiredState::Suspended) as fn(&mut FlinkResource),
            JobState::Suspended,
        ),
        (
            |resource| resource.reported_state = Some(JobState::Finished),
            JobState::Unknown,
        ),
    ] {
        assert_eq!(submitted(change).decide().state, state);
    }
}

#[test]
fn a_rollout_in_progress_names_the_resource_that_asks_for_it() {
    let mut story = Story::running();
    story.resource(9, |resource| resource.rollout = Rollout::InProgress);
    let decision = story.at(10).flink_lists(JobState::Finished).decide();
    let message = decision.reason.message;
    assert!(
        message.contains("FlinkDeployment orders asks for the job to run"),
        "{message}"
    );
}

#[test]
fn a_resource_that_has_just_taken_anothers_place_explains_no_end_and_later_it_does() {
    let gone_with_another = |seen: &[i64]| {
        let mut story = Story::running();
        story.resource(5, |_| {});
        story.at(6).flink_lists(JobState::Running).decide();
        for second in seen {
            story.resource(*second, anew);
            story
                .at(*second)
                .flink_lists(JobState::Running)
                .deployment_there(*second)
                .decide();
        }
        story
            .at(62)
            .flink_silent(60)
            .deletion_seen(60)
            .deployment_missing(61)
            .resource(61, anew);
        story.nothing_tells_the_end();
        story
    };
    let mut lately = gone_with_another(&[55]);
    let decision = lately.decide();
    assert_eq!(decision.state, JobState::Terminated);
    assert!(
        decision.reason.message.ends_with("is deleted"),
        "{}",
        decision.reason.message
    );
    assert_eq!(gone_with_another(&[8, 57]).decide().state, JobState::Terminated);
    assert_eq!(
        gone_with_another(&[8, 58]).decide().state,
        JobState::Reconciling,
        "a window has passed"
    );
}

#[test]
fn a_start_that_the_operator_could_not_make_has_failed_until_something_is_there() {
    let failing = |resource: &mut FlinkResource| {
        anew(resource);
        resource.error = Some("exceeded quota".into());
    };
    let mut story = withdrawn();
    for second in [500, 800, 1101] {
        story
            .at(second)
            .deployment_missing(second)
            .resource(second, failing)
            .decide();
    }
    assert_eq!(
        (story.snapshot.job.state, story.snapshot.job.reason.code.as_str()),
        (JobState::Failed, "OperatorError")
    );
    story.at(1200).deployment_missing(1200).resource(1200, anew);
    assert_eq!(story.decide().state, JobState::Failed);
    // A job that failed itself is started by another resource.
    let mut failed = Story::running();
    failed.resource(9, |_| {});
    failed.at(10).flink_lists(JobState::Failed).decide();
    failed
        .at(62)
        .flink_silent(60)
        .deletion_seen(60)
        .deployment_missing(61)
        .resource_missing(61);
    failed.nothing_tells_the_end();
    assert_eq!(failed.decide().state, JobState::Failed);
    failed.at(500).deployment_missing(500).resource(500, anew);
    assert_eq!(failed.decide().state, JobState::Starting);
}

#[test]
fn an_application_is_submitted_by_its_own_job_manager_whatever_becomes_of_its_resource() {
    let mut story = Story::starting();
    story.resource(10, |_| {});
    story.at(11).deployment_there(11).flink_lacks(11);
    assert_eq!(story.decide().rule, "starting");
    for second in [20, 80] {
        story
            .at(second)
            .deployment_there(second)
            .flink_lacks(second)
            .resource_missing(second);
        let decision = story.decide();
        assert_eq!(
            (decision.state, decision.rule.as_str()),
            (JobState::Starting, "starting")
        );
    }
}

#[test]
fn what_is_gone_is_said_and_the_resource_is_read_after_it() {
    let mut cluster = Story::gone();
    cluster.resource(61, |_| {});
    let message = cluster.decide().reason.message;
    assert!(message.starts_with("the Deployment is gone"), "{message}");
    let mut job = Story::running_in_a_pod();
    job.snapshot.job.mode = Mode::Session;
    let upgrading = |resource: &mut FlinkResource| resource.lifecycle = Some("UPGRADING".into());
    for second in [10, 61] {
        job.at(second)
            .flink_lacks(second)
            .pod(0, true)
            .resource(second, upgrading)
            .decide();
    }
    job.nothing_tells_the_end();
    let message = job.decide().reason.message;
    assert!(message.starts_with("Flink no longer knows the job; "), "{message}");
    let mut early = Story::gone();
    early.resource(59, |_| {});
    assert_eq!(early.want_of(steadfast_policy::WantedSource::Kubernetes), Some(61));
}

#[test]
fn a_cluster_that_came_back_and_went_again_is_awaited_anew() {
    let mut story = Story::gone();
    story.resource(61, |_| {});
    assert_eq!(story.decide().state, JobState::Reconciling);
    story
        .at(400)
        .flink_silent(60)
        .deployment_there(400)
        .pod(0, true)
        .resource(400, |_| {})
        .decide();
    story
        .at(500)
        .deletion_seen(498)
        .deployment_missing(499)
        .resource(499, |_| {});
    story.nothing_tells_the_end();
    story.decide();
    story.at(700).deployment_missing(700).resource(700, |_| {});
    assert_eq!(story.decide().state, JobState::Reconciling);
}
