//! From a reference to verified bytes.

mod file;
mod oci;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Cache, Digest, ModuleError, ModuleRef, Registries, Trust};

/// A module that may be run.
#[derive(Clone, Debug)]
pub struct Module {
    /// The WebAssembly itself, at most [`crate::MAX_MODULE`] bytes.
    pub bytes: Bytes,
    /// Where it came from, and why it may be run.
    pub provenance: Provenance,
}

/// Where a module came from, and why it may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// As it was asked for.
    pub reference: ModuleRef,
    /// Where its bytes were.
    pub from: Origin,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// The digest of its manifest, if it is an artifact of a registry.
    pub manifest: Option<Digest>,
    /// Whether that digest, or the manifest's, was asked for.
    pub is_pinned: bool,
    /// The fingerprint of the key that signed it, if a signature was asked for.
    pub signed_by: Option<Digest>,
}

/// Where a module's bytes were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It comes with the program.
    Program,
    /// Read from a file at this start.
    File,
    /// Fetched from a registry at this start.
    Registry,
    /// In the local cache.
    Cache,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Program => "this program",
            Self::File => "a file",
            Self::Registry => "the registry",
            Self::Cache => "the local cache",
        })
    }
}

impl Provenance {
    /// Why it may be run: `pinned`, `signed by sha256:HEX`, both, or neither.
    pub fn trust(&self) -> String {
        let signed = self.signed_by.map(|key| format!("signed by {}", key.oci()));
        match (self.is_pinned, signed) {
            (true, Some(signed)) => format!("pinned, {signed}"),
            (true, None) => "pinned".into(),
            (false, Some(signed)) => signed,
            (false, None) if self.from == Origin::Program => "built in".into(),
            (false, None) => "neither pinned nor signed".into(),
        }
    }
}

/// Resolves references.
#[derive(Clone)]
pub struct Resolver {
    builtin: fn(&str) -> Option<&'static [u8]>,
    registries: Arc<Registries>,
    cache: Option<Cache>,
}

impl Resolver {
    /// With the modules that come with the program, what is known of registries, and where to keep what they give.
    pub fn new(builtin: fn(&str) -> Option<&'static [u8]>, registries: Registries, cache: Option<Cache>) -> Self {
        Self {
            builtin,
            registries: Arc::new(registries),
            cache,
        }
    }

    /// The module's bytes, once they were found to be what was pinned and signed. Fails if they are not, if they cannot
    /// be had, or if what is there is no module.
    pub async fn resolve(&self, reference: &ModuleRef, trust: &Trust) -> Result<Module, ModuleError> {
        match reference {
            ModuleRef::Builtin(name) => self.builtin(name, trust),
            ModuleRef::File(path) => file::resolve(path, trust).await,
            ModuleRef::Oci(artifact) => oci::resolve(&self.registries, self.cache.as_ref(), artifact, trust).await,
        }
    }

    /// A built-in module needs no signature: whoever could change it could change the check as well.
    fn builtin(&self, name: &str, trust: &Trust) -> Result<Module, ModuleError> {
        let bytes = (self.builtin)(name).ok_or_else(|| ModuleError::NoBuiltin { name: name.to_owned() })?;
        let reference = ModuleRef::Builtin(name.to_owned());
        let sha256 = Digest::of(bytes);
        trust.check_pin(&reference, sha256)?;
        Ok(Module {
            bytes: Bytes::from_static(bytes),
            provenance: Provenance {
                reference,
                from: Origin::Program,
                sha256,
                manifest: None,
                is_pinned: trust.sha256.is_some(),
                signed_by: None,
            },
        })
    }
}
