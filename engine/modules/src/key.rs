//! Public keys: who may sign a module.

mod private;

use std::fmt;

use pkcs8::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use pkcs8::der::pem::{LineEnding, decode_label};
use pkcs8::der::{Document, Encode};
use pkcs8::spki::{AlgorithmIdentifier, AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};

use crate::{Digest, Signature};

pub use private::PrivateKey;

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED_25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA over NIST P-256 with sha256, which cosign makes.
    EcdsaP256,
    /// Ed25519.
    Ed25519,
}

/// A key that verifies signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// The point, as ring takes it.
    point: Vec<u8>,
    fingerprint: Digest,
}

/// Why a file is no key that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no PEM, or holds damaged data.
    #[error("it is not a PEM file with a key")]
    Malformed,
    /// A PEM of another kind.
    #[error("it holds a `{found}`, not a `{wanted}`")]
    Label {
        /// What it says it is.
        found: String,
        /// The label that was expected.
        wanted: &'static str,
    },
    /// A key that cosign has encrypted in a format of its own.
    #[error("it is encrypted in cosign's own format, which only cosign reads")]
    Cosign,
    /// A key that a password protects.
    #[error("it is encrypted with a password")]
    Encrypted,
    /// A kind of key that is not served.
    #[error("it is neither an ECDSA P-256 nor an Ed25519 key")]
    Algorithm,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}

impl KeyError {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Malformed => "name the file that begins with -----BEGIN, complete and unchanged",
            Self::Label {
                wanted: "PUBLIC KEY", ..
            } => "name the public key: the .pub file that was made beside the private key",
            Self::Label { found, .. } if found == "EC PRIVATE KEY" || found == "EC PARAMETERS" => {
                "convert it: openssl pkcs8 -topk8 -nocrypt -in FILE -out PLAIN"
            }
            Self::Label { .. } => {
                "name the private key, in PKCS#8: a PEM file that begins with -----BEGIN PRIVATE KEY-----"
            }
            Self::Cosign => {
                "sign with cosign itself (cosign sign-blob --key FILE --output-signature MODULE.sig MODULE), whose \
                 signatures are accepted, or make another key with `steadfast policy keygen`"
            }
            Self::Encrypted => "decrypt it for the time of signing: openssl pkcs8 -in FILE -out PLAIN",
            Self::Algorithm => "make a key with `steadfast policy keygen` or `cosign generate-key-pair`",
            Self::Random => "try again",
        }
    }
}

impl Algorithm {
    fn of(identifier: &AlgorithmIdentifierRef<'_>) -> Result<Self, KeyError> {
        let curve = || {
            identifier
                .parameters
                .and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok())
        };
        match identifier.oid {
            EC if curve() == Some(P256) => Ok(Self::EcdsaP256),
            ED_25519 => Ok(Self::Ed25519),
            _ => Err(KeyError::Algorithm),
        }
    }

    fn identifier(self) -> AlgorithmIdentifierRef<'static> {
        match self {
            Self::EcdsaP256 => AlgorithmIdentifier {
                oid: EC,
                parameters: Some(AnyRef::from(&P256)),
            },
            Self::Ed25519 => AlgorithmIdentifier {
                oid: ED_25519,
                parameters: None,
            },
        }
    }
}

impl PublicKey {
    /// Reads a PEM file: a `PUBLIC KEY`, as cosign and openssl write it. Fails for another kind of file or of key.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        check_label(pem, "PUBLIC KEY")?;
        let (_, der) = Document::from_pem(pem).map_err(|_| KeyError::Malformed)?;
        let info = SubjectPublicKeyInfoRef::try_from(der.as_bytes()).map_err(|_| KeyError::Malformed)?;
        let point = info.subject_public_key.as_bytes().ok_or(KeyError::Malformed)?;
        Self::new(Algorithm::of(&info.algorithm)?, point)
    }

    fn new(algorithm: Algorithm, point: &[u8]) -> Result<Self, KeyError> {
        // A whole point: with compressed ones no signature would ever verify.
        let is_whole = match algorithm {
            Algorithm::EcdsaP256 => point.len() == 65 && point.first() == Some(&4),
            Algorithm::Ed25519 => point.len() == 32,
        };
        if !is_whole {
            return Err(KeyError::Malformed);
        }
        Ok(Self {
            algorithm,
            point: point.to_owned(),
            fingerprint: Digest::of(&encoded(algorithm, point)?),
        })
    }

    /// The sha256 of the key in DER, as `openssl pkey -pubin -in FILE -outform DER | sha256sum` shows it.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// The kind of key.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the key's owner signed those bytes.
    pub fn verifies(&self, bytes: &[u8], signature: &Signature) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match self.algorithm {
            Algorithm::EcdsaP256 => &ECDSA_P256_SHA256_ASN1,
            Algorithm::Ed25519 => &ED25519,
        };
        UnparsedPublicKey::new(algorithm, &self.point)
            .verify(bytes, signature.bytes())
            .is_ok()
    }

    /// As a PEM file. Fails only if the key is too long to be written, which none is.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let der = encoded(self.algorithm, &self.point)?;
        Document::try_from(der)
            .and_then(|der| der.to_pem("PUBLIC KEY", LineEnding::LF))
            .map_err(|_| KeyError::Malformed)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?} {})", self.algorithm, self.fingerprint)
    }
}

/// SubjectPublicKeyInfo, in DER.
fn encoded(algorithm: Algorithm, point: &[u8]) -> Result<Vec<u8>, KeyError> {
    let subject_public_key = BitStringRef::from_bytes(point).map_err(|_| KeyError::Malformed)?;
    SubjectPublicKeyInfoRef {
        algorithm: algorithm.identifier(),
        subject_public_key,
    }
    .to_der()
    .map_err(|_| KeyError::Malformed)
}

/// Refuses a PEM of another kind, by its name.
fn check_label(pem: &str, wanted: &'static str) -> Result<(), KeyError> {
    match decode_label(pem.as_bytes()).map_err(|_| KeyError::Malformed)? {
        found if found == wanted => Ok(()),
        "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" if wanted == "PRIVATE KEY" => {
            Err(KeyError::Cosign)
        }
        "ENCRYPTED PRIVATE KEY" if wanted == "PRIVATE KEY" => Err(KeyError::Encrypted),
        found => Err(KeyError::Label {
            found: found.to_owned(),
            wanted,
        }),
    }
}

#[cfg(test)]
mod tests;
