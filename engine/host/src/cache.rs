//! Compiled modules on disk, so that a restart does not compile them again.
//!
//! A file holds the sha256 of what follows, and the machine code. Its name tells the module's digest and the
//! engine that compiled it (wasmtime's version, its settings, the processor), so another engine looks elsewhere.

use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use steadfast_cache::PrivateFolder;
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

use crate::compiler::{CompileFailure, CompilerProcess};
use crate::engine_pair::EnginePair;

/// The length of a sha256.
const SEAL: usize = 32;

/// The most that is kept of a compiled module, in bytes; the conservative policy's has two million. One that holds more is
/// compiled at each start.
const MAX_COMPILED: usize = 256 << 20;

/// A folder of compiled modules.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PrivateFolder,
    /// What was compiled by another engine is not ours.
    engine: String,
}

impl Cache {
    pub(crate) fn new(dir: PathBuf, engine: &Engine) -> Self {
        let mut hasher = CompatibilityHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine = const_hex::encode(hasher.0.finalize().get(..8).unwrap_or_default());
        Self {
            folder: PrivateFolder::new(dir),
            engine,
        }
    }

    /// The compiled module, if a whole one is there.
    pub(crate) fn get(&self, engines: &EnginePair, digest: &str) -> Option<Component> {
        let name = self.name(digest);
        let sealed = self.folder.read(&name, MAX_COMPILED)?;
        let (seal, code) = sealed.split_at_checked(SEAL)?;
        if Sha256::digest(code).as_slice() != seal {
            tracing::warn!(path = %self.folder.path(&name).display(), "a compiled policy is damaged; it is compiled again");
            return None;
        }
        // SAFETY: deserialize needs bytes that wasmtime made. Nobody but this user can write to the folder, the
        // seal shows the file is whole, and wasmtime checks its own version and settings.
        #[allow(unsafe_code)]
        let component = engines.try_each(|engine| unsafe { Component::deserialize(engine, code) });
        component
            .inspect_err(
                |error| tracing::warn!(%error, "a compiled policy is from another engine; it is compiled again"),
            )
            .ok()
    }

    /// Keeps a compiled module. Failing to is no failure: the next start compiles again.
    pub(crate) fn put(&self, digest: &str, code: &CompiledCode) {
        let name = self.name(digest);
        if code.0.len() + SEAL > MAX_COMPILED {
            return;
        }
        if let Err(error) = self.folder.write(&name, &[&Sha256::digest(&code.0), &code.0]) {
            tracing::warn!(path = %self.folder.path(&name).display(), %error, "a compiled policy could not be kept; the next start compiles it again");
        }
    }

    fn name(&self, digest: &str) -> String {
        format!("{digest}-{}.compiled", self.engine)
    }
}

/// Machine code that wasmtime has made, in this process or in one of the same program.
pub(crate) struct CompiledCode(Vec<u8>);

impl CompiledCode {
    /// Compiles a component here.
    pub(crate) fn of(engines: &EnginePair, component: &[u8]) -> Result<Self> {
        engines.compiler().precompile_component(component).map(Self)
    }

    /// Compiles a component in a process of its own.
    pub(crate) fn made_apart(process: &CompilerProcess, component: &[u8]) -> std::result::Result<Self, CompileFailure> {
        process.compile(component).map(Self)
    }

    /// The component, ready for instances.
    pub(crate) fn load(&self, engines: &EnginePair) -> Result<Component> {
        // SAFETY: deserialize needs bytes that wasmtime made, which these are: nothing else makes this type.
        #[allow(unsafe_code)]
        engines.try_each(|engine| unsafe { Component::deserialize(engine, &self.0) })
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
    const_hex::encode(Sha256::digest(bytes))
}
