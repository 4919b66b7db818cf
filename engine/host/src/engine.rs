//! The WebAssembly engine of a process, and the loading of policies into it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::{Component, Linker};

use crate::cache::{Cache, CompiledCode};
use crate::compiler::{CompileFailure, CompilerProcess};
use crate::encode;
use crate::engine_pair::EnginePair;
use crate::host_error::HostError;
use crate::limits::PolicyLimits;
use crate::load_error::LoadError;
use crate::output;
use crate::policy::{CompiledModule, Policy};

/// Loads policies. Clones share one engine.
#[derive(Clone)]
pub struct PolicyEngine {
    engines: EnginePair,
    cache: Option<Arc<Cache>>,
    /// What compiles; `None`: this process.
    compiler: Option<Arc<CompilerProcess>>,
}

impl PolicyEngine {
    /// Sets the engine up. Compiled modules are kept in `cache_dir`, which is made if need be; without one, or
    /// with one that others may write to, each start compiles anew (about 0.1 s a policy). Fails if wasmtime
    /// cannot have the address space it needs.
    pub fn new(cache_dir: Option<&Path>) -> Result<Self, HostError> {
        let engines = EnginePair::new()?;
        let cache = cache_dir.map(|dir| Arc::new(Cache::new(PathBuf::from(dir), engines.compiler())));
        Ok(Self {
            engines,
            cache,
            compiler: None,
        })
    }

    /// Lets modules be compiled by a process of its own, which may take only so much time and memory.
    #[must_use]
    pub fn compiling_in(self, process: CompilerProcess) -> Self {
        Self {
            compiler: Some(Arc::new(process)),
            ..self
        }
    }

    /// Loads a module and lets it check its parameters. `name` is how errors call it; `params_json` is the
    /// JSON of the configuration's `params`. Fails if the module is no policy of a served contract, if it cannot be
    /// compiled, or if the policy refuses its parameters.
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
        let mut linker = Linker::new(engine);
        output::link(&mut linker).map_err(contract)?;
        let instance = linker.instantiate_pre(&component).map_err(contract)?;
        let module = CompiledModule {
            engine: engine.clone(),
            version,
            prepared: version.prepare(instance).map_err(contract)?,
        };
        Policy::start(name, module, digest, params_json, limits)
    }

    /// The component that would be made of a module: itself, if it is one. Fails if it cannot be a policy.
    #[cfg(feature = "coverage")]
    pub fn component<'a>(name: &str, module: &'a [u8]) -> Result<std::borrow::Cow<'a, [u8]>, LoadError> {
        encode::component(name, module)
    }

    /// The compiled component, from the cache if it is there.
    fn compile(&self, name: &str, module: &[u8], digest: &str) -> Result<Component, LoadError> {
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.get(&self.engines, digest)) {
            return Ok(component);
        }
        let bytes = encode::component(name, module)?;
        let compiled = self.machine_code(name, &bytes)?;
        if let Some(cache) = &self.cache {
            cache.put(digest, &compiled);
        }
        compiled
            .load(&self.engines)
            .map_err(|source| encode::malformed(name, source))
    }

    fn machine_code(&self, name: &str, component: &[u8]) -> Result<CompiledCode, LoadError> {
        let here = || CompiledCode::of(&self.engines, component).map_err(|source| encode::malformed(name, source));
        let Some(process) = &self.compiler else { return here() };
        CompiledCode::made_apart(process, component).or_else(|failure| match failure {
            CompileFailure::Refused(why) => Err(encode::malformed(name, wasmtime::Error::msg(why))),
            CompileFailure::Costly(why) => Err(LoadError::Costly {
                policy: name.to_owned(),
                why,
            }),
            CompileFailure::Lacking(why) => Err(LoadError::Lacking {
                policy: name.to_owned(),
                why,
            }),
            // The program cannot be run again here, as on a file system without /proc, and never can be.
            CompileFailure::NotStarted(error) => {
                tracing::warn!(policy = name, %error, "no process to compile in could be started; the policy is compiled here, without a limit");
                here()
            }
        })
    }
}
