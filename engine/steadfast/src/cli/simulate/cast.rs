//! The policies of a simulation and its pace.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use steadfast_core::snapshot::Timing;
use steadfast_host::{LoadError, PolicyLimits};
use steadfast_reconcile::{PolicySetup, Select};
use steadfast_simulate::shorten_params;
use steadfast_world::clock::Scale;

use super::super::{Failure, blame};
use crate::config::{Config, Module, Policy};
use crate::run::{LoadedPolicy, load_policies};

/// Loaded policies, ready to be given to one engine after the other.
pub(super) struct Cast {
    /// The pace, in the time of the story.
    pub(super) timing: Timing,
    policies: Vec<LoadedPolicy>,
}

impl Cast {
    /// What a configuration says of policies and pace.
    pub(super) fn of_configuration(path: &Path, scale: Scale) -> Result<Self, Failure> {
        let config = Config::load(path)?;
        Ok(Self {
            timing: config.timing,
            policies: load(config.policies, scale).map_err(|error| blame(path, error))?,
        })
    }

    /// One policy for every job, at the default pace.
    pub(super) fn alone(module: &str, params: Option<&str>, scale: Scale) -> Result<Self, Failure> {
        let limits = PolicyLimits::default();
        let policy = Policy {
            name: "simulated".into(),
            module: match module.strip_prefix("builtin:") {
                Some(name) if steadfast_host::builtin::find(name).is_some() => Module::Builtin(name.into()),
                Some(_) => {
                    return Err(Failure::Usage(anyhow!(
                        "--policy `{module}`: there is no such built-in policy; write builtin:conservative, or the path of \
                         a module"
                    )));
                }
                None => Module::File(PathBuf::from(module)),
            },
            select: Select::all(),
            params: params
                .map_or_else(|| Ok("{}".into()), as_json)
                .map_err(Failure::Usage)?,
            deadline: limits.deadline,
            memory: limits.memory_bytes,
            shadow: false,
        };
        let policies = load(vec![policy], scale).map_err(|error| Failure::Usage(explained(error)))?;
        Ok(Self {
            timing: Timing::default(),
            policies,
        })
    }

    /// The policies for one engine.
    pub(super) fn setups(&self) -> Vec<PolicySetup> {
        self.policies.iter().map(LoadedPolicy::another_setup).collect()
    }
}

/// Loads policies, with their durations on the scale of the play.
fn load(policies: Vec<Policy>, scale: Scale) -> anyhow::Result<Vec<LoadedPolicy>> {
    let loaded = load_policies(&policies)?;
    if scale == Scale::ONE {
        return Ok(loaded);
    }
    // What a policy calls a duration is known only once it was loaded.
    let shortened: Vec<Policy> = loaded
        .into_iter()
        .map(|LoadedPolicy { config, module }| Policy {
            params: shorten_params(&config.params, module.description(), scale),
            ..config
        })
        .collect();
    load_policies(&shortened)
}

fn explained(error: anyhow::Error) -> anyhow::Error {
    let of_params = matches!(error.downcast_ref(), Some(LoadError::Params { .. }));
    error.context(if of_params {
        "--params was refused; `steadfast policies` lists each parameter with its type and default"
    } else {
        "--policy cannot be used"
    })
}

/// JSON stays what it is; a TOML table becomes JSON.
fn as_json(params: &str) -> anyhow::Result<String> {
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(params).is_ok() {
        return Ok(params.to_owned());
    }
    let table: toml::Table = toml::from_str(&format!("params = {params}")).with_context(|| {
        format!(
            "--params `{params}` is neither JSON nor a TOML table; write {{ absence_window = \"20s\" }} or \
             {{\"absence_window\": \"20s\"}}"
        )
    })?;
    match table.get("params") {
        Some(toml::Value::Table(params)) => Ok(serde_json::to_string(params)?),
        Some(_) | None => Err(anyhow!(
            "--params `{params}` is a single value; write a table such as {{ absence_window = \"20s\" }}"
        )),
    }
}
