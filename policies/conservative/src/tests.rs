//! The rules one by one, natively. Whole stories are played against the built module in `tests/scenarios`.

mod awaited;
mod back;
mod between_runs;
mod document;
mod edges;
mod ends;
mod expected;
mod explains;
mod first_contact;
mod forgotten;
mod kit;
mod loops;
mod operator;
mod patience;
mod reach;
mod resources;
mod restarts;
mod scaled;
mod standbys;

use steadfast_policy::testing::{START, Says};
use steadfast_policy::{
    AlertScope, Attention, Checkpoints, ConditionType, Confidence, EndSource, Intent, JobState, Mode, WantedSource,
};

use kit::{Story, alerts, conditions, wants};

const POLL: i64 = 5;

#[test]
fn flinks_answer_wins() {
    let mut story = Story::running();
    let decision = story
        .at(10)
        .flink_lists(JobState::Running)
        .kubernetes_silent(0)
        .decide();
    assert_eq!(
        (decision.state, decision.confidence),
        (JobState::Running, Confidence::Confirmed)
    );
    let decision = story.at(15).flink_lists(JobState::Failed).decide();
    assert_eq!((decision.state, decision.watch.poll_after), (JobState::Failed, 60_000));
    assert!(wants(&decision, WantedSource::Exceptions));
}

#[test]
fn nothing_answers_and_the_state_stays_for_ever() {
    let mut story = Story::running();
    for second in [6, 20, 120, 86_400] {
        let decision = story.at(second).flink_silent(5).kubernetes_silent(5).decide();
        assert_eq!(decision.state, JobState::Running, "after {second} s");
        assert_eq!(decision.watch.attention, Attention::Active);
    }
    let decision = story.at(90_000).decide();
    assert_eq!(decision.confidence, Confidence::Stale);
    assert!(conditions(&decision).contains(&ConditionType::FlinkUnreachable));
    assert!(conditions(&decision).contains(&ConditionType::KubernetesUnreachable));
}

#[test]
fn one_lost_answer_is_no_news() {
    let mut story = Story::running();
    let decision = story.at(8).flink_silent(5).decide();
    assert_eq!(decision.confidence, Confidence::Confirmed);
    let decision = story.at(30).flink_silent(5).decide();
    assert_eq!(
        (decision.state, decision.confidence),
        (JobState::Running, Confidence::Inferred)
    );
    assert!(wants(&decision, WantedSource::Kubernetes));
}

#[test]
fn missing_without_a_seen_deletion_needs_two_answers_a_window_apart() {
    let mut story = Story::running();
    for second in [61, 80, 110] {
        let decision = story.at(second).flink_silent(60).deployment_missing(second).decide();
        assert_eq!(decision.state, JobState::Running, "at {second}");
    }
    story.at(111).flink_silent(60).deployment_missing(111).decide();
    story.nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Terminated);
}

#[test]
fn errors_between_two_answers_are_part_of_neither() {
    let mut story = Story::running();
    story.at(61).flink_silent(60).deployment_missing(61).decide();
    // Past the window, and past the wait for what tells an end.
    for second in [70, 90, 115, 140] {
        let decision = story.at(second).kubernetes_silent(second).decide();
        assert_eq!(decision.state, JobState::Running, "at {second}");
    }
}

#[test]
fn a_deployment_that_is_there_again_starts_the_count_anew() {
    let mut story = Story::running();
    story.at(61).flink_silent(60).deployment_missing(61).decide();
    story.at(80).deployment_there(80).decide();
    let decision = story.at(115).deployment_missing(115).decide();
    assert_eq!(decision.state, JobState::Running);
}

#[test]
fn a_seen_deletion_and_one_answer_after_it_are_enough() {
    let mut story = Story::running();
    let decision = story
        .at(61)
        .flink_silent(60)
        .deletion_seen(60)
        .deployment_missing(60)
        .decide();
    assert_eq!(decision.state, JobState::Running);
    assert!(wants(&decision, WantedSource::Kubernetes));
    let looking = story.at(62).deployment_missing(61).decide();
    assert_eq!(
        looking.state,
        JobState::Running,
        "what says how it ended is asked first"
    );
    assert!(wants(&looking, WantedSource::Archive) && wants(&looking, WantedSource::LastWords));
    story.nothing_tells_the_end();
    let gone = story.decide();
    assert_eq!(
        (gone.state, gone.watch.attention),
        (JobState::Terminated, Attention::Active)
    );
}

