//! Guests written by hand: small enough to see what is wrong with each.

use steadfast_host::{LoadError, Policy, PolicyEngine, PolicyLimits};
use steadfast_wit::POLICY_WIT;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The parts of a guest, as text.
#[derive(Clone)]
pub(crate) struct Guest {
    /// The contract it claims to be built for.
    pub(crate) wit: String,
    pub(crate) imports: &'static str,
    pub(crate) configure: &'static str,
    /// The body of `decide`, which leaves the answer's address; [`ANSWER`] says RUNNING.
    pub(crate) decide: String,
}

/// The address of a good answer: RUNNING, confirmed, looked at again after 5 s.
pub(crate) const ANSWER: &str = "(i32.const 256)";

/// The decision itself, and where its fields lie in the canonical ABI.
pub(crate) mod at {
    pub(crate) const RESULT: u32 = 256;
    pub(crate) const STATE: u32 = 264;
    pub(crate) const POLL_AFTER: u32 = 264 + 32;
    pub(crate) const CONDITIONS: u32 = 264 + 64;
    pub(crate) const MEMORY: u32 = 264 + 80;
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            wit: POLICY_WIT.to_owned(),
            imports: "",
            configure: "(i32.const 64)",
            decide: ANSWER.to_owned(),
        }
    }
}

impl Guest {
    /// A guest that differs from the good one in `decide`.
    pub(crate) fn deciding(decide: impl Into<String>) -> Self {
        Self {
            decide: decide.into(),
            ..Self::default()
        }
    }

    /// The module without its component type.
    pub(crate) fn bare(&self) -> Vec<u8> {
        let text = format!(
            r#"(module
                {imports}
                (memory (export "memory") 16)
                (global $heap (mut i32) (i32.const 131072))
                (global $calls (mut i32) (i32.const 0))
                (data (i32.const 1024) "test1s")
                (data (i32.const 1040) "Ok")
                (data (i32.const 1048) "no parameters, please")
                ;; describe: name, version, summary, no parameters
                (data (i32.const 16) "\00\04\00\00\04\00\00\00\04\04\00\00\01\00\00\00\05\04\00\00\01\00\00\00")
                ;; configure: ok; at 80: an error
                (data (i32.const 80) "\01\00\00\00\18\04\00\00\15\00\00\00")
                ;; decide: ok, RUNNING, confirmed, reason "Ok" and no message, no rule
                (data (i32.const 264) "\02\00\00\00\10\04\00\00\02\00\00\00")
                ;; poll after 5000, validate after 60000, active
                (data (i32.const 296) "\88\13\00\00\00\00\00\00\60\ea\00\00\00\00\00\00\00")
                ;; at 512: an error
                (data (i32.const 512) "\01\00\00\00\00\00\00\00\18\04\00\00\15\00\00\00")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
                    (global.set $heap (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                (func (export "describe") (result i32) (i32.const 16))
                (func (export "configure") (param i32 i32) (result i32) {configure})
                (func $recurse (export "decide") (param i32) (result i32) {decide})
            )"#,
            imports = self.imports,
            configure = self.configure,
            decide = self.decide,
        );
        wat::parse_str(text).unwrap()
    }

    /// The module as a compiler would leave it, with its component type.
    pub(crate) fn module(&self) -> Vec<u8> {
        let mut module = self.bare();
        let mut resolve = Resolve::default();
        let package = resolve.push_str("policy.wit", &self.wit).unwrap();
        let world = resolve.select_world(&[package], Some("policy")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        module
    }

    /// The module as a component.
    pub(crate) fn component(&self) -> Vec<u8> {
        ComponentEncoder::default()
            .module(&self.module())
            .unwrap()
            .encode()
            .unwrap()
    }

    /// The policy, if it can be loaded.
    pub(crate) fn load(&self) -> Result<Policy, LoadError> {
        load(&self.module())
    }
}

/// Loads a module with the usual limits, whose deadline no machine misses by being slow.
pub(crate) fn load(module: &[u8]) -> Result<Policy, LoadError> {
    PolicyEngine::new(None)
        .unwrap()
        .load("test", module, "{}", PolicyLimits::default())
}
