use steadfast_policy::testing::{self, World};
use steadfast_policy::{Confidence, Instance, JobState};

use super::PerTeam;

const TEAMS: &str = r#"{"alert_after": "1m", "teams": "{\"payments\": {\"alert_after\": \"5s\"}}"}"#;

/// Whether a failure that has stood for half a minute is alerted.
fn alerts_soon(mut job: World) -> bool {
    let policy = testing::policy::<PerTeam>(TEAMS);
    job.flink_reports(JobState::Failed).decide(&policy);
    let standing = job.lasts_until("30s", &policy);
    standing.is(JobState::Failed, Confidence::Confirmed);
    !standing.alerts.is_empty()
}

#[test]
fn a_team_is_a_label_or_else_a_namespace() {
    let label = "app.kubernetes.io/team";
    assert!(alerts_soon(testing::job("orders").namespace("payments").running()));
    assert!(alerts_soon(testing::job("orders").label(label, "payments").running()));
    assert!(!alerts_soon(testing::job("orders").running()));
    assert!(!alerts_soon(
        testing::job("orders")
            .namespace("payments")
            .label(label, "billing")
            .running()
    ));
}

#[test]
fn a_mistake_names_the_team_and_the_parameter() {
    for (params, told) in [
        (
            r#"{"teams": "{\"a\": {\"alert_aftr\": \"5s\"}}"}"#,
            "`teams` says of `a`: `alert_aftr` is no parameter",
        ),
        (
            r#"{"teams": "{\"a\": {\"absence_confirmations\": 0}}"}"#,
            "`teams` says of `a`: absence_confirmations is 0",
        ),
        (r#"{"teams": "[]"}"#, "`teams` is \"[]\": no JSON object of parameters"),
        (r#"{"absence_windw": "5s"}"#, "did you mean `absence_window`?"),
        (r#"{"absence_confirmations": 0}"#, "absence_confirmations is 0"),
    ] {
        let refused = Instance::<PerTeam>::configure(params).unwrap_err();
        assert!(refused.contains(told), "{refused}");
    }
}

#[test]
fn it_describes_what_the_policy_below_takes() {
    let described = Instance::<PerTeam>::describe();
    let names: Vec<&str> = described
        .parameters
        .iter()
        .map(|parameter| parameter.name.as_str())
        .collect();
    assert_eq!(
        names.first_chunk(),
        Some(&["team_label", "teams", "absence_confirmations"])
    );
    assert_eq!(names.len(), 10);
}
