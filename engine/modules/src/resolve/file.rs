//! Modules in files, with their signatures beside them.

use std::io;
use std::path::Path;

use bytes::Bytes;

use super::{Module, Origin, Provenance};
use crate::{Digest, MAX_MODULE, ModuleError, ModuleRef, Signature, Trust, signature_file};

/// The most a file with a signature may hold, in bytes.
const MAX_SIGNATURE: usize = 64 << 10;

pub(super) async fn resolve(path: &Path, trust: &Trust) -> Result<Module, ModuleError> {
    let reference = ModuleRef::File(path.to_owned());
    let bytes = Bytes::from(read(path, MAX_MODULE).await?);
    let sha256 = Digest::of(&bytes);
    trust.check_pin(&reference, sha256)?;
    let signed_by = if trust.keys.is_empty() {
        None
    } else {
        Some(signer(&reference, path, &bytes, trust).await?)
    };
    Ok(Module {
        bytes,
        provenance: Provenance {
            reference,
            from: Origin::File,
            sha256,
            manifest: None,
            is_pinned: trust.sha256.is_some(),
            signed_by,
        },
    })
}

/// The fingerprint of the key that signed the file.
async fn signer(reference: &ModuleRef, path: &Path, bytes: &[u8], trust: &Trust) -> Result<Digest, ModuleError> {
    let module = reference.to_string();
    let file = trust.signature.clone().unwrap_or_else(|| signature_file(path));
    let location = file.display().to_string();
    let text = match read(&file, MAX_SIGNATURE).await {
        Ok(text) => text,
        Err(ModuleError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(ModuleError::Unsigned { module, location });
        }
        Err(error) => return Err(error),
    };
    let signature = match Signature::parse(&String::from_utf8_lossy(&text)) {
        Ok(signature) => signature,
        Err(source) => {
            return Err(ModuleError::NoSignature {
                module,
                location,
                source,
            });
        }
    };
    match trust.signer(bytes, &signature) {
        Some(key) => Ok(key.fingerprint()),
        None => Err(ModuleError::Signature {
            module,
            location,
            keys: trust.fingerprints(),
        }),
    }
}

async fn read(path: &Path, limit: usize) -> Result<Vec<u8>, ModuleError> {
    let read = steadfast_files::read_apart(path, limit).await;
    read.map_err(|error| ModuleError::of_file(path, error))
}
