//! Where policy modules come from, and why they may be run: a reference is resolved to bytes that were verified.
//!
//! A module is built in, a file, or an artifact in an OCI registry. Before it is handed out it must have the digest
//! that was pinned and a signature by one of the keys that were named. What came from a registry is kept in a local
//! cache, so that a start does not need the registry.

// Tests read what they have written.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod artifact;
mod cache;
mod digest;
mod error;
mod key;
mod last_good;
mod publish;
mod reference;
mod registry;
mod resolve;
mod signature;
mod simple_signing;
mod trust;

pub use artifact::Outline;
pub use cache::Cache;
pub use digest::{Digest, DigestError};
pub use error::ModuleError;
pub use key::{Algorithm, KeyError, PrivateKey, PublicKey};
pub use last_good::{Kept, LastGood, RunWith};
pub use publish::{PublishError, Published, publish};
pub use reference::{ModuleRef, OciRef, ReferenceError, Version, is_registry};
pub use registry::{Deadlines, Registries, RegistryError, RegistryHost};
pub use resolve::{Module, Origin, Provenance, Resolver};
pub use signature::{Signature, SignatureError, signature_file};
pub use trust::Trust;

/// The most a module may hold, in bytes. One that carries the runtime of a large language has ten to twenty million.
pub const MAX_MODULE: usize = 32 << 20;
