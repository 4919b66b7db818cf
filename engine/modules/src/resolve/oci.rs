//! Modules in registries: first the manifest, then the pin and the signature, and only then the module itself.

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::{Module, Origin, Provenance};
use crate::artifact::{Descriptor, Manifest};
use crate::registry::{Access, Connection};
use crate::simple_signing::{is_about, signatures};
use crate::{Cache, Digest, ModuleError, ModuleRef, OciRef, Registries, RegistryError, Trust, Version};

pub(super) async fn resolve(
    registries: &Registries,
    cache: Option<&Cache>,
    artifact: &OciRef,
    trust: &Trust,
) -> Result<Module, ModuleError> {
    let mut source = Source {
        registries,
        cache,
        artifact,
        connection: None,
    };
    let (digest, manifest) = match &artifact.version {
        Version::Digest(digest) => (*digest, source.manifest(*digest).await?),
        Version::Tag(_) => source.tagged(artifact).await?,
    };
    let not_a_module = |found: String| ModuleError::NotAModule {
        artifact: artifact.to_string(),
        found: found.into(),
    };
    let manifest = Manifest::parse(&manifest).map_err(not_a_module)?;
    let module = manifest.module().map_err(not_a_module)?;
    let reference = ModuleRef::Oci(artifact.clone());
    trust.check_pin(&reference, module.digest)?;
    let signed_by = if trust.keys.is_empty() {
        None
    } else {
        Some(source.signer(digest, trust).await?)
    };
    let (from, bytes) = source.blob(module, Reach::Anywhere).await?;
    Ok(Module {
        bytes,
        provenance: Provenance {
            reference,
            from,
            sha256: module.digest,
            manifest: Some(digest),
            is_pinned: trust.sha256.is_some() || matches!(artifact.version, Version::Digest(_)),
            signed_by,
        },
    })
}

/// How far to go for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Cache,
    Anywhere,
}

/// A repository and what the cache holds of it.
struct Source<'a> {
    registries: &'a Registries,
    cache: Option<&'a Cache>,
    artifact: &'a OciRef,
    /// Opened when the cache does not do.
    connection: Option<Connection>,
}

impl Source<'_> {
    /// A manifest by its digest: always the same bytes, so the cache will do.
    async fn manifest(&mut self, digest: Digest) -> Result<Bytes, RegistryError> {
        if let Some(bytes) = self.cached(digest).await {
            return Ok(bytes);
        }
        let bytes = self.connection().await?.manifest(&Version::Digest(digest)).await?;
        self.keep(digest, &bytes).await;
        Ok(bytes)
    }

    /// A manifest by its tag: what the registry says now, or what it last said if it cannot be reached.
    async fn tagged(&mut self, reference: &OciRef) -> Result<(Digest, Bytes), RegistryError> {
        let asked = match self.connection().await {
            Ok(connection) => connection.manifest(&reference.version).await,
            Err(error) => Err(error),
        };
        let error = match asked {
            Ok(bytes) => {
                let digest = Digest::of(&bytes);
                self.keep(digest, &bytes).await;
                self.keep_tag(reference, digest).await;
                return Ok((digest, bytes));
            }
            Err(error) if error.is_unreachable() => error,
            Err(error) => return Err(error),
        };
        match self.last_tagged(reference).await {
            Some((digest, bytes)) => {
                tracing::warn!(%reference, manifest = %digest.oci(), %error, "the cached module is used, which the tag named when the registry last answered");
                Ok((digest, bytes))
            }
            None => Err(error),
        }
    }

    /// The fingerprint of the key that signed the manifest of that digest.
    async fn signer(&mut self, manifest: Digest, trust: &Trust) -> Result<Digest, ModuleError> {
        let location = self.artifact.signatures(manifest);
        // A signature that was good once is good for ever: the cache may say yes, but only the registry may say no.
        if let Some((_, cached)) = self.last_tagged(&location).await
            && let Some(key) = self.signer_among(&cached, manifest, trust, Reach::Cache).await?
        {
            return Ok(key);
        }
        let module = self.artifact.to_string();
        let found = match self.connection().await?.manifest(&location.version).await {
            Ok(found) => found,
            Err(RegistryError::Absent { .. }) => {
                return Err(ModuleError::Unsigned {
                    module,
                    location: location.to_string(),
                });
            }
            Err(error) => return Err(error.into()),
        };
        let digest = Digest::of(&found);
        self.keep(digest, &found).await;
        self.keep_tag(&location, digest).await;
        let key = self.signer_among(&found, manifest, trust, Reach::Anywhere).await?;
        key.ok_or_else(|| ModuleError::Signature {
            module,
            location: location.to_string(),
            keys: trust.fingerprints(),
        })
    }

    /// The fingerprint of the key that made one of these signatures.
    async fn signer_among(
        &mut self,
        found: &[u8],
        manifest: Digest,
        trust: &Trust,
        reach: Reach,
    ) -> Result<Option<Digest>, RegistryError> {
        let Ok(found) = Manifest::parse(found) else {
            return Ok(None);
        };
        for (layer, signature) in signatures(&found) {
            let payload = match self.blob(layer, reach).await {
                Ok((_, payload)) => payload,
                Err(RegistryError::Absent { .. }) => continue,
                Err(error) => return Err(error),
            };
            if let Some(key) = trust.signer(&payload, &signature)
                && is_about(&payload, manifest)
            {
                return Ok(Some(key.fingerprint()));
            }
        }
        Ok(None)
    }

    async fn blob(&mut self, blob: &Descriptor, reach: Reach) -> Result<(Origin, Bytes), RegistryError> {
        if let Some(bytes) = self.cached(blob.digest).await {
            return Ok((Origin::Cache, bytes));
        }
        if reach == Reach::Cache {
            return Err(RegistryError::Absent {
                host: "cache".into(),
                what: blob.digest.oci(),
            });
        }
        let bytes = self.connection().await?.blob(blob).await?;
        self.keep(blob.digest, &bytes).await;
        Ok((Origin::Registry, bytes))
    }

    async fn connection(&mut self) -> Result<&mut Connection, RegistryError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.registries.open(self.artifact, Access::Pull).await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn cached(&self, digest: Digest) -> Option<Bytes> {
        let cache = self.cache?.clone();
        spawn_blocking(move || cache.blob(digest)).await.ok()?
    }

    /// What a tag named when the registry last answered.
    async fn last_tagged(&self, reference: &OciRef) -> Option<(Digest, Bytes)> {
        let (cache, reference) = (self.cache?.clone(), reference.clone());
        let found = spawn_blocking(move || {
            let digest = cache.tag(&reference)?;
            Some((digest, cache.blob(digest)?))
        });
        found.await.ok()?
    }

    async fn keep(&self, digest: Digest, bytes: &Bytes) {
        if let Some(cache) = self.cache.cloned() {
            let bytes = bytes.clone();
            // Failing to keep is told by the cache itself, and no failure.
            drop(spawn_blocking(move || cache.keep_blob(digest, &bytes)).await);
        }
    }

    async fn keep_tag(&self, reference: &OciRef, digest: Digest) {
        if let Some(cache) = self.cache.cloned() {
            let reference = reference.clone();
            drop(spawn_blocking(move || cache.keep_tag(&reference, digest)).await);
        }
    }
}
