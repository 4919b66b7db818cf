//! Known mistakes, each as a patch against this tree, and what shows that a test catches it.
//!
//! A [`Patch`] makes one mistake, behind the question whether it is to be made: `crate::mutant("its-name")`. So all of them go
//! into one copy of the tree ([`Tree`]), which is built once ([`workbench`]), and each test ([`trial`]) runs without any
//! mistake, where it must pass, and with its own, where it must fail.

pub mod patch;
pub mod table;
pub mod tree;
pub mod trial;
pub mod workbench;

use std::path::{Path, PathBuf};

pub use patch::Patch;
pub use tree::Tree;

/// The root of the workspace that this was built in.
#[must_use]
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Where the copy is that has every mistake.
#[must_use]
pub fn copy() -> PathBuf {
    workspace().join("target/mutations/tree")
}
