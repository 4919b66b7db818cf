//! The default policy with parameters of their own for some teams.
//!
//! A job's team is the value of the label `team_label` of its Deployment, or else its namespace. `teams` is a JSON object: what a team
//! does not name is as for everybody. All parameters of `builtin:conservative` are parameters here too, for everybody.
//!
//! ```toml
//! [[policy]]
//! name = "teams"  module = "per-team.wasm"
//! [policy.params]
//! absence_window = "50s"
//! teams = '{"payments": {"alert_after": "5s"}, "batch": {"absence_window": "10m", "checkpoint_failures": 100}}'
//! ```
//!
//! It is also how to build on a policy: as a library, without copying a rule.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use steadfast_policy::{Parameters, Policy, Snapshot, TextParameter, Verdict};
use steadfast_policy_conservative::{Conservative, Memory, Params as Base, Rule};

/// The parameters.
#[derive(Debug, Parameters)]
pub struct Params {
    /// The label of a Deployment that names its team.
    #[default("app.kubernetes.io/team".into())]
    team_label: String,
    /// What is different for a team: a JSON object of parameters by the team's name.
    #[default(Teams::default())]
    teams: Teams,
    #[flatten]
    everybody: Base,
}

/// Overrides by team, as they are written.
#[derive(Debug, Default)]
pub struct Teams {
    text: String,
    overrides: BTreeMap<String, Box<RawValue>>,
}

impl TextParameter for Teams {
    fn parse(text: &str) -> Result<Self, String> {
        let overrides = serde_json::from_str(text)
            .map_err(|error| format!("no JSON object of parameters by the team's name ({error})"))?;
        Ok(Self {
            text: text.into(),
            overrides,
        })
    }

    fn text(&self) -> String {
        if self.text.is_empty() {
            "{}".into()
        } else {
            self.text.clone()
        }
    }
}

/// The policy: one of the conservative kind for everybody, and one for each team with a word of its own.
#[derive(Debug)]
pub struct PerTeam {
    team_label: String,
    everybody: Conservative,
    teams: BTreeMap<String, Conservative>,
}

impl Policy for PerTeam {
    type Params = Params;
    type Memory = Memory;
    type Rule = Rule;
    const NAME: &'static str = "per-team";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "The conservative policy, with parameters of their own for some teams.";

    fn new(params: Params) -> Result<Self, String> {
        let mut teams = BTreeMap::new();
        for (team, overrides) in params.teams.overrides {
            let policy = params.everybody.with(overrides.get()).and_then(Conservative::new);
            let policy = policy.map_err(|why| format!("`teams` says of `{team}`: {why}"))?;
            teams.insert(team, policy);
        }
        Ok(Self {
            team_label: params.team_label,
            everybody: Conservative::new(params.everybody)?,
            teams,
        })
    }

    fn decide(&self, snapshot: &Snapshot, memory: &mut Memory) -> Verdict<Rule> {
        let team = snapshot.label(&self.team_label).unwrap_or(&snapshot.job.namespace);
        self.teams.get(team).unwrap_or(&self.everybody).decide(snapshot, memory)
    }
}

steadfast_policy::export!(PerTeam);

#[cfg(test)]
mod tests {
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
}
