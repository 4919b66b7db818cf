//! Makes a component of a module, and refuses what a policy may not be.

use std::borrow::Cow;

use wasmparser::{Parser, Payload};
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;
use wit_component::ComponentEncoder;

use crate::contract::{self, Version};
use crate::load_error::LoadError;
use crate::output;

/// The component in the bytes: themselves, or the one their embedded component type describes.
pub(crate) fn component<'a>(policy: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, LoadError> {
    let memories = declared_memories(bytes);
    if memories > 1 {
        return Err(LoadError::Memories {
            policy: policy.to_owned(),
            memories,
        });
    }
    if Parser::is_component(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    if !Parser::is_core_wasm(bytes) {
        return Err(LoadError::NotWebAssembly {
            policy: policy.to_owned(),
        });
    }
    let outline = Outline::of(bytes).map_err(|error| malformed(policy, error.into()))?;
    let foreign = |import: &String| !import.starts_with(&format!("{}@", contract::OUTPUT));
    if let Some(import) = outline.imports.into_iter().find(foreign) {
        return Err(LoadError::Import {
            policy: policy.to_owned(),
            import,
        });
    }
    require_exports(policy, |name| outline.exports.iter().any(|export| export == name))?;
    if outline.typed == Typed::No {
        return Err(LoadError::Untyped {
            policy: policy.to_owned(),
        });
    }
    let encoded = ComponentEncoder::default()
        .module(bytes)
        .and_then(|encoder| encoder.validate(true).encode());
    encoded
        .map(Cow::Owned)
        .map_err(|error| malformed(policy, wasmtime::Error::from_anyhow(error)))
}

/// The version of the contract a component is for. Refuses one that wants more than the contract gives, or gives less
/// than it asks for.
pub(crate) fn check(policy: &str, component: &Component) -> Result<Version, LoadError> {
    let engine = component.engine();
    let kind = component.component_type();
    let mut served = Version::current();
    for (name, item) in kind.imports(engine) {
        let (interface, version) = name.split_once('@').unwrap_or((name, ""));
        let is_known = match interface {
            contract::TYPES => is_types_only(engine, &item.ty),
            contract::OUTPUT => is_output(engine, &item.ty),
            _ => false,
        };
        if !is_known {
            return Err(LoadError::Import {
                policy: policy.to_owned(),
                import: name.to_owned(),
            });
        }
        served = Version::served(version).ok_or_else(|| LoadError::Version {
            policy: policy.to_owned(),
            found: version.to_owned(),
        })?;
    }
    require_exports(policy, |name| kind.get_export(engine, name).is_some())?;
    Ok(served)
}

/// The one function that a policy may call takes what it prints. What it is made of is compared when it is linked.
fn is_output(engine: &wasmtime::Engine, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::ComponentInstance(instance) => instance.exports(engine).all(|(name, _)| name == output::PRINT),
        ComponentItem::ComponentFunc(_)
        | ComponentItem::CoreFunc(_)
        | ComponentItem::Module(_)
        | ComponentItem::Component(_)
        | ComponentItem::Type(_)
        | ComponentItem::Resource(_) => false,
    }
}

/// An instance without a function gives a policy nothing to call.
fn is_types_only(engine: &wasmtime::Engine, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::ComponentInstance(instance) => instance
            .exports(engine)
            .all(|(_, export)| matches!(export.ty, ComponentItem::Type(_))),
        ComponentItem::ComponentFunc(_)
        | ComponentItem::CoreFunc(_)
        | ComponentItem::Module(_)
        | ComponentItem::Component(_)
        | ComponentItem::Type(_)
        | ComponentItem::Resource(_) => false,
    }
}

fn require_exports(policy: &str, exported: impl Fn(&str) -> bool) -> Result<(), LoadError> {
    let missing: Vec<String> = contract::EXPORTS
        .iter()
        .filter(|name| !exported(name))
        .map(|name| format!("`{name}`"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(LoadError::Export {
        policy: policy.to_owned(),
        missing: missing.join(" and "),
    })
}

pub(crate) fn malformed(policy: &str, source: wasmtime::Error) -> LoadError {
    LoadError::Malformed {
        policy: policy.to_owned(),
        source,
    }
}

/// How many memories a module declares, and those nested in it. What cannot be read is refused later, with its place.
fn declared_memories(bytes: &[u8]) -> u32 {
    let payloads = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    // The other sections declare none.
    #[allow(clippy::wildcard_enum_match_arm)]
    let declared = payloads.map(|payload| match payload {
        Payload::MemorySection(section) => section.count(),
        _ => 0,
    });
    declared.fold(0, u32::saturating_add)
}

/// What a core module imports and exports.
#[derive(Default)]
struct Outline {
    /// `module/name`.
    imports: Vec<String>,
    exports: Vec<String>,
    typed: Typed,
}

/// Whether a core module carries a component type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Typed {
    Yes,
    #[default]
    No,
}

impl Outline {
    fn of(bytes: &[u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut outline = Self::default();
        // The other sections are the validator's business.
        #[allow(clippy::wildcard_enum_match_arm)]
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        outline.imports.push(format!("{}/{}", import.module, import.name));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        outline.exports.push(export?.name.to_owned());
                    }
                }
                Payload::CustomSection(section) if section.name().starts_with("component-type") => {
                    outline.typed = Typed::Yes;
                }
                _ => {}
            }
        }
        Ok(outline)
    }
}
