//! The languages that a policy can be written in, with what is particular to each in one table.

use std::path::Path;

use anyhow::anyhow;
use clap::ValueEnum;

/// A language with a template and a way to build it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    Rust,
    Python,
    #[value(name = "javascript")]
    JavaScript,
    C,
    Go,
}

/// What is particular to a language.
pub(super) struct LanguageSpec {
    /// Its name, as people write it.
    pub(super) title: &'static str,
    /// The file by which a project of this language is known.
    pub(super) marker: &'static str,
    /// Where to begin to read.
    pub(super) source: &'static str,
    /// What runs its tests natively, in its folder.
    pub(super) test: &'static str,
    /// Programs that a build needs.
    pub(super) programs: &'static [&'static str],
    /// How to get them, as one line.
    pub(super) install: &'static str,
}

impl Language {
    pub(super) const fn spec(self) -> LanguageSpec {
        match self {
            Self::Rust => LanguageSpec {
                title: "Rust",
                marker: "Cargo.toml",
                source: "src/lib.rs",
                test: "cargo test",
                programs: &["cargo", "rustc"],
                install: "install Rust with rustup, then: rustup target add wasm32-unknown-unknown",
            },
            Self::Python => LanguageSpec {
                title: "Python",
                marker: "main.py",
                source: "main.py",
                test: "python3 -m unittest",
                programs: &["python3"],
                install: "install Python 3.10 or newer with venv (Debian: apt-get install python3-venv)",
            },
            Self::JavaScript => LanguageSpec {
                title: "JavaScript",
                marker: "package.json",
                source: "main.js",
                test: "npm test",
                programs: &["node", "npm"],
                install: "install Node.js 20 or newer with npm (Debian 13: apt-get install nodejs npm; Debian 12 has 18: https://nodejs.org)",
            },
            Self::C => LanguageSpec {
                title: "C",
                marker: "main.c",
                source: "main.c",
                test: "cc -std=c11 -Wall -Wno-attributes -Ibuild -I. test/test.c *.c build/policy.c -o build/test && build/test",
                programs: &["clang", "wasm-ld"],
                install: "install clang for WebAssembly (Debian: apt-get install clang lld wasi-libc libclang-rt-dev-wasm32)",
            },
            Self::Go => LanguageSpec {
                title: "Go",
                marker: "go.mod",
                source: "policy/policy.go",
                test: "go test ./policy",
                programs: &["go"],
                install: "install Go 1.24 or newer",
            },
        }
    }

    /// The language of a project, by its marker.
    pub(super) fn of(project: &Path) -> anyhow::Result<Self> {
        let known = Self::value_variants();
        known
            .iter()
            .copied()
            .find(|language| project.join(language.spec().marker).is_file())
            .ok_or_else(|| {
                let markers: Vec<&str> = known.iter().map(|language| language.spec().marker).collect();
                anyhow!(
                    "{} is no policy's project: it has none of {}; name its folder, or make one with `steadfast policy new`",
                    project.display(),
                    markers.join(", ")
                )
            })
    }
}
