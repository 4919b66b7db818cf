//! What `steadfast policy new --from conservative` writes: a crate that builds on the default policy, which comes with it as a
//! library, and the SDK once for both.

use super::template::{Embedded, File, embedded, verbatim};
use super::template_rust;

/// What the example is called; its package is called so behind [`PREFIX`].
const NAME: &str = "on-conservative";

/// The packages of the repository's policies begin so.
const PREFIX: &str = "steadfast-policy-";

const OWN: Embedded = embedded!(
    "examples/policies/on-conservative":
    "Cargo.toml", "README.md", "src/lib.rs", "stories/loud-without-a-label.toml", "stories/quiet-by-label.toml"
);

/// Without its tests: those hold it to pages of the repository, and play what only the repository has.
const CONSERVATIVE: Embedded = embedded!(
    "policies/conservative":
    "Cargo.toml", "src/conditions.rs", "src/diagnosis.rs", "src/end.rs", "src/job_managers.rs", "src/lacked.rs", "src/lib.rs",
    "src/memory.rs", "src/missing.rs", "src/observations.rs", "src/operator.rs", "src/operator/awaited.rs",
    "src/operator/ended.rs", "src/operator/requested.rs", "src/operator/suspended.rs", "src/params.rs", "src/rulebook.rs",
    "src/rules.rs", "src/starting.rs", "src/tasks.rs", "src/watched.rs"
);

/// How the default policy's tests are named in it.
const TESTS: &str = "#[cfg(test)]\nmod tests;\n";

/// The files of a new project of that name, but for what every project has.
pub(super) fn files(name: &str) -> Vec<File> {
    let mut files = verbatim("", OWN);
    for file in &mut files {
        file.text = file.text.replace(&format!("{PREFIX}{NAME}"), name).replace(NAME, name);
        if file.path == "Cargo.toml" {
            file.text = alone(&file.text, "");
            file.text
                .push_str("\n# Whatever lies around this folder is none of its business.\n[workspace]\n");
        }
    }
    let mut base = verbatim("conservative/", CONSERVATIVE);
    for file in &mut base {
        if file.path == "conservative/Cargo.toml" {
            file.text = alone(&file.text, "../");
        }
        file.text = file.text.replace(TESTS, "");
    }
    files.extend(base);
    files.extend(template_rust::sdk());
    files
}

/// A manifest of the repository, with what it has of the workspace written out. `up` leads to the project's folder.
fn alone(manifest: &str, up: &str) -> String {
    let inherited = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("edition", "2024"),
        ("rust-version", env!("CARGO_PKG_RUST_VERSION")),
        ("license", env!("CARGO_PKG_LICENSE")),
    ];
    let mut text = manifest.replace("[lints]\nworkspace = true\n\n", "");
    text = text.replace("publish.workspace = true\n", "publish = false\n");
    for (key, value) in inherited {
        text = text.replace(
            &format!("\n{key}.workspace = true\n"),
            &format!("\n{key} = \"{value}\"\n"),
        );
    }
    for (package, written) in [
        ("serde", "{ version = \"1\", features = [\"derive\"] }".to_owned()),
        ("steadfast-policy", format!("{{ path = \"{up}sdk\" }}")),
        (
            "steadfast-policy-conservative",
            format!("{{ path = \"{up}conservative\", default-features = false }}"),
        ),
    ] {
        text = text.replace(
            &format!("\n{package}.workspace = true\n"),
            &format!("\n{package} = {written}\n"),
        );
    }
    text
}
