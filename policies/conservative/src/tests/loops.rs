//! What is a restart loop, and what keeps one going, ends it or hides it.

use steadfast_policy::testing;
use steadfast_policy::{ConditionType, FlinkJob, JobState, Mode, Pod, testing::Says};

use super::kit::{Story, conditions};

fn loops(story: &mut Story) -> bool {
    conditions(&story.decide()).contains(&ConditionType::RestartLoop)
}

/// Flink lists a run that started at that second.
fn runs(story: &mut Story, second: i64, id: &str) {
    story.at(second).deployment_there(second);
    let job = FlinkJob {
        id: id.into(),
        started_at: story.snapshot.now,
        ..testing::flink_job(JobState::Running)
    };
    story.flink(Says::Present(job));
}

#[test]
fn a_job_that_another_job_manager_takes_over_again_and_again_restarts_though_each_run_runs() {
    let taken_over = |mode: Mode, id: fn(i64) -> String, until: i64| {
        let mut story = Story::running_in_a_pod();
        story.snapshot.job.mode = mode;
        for second in (60..until).step_by(60) {
            runs(&mut story, second, &id(second));
            story.decide();
        }
        runs(&mut story, until, &id(until));
        loops(&mut story)
    };
    let kept = |_| testing::FLINK_JOB.to_owned();
    let drawn = |second| format!("{second:032x}");
    assert!(!taken_over(Mode::Application, kept, 600));
    assert!(taken_over(Mode::Application, kept, 720));
    assert!(taken_over(Mode::Application, drawn, 720));
    assert!(taken_over(Mode::Session, kept, 720));
    assert!(
        !taken_over(Mode::Session, drawn, 720),
        "another job in a session is an upgrade"
    );
}

#[test]
fn another_deployment_is_a_start_and_no_restart() {
    let mut story = Story::running_in_a_pod();
    for second in (60..=900).step_by(60) {
        story.at(second);
        story.deployment(Says::Present(steadfast_policy::Deployment {
            uid: format!("u{second}"),
            ..testing::deployment()
        }));
        story.flink_lists(JobState::Running);
        assert!(!loops(&mut story), "at {second}");
    }
}

/// The JobManager's container as of that second, while Flink has been silent since second 60.
fn silent_with(story: &mut Story, second: i64, pod: Pod) -> bool {
    story
        .at(second)
        .flink_silent(60)
        .deployment_there(second)
        .pods(vec![pod]);
    loops(story)
}

fn restarted(times: u32, ready: bool) -> Pod {
    let mut pod = testing::pod("orders-1");
    if !ready {
        pod.readiness = steadfast_policy::Readiness::NotReady;
    }
    if let Some(container) = &mut pod.container {
        container.restarts = times;
    }
    pod
}

#[test]
fn a_job_manager_that_dies_again_and_again_is_a_loop_though_flink_is_never_heard() {
    let dies_each = |pause: i64, until: i64| {
        let mut story = Story::running_in_a_pod();
        let looks = (100..=until).step_by(20);
        looks.fold(false, |_, second| {
            let times = u32::try_from((second - 100) / pause + 1).unwrap();
            silent_with(&mut story, second, restarted(times, true))
        })
    };
    assert!(!dies_each(100, 600));
    assert!(dies_each(100, 1000));
    assert!(dies_each(280, 1800), "it has not rested after two minutes");
    assert!(!dies_each(1800, 9000), "it is at rest in between");
}

#[test]
fn one_that_restarted_once_and_hangs_is_no_loop() {
    let mut story = Story::running_in_a_pod();
    for second in (100..=2000).step_by(100) {
        assert!(!silent_with(&mut story, second, restarted(1, false)), "at {second}");
    }
}

#[test]
fn the_kubelets_patience_is_no_rest() {
    let backs_off = |times| testing::waiting("orders-1", "CrashLoopBackOff", times);
    let mut story = Story::running_in_a_pod();
    for (second, times) in [(100, 1), (120, 2)] {
        silent_with(&mut story, second, restarted(times, false));
    }
    for second in (200..700).step_by(50) {
        assert!(!silent_with(&mut story, second, backs_off(2)), "at {second}");
    }
    assert!(silent_with(&mut story, 730, backs_off(2)));
}

