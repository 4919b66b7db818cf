//! The one WebAssembly engine of a process, and the loading of policies into it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::cache::Cache;
use crate::encode;
use crate::load_error::LoadError;
use crate::policy::{Module, Policy};
use crate::ticker;

/// How many instances may live at a time: one a policy, and one more while a policy is being loaded.
/// Each costs 4 GiB of address space, though hardly any memory.
const INSTANCES: u32 = 64;

/// How much of a memory is wiped in place rather than given back when its instance ends, in bytes.
const KEPT_RESIDENT: usize = 256 * 1024;

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
    engine: Engine,
    cache: Option<Arc<Cache>>,
}

impl PolicyEngine {
    /// Sets the engine up. Compiled modules are kept in `cache_dir`, which is made if need be; without one, or
    /// with one that others may write to, each start compiles anew (about 0.1 s a policy).
    pub fn new(cache_dir: Option<&Path>) -> Result<Self, HostError> {
        let engine = Engine::new(&config()).map_err(HostError::Engine)?;
        let _ends_with_the_engine = ticker::start(&engine).map_err(HostError::Ticker)?;
        let cache = cache_dir.map(|dir| Arc::new(Cache::new(PathBuf::from(dir), &engine)));
        Ok(Self { engine, cache })
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
        let instance = Linker::new(&self.engine)
            .instantiate_pre(&component)
            .map_err(contract)?;
        let module = Module {
            engine: self.engine.clone(),
            version,
            prepared: version.prepare(instance).map_err(contract)?,
        };
        Policy::start(name, module, digest, params_json, limits)
    }

    /// The compiled component, from the cache if it is there.
    fn compile(&self, name: &str, module: &[u8], digest: &str) -> Result<Component, LoadError> {
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.get(&self.engine, digest)) {
            return Ok(component);
        }
        let bytes = encode::component(name, module)?;
        let component =
            Component::from_binary(&self.engine, &bytes).map_err(|source| encode::malformed(name, source))?;
        if let Some(cache) = &self.cache {
            cache.put(digest, &component);
        }
        Ok(component)
    }
}

fn config() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES * 4)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES * 4)
        .linear_memory_keep_resident(KEPT_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .cranelift_opt_level(OptLevel::Speed)
        // One snapshot gives one decision on every machine, whatever its processor does with a NaN.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        // A policy is one call that returns: no tasks, so none of their book-keeping on each call.
        .concurrency_support(false);
    config
}
