//! What the operator's resource explains, and what it does not.

use steadfast_policy::testing::Says;
use steadfast_policy::{
    Attention, Confidence, DesiredState, FaultKind, FlinkResource, JobState, Mode, Rollout, WantedSource,
};

use super::kit::{self, Story, alerts, conditions, wants};

/// The Deployment was deleted at 60 and is confirmed gone at 62; nothing tells the end.
fn gone(resource: impl FnOnce(&mut FlinkResource)) -> Story {
    let mut story = Story::gone();
    story.resource(61, resource);
    story
}

fn suspended(resource: &mut FlinkResource) {
    resource.desired = DesiredState::Suspended;
}

#[test]
fn a_stop_that_was_asked_for_is_no_end_and_no_alarm() {
    let mut story = gone(suspended);
    let decision = story.decide();
    assert_eq!(
        (decision.state, decision.confidence, decision.reason.code.as_str()),
        (JobState::Suspended, Confidence::Inferred, "SuspendIntended")
    );
    let later = story.at(400).decide();
    assert_eq!(later.state, JobState::Suspended);
    assert!(
        alerts(&later).is_empty() && conditions(&later).is_empty(),
        "Flink is not expected to answer"
    );
}

#[test]
fn a_suspension_is_one_state_however_flink_words_it() {
    for end in [JobState::Finished, JobState::Canceled] {
        let mut story = gone(suspended);
        story.log_tells(kit::JOB, end);
        let decision = story.decide();
        assert_eq!(
            (decision.state, decision.confidence),
            (JobState::Suspended, Confidence::Inferred)
        );
        assert!(
            decision.reason.message.contains(end.word()),
            "{}",
            decision.reason.message
        );
    }
    let mut story = gone(suspended);
    story.snapshot.job.state = JobState::Cancelling;
    assert_eq!(story.decide().state, JobState::Suspended);
    let mut story = gone(suspended);
    story.log_tells(kit::JOB, JobState::Failed);
    assert_eq!(story.decide().state, JobState::Failed, "whatever was asked for");
    let mut story = Story::running();
    story.resource(9, suspended);
    assert_eq!(
        story.at(10).flink_lists(JobState::Running).decide().state,
        JobState::Running
    );
}

#[test]
fn a_suspension_that_flink_reports_lasts_while_flink_is_silent_and_after_its_cluster() {
    let mut story = Story::running();
    story.resource(9, suspended);
    let reported = story.at(10).flink_lists(JobState::Finished).decide();
    assert_eq!(
        (reported.state, reported.watch.attention),
        (JobState::Suspended, Attention::Active)
    );
    let silent = story.at(60).flink_silent(12).deployment_there(59).decide();
    assert_eq!(silent.state, JobState::Suspended);
    assert!(conditions(&silent).is_empty(), "it is not expected to answer");
    story.at(100).deletion_seen(98).deployment_missing(99);
    let gone = story.decide();
    assert_eq!(
        (gone.state, gone.watch.attention),
        (JobState::Suspended, Attention::Sleeping)
    );
    assert!(alerts(&story.at(400).decide()).is_empty());
}

#[test]
fn an_upgrade_is_no_end_while_the_operator_is_at_it() {
    let upgrading = |resource: &mut FlinkResource| resource.lifecycle = Some("UPGRADING".into());
    let mut story = Story::running();
    story.resource(9, upgrading);
    let reported = story.at(10).flink_lists(JobState::Finished).decide();
    assert_eq!(
        (reported.state, reported.reason.code.as_str()),
        (JobState::Reconciling, "OperatorUpgrade")
    );
    story.at(22).flink_silent(15).deletion_seen(20).deployment_missing(21);
    let gone = story.decide();
    assert_eq!(
        (gone.state, gone.watch.attention),
        (JobState::Reconciling, Attention::Active)
    );
    assert!(alerts(&story.at(500).decide()).is_empty());
    story.at(700).deployment_missing(699).resource(699, upgrading);
    let stalled = story.decide();
    assert_eq!(stalled.state, JobState::Reconciling);
    assert_eq!(alerts(&stalled).first().map(|alert| alert.0), Some("UpgradeStalled"));
    // Somebody gives the upgrade up: what Flink said of the old run is its end.
    story.at(800).deployment_missing(799).resource(799, |_| {});
    assert_eq!(story.decide().state, JobState::Finished);
}

