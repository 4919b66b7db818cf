//! What patience counts, what it does not, and what is kept while it lasts.

use steadfast_policy::testing::{self, Says};
use steadfast_policy::{
    ConditionType, Confidence, FaultKind, FlinkJob, FlinkResource, FlinkResourceKind, JobState, Mode, WantedSource,
};

use super::kit::{Story, alerts, conditions, pod, wants};
use super::scaled::scaled;

fn unread(story: &mut Story) -> &mut Story {
    story.flink_resource(Says::Unknown(FaultKind::Timeout));
    story
}

fn upgrading(resource: &mut FlinkResource) {
    resource.lifecycle = Some("UPGRADING".into());
}

fn loops(story: &mut Story) -> bool {
    conditions(&story.decide()).contains(&ConditionType::RestartLoop)
}

#[test]
fn an_operator_of_whose_resource_nobody_tells_does_not_use_its_time_up() {
    let mut story = Story::gone();
    story.resource(61, |_| {});
    assert_eq!(story.decide().state, JobState::Reconciling);
    for second in [100, 400] {
        unread(story.at(second).deployment_missing(second));
        assert_eq!(story.decide().state, JobState::Reconciling, "at {second}");
    }
    for (second, state) in [
        (401, JobState::Reconciling),
        (800, JobState::Reconciling),
        (970, JobState::Terminated),
    ] {
        story.at(second).deployment_missing(second).resource(second, |_| {});
        story.nothing_tells_the_end();
        assert_eq!(story.decide().state, state, "at {second}");
    }
}

#[test]
fn a_job_at_zero_that_is_being_upgraded_is_so_while_its_resource_cannot_be_read() {
    let mut story = Story::running();
    story.resource(61, upgrading);
    assert_eq!(scaled(&mut story, 62, 0).decide().state, JobState::Reconciling);
    for second in [80, 300, 600] {
        unread(scaled(&mut story, second, 0));
        let decision = story.decide();
        assert_eq!(
            (decision.state, decision.reason.code.as_str()),
            (JobState::Reconciling, "OperatorUpgrade"),
            "at {second}"
        );
    }
    let mut zero = Story::running();
    for second in [62, 112] {
        scaled(&mut zero, second, 0).decide();
    }
    for second in [200, 260] {
        zero.at(second).deployment_missing(second).decide();
    }
    zero.nothing_tells_the_end();
    assert_eq!(zero.decide().state, JobState::Terminated, "its Deployment is gone too");
}

#[test]
fn how_sure_an_end_is_while_its_resource_cannot_be_read_is_how_sure_it_was() {
    let told = |first: i64| {
        let mut story = Story::running();
        story.resource(9, |_| {});
        story.at(10).flink_lists(JobState::Running).decide();
        if first == 12 {
            story.at(12).flink_lists(JobState::Finished).decide();
        }
        unread(story.at(20));
        for second in [20, 60, 100] {
            story
                .at(second)
                .deployment_there(second)
                .flink_lists(JobState::Finished)
                .decide();
        }
        [150, 200].map(|second| {
            let decision = story.at(second).flink_lists(JobState::Finished).decide();
            (decision.state, decision.confidence)
        })
    };
    assert_eq!(told(12), [(JobState::Finished, Confidence::Confirmed); 2]);
    assert_eq!(told(20), [(JobState::Finished, Confidence::Inferred); 2]);
    // That nobody is left to ask changes nothing of an end that is certain.
    let mut story = Story::unseen();
    story.snapshot.job.mode = Mode::Session;
    story.resource(1, |resource| resource.kind = FlinkResourceKind::FlinkSessionJob);
    story.at(2).deployment_there(1).flink_lacks(1).decide();
    for second in [10, 61] {
        story.at(second).resource_missing(second).flink_lacks(second).decide();
    }
    assert_eq!(story.snapshot.job.state, JobState::Terminated);
    unread(story.at(70).flink_lacks(70));
    let decision = story.decide();
    assert_eq!(
        (decision.state, decision.confidence),
        (JobState::Terminated, Confidence::Confirmed)
    );
}

#[test]
fn a_deletion_that_was_asked_for_is_remembered_by_the_runs_of_one_deployment() {
    let alarms = |mode: Mode| {
        let mut story = Story::running_in_a_pod();
        story.snapshot.job.mode = mode;
        story.resource(9, |resource| resource.deleting_since = Some(9_000));
        story.at(10).flink_lists(JobState::Running).decide();
        // Another JobManager recovers the job.
        story.at(20).flink(Says::Present(FlinkJob {
            started_at: testing::START + 19_000,
            ..testing::flink_job(JobState::Running)
        }));
        unread(&mut story).decide();
        story.at(100).flink_silent(60).deletion_seen(60).deployment_missing(100);
        story.nothing_tells_the_end();
        for second in [100, 300, 800] {
            story.at(second).deployment_missing(second).decide();
        }
        assert_eq!(story.snapshot.job.state, JobState::Terminated);
        alerts(&story.decide()).len()
    };
    assert_eq!(alarms(Mode::Application), 0);
}

#[test]
fn an_alarm_of_the_attempt_before_is_over() {
    let mut story = Story::running();
    story.at(10).flink_lists(JobState::Failed).decide();
    assert_eq!(alerts(&story.at(41).flink_lists(JobState::Failed).decide()).len(), 1);
    story.at(60).flink(Says::Present(FlinkJob {
        started_at: testing::START + 55_000,
        ..testing::flink_job(JobState::Failed)
    }));
    assert_eq!(story.snapshot.job.incarnation.attempt, 2);
    assert!(alerts(&story.decide()).is_empty(), "this one is told anew");
    assert_eq!(alerts(&story.at(70).decide()).len(), 1);
}

