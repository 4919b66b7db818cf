//! What an operator can tune.

use serde::Deserialize;
use steadfast_policy::{Description, Millis, Parameter};

use crate::rulebook::Rule;

/// `params` of the `[[policy]]` entry. Durations are texts such as "50s".
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How many complete answers must lack a thing before it counts as gone, when no deletion was seen.
    pub absence_confirmations: u32,
    /// How far apart the first and the last of them must be.
    pub absence_window: Millis,
    /// How long an application may take to start before trouble with its pods is a failure.
    pub start_deadline: Millis,
    /// From which share of dark targets on nothing in a cluster turns terminal.
    pub fleet_unknown_share: f64,
    /// How long a source must be unreachable before a condition says so.
    pub unreachable_after: Millis,
    /// How long something must stand before it is alerted.
    pub alert_after: Millis,
    /// How long a job may restart without coming to rest.
    pub restart_loop_after: Millis,
    /// How many checkpoints may fail since the last completed one.
    pub checkpoint_failures: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            absence_confirmations: 2,
            absence_window: Millis::from_secs(50),
            start_deadline: Millis::from_secs(600),
            fleet_unknown_share: 0.55,
            unreachable_after: Millis::from_secs(15),
            alert_after: Millis::from_secs(30),
            restart_loop_after: Millis::from_secs(600),
            checkpoint_failures: 10,
        }
    }
}

impl Params {
    /// Reads and checks the JSON of the configuration.
    pub fn parse(json: &str) -> Result<Self, String> {
        let params: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if params.absence_confirmations == 0 {
            return Err(
                "absence_confirmations is 0: nothing is gone without an answer that lacks it; use 1 or more".into(),
            );
        }
        if !(params.fleet_unknown_share > 0.0 && params.fleet_unknown_share <= 1.0) {
            return Err(format!(
                "fleet_unknown_share is {}, not above 0 and at most 1",
                params.fleet_unknown_share
            ));
        }
        Ok(params)
    }

    /// What `describe` says.
    pub fn description() -> Description {
        let parameter = |name: &str, kind: &str, default: &str, help: &str| Parameter {
            name: name.into(),
            kind: kind.into(),
            default: default.into(),
            help: help.into(),
        };
        Description {
            name: "conservative".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Unknown is never absent; gone only when confirmed; a watch never ends.".into(),
            parameters: vec![
                parameter(
                    "absence_confirmations",
                    "integer",
                    "2",
                    "complete answers that must lack a thing before it is gone, when no deletion was seen",
                ),
                parameter(
                    "absence_window",
                    "duration",
                    "\"50s\"",
                    "time between the first and the last of those answers",
                ),
                parameter(
                    "start_deadline",
                    "duration",
                    "\"10m\"",
                    "time to start before trouble with the pods is a failure",
                ),
                parameter(
                    "fleet_unknown_share",
                    "number",
                    "0.55",
                    "share of dark targets from which on nothing in a cluster turns terminal",
                ),
                parameter(
                    "unreachable_after",
                    "duration",
                    "\"15s\"",
                    "time before a condition says that a source is unreachable",
                ),
                parameter(
                    "alert_after",
                    "duration",
                    "\"30s\"",
                    "time something stands before it is alerted",
                ),
                parameter(
                    "restart_loop_after",
                    "duration",
                    "\"10m\"",
                    "time a job may restart without coming to rest",
                ),
                parameter(
                    "checkpoint_failures",
                    "integer",
                    "10",
                    "failed checkpoints allowed since the last completed one",
                ),
            ],
            rules: Rule::ALL.iter().map(|rule| rule.described()).collect(),
        }
    }
}