#[test]
fn a_job_that_finished_by_itself_has_finished_though_its_resource_asks_for_it() {
    let mut story = Story::running();
    story.resource(9, |_| {});
    assert_eq!(
        story.at(10).flink_lists(JobState::Finished).decide().state,
        JobState::Finished
    );
    // A specification that the operator does not look at is waited for no longer than a start.
    let unseen = |resource: &mut FlinkResource| resource.rollout = Rollout::InProgress;
    story.resource(11, unseen);
    assert_eq!(
        story.at(12).flink_lists(JobState::Finished).decide().state,
        JobState::Reconciling
    );
    story.resource(620, unseen);
    let late = story.at(621).flink_lists(JobState::Finished).decide();
    assert_eq!(late.state, JobState::Finished);
    assert!(alerts(&late).is_empty());
}

#[test]
fn a_failure_during_an_upgrade_is_a_failure() {
    let mut story = Story::running();
    story.resource(9, |resource| resource.lifecycle = Some("UPGRADING".into()));
    assert_eq!(
        story.at(10).flink_lists(JobState::Failed).decide().state,
        JobState::Failed
    );
}

#[test]
fn a_suspended_job_whose_resource_is_deleted_is_terminated_once_its_ha_data_is_known_to_be_gone() {
    let deleted = || {
        let mut story = gone(suspended);
        story.decide();
        story.at(300).deployment_missing(299).resource_missing(299);
        assert_eq!(story.decide().state, JobState::Suspended, "one list may be wrong");
        story.at(360).deployment_missing(359).resource_missing(359);
        assert!(wants(&story.decide(), WantedSource::HaData));
        story
    };
    let mut story = deleted();
    story.nothing_tells_the_end();
    let ended = story.decide();
    assert_eq!(
        (ended.state, ended.watch.attention),
        (JobState::Terminated, Attention::Sleeping)
    );
    story.at(500).deployment_missing(499).resource(499, |_| {});
    let recreated = story.decide();
    assert!(
        alerts(&recreated).is_empty(),
        "the next one's start makes no alarm of it"
    );
    let mut story = deleted();
    story.ha_data_there();
    assert_eq!(story.decide().state, JobState::Suspended);
    let mut story = deleted();
    story.at(362).ha_data(Says::Unknown(FaultKind::Forbidden));
    assert_eq!(story.decide().state, JobState::Suspended, "unknown is not absent");
    story.at(370).ha_data(Says::Unknown(FaultKind::Forbidden));
    assert_eq!(
        story.decide().state,
        JobState::Terminated,
        "but waited for only so long"
    );
}

#[test]
fn a_resource_that_is_gone_with_the_cluster_was_deleted_by_somebody() {
    let mut story = Story::running();
    story.resource(9, |_| {});
    story.at(10).flink_lists(JobState::Running).decide();
    for second in [85, 140] {
        story
            .at(second)
            .flink_silent(60)
            .deployment_missing(second)
            .resource_missing(second);
        assert!(conditions(&story.decide()).is_empty(), "nobody is there to be silent");
    }
    story.nothing_tells_the_end();
    let decision = story.decide();
    assert_eq!(decision.state, JobState::Terminated);
    assert!(alerts(&story.at(400).decide()).is_empty());
}

#[test]
fn what_the_operator_reports_is_never_the_state() {
    let mut story = Story::running();
    story.resource(9, |resource| {
        resource.reported_state = Some(JobState::Failed);
        resource.lifecycle = Some("FAILED".into());
    });
    let decision = story.at(30).flink_silent(5).deployment_there(29).decide();
    assert_eq!(decision.state, JobState::Running);
}

#[test]
fn a_deployment_that_is_asked_for_is_to_come_back() {
    let mut story = gone(|resource| resource.lifecycle = Some("UPGRADING".into()));
    let decision = story.decide();
    assert_eq!(
        (decision.state, decision.reason.code.as_str()),
        (JobState::Reconciling, "OperatorUpgrade")
    );
    assert!(decision.reason.message.contains("UPGRADING"));
    assert!(conditions(&decision).is_empty());
    // It does not come back: what is known of the end is said, with what the operator says.
    story.at(500).deployment_missing(499).resource(499, |_| {});
    assert_eq!(story.decide().state, JobState::Reconciling);
    story.at(663).deployment_missing(660).resource(660, |resource| {
        resource.error = Some("quota".into());
    });
    let late = story.decide();
    assert_eq!(
        (late.state, late.reason.code.as_str()),
        (JobState::Terminated, "ClusterGone")
    );
    assert!(late.reason.message.contains("quota"), "{}", late.reason.message);
    assert_eq!(alerts(&story.at(700).decide()).len(), 1);
}

#[test]
fn ha_data_of_an_upgrade_is_not_a_suspension() {
    let mut story = gone(|_| {});
    story.ha_data_there();
    assert_eq!(story.decide().state, JobState::Reconciling);
}