#[test]
fn of_a_loop_that_no_engine_watched_nothing_is_known() {
    let mut story = Story::running();
    for second in [10, 100, 200, 300] {
        story.at(second).flink_lists(JobState::Restarting).decide();
    }
    story.at(900);
    story.snapshot.engine_since = story.snapshot.now;
    for (second, is_loop) in [(901, false), (1400, false), (1501, true)] {
        story.at(second).flink_lists(JobState::Restarting);
        assert_eq!(loops(&mut story), is_loop, "at {second}");
    }
}

#[test]
fn a_loop_that_stands_is_not_ended_by_a_job_manager_that_hangs() {
    let mut story = Story::running_in_a_pod();
    for second in [20, 300, 640] {
        story.at(second).flink_lists(JobState::Restarting).pod(0, true).decide();
    }
    assert!(loops(&mut story));
    for second in [700, 900, 1400, 2000] {
        story
            .at(second)
            .flink_silent(660)
            .deployment_there(second)
            .pod(1, false);
        assert!(loops(&mut story), "at {second}");
    }
}

#[test]
fn a_pod_that_is_ready_loops_no_more() {
    for (times, ready, is_loop) in [(3, false, true), (3, true, false), (2, false, false)] {
        let mut pod = testing::ended("orders-1", "Error", 1);
        pod.phase = "Running".into();
        pod.readiness = if ready {
            steadfast_policy::Readiness::Ready
        } else {
            steadfast_policy::Readiness::NotReady
        };
        if let Some(container) = &mut pod.container {
            container.restarts = times;
        }
        let mut story = Story::starting();
        story.at(30).flink_silent(1).deployment_there(30).pods(vec![pod]);
        let stands = conditions(&story.decide()).contains(&ConditionType::CrashLoop);
        assert_eq!(stands, is_loop, "{times} restarts, ready: {ready}");
    }
}

#[test]
fn events_are_asked_for_where_no_pod_comes_up_and_not_where_all_are_there() {
    let asks = |replicas_ready: u32, says: Says<Vec<steadfast_policy::Pod>>| {
        let mut story = Story::starting();
        story.at(30).flink_silent(1);
        story.deployment(Says::Present(steadfast_policy::Deployment {
            replicas: 1,
            ready: replicas_ready,
            ..testing::deployment()
        }));
        story.pods_say(says);
        wants(&story.decide(), WantedSource::Events)
    };
    let going = || {
        Says::Present(vec![steadfast_policy::Pod {
            deleting_since: Some(1),
            ..pod("orders-1")
        }])
    };
    assert!(asks(0, Says::Absent));
    assert!(!asks(1, Says::Absent) && !asks(0, going()));
}

#[test]
fn a_pod_that_goes_is_said_to_go() {
    let said = |says: Says<Vec<steadfast_policy::Pod>>| {
        let mut story = Story::running();
        story.at(60).flink_silent(30).deployment_there(60);
        story.pods_say(says);
        story.decide().reason.message.contains("its pod is being deleted")
    };
    let going = steadfast_policy::Pod {
        deleting_since: Some(1),
        ..pod("orders-1")
    };
    assert!(said(Says::Present(vec![going])));
    assert!(!said(Says::Absent) && !said(Says::Present(vec![pod("orders-1")])));
}

#[test]
fn beside_another_job_manager_the_known_one_is_not_known_to_answer() {
    let rule = |pods: fn() -> Vec<steadfast_policy::Pod>| {
        let mut story = Story::running_in_a_pod();
        for second in [20, 75] {
            story
                .at(second)
                .flink_lacks(second)
                .pods(pods())
                .nothing_tells_the_end();
            story.decide();
        }
        story.snapshot.job.state
    };
    assert_eq!(rule(|| vec![pod("orders-1")]), JobState::Lost);
    assert_eq!(rule(|| vec![pod("orders-1"), pod("orders-2")]), JobState::Running);
}

#[test]
fn a_job_that_never_ran_is_neither_lost_nor_deployed_by_a_flink_or_a_resource() {
    let mut story = Story::starting();
    story.at(30).kubernetes_silent(30).flink_lacks(30);
    let decision = story.decide();
    assert_eq!(
        (decision.state, decision.rule.as_str()),
        (JobState::Starting, "no-job-yet")
    );
    let mut story = Story::starting();
    story.resource(20, |_| {});
    story
        .at(60)
        .flink_silent(20)
        .deployment_missing(60)
        .resource(60, |_| {});
    assert_eq!(story.decide().rule, "deployment-missing");
}

#[test]
fn parameters_at_their_bounds() {
    type Conservative = steadfast_policy::Instance<crate::Conservative>;
    for (parameters, is_good) in [
        (r#"{"fleet_unknown_share": 0.0}"#, false),
        (r#"{"fleet_unknown_share": 0.01}"#, true),
        (r#"{"fleet_unknown_share": 1.0}"#, true),
        (r#"{"absence_confirmations": 0}"#, false),
        (r#"{"absence_confirmations": 1}"#, true),
    ] {
        assert_eq!(Conservative::configure(parameters).is_ok(), is_good, "{parameters}");
    }
}