#[test]
fn last_words_of_another_job_are_not_believed() {
    let mut story = Story::gone();
    story.log_tells("ffffffffffffffffffffffffffffffff", JobState::Finished);
    assert_eq!(story.decide().state, JobState::Terminated);
    let mut story = Story::gone();
    story.log_tells(kit::JOB, JobState::Finished);
    assert_eq!(story.decide().state, JobState::Finished);
}

#[test]
fn the_reason_names_who_reported_and_the_cause() {
    for (told_by, code) in [
        (EndSource::LastWords, "LastWords"),
        (EndSource::Archive, "Archive"),
        (EndSource::HistoryServer, "HistoryServer"),
        (EndSource::JobResultStore, "JobResultStore"),
    ] {
        let mut story = Story::gone();
        story.archive_tells(JobState::Failed, told_by);
        let decision = story.decide();
        assert_eq!(
            (decision.state, decision.reason.code.as_str()),
            (JobState::Failed, code)
        );
        assert!(
            decision.reason.message.ends_with("FAILED: a.b.Trouble: it"),
            "{}",
            decision.reason.message
        );
    }
}

#[test]
fn an_end_that_is_reported_wins_over_ha_data() {
    let mut story = Story::gone();
    story.ha_data_there();
    story.archive_tells(JobState::Finished, EndSource::JobResultStore);
    assert_eq!(story.decide().state, JobState::Finished);
    let mut story = Story::gone();
    story.ha_data_there();
    assert_eq!(story.decide().state, JobState::Suspended);
    story.at(130).archive_tells(JobState::Finished, EndSource::Archive);
    assert_eq!(story.decide().state, JobState::Finished, "and when it is told late");
}

#[test]
fn an_archive_that_cannot_be_read_is_waited_for_and_asked_on_without_an_end() {
    let mut story = Story::gone();
    story.archive_unreadable();
    assert_eq!(story.decide().state, JobState::Running, "not at once");
    assert_eq!(story.at(69).decide().state, JobState::Running);
    assert_eq!(story.at(70).decide().state, JobState::Terminated, "8 s are enough");
    assert_eq!(story.want_of(WantedSource::Archive), Some(62 + 60));
    story.at(62 + 1199).archive_unreadable();
    assert_eq!(story.want_of(WantedSource::Archive), Some(62 + 1199 + 60));
    story.at(62 + 1200).archive_unreadable();
    assert_eq!(
        story.want_of(WantedSource::Archive),
        Some(62 + 1200 + 600),
        "slower after twenty minutes"
    );
    story.at(7_200).archive_tells(JobState::Finished, EndSource::Archive);
    assert_eq!(story.decide().state, JobState::Finished);
    assert_eq!(
        story.want_of(WantedSource::Archive),
        None,
        "what was told is not asked for again"
    );
}

#[test]
fn an_archive_that_tells_nothing_is_asked_for_twenty_minutes() {
    let mut story = Story::gone();
    assert_eq!(story.decide().state, JobState::Terminated);
    assert_eq!(story.want_of(WantedSource::Archive), Some(62 + 60));
    story.at(62 + 1200).nothing_tells_the_end();
    assert_eq!(story.want_of(WantedSource::Archive), None);
}

#[test]
fn a_guessed_cancellation_is_corrected_too() {
    let mut story = Story::gone();
    story.intent(Intent::Cancel, 30);
    assert_eq!(story.decide().confidence, Confidence::Inferred);
    story.at(130).archive_tells(JobState::Canceled, EndSource::Archive);
    let decision = story.decide();
    assert_eq!(
        (decision.state, decision.confidence, decision.reason.code.as_str()),
        (JobState::Canceled, Confidence::Confirmed, "Archive")
    );
}

