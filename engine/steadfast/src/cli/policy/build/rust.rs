//! Rust: cargo for wasm32-unknown-unknown, with rustup's standard library or, where rustup has none, Debian's source of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow};
use steadfast_coverage::without_lines;

use super::super::language::Language;
use super::{Built, Project, made, tool};
use crate::config::MAX_TEXT;

const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler that can make the target.
struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    /// The standard library is compiled along.
    std_from_source: bool,
}

pub(super) fn build(project: &Project) -> anyhow::Result<Built> {
    let toolchain = Toolchain::find(&project.folder)?;
    let output = project.folder.join("target");
    let mut cargo = Command::new(&toolchain.cargo);
    cargo
        .current_dir(&project.folder)
        .env("RUSTC", &toolchain.rustc)
        .env_remove("RUSTFLAGS")
        // Rust's own default is a stack of 1 MiB, which each fresh instance would have to wipe.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Clink-arg=-zstack-size=131072")
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        // Lines are kept beside the module. Names of functions stay in it: a crash is told by them.
        .env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only")
        .env("CARGO_PROFILE_RELEASE_STRIP", "none")
        .args(["build", "--release", "--lib", "--target", TARGET, "--target-dir"])
        .arg(&output);
    if toolchain.std_from_source {
        cargo
            // Building the standard library is for nightly compilers, and for those told to act like one.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker()?)
            .arg("-Zbuild-std=std,panic_abort");
    }
    tool::run(&mut cargo)?;
    let lines = made(&module(project, &output)?)?;
    Ok(Built {
        module: without_lines(&lines)?,
        lines: Some(lines),
    })
}

impl Toolchain {
    /// The one on PATH, or Debian's.
    fn find(folder: &Path) -> anyhow::Result<Self> {
        let on_path = Self {
            cargo: "cargo".into(),
            rustc: "rustc".into(),
            std_from_source: false,
        };
        if let Some(sysroot) = on_path.sysroot(folder)
            && sysroot.join("lib/rustlib").join(TARGET).is_dir()
        {
            return Ok(on_path);
        }
        let debian = Self {
            cargo: "/usr/bin/cargo".into(),
            rustc: "/usr/bin/rustc".into(),
            std_from_source: true,
        };
        if let Some(sysroot) = debian.sysroot(folder)
            && sysroot.join("lib/rustlib/src/rust/library/std").is_dir()
        {
            return Ok(debian);
        }
        Err(anyhow!(
            "no compiler here makes {TARGET}; {} (Debian without rustup: apt-get install rustc-web cargo-web rust-web-src lld)",
            Language::Rust.spec().install
        ))
    }

    fn sysroot(&self, folder: &Path) -> Option<PathBuf> {
        let printed = Command::new(&self.rustc)
            .current_dir(folder)
            .args(["--print", "sysroot"])
            .output()
            .ok()
            .filter(|ended| ended.status.success())?;
        Some(PathBuf::from(String::from_utf8(printed.stdout).ok()?.trim()))
    }
}

/// Debian's compiler comes without a linker for WebAssembly; every one of rustup's has it, and so has LLVM.
fn linker() -> anyhow::Result<PathBuf> {
    let of_rustup = tool::find("rustup").and_then(|_| {
        let printed = Command::new("rustc").args(["--print", "target-libdir"]).output().ok()?;
        let libraries = PathBuf::from(String::from_utf8(printed.stdout).ok()?.trim());
        Some(libraries.parent()?.join("bin/rust-lld"))
    });
    of_rustup
        .filter(|linker| linker.is_file())
        .or_else(|| tool::find("wasm-ld"))
        .ok_or_else(|| anyhow!("there is no linker for {TARGET}; install one (Debian: apt-get install lld)"))
}

/// The module that cargo made: the only one of a package with one library.
fn module(project: &Project, output: &Path) -> anyhow::Result<PathBuf> {
    let path = project.folder.join("Cargo.toml");
    let text =
        steadfast_files::read_text(&path, MAX_TEXT).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: toml::Table = text
        .parse()
        .with_context(|| format!("cannot read {}", path.display()))?;
    let name = ["lib", "package"]
        .iter()
        .find_map(|table| manifest.get(*table)?.get("name")?.as_str())
        .ok_or_else(|| anyhow!("{} names no package", path.display()))?;
    let file = format!("{}.wasm", name.replace('-', "_"));
    Ok(output.join(TARGET).join("release").join(file))
}