#[test]
fn a_resource_seen_before_the_deployment_went_says_nothing_of_what_is_asked_for_now() {
    let mut story = Story::gone();
    story.resource(59, |_| {});
    let decision = story.decide();
    assert_eq!(decision.state, JobState::Running);
    assert!(wants(&decision, WantedSource::Kubernetes));
    story.at(65).deployment_missing(64).resource_missing(64);
    assert_eq!(story.decide().state, JobState::Terminated);
}

#[test]
fn a_resource_that_cannot_be_read_is_not_taken_for_one_that_asks_for_nothing() {
    let unread = |has_data: bool| {
        let mut story = Story::running();
        story.resource(9, |_| {});
        story.at(10).flink_lists(JobState::Running).decide();
        story.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
        story.nothing_tells_the_end();
        if has_data {
            story.ha_data_there();
        }
        story.flink_resource(Says::Unknown(FaultKind::Timeout));
        for second in [62, 100, 129] {
            assert_eq!(story.at(second).decide().state, JobState::Running, "at {second}");
        }
        story.at(130).decide();
        story
    };
    for (has_data, guess) in [(false, JobState::Terminated), (true, JobState::Suspended)] {
        let mut story = unread(has_data);
        assert_eq!(
            story.snapshot.job.state, guess,
            "nobody tells until it was asked for again"
        );
        story.at(200).resource(200, |_| {});
        let decision = story.decide();
        assert_eq!(decision.state, JobState::Reconciling, "it asked for the job all along");
        assert!(alerts(&decision).is_empty());
        let late = story.at(800).deployment_missing(800).resource(800, |_| {}).decide();
        assert_eq!(late.state, guess);
        story.snapshot.engine_since = story.snapshot.now;
        let same = story.at(900).deployment_missing(900).resource(900, |_| {}).decide();
        assert_eq!(
            (same.state, &same.reason),
            (guess, &late.reason),
            "an engine that starts does not wait once more"
        );
    }
}

#[test]
fn a_resource_that_nobody_may_list_changes_nothing() {
    assert_eq!(Story::gone().decide().state, JobState::Terminated);
    let mut given_up = gone(|resource| resource.lifecycle = Some("FAILED".into()));
    assert_eq!(given_up.decide().state, JobState::Terminated);
}

#[test]
fn a_deletion_that_was_asked_for_is_an_end_without_an_alarm() {
    let mut story = Story::running();
    story
        .at(61)
        .flink_silent(60)
        .deployment_there(61)
        .resource(61, |resource| resource.deleting_since = Some(60_000))
        .decide();
    story
        .at(64)
        .deletion_seen(62)
        .deployment_missing(63)
        .resource_missing(63);
    story.nothing_tells_the_end();
    let decision = story.decide();
    assert_eq!(decision.state, JobState::Terminated);
    assert!(decision.reason.message.contains("being deleted"));
    assert!(alerts(&story.at(400).decide()).is_empty());
}

#[test]
fn a_suspended_job_that_is_asked_for_again_is_awaited() {
    let mut story = gone(suspended);
    story.decide();
    let resumed = story.at(300).resource(299, |_| {}).decide();
    assert_eq!(resumed.state, JobState::Reconciling);
    let next = story.at(360).deployment_missing(359).resource(359, |_| {}).decide();
    assert_eq!(next.state, JobState::Reconciling);
    let late = story.at(901).deployment_missing(900).resource(900, |_| {}).decide();
    assert_eq!(
        late.state,
        JobState::Terminated,
        "the resume failed, which is worth an alarm"
    );
}

#[test]
fn a_session_job_that_was_suspended_is_not_lost() {
    let mut story = Story::running();
    story.resource(9, suspended);
    for second in [10, 60] {
        story.at(second).flink_lacks(second).decide();
    }
    story.nothing_tells_the_end();
    story.decide();
    assert_eq!(story.snapshot.job.state, JobState::Suspended);
    story.snapshot.job.confidence = Confidence::Stale;
    assert_eq!(
        story.at(90).flink_lacks(90).decide().confidence,
        Confidence::Inferred,
        "after a restart of the engine Flink says it again"
    );
}

/// A session's job that Flink no longer knows, as its resource asks.
fn suspended_in_a_session() -> Story {
    let mut story = Story::running();
    story.snapshot.job.mode = Mode::Session;
    story.resource(9, suspended);
    for second in [10, 60] {
        story.at(second).flink_lacks(second).decide();
    }
    story.nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Suspended);
    story
}

