//! The contract as C and Go see it, made by wit-bindgen from the contract's text.

mod names;

use std::path::Path;

use anyhow::{Context, anyhow};
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator};

/// The contract's world.
const WORLD: &str = "policy";

/// Where wit-bindgen has its Go bindings look for what they share. It comes with them instead: nothing is fetched.
const SHARED: &str = "go.bytecodealliance.org/pkg/wit/";
const TYPES: &str = include_str!("go/types/types.go");
const RUNTIME: &str = include_str!("go/runtime/runtime.go");

/// The project's functions, where wit-bindgen's exports look for them.
const FORWARD: &str = r#"// Package export_wit_world leads the engine's calls to the policy.
package export_wit_world

import "MODULE/policy"

var (
	Configure = policy.Configure
	Decide    = policy.Decide
	Describe  = policy.Describe
)
"#;

/// Paths and contents.
pub(super) type Sources = Vec<(String, Vec<u8>)>;

/// `policy.h` and `policy.c`, in which the contract's types are called `steadfast_...`, and an object file that writes the
/// types into the module.
pub(super) fn c(contract: &str) -> anyhow::Result<Sources> {
    let (mut resolve, world) = parsed(contract)?;
    let types = resolve
        .worlds
        .get(world)
        .and_then(|world| resolve.packages.get(world.package?))
        .map(|package| package.name.interface_id("types"))
        .ok_or_else(|| anyhow!("the contract names no package"))?;
    let options = wit_bindgen_c::Opts {
        rename: vec![(types, "steadfast".to_owned())],
        ..wit_bindgen_c::Opts::default()
    };
    let mut sources = generated(&mut *options.build(), &mut resolve, world)?;
    sources.push(("names.h".to_owned(), names::c(&resolve).into_bytes()));
    Ok(sources)
}

/// Packages below `bindings/` of the Go module.
pub(super) fn go(contract: &str, module: &str) -> anyhow::Result<Sources> {
    let (mut resolve, world) = parsed(contract)?;
    let options = wit_bindgen_go::Opts {
        pkg_name: Some(format!("{module}/bindings")),
        format: wit_bindgen_go::Format::False,
        quiet: true,
        ..wit_bindgen_go::Opts::default()
    };
    let here = format!("{module}/bindings/wit/");
    let mut sources: Sources = generated(&mut *options.build(), &mut resolve, world)?
        .into_iter()
        .map(|(path, text)| (path, String::from_utf8_lossy(&text).replace(SHARED, &here).into_bytes()))
        .collect();
    for (path, text) in [
        ("exports/export_wit_world/policy.go", FORWARD.replace("MODULE", module)),
        ("imports/steadfast_policy_types/names.go", names::go(&resolve)),
        ("wit/runtime/runtime.go", RUNTIME.to_owned()),
        ("wit/types/types.go", TYPES.to_owned()),
    ] {
        sources.push((path.to_owned(), text.into_bytes()));
    }
    Ok(sources)
}

/// Writes them below a folder. What is there and the same is left alone, so that compilers need not begin anew.
pub(super) fn write(sources: &Sources, folder: &Path) -> anyhow::Result<()> {
    for (path, contents) in sources {
        let path = folder.join(path);
        if steadfast_files::read(&path, contents.len()).is_ok_and(|there| there == *contents) {
            continue;
        }
        let cannot = || format!("cannot write {}", path.display());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(cannot)?;
        }
        std::fs::write(&path, contents).with_context(cannot)?;
    }
    Ok(())
}

fn parsed(contract: &str) -> anyhow::Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("policy.wit", contract)
        .context("the contract cannot be read; take policy.wit from `steadfast policy new`")?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    Ok((resolve, world))
}

fn generated(generator: &mut dyn WorldGenerator, resolve: &mut Resolve, world: WorldId) -> anyhow::Result<Sources> {
    let mut files = Files::default();
    generator.generate(resolve, world, &mut files)?;
    Ok(files
        .iter()
        .map(|(path, contents)| (path.to_owned(), contents.to_vec()))
        .collect())
}
