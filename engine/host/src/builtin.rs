//! Policies that come with the binary, so that nothing needs to be installed beside it.
//!
//! The modules are built by `policies/build`, which also proves that they are what their source says.

/// `builtin:conservative`, the default policy.
pub const CONSERVATIVE: &[u8] = include_bytes!("../../../policies/prebuilt/conservative.wasm");

/// `builtin:naive`: what a watcher says that takes an error for absence. For comparison only.
pub const NAIVE: &[u8] = include_bytes!("../../../policies/prebuilt/naive.wasm");

/// The built-in module of that name, as it stands behind `builtin:` in the configuration.
pub fn find(name: &str) -> Option<&'static [u8]> {
    match name {
        "conservative" => Some(CONSERVATIVE),
        "naive" => Some(NAIVE),
        _ => None,
    }
}
