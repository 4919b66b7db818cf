//! Whether Flink is expected to answer: only then is its silence a condition.

use steadfast_policy::testing::{self, Says};
use steadfast_policy::{ConditionType, Deployment, FaultKind, JobState, Mode};

use super::kit::{Story, conditions, pod};

fn unreachable(story: &mut Story) -> bool {
    conditions(&story.decide()).contains(&ConditionType::FlinkUnreachable)
}

/// Whether the silence of Flink is a condition half a minute after a look showed that.
fn after(mut story: Story, look: impl Fn(&mut Story)) -> bool {
    for second in [60, 65, 90] {
        story.at(second).flink_silent(60).deployment_there(second);
        look(&mut story);
        story.decide();
    }
    unreachable(&mut story)
}

fn ready(replicas: u32, ready: u32) -> Says<Deployment> {
    Says::Present(Deployment {
        replicas,
        ready,
        ..testing::deployment()
    })
}

#[test]
fn a_job_that_ran_is_expected_to_answer_wherever_its_pods_are_not_told_of() {
    assert!(after(Story::running(), |_| {}));
    assert!(after(Story::running(), |story| {
        story.pod(0, false);
    }));
    assert!(after(Story::running(), |story| {
        story.pods_say(Says::Absent);
    }));
    assert!(!after(Story::running(), |story| {
        story.pods_say(Says::Absent);
        story.deployment(ready(0, 0));
    }));
    let mut standalone = Story::running();
    standalone.snapshot.job.mode = Mode::Standalone;
    assert!(after(standalone, |story| story.snapshot.deployment = None));
}

#[test]
fn a_job_that_never_ran_is_expected_to_answer_once_its_job_manager_is_ready() {
    for (is_ready, expected) in [(true, true), (false, false)] {
        let starting = after(Story::starting(), |story| {
            story.pod(0, is_ready);
        });
        assert_eq!(starting, expected);
    }
    let unread = |replicas_ready| {
        after(Story::starting(), move |story| {
            story.pods_say(Says::Unknown(FaultKind::Forbidden));
            story.deployment(ready(1, replicas_ready));
        })
    };
    assert!(unread(1) && !unread(0), "its Deployment tells");
    assert!(!after(Story::starting(), |story| story.pods_say(Says::Absent)));
}

#[test]
fn while_kubernetes_does_not_tell_it_is_as_it_was() {
    let dark = |story: &mut Story| {
        for second in [100, 105, 140] {
            story.at(second).flink_silent(100).kubernetes_silent(100);
            story.pods_say(Says::Unknown(FaultKind::Timeout));
            story.decide();
        }
        unreachable(story)
    };
    assert!(dark(&mut Story::running()));
    let mut starting = Story::starting();
    starting
        .at(60)
        .deployment_there(60)
        .pod(0, false)
        .flink_silent(60)
        .decide();
    assert!(
        !dark(&mut starting),
        "its JobManager was not up when Kubernetes was last heard"
    );
    let mut up = Story::starting();
    up.at(60)
        .deployment_there(60)
        .pods(vec![pod("orders-1")])
        .flink_silent(60)
        .decide();
    assert!(dark(&mut up));
    // Nobody has ever told of it: that nothing answers is all there is.
    let mut never = Story::unseen();
    for second in [5, 10, 60] {
        never.at(second).flink_silent(5).kubernetes_silent(5).decide();
    }
    assert!(unreachable(&mut never));
}

#[test]
fn nobody_is_expected_to_answer_for_a_job_that_ended_or_is_gone() {
    let mut finished = Story::running();
    finished.at(10).flink_lists(JobState::Finished).decide();
    assert!(!after(finished, |_| {}));
    let mut gone = Story::running();
    for second in [61, 80, 100] {
        gone.at(second).flink_silent(60).deployment_missing(second);
        assert!(!unreachable(&mut gone), "at {second}");
    }
}

#[test]
fn why_a_job_failed_is_asked_until_it_is_known_and_stays_said_when_an_engine_starts() {
    use steadfast_policy::WantedSource::Exceptions;
    let reason = |story: &mut Story| story.decide().reason.code;
    let mut story = Story::running();
    story.at(10).flink_lists(JobState::Failing).decide();
    assert!(story.want_of(Exceptions).is_some());
    // FAILING may yet throw; of FAILED that nothing was thrown is an answer.
    story.at(12).exceptions(Says::Absent);
    story.flink_lists(JobState::Failing);
    assert!(story.want_of(Exceptions).is_some());
    story.at(15).flink_lists(JobState::Failed).decide();
    assert!(story.want_of(Exceptions).is_some(), "asked before it had failed");
    story.at(16).exceptions(Says::Absent);
    assert_eq!(
        (story.want_of(Exceptions), reason(&mut story).as_str()),
        (None, "FlinkReports")
    );
    story.exception(18, "a.b.Trouble: it");
    assert_eq!(reason(story.at(18).flink_lists(JobState::Failed)), "RootException");
    assert_eq!(story.want_of(Exceptions), None);
    // An engine that starts has not asked: what was named stays, and is asked for again.
    story.snapshot.exceptions = None;
    let kept = story.at(30).flink_lists(JobState::Failed).decide();
    assert_eq!(kept.reason.code, "RootException");
    assert!(kept.reason.message.contains("a.b.Trouble"));
    assert!(story.want_of(Exceptions).is_some());
    // What FAILING threw is not said of FAILED before that was asked about.
    let mut story = Story::running();
    story.at(10).flink_lists(JobState::Failing).decide();
    story.exception(11, "a.b.Trouble: it");
    assert_eq!(reason(story.at(12).flink_lists(JobState::Failing)), "RootException");
    story.snapshot.exceptions = None;
    assert_eq!(reason(story.at(20).flink_lists(JobState::Failed)), "FlinkReports");
}
