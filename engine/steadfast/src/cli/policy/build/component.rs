//! From a compiler's module to a component that asks for nothing.
//!
//! The C library and Go's runtime are made for WASI, and link to it even where a policy uses none of it. What they ask for
//! is answered within the component, by functions that do next to nothing (`silent-wasi.wat`): no file is there, no time
//! passes, and every random byte is 0. Nothing comes in from outside, so one snapshot still gives one decision.

use anyhow::Context;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The module that WASI's functions are imported from.
const WASI: &str = "wasi_snapshot_preview1";

const SILENT: &str = include_str!("silent-wasi.wat");

/// Writes into a core module which types its functions have, where its compiler does not.
pub(super) fn typed(mut core: Vec<u8>, contract: &str) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("policy.wit", contract)?;
    let world = resolve.select_world(&[package], Some("policy"))?;
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
    Ok(core)
}

/// The component that a typed core module describes.
pub(super) fn encode(typed: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(typed)?
        .adapter(WASI, &wat::parse_str(SILENT)?)?
        .encode()
        .context(
            "the compiler's module is no policy; a policy exports decide, describe and configure, and uses no system",
        )
}
