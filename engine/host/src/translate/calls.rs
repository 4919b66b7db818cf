//! The calls into an instance, with their arguments and answers translated.
//!
//! The files of this folder are compiled for each version of the contract, beside that version's `types` and `own`.

mod decision;
mod description;
pub(super) mod snapshot;

use steadfast_core::decision::{Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::snapshot::Snapshot;
use wasmtime::component::InstancePre;
use wasmtime::{Result, Store};

use super::generated::{Policy, PolicyPre};
use super::{own, types};
use crate::contract::{Calls, Prepared};
use crate::description::Description;
use crate::guard::Guard;

/// Checks the functions of a module against this version's types.
pub(in crate::contract) fn prepare(module: InstancePre<Guard>) -> Result<impl Prepared + use<>> {
    PolicyPre::new(module).map(PreparedModule)
}

struct PreparedModule(PolicyPre<Guard>);

impl Prepared for PreparedModule {
    fn instantiate(&self, store: &mut Store<Guard>) -> Result<Box<dyn Calls>> {
        Ok(Box::new(TypedInstance(self.0.instantiate(store)?)))
    }
}

struct TypedInstance(Policy);

impl Calls for TypedInstance {
    fn describe(&self, store: &mut Store<Guard>) -> Result<Description> {
        self.0.call_describe(store).map(description::from_contract)
    }

    fn configure(&self, store: &mut Store<Guard>, params: &str) -> Result<Result<(), String>> {
        self.0.call_configure(store, params)
    }

    fn decide(&self, store: &mut Store<Guard>, snapshot: &Snapshot) -> Result<Result<Decision, PolicyFailure>> {
        let memory = &snapshot.record.memory;
        let answer = self.0.call_decide(store, &snapshot::to_contract(snapshot), memory)?;
        let refused = |message: String| PolicyFailure {
            kind: PolicyFailureKind::Error,
            message: message.into(),
        };
        Ok(answer.map_err(refused).and_then(decision::from_contract))
    }
}
