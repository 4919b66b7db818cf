//! Policies: compiled, configured, and ready to be given to an engine.

use std::path::PathBuf;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use steadfast_core::id::PolicyName;
use steadfast_host::{CompileLimits, CompilerProcess, LoadError, Policy as LoadedModule, PolicyEngine, PolicyLimits};
use steadfast_modules::{Module, Provenance, RegistryHost};
use steadfast_reconcile::{Identity, PolicySetup, Role, Standing};

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
            standing: Standing::AsConfigured,
            decide: Box::new(self.module),
        }
    }

    /// Whether it is the other one: the same entry, and the same bytes.
    pub(in crate::run) fn is(&self, other: &Self) -> bool {
        self.config == other.config && self.module.digest() == other.module.digest()
    }

    /// Which module it is, with which parameters, as recordings name it.
    pub fn build(&self) -> Option<String> {
        self.identity().build()
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
    static TOLD: Once = Once::new();
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.filter(|base| {
        // It would be another folder for each folder that a command is called in; the XDG rules say to ignore it.
        if !base.is_absolute() && !base.as_os_str().is_empty() {
            TOLD.call_once(|| {
                tracing::warn!(
                    "XDG_CACHE_HOME is no absolute path ({}), and is ignored",
                    base.display()
                )
            });
        }
        base.is_absolute()
    });
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(base.join("steadfast"))
}

/// Compiles and configures every policy from the modules that were found for them, in the same order; the first that
/// is refused is the error.
pub fn compile_policies(policies: &[Policy], modules: &[Module]) -> anyhow::Result<Vec<LoadedPolicy>> {
    let engine = policy_engine()?;
    let all = policies.iter().zip(modules);
    all.map(|(policy, module)| Ok(load(&engine, policy, module)?)).collect()
}

/// What the program is called with to compile a module for another process of it.
pub const COMPILE: &str = "compile-module";

/// Whether this process is the program itself, and can start another one of it.
static IS_PROGRAM: AtomicBool = AtomicBool::new(false);

/// Modules are compiled in processes of their own from now on. For the program alone: no other understands [`COMPILE`].
pub fn compile_in_processes() {
    IS_PROGRAM.store(true, Ordering::Relaxed);
}

/// What runs the policies of a process.
pub(in crate::run) fn policy_engine() -> anyhow::Result<PolicyEngine> {
    let engine = PolicyEngine::new(policy_cache().as_deref())?;
    let program = this_program().filter(|_| IS_PROGRAM.load(Ordering::Relaxed));
    Ok(match program {
        Some(program) => engine.compiling_in(compiler(program, CompileLimits::default())),
        None => engine,
    })
}

fn compiler(program: PathBuf, limits: CompileLimits) -> CompilerProcess {
    let seconds = limits.processor.as_secs().to_string();
    let mebibytes = (limits.memory_bytes >> 20).to_string();
    let arguments = [COMPILE, "--seconds", &seconds, "--mebibytes", &mebibytes];
    CompilerProcess {
        program,
        arguments: arguments.map(str::to_owned).to_vec(),
        limits,
    }
}

/// The running program, also if another one has taken its place on disk.
fn this_program() -> Option<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() {
        Some(own)
    } else {
        std::env::current_exe().ok()
    }
}

/// Compiles and configures one.
pub(in crate::run) fn load(engine: &PolicyEngine, policy: &Policy, module: &Module) -> Result<LoadedPolicy, LoadError> {
    let limits = PolicyLimits {
        deadline: policy.deadline,
        memory_bytes: policy.memory,
    };
    Ok(LoadedPolicy {
        config: policy.clone(),
        provenance: module.provenance.clone(),
        module: engine.load(&policy.name, &module.bytes, &policy.params, limits)?,
    })
}

/// Compiles and configures another module as one of the configuration.
#[cfg(feature = "author")]
pub(crate) fn load_as(policy: &Policy, module: &[u8]) -> anyhow::Result<LoadedModule> {
    let limits = PolicyLimits {
        deadline: policy.deadline,
        memory_bytes: policy.memory,
    };
    Ok(policy_engine()?.load(&policy.name, module, &policy.params, limits)?)
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