#[test]
fn a_job_that_never_ran_has_no_end_to_wait_for() {
    let mut story = Story::starting();
    story.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
    assert!(!wants(&story.decide(), WantedSource::Archive));
}

#[test]
fn a_going_pods_log_that_reported_nothing_is_read_again_at_growing_intervals() {
    let mut story = Story::running();
    assert_eq!(story.want_of(WantedSource::LastWords), None);
    story.at(60).going_pod();
    assert_eq!(
        story.want_of(WantedSource::LastWords),
        None,
        "the engine reads it by itself"
    );
    story.nothing_tells_the_end();
    assert_eq!(story.want_of(WantedSource::LastWords), Some(60), "after 250 ms");
    story.at(70).nothing_tells_the_end();
    assert_eq!(story.want_of(WantedSource::LastWords), Some(75));
    story.log_tells(kit::JOB, JobState::Finished);
    assert_eq!(story.want_of(WantedSource::LastWords), None);
}

#[test]
fn before_a_job_is_lost_the_archive_is_asked() {
    let mut story = Story::running();
    story.at(10).flink_lacks(10).decide();
    let looking = story.at(60).flink_lacks(60).decide();
    assert_eq!(looking.state, JobState::Running);
    assert!(wants(&looking, WantedSource::Archive));
    story.archive_tells(JobState::Finished, EndSource::HistoryServer);
    assert_eq!(story.decide().state, JobState::Finished);
}

#[test]
fn ha_data_means_suspended_and_an_intended_cancel_means_canceled() {
    let mut story = Story::gone();
    story.ha_data_there();
    assert_eq!(story.decide().state, JobState::Suspended);
    let mut story = Story::gone();
    story.intent(Intent::Cancel, 30);
    assert_eq!(
        (story.decide().state, story.decide().confidence),
        (JobState::Canceled, Confidence::Inferred)
    );
    let mut story = Story::gone();
    story.snapshot.job.state = JobState::Cancelling;
    assert_eq!(story.decide().state, JobState::Canceled);
}

#[test]
fn an_intent_of_an_earlier_attempt_explains_nothing() {
    let mut story = Story::gone();
    story.intent(Intent::Cancel, -100);
    assert_eq!(story.decide().state, JobState::Terminated);
}

#[test]
fn most_of_the_fleet_dark_means_no_verdict() {
    let mut story = Story::gone();
    story.snapshot.fleet.targets = 10;
    story.snapshot.fleet.dark = 6;
    let decision = story.decide();
    assert_eq!(decision.state, JobState::Running);
    assert!(conditions(&decision).contains(&ConditionType::FleetDisrupted));
    story.snapshot.fleet.dark = 5;
    assert!(!conditions(&story.decide()).contains(&ConditionType::FleetDisrupted));
}

#[test]
fn a_job_flink_no_longer_lists_is_lost_after_two_answers() {
    let mut story = Story::running_in_a_pod();
    for second in [10, 30, 59] {
        assert_eq!(story.at(second).flink_lacks(second).decide().state, JobState::Running);
    }
    story.at(60).flink_lacks(60).decide();
    story.nothing_tells_the_end();
    assert_eq!(story.decide().state, JobState::Lost);
    assert_eq!(
        story.want_of(WantedSource::Archive),
        Some(60 + 60),
        "one that is written late is heard"
    );
}

#[test]
fn a_restarted_container_is_a_restart_and_never_a_failure() {
    let mut story = Story::running();
    story.at(5).flink_lists(JobState::Running).pod(0, true).decide();
    assert_eq!(
        story.at(8).flink_silent(6).pod(0, true).decide().state,
        JobState::Running
    );
    assert_eq!(
        story.at(9).flink_silent(6).pod(1, true).decide().state,
        JobState::Restarting
    );
    let back = story.at(30).flink_lists(JobState::Running).decide();
    assert_eq!(
        (back.state, back.confidence),
        (JobState::Running, Confidence::Confirmed)
    );
}

