//! Names and lines, taken from a core module: what is given out does without, and what is kept beside it has the same code.

use wasm_encoder::{Module, RawSection};
use wasmparser::{Parser, Payload};

use crate::{Unreadable, component};

/// The core module without its debugging information.
pub fn without_lines(module: &[u8]) -> Result<Vec<u8>, Unreadable> {
    without(module, |name| name.starts_with(".debug"))
}

/// The core module without its debugging information and the names of its functions.
pub fn without_names(module: &[u8]) -> Result<Vec<u8>, Unreadable> {
    without(module, |name| name.starts_with(".debug") || name == "name")
}

fn without(module: &[u8], is_taken: impl Fn(&str) -> bool) -> Result<Vec<u8>, Unreadable> {
    let mut made = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if matches!(&payload, Payload::CustomSection(section) if is_taken(section.name())) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            made.section(&RawSection {
                id,
                data: module.get(range).unwrap_or_default(),
            });
        }
    }
    Ok(made.finish())
}

/// Whether a component's own core module has the code of this one.
pub fn has_code_of(component: &[u8], module: &[u8]) -> Result<bool, Unreadable> {
    let Some(main) = component::main(component)? else {
        return Ok(false);
    };
    let own = code(component.get(main.at).unwrap_or_default())?;
    Ok(own.is_some() && own == code(module)?)
}

/// The contents of a core module's code section.
fn code(module: &[u8]) -> Result<Option<&[u8]>, Unreadable> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionStart { range, .. } = payload? {
            return Ok(module.get(range));
        }
    }
    Ok(None)
}
