//! A component whose own core module is another, and which tells that module's marks.

use std::ops::Range;

use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentTypeSection, ComponentValType, ExportKind, PrimitiveValType, RawSection,
};
use wasmparser::{Instance, Parser, Payload, Validator};

use crate::Unreadable;
use crate::marking::READ;

/// The component's function that returns 64 marks, by the number of the word: `func(word: u32) -> u64`.
pub const EXPORT: &str = "steadfast-marks";

/// The core module that holds the policy: the largest of those that are instantiated.
#[derive(Clone, Debug)]
pub(crate) struct Main {
    /// Where it stands in the component, in bytes.
    pub(crate) at: Range<usize>,
    /// The core instance that is made of it.
    instance: u32,
}

/// Finds the policy's core module. `None` if the component has none.
pub(crate) fn main(component: &[u8]) -> Result<Option<Main>, Unreadable> {
    let mut modules = Vec::new();
    let mut made_of = Vec::new();
    // The other sections have no part in it.
    #[allow(clippy::wildcard_enum_match_arm)]
    outermost(component, |payload| {
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => modules.push(unchecked_range.clone()),
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    made_of.push(match instance? {
                        Instance::Instantiate { module_index, .. } => Some(module_index),
                        Instance::FromExports(_) => None,
                    });
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    let instances = made_of.iter().enumerate().filter_map(|(instance, module)| {
        let module = usize::try_from((*module)?).ok()?;
        Some(Main {
            at: modules.get(module)?.clone(),
            instance: u32::try_from(instance).ok()?,
        })
    });
    Ok(instances.max_by_key(|main| main.at.len()))
}

/// The component with another module in the place of its own.
pub(crate) fn with(component: &[u8], main: &Main, module: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut made = Component::new();
    outermost(component, |payload| {
        if let Some((id, range)) = payload.as_section() {
            let is_main = range == main.at;
            let data = if is_main { Some(module) } else { component.get(range) };
            made.section(&RawSection {
                id,
                data: data.unwrap_or_default(),
            });
        }
        Ok(())
    })?;
    let Counts { core, functions, types } = Counts::of(component)?;
    let mut alias = ComponentAliasSection::new();
    alias.alias(Alias::CoreInstanceExport {
        instance: main.instance,
        kind: ExportKind::Func,
        name: READ,
    });
    let mut kinds = ComponentTypeSection::new();
    kinds
        .function()
        .params([("word", ComponentValType::Primitive(PrimitiveValType::U32))])
        .result(Some(ComponentValType::Primitive(PrimitiveValType::U64)));
    let mut lifted = CanonicalFunctionSection::new();
    lifted.lift(core, types, []);
    let mut exports = ComponentExportSection::new();
    exports.export(EXPORT, ComponentExportKind::Func, functions, None);
    made.section(&alias).section(&kinds).section(&lifted).section(&exports);
    Ok(made.finish())
}

/// How many of each a component has: what is added has the next number.
struct Counts {
    core: u32,
    functions: u32,
    types: u32,
}

impl Counts {
    fn of(component: &[u8]) -> Result<Self, Unreadable> {
        let mut validator = Validator::new();
        let mut depth = 0_usize;
        let mut counts = Self {
            core: 0,
            functions: 0,
            types: 0,
        };
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            if matches!(
                payload,
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. }
            ) {
                depth += 1;
            } else if matches!(payload, Payload::End(_)) {
                if let (0, Some(types)) = (depth, validator.types(0)) {
                    counts = Self {
                        core: types.function_count(),
                        functions: types.component_function_count(),
                        types: types.component_type_count(),
                    };
                }
                depth = depth.saturating_sub(1);
            }
            validator.payload(&payload)?;
        }
        Ok(counts)
    }
}

/// Each section of the component itself, not of what is nested in it.
fn outermost(component: &[u8], mut see: impl FnMut(&Payload<'_>) -> Result<(), Unreadable>) -> Result<(), Unreadable> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if depth == 0 {
            see(&payload)?;
        }
        if matches!(
            payload,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. }
        ) {
            depth += 1;
        } else if matches!(payload, Payload::End(_)) {
            depth = depth.saturating_sub(1);
        }
    }
    Ok(())
}