#[test]
fn a_restart_reported_before_the_next_poll_is_not_taken_for_the_pod_that_answered() {
    let mut story = Story::running();
    story.at(5).flink_lists(JobState::Running).pod(0, true).decide();
    // The watch tells of the restart while Flink's last answer, from before it, still stands.
    assert_eq!(story.at(7).pod(1, false).decide().state, JobState::Running);
    assert_eq!(story.at(10).flink_silent(10).decide().state, JobState::Restarting);
}

#[test]
fn a_start_fails_only_past_its_deadline_and_with_a_named_problem() {
    let mut story = Story::starting();
    story.crash_looping();
    let early = story.at(500).flink_silent(1).deployment_there(499).decide();
    assert_eq!(early.state, JobState::Starting);
    assert!(conditions(&early).contains(&ConditionType::CrashLoop));
    let late = story.at(600).deployment_there(599).decide();
    assert_eq!((late.state, late.reason.code.as_str()), (JobState::Failed, "CrashLoop"));
    let mut silent = Story::starting();
    let decision = silent
        .at(5000)
        .flink_silent(1)
        .deployment_there(4999)
        .pod(0, true)
        .decide();
    assert_eq!(decision.state, JobState::Starting, "a silence is not a failure");
}

#[test]
fn an_image_that_cannot_be_pulled_is_named() {
    let mut story = Story::starting();
    story.image_missing("Back-off pulling image \"orders-job:v7\"");
    let decision = story.at(700).flink_silent(1).deployment_there(699).decide();
    assert_eq!(decision.state, JobState::Failed);
    assert!(decision.reason.message.contains("orders-job:v7"));
    assert!(conditions(&decision).contains(&ConditionType::ImagePull));
}

#[test]
fn checkpoints_are_counted_from_the_last_completed_one() {
    let mut story = Story::running();
    for (second, completed, failed, fails) in [
        (60, 4, 8, false),
        (120, 4, 17, false),
        (180, 4, 18, true),
        (240, 0, 0, false),
    ] {
        story.checkpoints(Says::Present(Checkpoints { completed, failed }));
        let decision = story.at(second).flink_lists(JobState::Running).decide();
        assert_eq!(
            conditions(&decision).contains(&ConditionType::CheckpointsFailing),
            fails,
            "at {second}"
        );
    }
}

#[test]
fn a_restart_loop_stands_only_after_its_time() {
    let mut story = Story::running();
    story.at(0).flink_lists(JobState::Restarting).decide();
    let early = story.at(599).flink_lists(JobState::Restarting).decide();
    let late = story.at(601).flink_lists(JobState::Restarting).decide();
    assert!(!conditions(&early).contains(&ConditionType::RestartLoop));
    assert!(conditions(&late).contains(&ConditionType::RestartLoop));
    for (second, stands) in [(605, true), (630, true), (725, false)] {
        let calm = story.at(second).flink_lists(JobState::Running).decide();
        assert_eq!(
            conditions(&calm).contains(&ConditionType::RestartLoop),
            stands,
            "at {second}"
        );
    }
}

#[test]
fn an_end_nobody_intended_is_alerted_once_it_has_stood() {
    let mut story = Story::running();
    story.at(10).flink_lists(JobState::Failed).decide();
    assert!(alerts(&story.at(20).flink_lists(JobState::Failed).decide()).is_empty());
    assert_eq!(
        alerts(&story.at(41).flink_lists(JobState::Failed).decide()),
        [("JobFailed", AlertScope::Job)]
    );
    story.intent(Intent::Cancel, 30);
    assert!(alerts(&story.decide()).is_empty());
}

#[test]
fn an_intended_savepoint_is_inferred_and_one_that_flink_shows_is_confirmed() {
    let mut story = Story::running();
    story.intent(Intent::Savepoint, 9);
    let intended = story.at(10).flink_lists(JobState::Running).decide();
    assert_eq!(
        (intended.state, intended.confidence),
        (JobState::Savepointing, Confidence::Inferred)
    );
    assert!(
        intended
            .wanted
            .iter()
            .any(|wanted| wanted.source == WantedSource::Checkpoints)
    );
    let shown = story.at(15).flink_lists(JobState::Savepointing).decide();
    assert_eq!(
        (shown.state, shown.confidence),
        (JobState::Savepointing, Confidence::Confirmed)
    );
    assert_eq!(
        story.at(20).flink_lists(JobState::Cancelling).decide().state,
        JobState::Cancelling
    );
}

