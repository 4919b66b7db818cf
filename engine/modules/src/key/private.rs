//! Private keys: made and used on the machine of whoever signs, never by the engine.

use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::{LineEnding, PemLabel};
use pkcs8::der::zeroize::Zeroizing;
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

use super::{Algorithm, KeyError, PublicKey, check_label};
use crate::Signature;

/// A key that signs.
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    EcdsaP256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Makes a key, as an unencrypted PKCS#8 PEM file. Fails if the system gives no random bytes.
    pub fn generate(algorithm: Algorithm) -> Result<Zeroizing<String>, KeyError> {
        let random = SystemRandom::new();
        let document = match algorithm {
            Algorithm::EcdsaP256 => {
                let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
                    .map_err(|_| KeyError::Random)?;
                SecretDocument::try_from(der.as_ref()).map_err(|_| KeyError::Malformed)?
            }
            Algorithm::Ed25519 => {
                // RFC 8410: an octet string of 32 bytes in an octet string. Version 1, since openssl 3.0 reads no other.
                let mut seed = Zeroizing::new([4, 32].into_iter().chain([0; 32]).collect::<Vec<u8>>());
                random
                    .fill(seed.get_mut(2..).unwrap_or_default())
                    .map_err(|_| KeyError::Random)?;
                let key = OctetStringRef::new(&seed).map_err(|_| KeyError::Malformed)?;
                SecretDocument::try_from(PrivateKeyInfoRef::new(algorithm.identifier(), key))
                    .map_err(|_| KeyError::Malformed)?
            }
        };
        document
            .to_pem(PrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)
            .map_err(|_| KeyError::Malformed)
    }

    /// Reads a PEM file: an unencrypted `PRIVATE KEY` in PKCS#8. Fails for another kind of file or of key.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        check_label(pem, PrivateKeyInfoRef::PEM_LABEL)?;
        let (_, document) = SecretDocument::from_pem(pem).map_err(|_| KeyError::Malformed)?;
        let der = document.as_bytes();
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Malformed)?;
        let algorithm = Algorithm::of(&info.algorithm)?;
        let pair = match algorithm {
            Algorithm::EcdsaP256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &SystemRandom::new())
                    .map(Pair::EcdsaP256)
            }
            Algorithm::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Pair::Ed25519),
        }
        .map_err(|_| KeyError::Malformed)?;
        let public = PublicKey::new(algorithm, pair.point())?;
        Ok(Self { pair, public })
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs bytes. Fails if the system gives no random bytes.
    pub fn sign(&self, bytes: &[u8]) -> Result<Signature, KeyError> {
        let signature = match &self.pair {
            Pair::EcdsaP256(pair) => pair.sign(&SystemRandom::new(), bytes).map_err(|_| KeyError::Random)?,
            Pair::Ed25519(pair) => pair.sign(bytes),
        };
        Ok(Signature::new(signature.as_ref().to_owned()))
    }
}

impl Pair {
    fn point(&self) -> &[u8] {
        match self {
            Self::EcdsaP256(pair) => pair.public_key().as_ref(),
            Self::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }
}
