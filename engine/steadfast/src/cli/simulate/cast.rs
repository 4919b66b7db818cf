//! The policies of a simulation and its pace.

use std::path::Path;

use steadfast_core::timing::Timing;
use steadfast_reconcile::PolicySetup;
use steadfast_simulate::shorten_params;
use steadfast_world::clock::Scale;

use super::super::policy::policy_arg::{self, Place, PolicyArg};
use super::super::{Failure, located};
use crate::config::{Config, Policy};
use crate::run::{LoadedPolicy, compile_policies, resolve_modules_now};

/// The option that names the policy.
const PLACE: Place = Place::of("--policy");

/// Loaded policies, ready to be given to one engine after the other.
pub(in crate::cli) struct Cast {
    /// The pace, in the time of the story.
    pub(in crate::cli) timing: Timing,
    policies: Vec<LoadedPolicy>,
}

impl Cast {
    /// What a configuration says of policies and pace.
    pub(super) fn of_configuration(path: &Path, scale: Scale) -> Result<Self, Failure> {
        let config = Config::load(path)?;
        Ok(Self {
            timing: config.timing,
            policies: load(&config, scale).map_err(|error| located(path, error))?,
        })
    }

    /// One policy for every job, at the default pace.
    pub(super) fn alone(module: &str, params: Option<&str>, scale: Scale) -> Result<Self, Failure> {
        let policy = shortened(
            policy_arg::load_one(PLACE, &policy_arg::configured(PLACE, module, params)?)?,
            scale,
        );
        Ok(Self {
            timing: Timing::default(),
            policies: vec![policy_arg::load_one(PLACE, &policy)?],
        })
    }

    /// The policy that a command of `steadfast policy` names, for every job, at the default pace.
    pub(in crate::cli) fn chosen(policy: &PolicyArg) -> Result<Self, Failure> {
        Ok(Self {
            timing: Timing::default(),
            policies: vec![policy.load()?],
        })
    }

    /// The policies for one engine.
    pub(in crate::cli) fn setups(&self) -> Vec<PolicySetup> {
        self.policies.iter().map(LoadedPolicy::another_setup).collect()
    }
}

/// Loads policies, with their durations on the scale of the play.
fn load(config: &Config, scale: Scale) -> anyhow::Result<Vec<LoadedPolicy>> {
    let modules = resolve_modules_now(&config.policies, &config.registries)?;
    let loaded = compile_policies(&config.policies, &modules)?;
    if scale == Scale::ONE {
        return Ok(loaded);
    }
    let shortened: Vec<Policy> = loaded.into_iter().map(|policy| shortened(policy, scale)).collect();
    compile_policies(&shortened, &modules)
}

/// The same policy with shorter durations. What it calls a duration is known only once it was loaded.
fn shortened(loaded: LoadedPolicy, scale: Scale) -> Policy {
    let LoadedPolicy { config, module, .. } = loaded;
    Policy {
        params: shorten_params(&config.params, module.description(), scale),
        ..config
    }
}
