//! One loaded policy.

use std::fmt;
use std::sync::Arc;

use steadfast_core::decision::{Decide, Decision, Interrupt, PolicyFailure, PolicyFailureKind};
use steadfast_core::foreign_text::harmless;
use steadfast_core::rule::Rule;
use steadfast_core::snapshot::Snapshot;
use wasmtime::{Engine, Store};

use crate::contract::{Calls, Prepared, Version};
use crate::description::Description;
use crate::guard::{self, Guard};
use crate::limits::PolicyLimits;
use crate::load_error::LoadError;

/// The most that an event of the log holds of what a policy printed, in bytes.
const SAID: usize = 4 * 1024;

/// A policy that is ready to decide.
///
/// An instance serves one batch: [`Decide::end_batch`] drops it, and the next decision makes and configures
/// another. Nothing a policy keeps to itself survives that; what it wants to remember is in its decisions.
pub struct Policy {
    name: String,
    module: CompiledModule,
    digest: String,
    params: String,
    limits: PolicyLimits,
    description: Description,
    interrupt: Interrupt,
    instance: Option<Instance>,
    /// What the last decision printed.
    printed: String,
    /// Where it is noted which of its code ran.
    #[cfg(feature = "coverage")]
    passed: Option<Arc<crate::marks::Passed>>,
}

/// A compiled module whose functions were found to be those of its version of the contract.
#[derive(Clone)]
pub(crate) struct CompiledModule {
    pub(crate) engine: Engine,
    pub(crate) version: Version,
    pub(crate) prepared: Arc<dyn Prepared>,
}

/// A configured instance with its store, which is its whole memory.
struct Instance {
    store: Store<Guard>,
    calls: Box<dyn Calls>,
}

impl Policy {
    /// Makes a first instance, which describes the policy and checks the parameters.
    pub(crate) fn start(
        name: &str,
        module: CompiledModule,
        digest: String,
        params: &str,
        limits: PolicyLimits,
    ) -> Result<Self, LoadError> {
        let failed = |call, failure: PolicyFailure| LoadError::Failed {
            policy: name.to_owned(),
            call,
            message: failure.message,
        };
        let interrupt = Interrupt::default();
        let instance = Instance::new(&module, limits, &interrupt);
        let mut instance = instance.map_err(|failure| failed("describe", failure))?;
        let description = instance.describe().map_err(|failure| failed("describe", failure))?;
        instance
            .configure(params)
            .map_err(|failure| failed("configure", failure))?
            .map_err(|message| LoadError::Params {
                policy: name.to_owned(),
                message: message.into(),
            })?;
        Ok(Self {
            name: name.to_owned(),
            module,
            digest,
            params: params.to_owned(),
            limits,
            description,
            interrupt,
            instance: None,
            printed: String::new(),
            #[cfg(feature = "coverage")]
            passed: None,
        })
    }

    /// The same policy for another engine. It shares the compiled module and nothing else.
    pub fn another(&self) -> Self {
        Self {
            name: self.name.clone(),
            module: self.module.clone(),
            digest: self.digest.clone(),
            params: self.params.clone(),
            limits: self.limits,
            description: self.description.clone(),
            interrupt: Interrupt::default(),
            instance: None,
            printed: String::new(),
            #[cfg(feature = "coverage")]
            passed: self.passed.clone(),
        }
    }

    /// The same, whose instances note which of their code ran. The module must have been made for it (`steadfast-coverage`).
    #[cfg(feature = "coverage")]
    #[must_use]
    pub fn noting(mut self, passed: Arc<crate::marks::Passed>) -> Self {
        self.passed = Some(passed);
        // The instance that described it when it was loaded is gone.
        if let Ok(mut instance) = self.take_instance() {
            drop(instance.describe());
            self.instance = Some(instance);
            self.end_batch();
        }
        self
    }

