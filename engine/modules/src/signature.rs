//! A signature as cosign writes it: base64 of the bytes, in a file beside the module or in an annotation.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The bytes of a signature: DER for ECDSA, 64 bytes for Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(Vec<u8>);

/// Why a text is no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A JSON document, as newer versions of cosign write unless told otherwise.
    #[error("it is a bundle, which holds more than a signature")]
    Bundle,
    /// Anything else than one signature in base64.
    #[error("it is not base64")]
    Base64,
}

impl Signature {
    /// The signature of those bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Reads base64, on one line or on several. Fails for any other text.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let text: String = text.split_ascii_whitespace().collect();
        if text.starts_with('{') {
            return Err(SignatureError::Bundle);
        }
        STANDARD.decode(text).map(Self).map_err(|_| SignatureError::Base64)
    }

    /// As base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Where a file's signature is kept unless something else is said: `MODULE.sig`, beside it.
pub fn signature_file(module: &Path) -> PathBuf {
    let mut name = module.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}
