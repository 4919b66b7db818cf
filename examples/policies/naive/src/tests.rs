//! What the watcher gets wrong, and that it gets it wrong in the way meant.

use steadfast_policy::testing::{self, Says};
use steadfast_policy::{Confidence, FaultKind, Instance, JobState};

use crate::{Naive, Rule};

#[test]
fn an_error_is_the_end_of_a_running_job_and_of_its_watch() {
    let policy = testing::policy::<Naive>("{}");
    for says in [Says::Unknown(FaultKind::Timeout), Says::Absent] {
        let mut orders = testing::job("orders").running();
        let failed = orders.later("5s").flink(says).decide(&policy);
        failed
            .is(JobState::Failed, Confidence::Confirmed)
            .by(Rule::ErrorMeansGone)
            .asleep();
    }
}

#[test]
fn what_has_ended_is_never_looked_at_again() {
    let policy = testing::policy::<Naive>("{}");
    let mut orders = testing::job("orders").on_record(JobState::Failed, Confidence::Confirmed);
    let still = orders.flink_reports(JobState::Running).decide(&policy);
    still
        .is(JobState::Failed, Confidence::Confirmed)
        .by(Rule::Ended)
        .asleep();
}

#[test]
fn flinks_word_is_taken_and_a_start_is_waited_for() {
    let policy = testing::policy::<Naive>("{}");
    let mut orders = testing::job("orders").running();
    let restarting = orders.flink_reports(JobState::Restarting).decide(&policy);
    restarting.is(JobState::Restarting, Confidence::Confirmed).awake();
    let mut orders = testing::job("orders");
    orders
        .decide(&policy)
        .is(JobState::Unknown, Confidence::Stale)
        .by(Rule::NeverAsked);
    let starting = orders.flink_unknown(FaultKind::Refused).decide(&policy);
    starting.is(JobState::Starting, Confidence::Inferred).awake();
}

#[test]
fn more_attempts_only_put_the_mistake_off() {
    let policy = testing::policy::<Naive>(r#"{"attempts": 2}"#);
    let mut orders = testing::job("orders").running();
    let first = orders.later("5s").flink_unknown(FaultKind::Timeout).decide(&policy);
    first
        .is(JobState::Running, Confidence::Stale)
        .by(Rule::TryAgain)
        .awake();
    let second = orders.later("5s").flink_unknown(FaultKind::Timeout).decide(&policy);
    second.is(JobState::Failed, Confidence::Confirmed);
}

#[test]
fn an_unknown_parameter_is_refused_by_name() {
    let refused = Instance::<Naive>::configure(r#"{"retries": 2}"#).unwrap_err();
    assert_eq!(refused, "`retries` is no parameter; there is only `attempts`");
}
