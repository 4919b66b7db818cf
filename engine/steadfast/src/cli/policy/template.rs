//! The projects that `steadfast policy new` writes: the policies of `examples/policies`, which the tests play.

use super::language::Language;
use super::{template_conservative, template_rust};

/// What the templates call the policy; nothing else in them has this name.
const PLACEHOLDER: &str = "starter";

/// One file of a project.
pub(super) struct File {
    /// Its path within the project.
    pub(super) path: String,
    pub(super) text: String,
}

/// The files at these paths below a folder of the repository.
macro_rules! embedded {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../", $folder, "/", $path)))),+]
    };
}
pub(super) use embedded;

/// Paths with their texts.
pub(super) type Embedded = &'static [(&'static str, &'static str)];

const PYTHON: Embedded =
    embedded!("examples/policies/python": "README.md", "main.py", "requirements.txt", "test_main.py");
const JAVASCRIPT: Embedded = embedded!(
    "examples/policies/javascript": "README.md", "jsconfig.json", "main.js", "main.test.js", "package.json", "package-lock.json"
);
const C: Embedded = embedded!(
    "examples/policies/c": "README.md", "main.c", "params.c", "params.h", "rules.c", "rules.h", "test/test.c"
);
const GO: Embedded = embedded!(
    "examples/policies/go": "README.md", "go.mod", "main.go", "policy/params.go", "policy/policy.go", "policy/policy_test.go", "policy/rules.go"
);
const RUST: Embedded = embedded!("examples/policies/rust": "README.md", "src/lib.rs");

/// What every policy of this template must hold to.
const STORIES: Embedded = embedded!(
    "examples/policies/conformance/stories":
    "denied.toml", "finished.toml", "forgotten.toml", "network-loss.toml", "redeployed.toml", "restarted.toml",
    "running.toml", "starting.toml",
);

/// What a build leaves behind.
const IGNORED: &str = "/build/\n/bindings/\n/node_modules/\n/target/\n__pycache__/\n/*.wasm\n";

/// The files of a new project in a language, with the policy's name in them.
pub(super) fn files(language: Language, name: &str) -> Vec<File> {
    let own = match language {
        Language::Rust => RUST,
        Language::Python => PYTHON,
        Language::JavaScript => JAVASCRIPT,
        Language::C => C,
        Language::Go => GO,
    };
    let mut files = verbatim("", own);
    if language == Language::Rust {
        files.extend(template_rust::files());
    }
    files.extend(verbatim("stories/", STORIES));
    for file in &mut files {
        file.text = file.text.replace(PLACEHOLDER, name);
    }
    files.extend(of_every_project());
    files
}

/// The files of a new project that builds on the default policy.
pub(super) fn files_from_conservative(name: &str) -> Vec<File> {
    let mut files = template_conservative::files(name);
    files.extend(of_every_project());
    files
}

fn of_every_project() -> impl Iterator<Item = File> {
    let files = [(".gitignore", IGNORED), ("policy.wit", steadfast_wit::POLICY_WIT)];
    files.into_iter().map(|(path, text)| File {
        path: path.to_owned(),
        text: text.to_owned(),
    })
}

/// The files as they are embedded, below a folder of the project.
pub(super) fn verbatim(folder: &str, embedded: Embedded) -> Vec<File> {
    embedded
        .iter()
        .map(|(path, text)| File {
            path: format!("{folder}{path}"),
            text: (*text).to_owned(),
        })
        .collect()
}
