//! Why a module is refused.

use steadfast_core::foreign_text::ForeignText;
use steadfast_wit::{PACKAGE, PREVIOUS_VERSION, VERSION};

/// Why a module could not be loaded. Each text says what is wrong and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are something else.
    #[error(
        "policy `{policy}`: this is not WebAssembly (it does not begin with \\0asm); give a .wasm module or component"
    )]
    NotWebAssembly {
        /// The name of its `[[policy]]`.
        policy: String,
    },
    /// It wants something the contract does not give.
    #[error(
        "policy `{policy}`: the module imports `{import}`, but a policy has none but the contract's `output`, to print (no \
         clock, files, network or randomness); build it for wasm32-unknown-unknown without WASI, and drop what needs `{import}`"
    )]
    Import {
        /// The name of its `[[policy]]`.
        policy: String,
        /// `interface/function` or `module/name`, as the module names it.
        import: String,
    },
    /// It lacks functions of the contract.
    #[error(
        "policy `{policy}`: the module does not export {missing}, which {PACKAGE}@{VERSION} asks for; export it with \
         `steadfast_policy::export!` or wit-bindgen, so that the module carries its component type"
    )]
    Export {
        /// The name of its `[[policy]]`.
        policy: String,
        /// The functions, quoted and joined.
        missing: String,
    },
    /// It is a core module that does not say which types its functions have.
    #[error(
        "policy `{policy}`: the module has no embedded component type, so the types of its functions are not known; build \
         it with wit-bindgen, or add the type with `wasm-tools component embed policy.wit`"
    )]
    Untyped {
        /// The name of its `[[policy]]`.
        policy: String,
    },
    /// It was built for another contract.
    #[error(
        "policy `{policy}`: the module is built for {PACKAGE}@{found}, this engine serves {PACKAGE}@{VERSION} and \
         @{PREVIOUS_VERSION}; build it against this engine's policy.wit (`steadfast policy wit` prints it), or run an \
         engine that serves {found}"
    )]
    Version {
        /// The name of its `[[policy]]`.
        policy: String,
        /// The version in the module.
        found: String,
    },
    /// It declares several memories.
    #[error(
        "policy `{policy}`: the module declares {memories} memories, and a policy has one, whose size `memory` in its \
         [[policy]] bounds; build it without multi-memory, as all usual toolchains do"
    )]
    Memories {
        /// The name of its `[[policy]]`.
        policy: String,
        /// How many it declares.
        memories: u32,
    },
    /// Compiling it took more than it may.
    #[error(
        "policy `{policy}`: the module costs too much to compile: {why}; make its largest functions smaller, or build it for size"
    )]
    Costly {
        /// The name of its `[[policy]]`.
        policy: String,
        /// What it took too much of.
        why: String,
    },
    /// There was nothing to compile it in. The module is not to blame.
    #[error("policy `{policy}`: the module cannot be compiled now: {why}")]
    Lacking {
        /// The name of its `[[policy]]`.
        policy: String,
        /// What was lacking.
        why: String,
    },
    /// It is named like the contract and shaped differently.
    #[error(
        "policy `{policy}`: the module's types are not those of {PACKAGE}@{version}, which it names; build it against \
         this engine's policy.wit (`steadfast policy wit` prints it)"
    )]
    Contract {
        /// The name of its `[[policy]]`.
        policy: String,
        /// The version it names.
        version: String,
        /// What does not match.
        source: wasmtime::Error,
    },
    /// It does not validate, or uses a feature that is off.
    #[error("policy `{policy}`: the module could not be read; build it again, and check that the file is complete")]
    Malformed {
        /// The name of its `[[policy]]`.
        policy: String,
        /// What wasmtime says, with the offset in the module.
        source: wasmtime::Error,
    },
    /// The policy refused its parameters.
    #[error("policy `{policy}`: params: {message}")]
    Params {
        /// The name of its `[[policy]]`.
        policy: String,
        /// The policy's own words.
        message: ForeignText,
    },
    /// It failed before it could decide anything.
    #[error("policy `{policy}`: it failed in `{call}`: {message}")]
    Failed {
        /// The name of its `[[policy]]`.
        policy: String,
        /// `describe` or `configure`.
        call: &'static str,
        /// The trap, the limit, or the policy's own words.
        message: ForeignText,
    },
}

impl LoadError {
    /// Whether trying again later may help, with nothing changed.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Lacking { .. })
    }
}
