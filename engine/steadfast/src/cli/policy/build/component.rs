//! From a compiler's module to a component that asks for nothing.
//!
//! The C library and Go's runtime are made for WASI and link to it even where a policy uses none of it. What they ask for
//! is answered within the component, by functions that do nothing: there is no file, no time passes, and every random
//! byte is 0. Nothing of the world outside comes in, so one snapshot still gives one decision.

use anyhow::Context;
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, TypeSection, ValType,
};
use wasmparser::{CompositeInnerType, FuncType, Parser, Payload, TypeRef};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The module that WASI's functions are imported from.
const WASI: &str = "wasi_snapshot_preview1";

/// WASI's error "bad file descriptor".
const BAD_FILE: i32 = 8;

/// The core module as a component of the contract's world.
pub(super) fn encode(core: &[u8], contract: &str) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("policy.wit", contract)?;
    let world = resolve.select_world(&[package], Some("policy"))?;
    let wanted = wanted(core).context("the compiler's module cannot be read")?;
    let mut typed = core.to_vec();
    embed_component_metadata(&mut typed, &resolve, world, StringEncoding::UTF8)?;
    let mut encoder = ComponentEncoder::default().validate(true);
    if !wanted.is_empty() {
        encoder = encoder.adapter(WASI, &silent(&wanted))?;
    }
    encoder
        .module(&typed)?
        .encode()
        .context("the compiler's module is no policy; does it export decide, describe and configure?")
}

/// The functions of WASI that a module imports.
fn wanted(core: &[u8]) -> wasmparser::Result<Vec<(String, FuncType)>> {
    let mut types = Vec::new();
    let mut wanted: Vec<(String, FuncType)> = Vec::new();
    for payload in Parser::new(0).parse_all(core) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    for kind in group?.into_types() {
                        types.push(match kind.composite_type.inner {
                            CompositeInnerType::Func(function) => Some(function),
                            CompositeInnerType::Array(_)
                            | CompositeInnerType::Struct(_)
                            | CompositeInnerType::Cont(_) => None,
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let TypeRef::Func(index) = import.ty else { continue };
                    let Some(Some(function)) = usize::try_from(index).ok().and_then(|index| types.get(index)) else {
                        continue;
                    };
                    if import.module == WASI && !wanted.iter().any(|(name, _)| name == import.name) {
                        wanted.push((import.name.to_owned(), function.clone()));
                    }
                }
            }
            // The other sections say nothing of imports.
            #[allow(clippy::wildcard_enum_match_arm)]
            _ => {}
        }
    }
    Ok(wanted)
}

/// A module that has these functions and does nothing in them.
fn silent(functions: &[(String, FuncType)]) -> Vec<u8> {
    let mut types = TypeSection::new();
    let mut indices = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for (index, (name, function)) in (0..).zip(functions) {
        types.ty().function(values(function.params()), values(function.results()));
        indices.function(index);
        exports.export(name, ExportKind::Func, index);
        let mut body = Function::new([]);
        let mut body_of = body.instructions();
        if function.results().is_empty() {
            // Only `proc_exit` has no answer, since it does not come back: the call into the policy ends here.
            body_of.unreachable();
        } else {
            body_of.i32_const(if name.starts_with("fd_") { BAD_FILE } else { 0 });
        }
        body_of.end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&indices).section(&exports).section(&code);
    module.finish()
}

/// The types that WASI's functions have.
fn values(of: &[wasmparser::ValType]) -> Vec<ValType> {
    of.iter()
        .map(|kind| if *kind == wasmparser::ValType::I64 { ValType::I64 } else { ValType::I32 })
        .collect()
}
