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

use super::generated::{Policy, PolicyIndices};
use super::{own, types};
use crate::contract::{Calls, Prepared};
use crate::description::Description;
use crate::guard::Guard;

/// Checks the functions of a module against this version's types.
pub(in crate::contract) fn prepare(module: InstancePre<Guard>) -> Result<impl Prepared + use<>> {
    let functions = PolicyIndices::new(&module)?;
    Ok(PreparedModule { module, functions })
}

struct PreparedModule {
    module: InstancePre<Guard>,
    functions: PolicyIndices,
}

impl Prepared for PreparedModule {
    fn instantiate(&self, store: &mut Store<Guard>) -> Result<Box<dyn Calls>> {
        let instance = self.module.instantiate(&mut *store)?;
        let functions = self.functions.load(&mut *store, &instance)?;
        Ok(Box::new(TypedInstance {
            functions,
            #[cfg(feature = "coverage")]
            instance,
        }))
    }
}

struct TypedInstance {
    functions: Policy,
    #[cfg(feature = "coverage")]
    instance: wasmtime::component::Instance,
}

impl Calls for TypedInstance {
    fn describe(&self, store: &mut Store<Guard>) -> Result<Description> {
        self.functions.call_describe(store).map(description::from_contract)
    }

    fn configure(&self, store: &mut Store<Guard>, params: &str) -> Result<Result<(), String>> {
        self.functions.call_configure(store, params)
    }

    fn decide(&self, store: &mut Store<Guard>, snapshot: &Snapshot) -> Result<Result<Decision, PolicyFailure>> {
        let memory = &snapshot.record.memory;
        let answer = self
            .functions
            .call_decide(store, &snapshot::to_contract(snapshot), memory)?;
        let refused = |message: String| PolicyFailure {
            kind: PolicyFailureKind::Error,
            message: message.into(),
        };
        Ok(answer.map_err(refused).and_then(decision::from_contract))
    }

    #[cfg(feature = "coverage")]
    fn marks(&self, store: &mut Store<Guard>, word: u32) -> Result<u64> {
        let name = "steadfast-marks";
        let tell = self.instance.get_typed_func::<(u32,), (u64,)>(&mut *store, name)?;
        Ok(tell.call(store, (word,))?.0)
    }
}
