//! The default policy, with maintenance windows: while the window of a job's team is open, its job raises no alert.
//!
//! A job's team is the value of the label `team_label` of its Deployment. `windows` is a JSON object: each team's windows, by the clocks
//! of its own zone. States and conditions are as ever. An alert that stood before the window stays; what still stands when it closes is
//! raised then.
//!
//! ```toml
//! [[policy]]
//! name = "default"
//! module = "maintenance.wasm"
//! [policy.params]
//! windows = '{"payments": "Europe/Berlin Sun 01:00-04:00", "batch": "Asia/Shanghai Mon-Fri 22:00-06:00, Sat,Sun 00:00-24:00"}'
//! ```

mod windows;

use std::collections::BTreeMap;

use steadfast_policy::{Parameters, Policy, Snapshot, TextParameter, Verdict};
use steadfast_policy_conservative::{Conservative, Memory, Params as Base, Rule};
use windows::Windows;

/// The parameters.
#[derive(Debug, Parameters)]
pub struct Params {
    /// The label of a Deployment that names its team.
    #[default("team".into())]
    team_label: String,
    /// When a team's alerts are held back: a JSON object of windows by the team's name.
    #[default(Teams::default())]
    windows: Teams,
    #[flatten]
    base: Base,
}

/// The windows of each team, and how they are written.
#[derive(Debug, Default)]
pub struct Teams {
    text: String,
    windows: BTreeMap<String, Windows>,
}

impl TextParameter for Teams {
    fn parse(text: &str) -> Result<Self, String> {
        let written: BTreeMap<String, String> = serde_json::from_str(text)
            .map_err(|error| format!("no JSON object of windows by the team's name ({error})"))?;
        let mut windows = BTreeMap::new();
        for (team, text) in written {
            let parsed = Windows::parse(&text).map_err(|why| format!("of no use for `{team}`: {why}"))?;
            windows.insert(team, parsed);
        }
        Ok(Self {
            text: text.into(),
            windows,
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

/// The policy.
#[derive(Debug)]
pub struct Maintenance {
    team_label: String,
    windows: BTreeMap<String, Windows>,
    base: Conservative,
}

impl Policy for Maintenance {
    type Params = Params;
    type Memory = Memory;
    type Rule = Rule;
    const NAME: &'static str = "maintenance";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "The conservative policy; no new alerts while a team's maintenance window is open.";

    fn new(params: Params) -> Result<Self, String> {
        Ok(Self {
            team_label: params.team_label,
            windows: params.windows.windows,
            base: Conservative::new(params.base)?,
        })
    }

    fn decide(&self, snapshot: &Snapshot, memory: &mut Memory) -> Verdict<Rule> {
        let mut verdict = self.base.decide(snapshot, memory);
        let team = snapshot.label(&self.team_label);
        let windows = team.and_then(|team| self.windows.get(team));
        if windows.is_some_and(|windows| windows.are_open(snapshot.now)) {
            // What is left out would be resolved: nobody has mended it.
            verdict.alerts.retain(|alert| snapshot.alert(&alert.name).is_some());
        }
        verdict
    }
}

steadfast_policy::export!(Maintenance);

#[cfg(test)]
mod tests;
