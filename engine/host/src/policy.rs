//! One loaded policy.

use std::fmt;
use std::sync::Arc;

use steadfast_core::decision::{Decide, Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::explanation::Rule;
use steadfast_core::snapshot::Snapshot;
use wasmtime::{Engine, Store};

use crate::contract::{Calls, Prepared, Version};
use crate::engine::PolicyLimits;
use crate::guard::{self, Guard};
use crate::load_error::LoadError;

/// What a policy says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A sentence.
    pub summary: String,
    /// What can be tuned.
    pub parameters: Vec<Parameter>,
    /// The rules its decisions name.
    pub rules: Vec<Rule>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its key in `params`.
    pub name: String,
    /// `integer`, `number`, `duration`, `string` or `boolean`.
    pub kind: String,
    /// As it would be written in the configuration.
    pub default: String,
    /// A sentence.
    pub help: String,
}

/// A policy that is ready to decide.
///
/// An instance serves one batch: [`Decide::end_batch`] drops it, and the next decision makes and configures
/// another. Nothing a policy keeps to itself survives that; what it wants to remember is in its decisions.
pub struct Policy {
    name: String,
    module: Module,
    digest: String,
    params: String,
    limits: PolicyLimits,
    description: Description,
    live: Option<Live>,
}

/// A compiled module whose functions were found to be those of its version of the contract.
#[derive(Clone)]
pub(crate) struct Module {
    pub(crate) engine: Engine,
    pub(crate) version: Version,
    pub(crate) prepared: Arc<dyn Prepared>,
}

/// A configured instance with its store, which is its whole memory.
struct Live {
    store: Store<Guard>,
    calls: Box<dyn Calls>,
}

impl Policy {
    /// Makes a first instance, which describes the policy and checks the parameters.
    pub(crate) fn start(
        name: &str,
        module: Module,
        digest: String,
        params: &str,
        limits: PolicyLimits,
    ) -> Result<Self, LoadError> {
        let failed = |call, failure: PolicyFailure| LoadError::Failed {
            policy: name.to_owned(),
            call,
            message: failure.message,
        };
        let mut live = Live::new(&module, limits).map_err(|failure| failed("describe", failure))?;
        let description = live.describe().map_err(|failure| failed("describe", failure))?;
        live.configure(params)
            .map_err(|failure| failed("configure", failure))?
            .map_err(|message| LoadError::Params {
                policy: name.to_owned(),
                message,
            })?;
        Ok(Self {
            name: name.to_owned(),
            module,
            digest,
            params: params.to_owned(),
            limits,
            description,
            live: None,
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
            live: None,
        }
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

    /// A configured instance: the batch's, or a fresh one.
    fn take_live(&mut self) -> Result<Live, PolicyFailure> {
        if let Some(live) = self.live.take() {
            return Ok(live);
        }
        let mut live = Live::new(&self.module, self.limits)?;
        live.configure(&self.params)?.map_err(|message| PolicyFailure {
            kind: PolicyFailureKind::Error,
            message: format!("`configure` refused what it took before: {message}"),
        })?;
        Ok(live)
    }
}

impl Decide for Policy {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let mut live = self.take_live()?;
        // An instance that failed is not put back: what it left behind may be half done.
        let answer = live.decide(snapshot)?;
        self.live = Some(live);
        answer
    }

    fn end_batch(&mut self) {
        self.live = None;
    }

    fn rule(&self, name: &str) -> Option<Rule> {
        self.description.rules.iter().find(|rule| rule.name == name).cloned()
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

impl Live {
    fn new(module: &Module, limits: PolicyLimits) -> Result<Self, PolicyFailure> {
        let mut store = guard::store(&module.engine, limits);
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