    /// The same policy with other parameters, the JSON of `params`. A first instance takes them, or says why not.
    pub fn with_params(&self, params: &str) -> Result<Self, LoadError> {
        let mut changed = self.another();
        params.clone_into(&mut changed.params);
        let took = Instance::new(&self.module, self.limits, &changed.interrupt)
            .and_then(|mut instance| instance.configure(params))
            .map_err(|failure| LoadError::Failed {
                policy: self.name.clone(),
                call: "configure",
                message: failure.message,
            })?;
        took.map_err(|message| LoadError::Params {
            policy: self.name.clone(),
            message: message.into(),
        })?;
        Ok(changed)
    }

    /// What it says about itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The version of the contract it was built for.
    pub fn contract(&self) -> String {
        self.module.version.to_string()
    }

    /// The sha256 of the module as it was loaded, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What the last decision printed, whether it failed or not: the first and the last 2 KiB of it, as the policy wrote it. Empty
    /// if it printed nothing.
    pub fn printed(&self) -> &str {
        &self.printed
    }

    /// A configured instance: the batch's, or a fresh one.
    fn take_instance(&mut self) -> Result<Instance, PolicyFailure> {
        if let Some(instance) = self.instance.take() {
            return Ok(instance);
        }
        let mut instance = Instance::new(&self.module, self.limits, &self.interrupt)?;
        instance.configure(&self.params)?.map_err(|message| PolicyFailure {
            kind: PolicyFailureKind::Error,
            message: format!("`configure` refused what it took before: {message}").into(),
        })?;
        Ok(instance)
    }
}

impl Decide for Policy {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        self.printed.clear();
        let mut instance = self.take_instance()?;
        let answer = instance.decide(snapshot);
        self.printed = instance.store.data().printed.text();
        if !self.printed.is_empty() {
            let printed = harmless(&self.printed, SAID);
            tracing::debug!(policy = self.name, job = %snapshot.record.key, %printed, "the policy printed something");
        }
        // An instance that failed is not put back: what it left behind may be half done.
        let answer = answer?;
        self.instance = Some(instance);
        answer
    }

    fn end_batch(&mut self) {
        let ended = self.instance.take();
        #[cfg(feature = "coverage")]
        if let (Some(mut instance), Some(passed)) = (ended, &self.passed) {
            passed.take(instance.calls.as_ref(), &mut instance.store);
        }
        #[cfg(not(feature = "coverage"))]
        drop(ended);
    }

    fn interrupt(&self) -> Option<Interrupt> {
        Some(self.interrupt.clone())
    }

    fn rule(&self, name: &str) -> Option<Rule> {
        self.description.rules.iter().find(|rule| rule.name == name).cloned()
    }
}

#[cfg(feature = "coverage")]
impl Drop for Policy {
    fn drop(&mut self) {
        self.end_batch();
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Instance {
    fn new(module: &CompiledModule, limits: PolicyLimits, interrupt: &Interrupt) -> Result<Self, PolicyFailure> {
        let mut store = guard::store(&module.engine, limits, interrupt.clone());
        guard::begin_call(&mut store);
        match module.prepared.instantiate(&mut store) {
            Ok(calls) => Ok(Self { store, calls }),
            Err(error) => Err(store.data().classify("instantiate", &error)),
        }
    }

    fn describe(&mut self) -> Result<Description, PolicyFailure> {
        guard::begin_call(&mut self.store);
        let answer = self.calls.describe(&mut self.store);
        answer.map_err(|error| self.store.data().classify("describe", &error))
    }

    fn configure(&mut self, params: &str) -> Result<Result<(), String>, PolicyFailure> {
        guard::begin_call(&mut self.store);
        let answer = self.calls.configure(&mut self.store, params);
        answer.map_err(|error| self.store.data().classify("configure", &error))
    }

    /// The outer error ends the instance; the inner one is an answer.
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Result<Decision, PolicyFailure>, PolicyFailure> {
        guard::begin_call(&mut self.store);
        let answer = self.calls.decide(&mut self.store, snapshot);
        answer.map_err(|error| self.store.data().classify("decide", &error))
    }
}
