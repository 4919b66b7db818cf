use steadfast_policy::testing::{self, Says};
use steadfast_policy::{Confidence, FaultKind, Intent, JobState, Pod};

use super::{Rule, StreamPark};

#[test]
fn an_outage_is_a_failure_and_its_end_is_running_again() {
    let policy = testing::policy::<StreamPark>("{}");
    let mut orders = testing::job("orders").running();
    let failed = orders.at("5s").dark(FaultKind::Timeout).decide(&policy);
    failed
        .is(JobState::Failed, Confidence::Inferred)
        .by(Rule::Failed)
        .awake();
    orders
        .lasts_until("10m", &policy)
        .is(JobState::Failed, Confidence::Inferred)
        .awake();
    let back = orders.later("5s").flink_reports(JobState::Running).decide(&policy);
    back.is(JobState::Running, Confidence::Confirmed);
}

#[test]
fn a_silence_is_a_start_and_a_restart_a_failure() {
    let policy = testing::policy::<StreamPark>("{}");
    let mut orders = testing::job("orders").running();
    orders
        .pods(Says::Present(vec![testing::pod("orders-1")]))
        .flink_unknown(FaultKind::Refused);
    orders
        .decide(&policy)
        .is(JobState::Starting, Confidence::Inferred)
        .by(Rule::Initializing);
    let restarted: Pod = testing::waiting("orders-1", "CrashLoopBackOff", 1);
    orders
        .pods(Says::Present(vec![restarted]))
        .decide(&policy)
        .is(JobState::Failed, Confidence::Inferred);
}

#[test]
fn a_job_that_is_not_listed_is_silent_and_then_lost() {
    let policy = testing::policy::<StreamPark>("{}");
    let mut orders = testing::job("orders").running();
    orders
        .at("5s")
        .flink(Says::Absent)
        .decide(&policy)
        .is(JobState::Running, Confidence::Stale)
        .by(Rule::Silent);
    orders.lasts_until("60s", &policy).by(Rule::Silent);
    orders
        .lasts_until("65s", &policy)
        .is(JobState::Lost, Confidence::Inferred)
        .by(Rule::Lost);
    orders
        .later("5s")
        .flink_reports(JobState::Running)
        .decide(&policy)
        .is(JobState::Running, Confidence::Confirmed);
}

#[test]
fn what_is_gone_while_it_is_cancelled_is_canceled() {
    let policy = testing::policy::<StreamPark>("{}");
    let mut orders = testing::job("orders").running();
    orders
        .intent(Intent::Cancel)
        .flink_unknown(FaultKind::Refused)
        .deployment_missing();
    orders
        .decide(&policy)
        .is(JobState::Canceled, Confidence::Inferred)
        .by(Rule::Cancelled);
}
