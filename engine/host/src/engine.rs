//! The WebAssembly engine of a process, and the loading of policies into it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Component, Linker};

use crate::cache::{Cache, CompiledCode};
use crate::encode;
use crate::engines::Engines;
use crate::load_error::LoadError;
use crate::policy::{Module, Policy};

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Wasmtime refused the machine or the address space.
    #[error(
        "the WebAssembly engine could not be set up; it needs 64-bit addresses without a limit (`ulimit -v unlimited`)"
    )]
    Engine(#[source] wasmtime::Error),
    /// The thread that watches deadlines could not be started.
    #[error("the thread that ends calls at their deadline could not be started")]
    Ticker(#[source] std::io::Error),
}

/// What a policy may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyLimits {
    /// How long one call may run, in processor time; met to about 10 ms.
    pub deadline: Duration,
    /// How much memory an instance may have.
    pub memory_bytes: u64,
}

impl Default for PolicyLimits {
    /// 50 ms and 64 MiB.
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(50),
            memory_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Loads policies. Clones share one engine.
#[derive(Clone)]
pub struct PolicyEngine {
    engines: Engines,
    cache: Option<Arc<Cache>>,
}

impl PolicyEngine {
    /// Sets the engine up. Compiled modules are kept in `cache_dir`, which is made if need be; without one, or
    /// with one that others may write to, each start compiles anew (about 0.1 s a policy).
    pub fn new(cache_dir: Option<&Path>) -> Result<Self, HostError> {
        let engines = Engines::new()?;
        let cache = cache_dir.map(|dir| Arc::new(Cache::new(PathBuf::from(dir), engines.compiler())));
        Ok(Self { engines, cache })
    }

    /// Loads a module and lets it check its parameters. `name` is how errors call it; `params_json` is the
    /// JSON of the configuration's `params`.
    pub fn load(
        &self,
        name: &str,
        module: &[u8],
        params_json: &str,
        limits: PolicyLimits,
    ) -> Result<Policy, LoadError> {
        let digest = crate::cache::hex_digest(module);
        let component = self.compile(name, module, &digest)?;
        let version = encode::check(name, &component)?;
        let contract = |source| LoadError::Contract {
            policy: name.to_owned(),
            version: version.to_string(),
            source,
        };
        let engine = component.engine();
        let instance = Linker::new(engine).instantiate_pre(&component).map_err(contract)?;
        let module = Module {
            engine: engine.clone(),
            version,
            prepared: version.prepare(instance).map_err(contract)?,
        };
        Policy::start(name, module, digest, params_json, limits)
    }

    /// The compiled component, from the cache if it is there.
    fn compile(&self, name: &str, module: &[u8], digest: &str) -> Result<Component, LoadError> {
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.get(&self.engines, digest)) {
            return Ok(component);
        }
        let bytes = encode::component(name, module)?;
        let compiled = CompiledCode::of(&self.engines, &bytes).map_err(|source| encode::malformed(name, source))?;
        if let Some(cache) = &self.cache {
            cache.put(digest, &compiled);
        }
        compiled
            .load(&self.engines)
            .map_err(|source| encode::malformed(name, source))
    }
}
