//! Who is expected to answer, and what an end resolves.

use steadfast_policy::testing::Says;
use steadfast_policy::{Attention, Checkpoints, ConditionType, Confidence, FaultKind, JobState, WantedSource};

use super::kit::{Story, alerts, conditions};

fn unreachable(story: &mut Story) -> bool {
    conditions(&story.decide()).contains(&ConditionType::FlinkUnreachable)
}

#[test]
fn a_job_manager_that_never_ran_is_not_unreachable() {
    let mut story = Story::starting();
    story.at(1).flink_silent(1).deployment_there(1);
    story.no_pod(1);
    assert!(!unreachable(&mut story));
    assert!(!unreachable(story.at(500)));
}

#[test]
fn a_silence_counts_from_when_the_job_manager_was_up() {
    let mut story = Story::starting();
    story.at(1).flink_silent(1).deployment_there(1).pod(0, false);
    assert!(!unreachable(&mut story) && !unreachable(story.at(300)));
    story.at(301).pod(0, true);
    assert!(!unreachable(&mut story), "five minutes of silence were not its own");
    assert_eq!(story.decide().watch.validate_after, 15_000, "judged when it is due");
    assert!(!unreachable(story.at(315)));
    assert!(unreachable(story.at(316)));
}

#[test]
fn what_the_engine_itself_lacks_confirms_nothing_and_is_not_flinks_silence() {
    let mut story = Story::running();
    story.at(5).flink_not_asked();
    story.at(90).deployment_there(90);
    assert!(!unreachable(&mut story));
    let decision = story.decide();
    assert_eq!(
        (decision.state, decision.confidence),
        (JobState::Running, Confidence::Inferred),
        "of Kubernetes alone"
    );
    story.flink_silent(91);
    assert!(unreachable(story.at(120)));
}

#[test]
fn a_cluster_that_is_gone_is_not_unreachable() {
    let mut story = Story::running();
    story.at(90).flink_silent(5).kubernetes_silent(5);
    assert!(unreachable(&mut story));
    story.at(91).deployment_missing(91);
    assert!(!unreachable(&mut story));
}

#[test]
fn an_end_resolves_what_stood_for_the_run() {
    let mut story = Story::running();
    for (second, failed) in [(60, 0), (120, 12)] {
        story.checkpoints(Says::Present(Checkpoints { completed: 4, failed }));
        story.at(second).flink_lists(JobState::Running).decide();
    }
    let standing = story.at(160).flink_lists(JobState::Running).decide();
    assert_eq!(alerts(&standing).len(), 1);
    let ended = story.at(170).flink_lists(JobState::Canceled).decide();
    assert!(conditions(&ended).is_empty() && alerts(&ended).is_empty());
}

#[test]
fn an_outage_marks_no_job_that_has_ended() {
    let mut story = Story::running();
    story.at(10).flink_lists(JobState::Finished).decide();
    story.fleet(10, 10);
    let decision = story.at(90).flink_silent(20).kubernetes_silent(20).decide();
    assert_eq!(decision.state, JobState::Finished);
    assert!(conditions(&decision).is_empty(), "{:?}", conditions(&decision));
}

#[test]
fn a_suspension_that_flink_reported_is_not_confirmed_once_flink_leaves_it_open() {
    let mut story = Story::running();
    story.at(5).flink_lists(JobState::Suspended);
    assert_eq!(story.decide().confidence, Confidence::Confirmed);
    for (second, confidence, code) in [
        (10, Confidence::Confirmed, "FlinkReports"),
        (60, Confidence::Inferred, "JobLeftOpen"),
    ] {
        story.at(second).kubernetes_silent(second);
        story.flink_unknown(FaultKind::Other);
        let decision = story.decide();
        assert_eq!(
            (decision.state, decision.confidence, decision.reason.code.as_str()),
            (JobState::Suspended, confidence, code),
            "at {second}"
        );
    }
}

#[test]
fn ha_data_that_could_not_be_read_leaves_an_end_open() {
    for (found, state) in [
        (
            Says::Present(vec!["orders-cluster-config-map".into()]),
            JobState::Suspended,
        ),
        (Says::Absent, JobState::Terminated),
    ] {
        let mut story = Story::gone();
        story.ha_data(Says::Unknown(FaultKind::Forbidden));
        story.decide();
        story.at(90).deployment_missing(90);
        let judged = story.decide();
        assert_eq!(
            (judged.state, judged.confidence),
            (JobState::Terminated, Confidence::Inferred),
            "{}",
            judged.reason.message
        );
        assert!(
            judged.reason.message.contains("not read: Flink's HA data"),
            "{}",
            judged.reason.message
        );
        story.at(900).deployment_missing(900);
        assert_eq!(story.want_of(WantedSource::HaData), Some(690));
        story.ha_data(found);
        let read = story.decide();
        assert_eq!((read.state, read.confidence), (state, Confidence::Confirmed));
        assert!(!read.reason.message.contains("not read"), "{}", read.reason.message);
        assert_eq!(read.watch.attention, Attention::Sleeping);
    }
}
