//! What a project in Rust needs beside its source: a manifest of its own, and the SDK, which no registry has.

use super::template::{Embedded, File, embedded, verbatim};

const MANIFEST: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/policies/rust/Cargo.toml"
));

const SDK: Embedded = embedded!(
    "policies/sdk":
    "Cargo.toml", "macros/Cargo.toml", "macros/src/lib.rs", "macros/src/parameters.rs", "src/evidence.rs", "src/lib.rs",
    "src/limits.rs", "src/millis.rs", "src/output.rs", "src/parameters.rs", "src/policy.rs", "src/rules.rs", "src/snapshot.rs",
    "src/state.rs", "src/streak.rs", "src/testing.rs", "src/testing/judged.rs", "src/testing/parts.rs", "src/testing/says.rs",
    "src/testing/world.rs", "src/verdict.rs", "wit/policy.wit"
);

/// Where the SDK lies, seen from the example in the repository.
const SDK_IN_REPOSITORY: &str = "../../../policies/sdk";

/// A project outside the repository is a workspace of its own, with the SDK in `sdk/`.
pub(super) fn files() -> Vec<File> {
    let manifest = MANIFEST.replace(SDK_IN_REPOSITORY, "sdk");
    let mut files = sdk();
    files.push(File {
        path: "Cargo.toml".to_owned(),
        text: format!("{manifest}\n# Whatever lies around this folder is none of its business.\n[workspace]\n"),
    });
    files
}

/// The SDK, in `sdk/`.
pub(super) fn sdk() -> Vec<File> {
    verbatim("sdk/", SDK)
}
