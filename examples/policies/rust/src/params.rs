//! What can be tuned.

use serde_json::{Map, Value};
use steadfast_policy::{Millis, Parameter};

/// The parameters with their defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Params {
    /// How many complete answers must lack the job before it is lost.
    pub(crate) absence_confirmations: u32,
    /// How long Flink must be unreachable before a condition says so, in milliseconds.
    pub(crate) unreachable_after: i64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            absence_confirmations: 2,
            unreachable_after: 15_000,
        }
    }
}

impl Params {
    /// Refuses what it does not know, by name: a mistake must not pass for a default.
    pub(crate) fn read(json: &str) -> Result<Self, String> {
        let given: Map<String, Value> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut params = Self::default();
        for (key, value) in &given {
            match key.as_str() {
                "absence_confirmations" => {
                    params.absence_confirmations = value
                        .as_u64()
                        .and_then(|count| u32::try_from(count).ok())
                        .filter(|count| *count > 0)
                        .ok_or("absence_confirmations is not a whole number of 1 or more")?;
                }
                "unreachable_after" => {
                    params.unreachable_after = value
                        .as_str()
                        .and_then(Millis::parse)
                        .and_then(|duration| i64::try_from(duration.get()).ok())
                        .ok_or("unreachable_after is not a duration such as \"15s\" (units: ms, s, m, h, d)")?;
                }
                _ => {
                    return Err(format!(
                        "there is no parameter `{key}`; known are absence_confirmations and unreachable_after"
                    ));
                }
            }
        }
        Ok(params)
    }
}

/// What `describe` says of them.
pub(crate) fn described() -> Vec<Parameter> {
    [
        (
            "absence_confirmations",
            "integer",
            "2",
            "answers in a row that must lack a job before it is lost",
        ),
        (
            "unreachable_after",
            "duration",
            "\"15s\"",
            "time without an answer before a condition says so",
        ),
    ]
    .map(|(name, kind, default, help)| Parameter {
        name: name.into(),
        kind: kind.into(),
        default: default.into(),
        help: help.into(),
    })
    .to_vec()
}
