//! Which JobManagers may have listed the job, where there are several or one after the other.

use steadfast_policy::testing;
use steadfast_policy::{ConditionType, JobState, Pod, Readiness};

use super::kit::{Story, conditions, pod};

fn unready(name: &str) -> Pod {
    Pod {
        readiness: Readiness::NotReady,
        ..pod(name)
    }
}

fn failed(name: &str) -> Pod {
    Pod {
        phase: "Failed".into(),
        ..unready(name)
    }
}

/// Flink lists the job while these pods are there.
fn lists(story: &mut Story, second: i64, pods: Vec<Pod>) {
    story.at(second).deployment_there(second).pods(pods);
    story.flink_lists(JobState::Running).decide();
}

/// What is said while Flink is silent and these pods are there.
fn silent(story: &mut Story, second: i64, pods: Vec<Pod>) -> JobState {
    story
        .at(second)
        .flink_silent(second - 20)
        .deployment_there(second)
        .pods(pods);
    story.decide().state
}

#[test]
fn a_job_manager_that_is_left_has_not_restarted() {
    let mut story = Story::running();
    lists(&mut story, 10, vec![pod("a"), pod("b")]);
    assert_eq!(silent(&mut story, 60, vec![pod("b")]), JobState::Running);
    // One that was not ready beside one that was has listed nothing.
    let mut story = Story::running();
    lists(&mut story, 10, vec![pod("a"), unready("b")]);
    assert_eq!(silent(&mut story, 60, vec![pod("b")]), JobState::Restarting);
    // Where none was ready each may have.
    let mut story = Story::running();
    lists(&mut story, 10, vec![unready("a"), unready("b")]);
    assert_eq!(silent(&mut story, 60, vec![pod("b")]), JobState::Running);
}

#[test]
fn one_that_listed_the_job_may_lead_again_until_it_is_over() {
    let beside = |known: Pod| {
        let mut story = Story::running();
        lists(&mut story, 10, vec![pod("a")]);
        lists(&mut story, 20, vec![known, pod("b")]);
        silent(&mut story, 60, vec![pod("a")])
    };
    assert_eq!(beside(unready("a")), JobState::Running);
    assert_eq!(beside(failed("a")), JobState::Restarting);
    let mut again = unready("a");
    if let Some(container) = &mut again.container {
        container.restarts = 1;
    }
    assert_eq!(beside(again), JobState::Restarting, "its container began anew");
    // A pod that was never told of is none of them.
    let mut story = Story::running();
    lists(&mut story, 10, vec![pod("a")]);
    lists(&mut story, 20, vec![pod("b")]);
    assert_eq!(silent(&mut story, 60, vec![pod("a")]), JobState::Restarting);
}

fn loops(story: &Story) -> bool {
    story
        .snapshot
        .job
        .conditions
        .iter()
        .any(|c| c.kind == ConditionType::RestartLoop)
}

#[test]
fn job_managers_that_take_each_others_place_are_a_loop_and_standbys_that_do_are_none() {
    let mut story = Story::running_in_a_pod();
    for second in (100..1000).step_by(100) {
        silent(&mut story, second, vec![pod(&format!("orders-{second}"))]);
        silent(&mut story, second + 50, vec![pod(&format!("orders-{second}"))]);
    }
    assert!(loops(&story));
    let mut story = Story::running_in_a_pod();
    for second in (100..1000).step_by(100) {
        silent(
            &mut story,
            second,
            vec![pod(&format!("standby-{second}")), pod("orders-1")],
        );
    }
    assert!(!loops(&story), "the one that listed the job is there");
    // The kubelet's patience after a single restart.
    let mut story = Story::running_in_a_pod();
    for second in (100..2000).step_by(100) {
        silent(
            &mut story,
            second,
            vec![testing::waiting("orders-1", "CrashLoopBackOff", 1)],
        );
    }
    assert!(!loops(&story));
}

#[test]
fn a_job_manager_that_starts_anew_has_its_time_to_submit_the_job_a_few_times() {
    let given_up = |restarts: &[i64]| {
        let mut story = Story::running_in_a_pod();
        (20..4000).step_by(20).find(|second| {
            let times = restarts.iter().filter(|at| *at <= second).count();
            story.at(*second).deployment_there(*second);
            story.pod(u32::try_from(times).unwrap(), true).flink_lacks(*second);
            story.nothing_tells_the_end();
            let decision = story.decide();
            assert!(!conditions(&decision).contains(&ConditionType::Terminating));
            decision.state == JobState::Lost
        })
    };
    assert_eq!(given_up(&[20]), Some(620));
    assert_eq!(given_up(&[20, 400]), Some(1000));
    assert_eq!(given_up(&[20, 400, 800, 1200, 1600, 2000]), Some(1400), "not for ever");
}
