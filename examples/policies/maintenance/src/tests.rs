use steadfast_policy::testing::{self, Says};
use steadfast_policy::{Confidence, Instance, JobState};

use super::Maintenance;

/// The test kit's world begins then, on a Thursday at midnight.
fn policy(window: &str) -> Instance<Maintenance> {
    testing::policy(&format!(r#"{{"windows": "{{\"payments\": \"{window}\"}}"}}"#))
}

fn failing(team: &str) -> testing::World {
    let mut orders = testing::job("orders").running().label("team", team);
    orders
        .at("10s")
        .flink(Says::Present(testing::flink_job(JobState::Failed)));
    orders
}

#[test]
fn within_its_window_a_team_hears_nothing_and_behind_it_what_still_stands() {
    let policy = policy("UTC 00:00-01:00");
    let mut payments = failing("payments");
    let judged = payments.lasts_until("59m", &policy);
    judged.is(JobState::Failed, Confidence::Confirmed).alerts(&[]);
    payments.lasts_until("1h2m", &policy).alerts(&["JobFailed"]);
    failing("orders").lasts_until("5m", &policy).alerts(&["JobFailed"]);
}

#[test]
fn an_alert_that_stood_before_the_window_is_not_resolved_by_it() {
    let policy = policy("UTC 00:30-01:00");
    let mut payments = failing("payments");
    payments.lasts_until("29m", &policy).alerts(&["JobFailed"]);
    payments.lasts_until("45m", &policy).alerts(&["JobFailed"]);
}

#[test]
fn a_wrong_window_is_refused_with_its_team() {
    let refused = Instance::<Maintenance>::configure(r#"{"windows": "{\"payments\": \"UTC Sunday 01:00-02:00\"}"}"#);
    let why = refused.unwrap_err();
    assert!(
        why.contains("`payments`") && why.contains("`Sunday` is no day"),
        "{why}"
    );
}
