//! What a module must show before it may run.

use std::path::PathBuf;

use crate::{Digest, ModuleError, ModuleRef, PublicKey, Signature};

/// What is asked of a module. With nothing asked, every module will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// The digest its bytes must have.
    pub sha256: Option<Digest>,
    /// It must carry a signature by one of these; with none, no signature is asked for.
    pub keys: Vec<PublicKey>,
    /// Where a file's signature is; `None`: `MODULE.sig`, beside it.
    pub signature: Option<PathBuf>,
}

impl Trust {
    /// Nothing but the pinned digest will do.
    pub(crate) fn check_pin(&self, module: &ModuleRef, found: Digest) -> Result<(), ModuleError> {
        match self.sha256 {
            Some(pinned) if pinned != found => Err(ModuleError::Pin {
                module: module.to_string(),
                pinned,
                found,
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Which of the keys made the signature of those bytes.
    pub(crate) fn signer(&self, bytes: &[u8], signature: &Signature) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.verifies(bytes, signature))
    }

    /// The fingerprints of the keys, for people.
    pub(crate) fn fingerprints(&self) -> String {
        let fingerprints: Vec<String> = self.keys.iter().map(|key| key.fingerprint().oci()).collect();
        fingerprints.join(" or ")
    }
}
