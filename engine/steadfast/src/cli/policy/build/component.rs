//! From a compiler's module to a component that asks for nothing.
//!
//! The C library and Go's runtime are made for WASI, and link to it even where a policy uses none of it. What they ask for
//! is answered within the component, by functions that do next to nothing (`silent-wasi.wat`): no file is there, no time
//! passes, and every random byte is 0. What is written to standard output and standard error is printed by the contract's `output`.
//! Nothing comes in from outside, so one snapshot still gives one decision.

use anyhow::Context;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The module that WASI's functions are imported from.
const WASI: &str = "wasi_snapshot_preview1";

const SILENT: &str = include_str!("silent-wasi.wat");

/// The world of the functions that answer for WASI, where the contract has a way to print.
const PRINTING: &str = "package steadfast:printing; world printing { import steadfast:policy/output@VERSION; }";

/// The interface by which a module built for this contract prints, such as `steadfast:policy/output@0.2.0`; `None` if the contract is
/// one from before there was any.
pub(super) fn output(contract: &str) -> anyhow::Result<Option<String>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("policy.wit", contract)?;
    let named = resolve.packages.get(package);
    let output = named.filter(|package| package.interfaces.contains_key("output"));
    Ok(output.map(|package| package.name.interface_id("output")))
}

/// The functions that answer for WASI.
fn silent(contract: &str) -> anyhow::Result<Vec<u8>> {
    const IMPORT: &str = r#"(import "PRINT" "print" (func $print (param i32 i32)))"#;
    let Some(output) = output(contract)? else {
        // Functions stand behind imports.
        let nothing =
            SILENT
                .replace(IMPORT, "")
                .replacen("(memory 0))", "(memory 0))\n  (func $print (param i32 i32))", 1);
        return Ok(wat::parse_str(nothing)?);
    };
    let mut adapter = wat::parse_str(SILENT.replace("PRINT", &output))?;
    let version = output.rsplit_once('@').map_or("", |(_, version)| version);
    let mut resolve = Resolve::default();
    resolve.push_str("policy.wit", contract)?;
    let package = resolve.push_str("printing.wit", &PRINTING.replace("VERSION", version))?;
    let world = resolve.select_world(&[package], Some("printing"))?;
    embed_component_metadata(&mut adapter, &resolve, world, StringEncoding::UTF8)?;
    Ok(adapter)
}

/// Writes into a core module which types its functions have, where its compiler does not.
pub(super) fn typed(mut core: Vec<u8>, contract: &str) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("policy.wit", contract)?;
    let world = resolve.select_world(&[package], Some("policy"))?;
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
    Ok(core)
}

/// The component that a typed core module describes.
pub(super) fn encode(typed: &[u8], contract: &str) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(typed)?
        .adapter(WASI, &silent(contract)?)?
        .encode()
        .context(
            "the compiler's module is no policy; a policy exports decide, describe and configure, and uses no system",
        )
}