#[test]
fn only_lasting_darknesses_hide_a_loop_and_however_many_there_were() {
    let looped_at = |dark_for: i64, times: i64| {
        let mut story = Story::running();
        story.at(10).flink_lists(JobState::Restarting).decide();
        for n in 0..times {
            let from = 20 + 40 * n;
            story.at(from).flink_silent(from).kubernetes_silent(from).decide();
            story
                .at(from + dark_for)
                .deployment_there(from + dark_for)
                .flink_lists(JobState::Restarting);
            story.decide();
        }
        (500..2000).find(|second| {
            story
                .at(*second)
                .flink_lists(JobState::Restarting)
                .deployment_there(*second);
            loops(&mut story)
        })
    };
    assert_eq!(looped_at(20, 0), Some(610));
    assert_eq!(looped_at(13, 3), Some(610), "one lost answer is no darkness");
    assert_eq!(looped_at(14, 3), Some(610 + 3 * 14));
    assert_eq!(looped_at(20, 8), Some(610 + 8 * 20));
    assert_eq!(looped_at(20, 12), Some(610 + 12 * 20), "the earliest are put together");
}

#[test]
fn a_job_that_fails_and_is_started_again_loops_and_one_that_lies_there_failed_does_not() {
    let mut story = Story::running();
    for second in (10..=650).step_by(40) {
        story.at(second).flink_lists(JobState::Failed).decide();
        story.at(second + 20).flink_lists(JobState::Running).decide();
    }
    assert!(loops(&mut story));
    let mut story = Story::running();
    for second in (10..=900).step_by(40) {
        story.at(second).flink_lists(JobState::Failed);
        assert!(!loops(&mut story), "at {second}");
    }
    // A loop that ends in a failure is over once that stands.
    let mut story = Story::running();
    for second in [10, 300, 620] {
        story.at(second).flink_lists(JobState::Restarting).decide();
    }
    for (second, stands) in [(630, true), (659, true), (660, false)] {
        story.at(second).flink_lists(JobState::Failed);
        assert_eq!(loops(&mut story), stands, "at {second}");
    }
}

#[test]
fn a_darkness_amid_attempts_hides_what_it_hid_of_their_loop() {
    let mut story = Story::running_in_a_pod();
    let take_over = |story: &mut Story, second: i64| {
        runs(story, second, testing::FLINK_JOB);
        loops(story)
    };
    take_over(&mut story, 60);
    take_over(&mut story, 120);
    for second in [130, 330] {
        story.at(second).flink_silent(130).kubernetes_silent(130).decide();
    }
    let mut stands = (340..1200).step_by(60).filter(|second| take_over(&mut story, *second));
    // 600 s after the first, and 200 s of darkness, at the look that follows.
    assert_eq!(stands.next(), Some(880));
}

#[test]
fn a_loop_outlasts_an_engine_that_starts_where_nobody_answers() {
    let mut story = Story::running_in_a_pod();
    for second in (60..=720).step_by(60) {
        runs(&mut story, second, testing::FLINK_JOB);
        story.decide();
    }
    assert!(loops(&mut story));
    let dark = |story: &mut Story, second: i64, engine: i64| {
        story.at(second).flink_silent(725).kubernetes_silent(725);
        story.snapshot.engine_since = testing::START + engine * 1000;
        loops(story)
    };
    assert!(dark(&mut story, 780, 0));
    assert!(dark(&mut story, 1_600, 1_590), "an engine that starts sees nothing yet");
    for (second, still) in [(1_610, true), (1_620, true), (1_745, false)] {
        story.at(second).deployment_there(second).flink_lists(JobState::Running);
        assert_eq!(loops(&mut story), still, "at {second}");
    }
}

#[test]
fn a_loop_of_a_job_that_failed_outlasts_silence_and_ends_with_an_answer() {
    let mut story = Story::running_in_a_pod();
    story.at(0).flink_lists(JobState::Restarting).decide();
    story.at(601).flink_lists(JobState::Restarting);
    assert!(loops(&mut story));
    story.at(610).flink_lists(JobState::Failed);
    assert!(loops(&mut story));
    story.at(700).flink_silent(620).kubernetes_silent(620);
    assert!(loops(&mut story), "nobody answers");
    story.at(710).deployment_there(710).flink_lists(JobState::Failed);
    assert!(!loops(&mut story), "it lies there failed");
}
