//! Two wasmtime engines that differ in one thing: where the memory of instances comes from.
//!
//! A policy gets a fresh instance for each batch of decisions, so that nothing it keeps to itself outlives the batch. That
//! is cheap only with wasmtime's pooling allocator, where an instance is a slot that is wiped (microseconds), not memory
//! that is mapped (which costs page faults, and a lock of the whole process while it is unmapped).
//!
//! The pool's slots have one size. wasmtime refuses a component whose instances need more (1 MiB of tables, globals and
//! function references, as the runtime of a large language may) when the component is made from its machine code. Such a
//! component gets its instances from the system instead: slower, and otherwise the same.
//!
//! Rejected:
//!
//! - *Larger slots.* Every slot would grow for the sake of one policy, and there would always be a runtime that is larger.
//! - *No pool.* Every policy would pay on every batch for the few that do not fit.
//! - *One compilation for each engine.* The settings that shape machine code are the same in both, so it is compiled, and
//!   kept on disk, once; only the cheap last step from machine code to component is tried twice.

use std::sync::{Arc, OnceLock};

use wasmtime::component::Component;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Result};

use crate::guard::TABLE_LIMIT;
use crate::host_error::HostError;
use crate::limits::MAX_POLICIES;
use crate::ticker;

/// How many instances may live at a time: one a policy while it decides, and as many again and some more while others are tried,
/// loaded and explained. Each costs 4 GiB of address space, of which a process has 128 TiB, though hardly any memory.
const INSTANCES: u32 = 2 * MAX_POLICIES as u32 + 64;

/// How much of a memory is wiped in place rather than given back when its instance ends, in bytes.
const KEPT_RESIDENT: usize = 256 * 1024;

/// The engines of a process, the second one made when it is first needed. Clones share them.
#[derive(Clone)]
pub(crate) struct EnginePair {
    pooled: Engine,
    /// Made for the first component that does not fit the pool.
    on_demand: Arc<OnceLock<Engine>>,
}

impl EnginePair {
    /// Sets the pooled engine up. Fails if the machine has no room for the pool's address space, or for a thread.
    pub(crate) fn new() -> Result<Self, HostError> {
        let pooled = Engine::new(&config(pool())).map_err(HostError::Engine)?;
        let _ends_with_the_engine = ticker::start(&pooled).map_err(HostError::Ticker)?;
        Ok(Self {
            pooled,
            on_demand: Arc::default(),
        })
    }

    /// The one that compiles for both: their machine code is the same.
    pub(crate) fn compiler(&self) -> &Engine {
        &self.pooled
    }

    /// Makes a component in the pooled engine, or in the other one if the pool's slots are too small for it. Fails with
    /// the pooled engine's error, since what neither takes was not refused for its size.
    pub(crate) fn try_each(&self, make: impl Fn(&Engine) -> Result<Component>) -> Result<Component> {
        make(&self.pooled).or_else(|refusal| match make(self.on_demand()?) {
            Ok(component) => {
                tracing::debug!(%refusal, "a policy does not fit the pool; its instances come from the system");
                Ok(component)
            }
            // The pool is not to blame: the component itself is bad, and the first error says how.
            Err(_) => Err(refusal),
        })
    }

    fn on_demand(&self) -> Result<&Engine> {
        if let Some(engine) = self.on_demand.get() {
            return Ok(engine);
        }
        let engine = Engine::new(&config(InstanceAllocationStrategy::OnDemand))?;
        let _ends_with_the_engine = ticker::start(&engine)?;
        // Of two that were made at once, one is kept; the other's ticker ends with it.
        Ok(self.on_demand.get_or_init(|| engine))
    }
}

fn pool() -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES * 4)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES * 4)
        .table_elements(TABLE_LIMIT)
        .max_memories_per_component(1)
        .linear_memory_keep_resident(KEPT_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}

/// That of an engine that only compiles: its machine code is that of both.
pub(crate) fn config_to_compile() -> Config {
    config(InstanceAllocationStrategy::OnDemand)
}

fn config(instances: InstanceAllocationStrategy) -> Config {
    let mut config = Config::new();
    config
        .allocation_strategy(instances)
        .cranelift_opt_level(OptLevel::Speed)
        // One snapshot gives one decision on every machine, whatever its processor does with a NaN.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        // A policy is one call that returns: no tasks, so none of their book-keeping on each call.
        .concurrency_support(false);
    config
}
