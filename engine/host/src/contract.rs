//! The contract's types and calls, generated from the WIT.

// wasmtime's derives implement unsafe traits; their code is checked by wasmtime's own tests, not here.
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../wit/wit",
        world: "policy",
    });
}

pub(crate) use generated::steadfast::policy::types;
pub(crate) use generated::{Policy as Guest, PolicyPre as GuestPre};

/// The functions a policy exports.
pub(crate) const EXPORTS: [&str; 3] = ["configure", "decide", "describe"];

/// The instance that carries the contract's types. It holds no function, so importing it gives a policy nothing.
pub(crate) const TYPES: &str = "steadfast:policy/types";