#[test]
fn a_suspended_session_job_that_is_asked_for_again_is_awaited() {
    let lifted = || {
        let mut story = suspended_in_a_session();
        story.resource(91, |_| {});
        story
    };
    let state = |story: &mut Story| (story.decide().state, story.snapshot.job.reason.code.clone());
    let mut story = lifted();
    for second in [92, 160, 690] {
        story.at(second).flink_lacks(second);
        let expected = (JobState::Reconciling, "OperatorUpgrade".to_owned());
        assert_eq!(state(&mut story), expected, "at {second}");
    }
    story.at(692).flink_lacks(692);
    assert_eq!(
        state(&mut story).0,
        JobState::Lost,
        "the resume failed, which is worth an alarm"
    );
    let mut story = lifted();
    story.at(92).flink_silent(92).deployment_there(92);
    assert_eq!(state(&mut story).0, JobState::Reconciling);
}

#[test]
fn a_job_that_was_lost_while_a_suspension_was_asked_for_is_awaited_once_it_is_asked_for_again() {
    let mut story = Story::running();
    story.snapshot.job.mode = Mode::Session;
    story.resource(9, suspended);
    story.at(10).flink_lacks(10).decide();
    story.resource(58, |_| {});
    story.at(60).flink_lacks(60).decide();
    story.nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Reconciling);
    assert_eq!(story.at(659).flink_lacks(659).decide().state, JobState::Reconciling);
    assert_eq!(story.at(660).flink_lacks(660).decide().state, JobState::Lost);
    // One that was seen to run in between is lost as any other.
    let mut story = Story::running();
    story.snapshot.job.mode = Mode::Session;
    story.resource(9, suspended);
    story.at(10).flink_lists(JobState::Running).decide();
    story.resource(11, |_| {});
    for second in [12, 14] {
        story.at(second).flink_lists(JobState::Running).decide();
    }
    for second in [20, 71] {
        story.at(second).flink_lacks(second).decide();
    }
    story.nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Lost);
}

#[test]
fn a_suspended_session_job_does_not_start_when_its_cluster_is_silent() {
    let mut story = suspended_in_a_session();
    assert_eq!(story.at(130).flink_silent(120).decide().state, JobState::Suspended);
}

#[test]
fn a_session_job_whose_resource_was_deleted_unseen_is_lost_without_an_alarm() {
    for (is_deleted, count) in [(true, 0), (false, 1)] {
        let mut story = Story::running_in_a_pod();
        story.resource(9, |_| {});
        for second in [10, 60] {
            story.at(second).flink_lacks(second).decide();
        }
        story.nothing_tells_the_end();
        if is_deleted {
            story.resource_missing(61);
        }
        assert_eq!(story.decide().state, JobState::Lost);
        assert_eq!(alerts(&story.at(120).flink_lacks(120).decide()).len(), count);
    }
}

/// A FlinkDeployment of which nothing was ever observed.
fn unseen(resource: impl FnOnce(&mut FlinkResource)) -> Story {
    let mut story = Story::unseen();
    story.at(1).flink_silent(0).deployment_missing(1).resource(1, resource);
    story
}

#[test]
fn a_resource_without_a_deployment_starts_and_fails_only_with_a_named_error() {
    let mut story = unseen(|_| {});
    assert_eq!(story.decide().state, JobState::Starting);
    story.at(1000).deployment_missing(999);
    assert_eq!(story.decide().state, JobState::Starting, "a silence is not a failure");

    let mut story = unseen(|resource| resource.error = Some("ReconciliationException: exceeded quota".into()));
    assert_eq!(story.decide().state, JobState::Starting);
    let late = story.at(602).deployment_missing(600).decide();
    assert_eq!(
        (late.state, late.reason.code.as_str()),
        (JobState::Failed, "OperatorError")
    );
    assert!(late.reason.message.contains("exceeded quota"));
    let same = story.at(660).deployment_missing(659).resource(659, |_| {}).decide();
    assert_eq!(same.state, JobState::Failed);
}

#[test]
fn an_end_from_before_our_time_is_not_copied() {
    let mut story = unseen(|resource| resource.reported_state = Some(JobState::Finished));
    let decision = story.decide();
    assert_eq!(decision.state, JobState::Unknown);
    assert!(decision.reason.message.contains("FINISHED"));
    assert_eq!(unseen(suspended).decide().state, JobState::Suspended);
}

#[test]
fn an_error_the_operator_calls_terminal_is_a_start_failure_and_others_are_mentioned() {
    let late = |terminal: bool| {
        let mut story = Story::starting();
        story.resource(599, |resource| {
            resource.error = Some("TimeoutException: no answer".into());
            resource.job_manager_status = terminal.then(|| "ERROR".into());
        });
        story
            .at(600)
            .flink_silent(1)
            .deployment_there(599)
            .pod(0, true)
            .decide()
    };
    assert_eq!(
        (late(true).state, late(true).reason.code.as_str()),
        (JobState::Failed, "OperatorError")
    );
    assert_eq!(late(false).state, JobState::Starting);
    assert!(late(false).reason.message.contains("TimeoutException"));
}
