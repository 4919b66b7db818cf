//! Policies: compiled, configured, and ready to be given to an engine.

use std::path::PathBuf;

use steadfast_core::id::PolicyName;
use steadfast_host::{Policy as LoadedModule, PolicyEngine, PolicyLimits};
use steadfast_modules::{Module, Provenance, RegistryHost};
use steadfast_reconcile::{Identity, PolicySetup, Role};

use crate::config::Policy;
use crate::run::modules::resolve_modules_now;

/// A policy, loaded and configured.
pub struct LoadedPolicy {
    /// Its entry in the configuration.
    pub config: Policy,
    /// Where its module came from, and why it may be run.
    pub provenance: Provenance,
    /// The module, compiled and with its parameters.
    pub module: LoadedModule,
}

impl LoadedPolicy {
    /// As the engine takes it.
    pub fn into_setup(self) -> PolicySetup {
        PolicySetup {
            name: PolicyName::new(&self.config.name),
            identity: self.identity(),
            select: self.config.select,
            rollout: self.config.rollout,
            role: if self.config.shadow {
                Role::Shadow
            } else {
                Role::Decides
            },
            decide: Box::new(self.module),
        }
    }

    /// Whether it is the other one: the same entry, and the same bytes.
    pub(in crate::run) fn is(&self, other: &Self) -> bool {
        self.config == other.config && self.module.digest() == other.module.digest()
    }

    /// Which module it is, as records and the API name it.
    fn identity(&self) -> Identity {
        let description = self.module.description();
        Identity {
            module: self.config.module.to_string(),
            sha256: self.module.digest().to_owned(),
            contract: self.module.contract(),
            description: format!("{} {}: {}", description.name, description.version, description.summary),
            params: self.config.params.clone(),
        }
    }

    /// The same for an engine beside others.
    pub fn another_setup(&self) -> PolicySetup {
        let another = Self {
            config: self.config.clone(),
            provenance: self.provenance.clone(),
            module: self.module.another(),
        };
        another.into_setup()
    }
}

/// Where compiled modules are kept: `steadfast` in the user's cache folder, if there is one.
pub fn policy_cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(base.join("steadfast"))
}

/// Compiles and configures every policy from the modules that were found for them, in the same order; the first that
/// is refused is the error.
pub fn compile_policies(policies: &[Policy], modules: &[Module]) -> anyhow::Result<Vec<LoadedPolicy>> {
    compile_into(&policy_engine()?, policies, modules)
}

/// What runs the policies of a process.
pub(in crate::run) fn policy_engine() -> anyhow::Result<PolicyEngine> {
    Ok(PolicyEngine::new(policy_cache().as_deref())?)
}

/// The same for one engine, which may run others already.
pub(in crate::run) fn compile_into(
    engine: &PolicyEngine,
    policies: &[Policy],
    modules: &[Module],
) -> anyhow::Result<Vec<LoadedPolicy>> {
    policies
        .iter()
        .zip(modules)
        .map(|(policy, module)| {
            let limits = PolicyLimits {
                deadline: policy.deadline,
                memory_bytes: policy.memory,
            };
            Ok(LoadedPolicy {
                config: policy.clone(),
                provenance: module.provenance.clone(),
                module: engine.load(&policy.name, &module.bytes, &policy.params, limits)?,
            })
        })
        .collect()
}

/// Finds, compiles and configures every policy, for a command that does nothing else meanwhile.
pub fn load_policies(policies: &[Policy], registries: &[RegistryHost]) -> anyhow::Result<Vec<LoadedPolicy>> {
    compile_policies(policies, &resolve_modules_now(policies, registries)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_operators_file_shows_each_parameter_of_the_default_policy_with_its_default() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config.toml");
        let config = Config::load(&path).unwrap();
        let shown: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&config.policies[0].params).unwrap();
        let policies = load_policies(&config.policies, &[]).unwrap();
        // A default is written as it would be in the configuration, which for these types is also JSON.
        let described: serde_json::Map<String, serde_json::Value> = policies[0]
            .module
            .description()
            .parameters
            .iter()
            .map(|parameter| {
                (
                    parameter.name.clone(),
                    serde_json::from_str(&parameter.default).unwrap(),
                )
            })
            .collect();
        assert_eq!(shown, described);
    }
}