#[test]
fn an_answer_from_before_the_end_says_nothing_of_what_outlives_it() {
    let mut story = Story::running();
    story.at(50).nothing_tells_the_end();
    story.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
    let decision = story.decide();
    assert_eq!(
        (decision.state, decision.confidence),
        (JobState::Running, Confidence::Inferred)
    );
    assert!(wants(&decision, WantedSource::HaData) && wants(&decision, WantedSource::Archive));
    story.at(63).ha_data_there();
    story.archive(Says::Absent);
    assert_eq!(story.decide().state, JobState::Suspended);
}

#[test]
fn an_engine_that_starts_while_an_end_is_looked_for_looks_anew() {
    let mut story = Story::running();
    story.at(62).flink_silent(60).deployment_missing(10).decide();
    story.deployment_missing(61);
    assert!(wants(&story.decide(), WantedSource::HaData));
    // Killed and started: what was asked and seen is lost, and the looks are not answered at once.
    story.snapshot.engine_since = START + 85_000;
    story.at(90).deployment_missing(89).decide();
    story.at(136).deployment_missing(135);
    let decision = story.decide();
    assert_eq!(decision.state, JobState::Running);
    assert!(wants(&decision, WantedSource::HaData));
    story.at(137).nothing_tells_the_end();
    story.ha_data_there();
    assert_eq!(story.decide().state, JobState::Suspended);
}

#[test]
fn standalone_has_no_kubernetes_to_miss() {
    let mut story = Story::running();
    story.snapshot.job.mode = Mode::Standalone;
    story.snapshot.deployment = None;
    let decision = story.at(200).flink_silent(POLL).decide();
    assert_eq!(
        (decision.state, decision.confidence),
        (JobState::Running, Confidence::Stale)
    );
    assert!(!conditions(&decision).contains(&ConditionType::KubernetesUnreachable));
}

#[test]
fn steady_evidence_leaves_the_memory_as_it_is() {
    let mut story = Story::running();
    let first = story.at(10).flink_lists(JobState::Running).decide().memory;
    assert_eq!(story.at(15).flink_lists(JobState::Running).decide().memory, first);
}

#[test]
fn a_condition_is_judged_when_it_is_due_whatever_the_backoff() {
    let mut story = Story::running();
    let decision = story.at(8).flink_silent(5).kubernetes_silent(6).decide();
    assert_eq!(decision.watch.validate_after, 12_000, "15 s after the first silence");
}

#[test]
fn bad_parameters_are_refused_by_name() {
    use steadfast_policy::Instance;
    type Conservative = Instance<crate::Conservative>;
    let refusal = Conservative::configure(r#"{"absence_windw": "50s"}"#).unwrap_err();
    assert!(
        refusal.contains("absence_windw") && refusal.contains("absence_window"),
        "{refusal}"
    );
    assert!(Conservative::configure(r#"{"fleet_unknown_share": 1.5}"#).is_err());
    assert!(Conservative::configure("{}").is_ok());
}

#[test]
fn the_window_begins_when_the_first_answer_arrives_and_ends_when_the_last_is_asked_for() {
    let mut story = Story::running();
    let mut lacks = |asked: i64, observed: i64| {
        story.at(observed).flink_lacks(asked);
        if let Some(flink) = &mut story.snapshot.flink {
            flink.looks.observed_at = START + observed * 1000;
        }
        story.decide().rule
    };
    for (asked, observed) in [(60, 63), (110, 111), (112, 115)] {
        assert_eq!(lacks(asked, observed), "job-not-listed", "asked at {asked}");
    }
    assert_eq!(lacks(113, 114), "looking-for-the-end");
}
