//! The bytes of all policies' modules: where they are looked for, where they are kept, and why one is refused.

use std::path::PathBuf;

use steadfast_modules::{Cache, Module, ModuleError, Registries, RegistryHost, Resolver};

use super::policy_cache;
use crate::config::Policy;

/// A policy's module that is not there, or is not what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("policy `{policy}`: its module cannot be used; {}", source.fix())]
pub struct RefusedModule {
    /// The name of the policy whose entry names the module.
    pub policy: String,
    /// What keeps the module from being used.
    #[source]
    pub source: ModuleError,
}

/// Finds the modules of all policies, in their order, and checks each against what the policy asks of it; the first
/// that is refused is the error.
pub async fn resolve_modules(policies: &[Policy], registries: &[RegistryHost]) -> Result<Vec<Module>, RefusedModule> {
    let resolver = resolver(registries);
    let mut modules = Vec::new();
    for policy in policies {
        modules.push(resolve(&resolver, policy).await?);
    }
    Ok(modules)
}

/// The same, with what keeps each of them from being used.
pub(in crate::run) async fn resolve_each(
    policies: &[Policy],
    registries: &[RegistryHost],
) -> Vec<Result<Module, RefusedModule>> {
    let resolver = resolver(registries);
    let mut modules = Vec::new();
    for policy in policies {
        modules.push(resolve(&resolver, policy).await);
    }
    modules
}

fn resolver(registries: &[RegistryHost]) -> Resolver {
    let cache = policy_cache().map(|folder| Cache::new(folder.join("modules")));
    Resolver::new(steadfast_host::builtin::find, known(registries), cache)
}

async fn resolve(resolver: &Resolver, policy: &Policy) -> Result<Module, RefusedModule> {
    let resolved = resolver.resolve(&policy.module, &policy.trust).await;
    resolved.map_err(|source| RefusedModule {
        policy: policy.name.clone(),
        source,
    })
}

/// The same for a command that does nothing else meanwhile. It takes a thread of its own, since whoever calls it may
/// be inside a runtime.
pub fn resolve_modules_now(policies: &[Policy], registries: &[RegistryHost]) -> anyhow::Result<Vec<Module>> {
    let resolve = || -> anyhow::Result<Vec<Module>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(resolve_modules(policies, registries))?)
    };
    std::thread::scope(|scope| {
        let resolving = std::thread::Builder::new().spawn_scoped(scope, resolve)?;
        let resolved = resolving.join();
        resolved.map_err(|_| anyhow::anyhow!("the modules could not be looked for"))?
    })
}

/// What is known of registries: the configuration's entries, and Docker's logins for the others.
pub fn known(registries: &[RegistryHost]) -> Registries {
    Registries {
        hosts: registries.to_vec(),
        docker_config: docker_config(),
        ..Registries::default()
    }
}

/// Where Docker keeps its logins.
fn docker_config() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker")))?;
    Some(folder.join("config.json"))
}
