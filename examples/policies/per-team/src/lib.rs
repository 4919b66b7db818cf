//! The default policy with parameters of their own for some teams.
//!
//! A job's team is the value of the label `team_label` of its Deployment, or else its namespace. `teams` is a JSON object: what a team
//! does not name is as for everybody. All parameters of `builtin:conservative` are parameters here too, for everybody.
//!
//! ```toml
//! [[policy]]
//! name = "teams"
//! module = "per-team.wasm"
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
mod tests;
