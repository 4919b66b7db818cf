//! What a module is, read from its bytes alone: nothing is compiled, and nothing of it runs.

use steadfast_wit::PACKAGE;
use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload};

use crate::cache::hex_digest;
use crate::contract::{OUTPUT, TYPES};

/// What can be seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Component or core module.
    pub form: Form,
    /// Its size in bytes.
    pub bytes: usize,
    /// The sha256 of its bytes, in hex.
    pub digest: String,
    /// The version of the policy contract it was built for, if it says.
    pub contract: Option<String>,
    /// What it imports beside the contract, as it names it. A policy has none.
    pub imports: Vec<String>,
    /// Whether it imports the contract's `output`, by which it prints.
    pub prints: bool,
    /// The names of what it exports.
    pub exports: Vec<String>,
}

/// How a module is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A component.
    Component,
    /// A core module that carries its component type.
    TypedModule,
    /// A core module without one, of which no component can be made.
    UntypedModule,
}

impl Form {
    /// With an article, to stand in a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Component => "a component",
            Self::TypedModule => "a core module with its component type",
            Self::UntypedModule => "a core module without a component type",
        }
    }
}

/// The bytes are no WebAssembly that can be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("this is not a whole WebAssembly module or component; give the .wasm file that the build made")]
pub struct NotReadable(#[from] wasmparser::BinaryReaderError);

/// Reads a module's outline. Fails if the bytes are not WebAssembly, or break off.
pub fn inspect(module: &[u8]) -> Result<Inspection, NotReadable> {
    let mut found = Inspection {
        form: Form::UntypedModule,
        bytes: module.len(),
        digest: hex_digest(module),
        contract: None,
        imports: Vec::new(),
        prints: false,
        exports: Vec::new(),
    };
    // What is nested in a component is its own business: only the outermost level meets the engine.
    let mut depth = 0_usize;
    // The other sections tell nothing of the outside.
    #[allow(clippy::wildcard_enum_match_arm)]
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::Version {
                encoding: Encoding::Component,
                ..
            } if depth == 0 => found.form = Form::Component,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import?;
                    // A type carries nothing.
                    if matches!(import.ty, ComponentTypeRef::Type(_)) {
                        continue;
                    }
                    let name = import.name.name;
                    found.prints |= is_output(name);
                    match contract_version(name) {
                        Some(version) => found.contract = Some(version.to_owned()),
                        None => found.imports.push(name.to_owned()),
                    }
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    found.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.into_imports() {
                    let import = import?;
                    if is_output(import.module) {
                        found.prints = true;
                    } else {
                        found.imports.push(format!("{}/{}", import.module, import.name));
                    }
                }
            }
            Payload::ExportSection(section) if depth == 0 => {
                for export in section {
                    found.exports.push(export?.name.to_owned());
                }
            }
            Payload::CustomSection(section) if depth == 0 && section.name().starts_with("component-type") => {
                found.form = Form::TypedModule;
            }
            _ => {}
        }
    }
    if found.form == Form::TypedModule {
        found.contract = embedded_version(module);
    }
    Ok(found)
}

fn is_output(import: &str) -> bool {
    import.split_once('@').is_some_and(|(interface, _)| interface == OUTPUT)
}

/// The version behind `steadfast:policy/types@` and `steadfast:policy/output@`.
fn contract_version(import: &str) -> Option<&str> {
    let (interface, version) = import.split_once('@')?;
    [TYPES, OUTPUT].contains(&interface).then_some(version)
}

/// The version of the contract in a core module's component type.
fn embedded_version(module: &[u8]) -> Option<String> {
    let (_, bindgen) = wit_component::metadata::decode(module).ok()?;
    let mut packages = bindgen.resolve.packages.iter();
    packages.find_map(|(_, package)| {
        let name = &package.name;
        let is_ours = format!("{}:{}", name.namespace, name.name) == PACKAGE;
        name.version.as_ref().filter(|_| is_ours).map(ToString::to_string)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::CONSERVATIVE;

    #[test]
    fn a_built_in_policy_has_the_contract_and_no_imports() {
        let seen = inspect(CONSERVATIVE).unwrap();
        assert_eq!(seen.form, Form::TypedModule);
        assert_eq!(seen.contract.as_deref(), Some(steadfast_wit::VERSION));
        assert_eq!(seen.imports, [""; 0]);
        assert!(
            seen.exports.iter().any(|export| export == "decide"),
            "{:?}",
            seen.exports
        );
        assert_eq!(seen.digest.len(), 64);
    }

    #[test]
    fn imports_of_a_core_module_are_reported_with_their_module() {
        let module = wat::parse_str(r#"(module (import "env" "now" (func)))"#).unwrap();
        let seen = inspect(&module).unwrap();
        assert_eq!((seen.form, seen.contract), (Form::UntypedModule, None));
        assert_eq!(seen.imports, ["env/now"]);
    }

    #[test]
    fn imports_of_a_component_are_reported_but_not_those_inside_it() {
        let component = wat::parse_str(
            r#"(component
                 (import "wasi:clocks/wall-clock@0.2.0" (instance))
                 (core module (import "env" "inner" (func))))"#,
        )
        .unwrap();
        let seen = inspect(&component).unwrap();
        assert_eq!(seen.form, Form::Component);
        assert_eq!(seen.imports, ["wasi:clocks/wall-clock@0.2.0"]);
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        assert!(inspect(b"\0asm").is_err());
        assert!(inspect(&CONSERVATIVE[..CONSERVATIVE.len() / 2]).is_err());
    }
}
