//! Compiled modules on disk, so that a restart does not compile them again.
//!
//! A file holds the sha256 of what follows, and the machine code. Its name tells the module's digest and the
//! engine that compiled it (wasmtime's version, its settings, the processor), so another engine looks elsewhere.

use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

use crate::engines::Engines;

/// The length of a sha256.
const SEAL: usize = 32;

/// A folder of compiled modules.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    /// What was compiled by another engine is not ours.
    engine: String,
}

impl Cache {
    pub(crate) fn new(dir: PathBuf, engine: &Engine) -> Self {
        let mut hasher = CompatibilityHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine = hex(hasher.0.finalize().get(..8).unwrap_or_default());
        Self { dir, engine }
    }

    /// The compiled module, if a whole one is there.
    pub(crate) fn get(&self, engines: &Engines, digest: &str) -> Option<Component> {
        if !is_private(&self.dir) {
            return None;
        }
        let sealed = std::fs::read(self.path(digest)).ok()?;
        let (seal, code) = sealed.split_at_checked(SEAL)?;
        if Sha256::digest(code).as_slice() != seal {
            tracing::warn!(path = %self.path(digest).display(), "a compiled policy is damaged; it is compiled again");
            return None;
        }
        // SAFETY: deserialize needs bytes that wasmtime made. Nobody but this user can write to the folder, the
        // seal shows the file is whole, and wasmtime checks its own version and settings.
        #[allow(unsafe_code)]
        let component = engines.place(|engine| unsafe { Component::deserialize(engine, code) });
        component
            .inspect_err(
                |error| tracing::warn!(%error, "a compiled policy is from another engine; it is compiled again"),
            )
            .ok()
    }

    /// Keeps a compiled module. Failing to is no failure: the next start compiles again.
    pub(crate) fn put(&self, digest: &str, code: &CompiledCode) {
        if let Err(error) = self.write(digest, &code.0) {
            tracing::warn!(dir = %self.dir.display(), %error, "a compiled policy could not be kept; the next start compiles it again");
        }
    }

    fn write(&self, digest: &str, code: &[u8]) -> io::Result<()> {
        make_private(&self.dir)?;
        if !is_private(&self.dir) {
            return Err(io::Error::other("others may write to the folder; use one of mode 0700"));
        }
        let path = self.path(digest);
        // Two engines may share the folder: each writes a file of its own, and the last one to finish wins.
        let draft = path.with_extension(format!("{}.draft", std::process::id()));
        let mut file = std::fs::File::create(&draft)?;
        file.write_all(&Sha256::digest(code))?;
        file.write_all(code)?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}-{}.compiled", self.engine))
    }
}

/// Machine code that wasmtime has made in this process.
pub(crate) struct CompiledCode(Vec<u8>);

impl CompiledCode {
    /// Compiles a component.
    pub(crate) fn of(engines: &Engines, component: &[u8]) -> Result<Self> {
        engines.compiler().precompile_component(component).map(Self)
    }

    /// The component, ready for instances.
    pub(crate) fn load(&self, engines: &Engines) -> Result<Component> {
        // SAFETY: deserialize needs bytes that wasmtime made, which these are: nothing else makes this type.
        #[allow(unsafe_code)]
        engines.place(|engine| unsafe { Component::deserialize(engine, &self.0) })
    }
}

/// Feeds a hash into sha256, which is the same in every build.
struct CompatibilityHasher(Sha256);

impl Hasher for CompatibilityHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte))
    }
}

/// The sha256 of a module, in hex.
pub(crate) fn hex_digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether nobody else can put code into the folder.
#[cfg(unix)]
fn is_private(dir: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(dir).is_ok_and(|found| found.is_dir() && found.permissions().mode() & 0o022 == 0)
}

#[cfg(unix)]
fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn is_private(_dir: &Path) -> bool {
    false
}

#[cfg(not(unix))]
fn make_private(_dir: &Path) -> io::Result<()> {
    Ok(())
}
