//! Putting a module into a registry, signed if there is a key.

use bytes::Bytes;

use crate::artifact::{Artifact, Descriptor, Manifest, Outline};
use crate::registry::{Access, Connection};
use crate::simple_signing::{payload, signatures, with_another};
use crate::{Digest, KeyError, OciRef, PrivateKey, Registries, RegistryError, Version};

/// A module that is in a registry now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Where it is, by its digest.
    pub reference: OciRef,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// The fingerprint of the key that signed it.
    pub signed_by: Option<Digest>,
}

/// Why a module was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A digest names what is there already.
    #[error("{reference} names a digest, which is not known before the push")]
    NoTag {
        /// Where it should have gone.
        reference: String,
    },
    /// There are signatures already, which cannot be read.
    #[error("the signatures that are at {location} cannot be read: {found}")]
    Signatures {
        /// The tag under which they are.
        location: String,
        /// What is there instead, for people.
        found: String,
    },
    /// A manifest could not be written.
    #[error("the manifest could not be written")]
    Manifest(#[from] serde_json::Error),
    /// The key could not sign.
    #[error("the key could not sign")]
    Key(#[source] KeyError),
    /// The registry did not take it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl PublishError {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NoTag { .. } => "write oci://HOST/REPOSITORY:TAG; the digest is printed when it is there",
            Self::Signatures { .. } => "remove that tag from the registry, and push again",
            Self::Manifest(_) => "report this as a mistake of steadfast",
            Self::Key(error) => error.fix(),
            Self::Registry(error) => error.fix(),
        }
    }
}

/// Puts a module under a tag. With a key it is signed before the tag names it, so that nobody finds it unsigned. Fails
/// if the reference has no tag, or if the registry or the key refuses; what was pushed before that stays, untagged.
pub async fn publish(
    registries: &Registries,
    target: &OciRef,
    module: Bytes,
    outline: &Outline,
    key: Option<&PrivateKey>,
) -> Result<Published, PublishError> {
    if matches!(target.version, Version::Digest(_)) {
        return Err(PublishError::NoTag {
            reference: target.to_string(),
        });
    }
    let artifact = Artifact::of(&module, outline)?;
    let (sha256, digest) = (Digest::of(&module), Digest::of(&artifact.manifest));
    let mut connection = registries.open(target, Access::Push).await?;
    connection.push_blob(module).await?;
    connection.push_blob(artifact.config).await?;
    connection
        .push_manifest(&Version::Digest(digest), artifact.manifest.clone())
        .await?;
    if let Some(key) = key {
        sign(&mut connection, target, digest, key).await?;
    }
    connection.push_manifest(&target.version, artifact.manifest).await?;
    Ok(Published {
        reference: target.at(digest),
        sha256,
        signed_by: key.map(|key| key.public().fingerprint()),
    })
}

/// Adds a signature to those that are there, so that a module may be signed by an old key and its successor.
async fn sign(
    connection: &mut Connection,
    target: &OciRef,
    manifest: Digest,
    key: &PrivateKey,
) -> Result<(), PublishError> {
    let location = target.signatures(manifest);
    let earlier = earlier(connection, &location).await?;
    let payload = payload(&format!("{}/{}", target.registry, target.repository), manifest);
    let is_signed = earlier.as_ref().is_some_and(|earlier| {
        signatures(earlier).any(|(layer, signature)| {
            layer.digest == Digest::of(&payload) && key.public().verifies(&payload, &signature)
        })
    });
    if is_signed {
        return Ok(());
    }
    let signature = key.sign(&payload).map_err(PublishError::Key)?;
    let layers: Vec<Descriptor> = earlier.map_or_else(Vec::new, |earlier| earlier.layers);
    let (signed, config) = with_another(layers, &payload, &signature)?;
    connection.push_blob(payload).await?;
    connection.push_blob(config).await?;
    connection.push_manifest(&location.version, signed).await?;
    Ok(())
}

/// The signatures that are there already.
async fn earlier(connection: &mut Connection, location: &OciRef) -> Result<Option<Manifest>, PublishError> {
    match connection.manifest(&location.version).await {
        Ok(bytes) => Manifest::parse(&bytes)
            .map(Some)
            .map_err(|found| PublishError::Signatures {
                location: location.to_string(),
                found,
            }),
        Err(RegistryError::Absent { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
