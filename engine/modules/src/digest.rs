//! The sha256 of bytes: what names them without a doubt.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Digest as _;

/// A sha256; written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is no sha256.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a sha256, which has 64 hex digits")]
pub struct DigestError {
    text: String,
}

impl Digest {
    /// The digest of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Reads 64 hex digits of either case. Fails for any other text.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let refused = || DigestError { text: text.to_owned() };
        // The decoder would pass over a leading `0x`, which no digest has.
        if text.len() != 64 {
            return Err(refused());
        }
        const_hex::decode_to_array(text).map(Self).map_err(|_| refused())
    }

    /// Reads it as registries write it: `sha256:` and the digits. Fails for any other text, and other algorithms.
    pub fn parse_oci(text: &str) -> Result<Self, DigestError> {
        let digits = text
            .strip_prefix("sha256:")
            .ok_or_else(|| DigestError { text: text.to_owned() })?;
        Self::parse(digits)
    }

    /// As registries write it: `sha256:` and the digits.
    pub fn oci(&self) -> String {
        format!("sha256:{self}")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&const_hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.oci())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_oci(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of nothing, as the standard's test vectors have it.
    const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn it_is_written_and_read_as_hex() {
        assert_eq!(Digest::of(b"").to_string(), OF_NOTHING);
        assert_eq!(Digest::parse(&OF_NOTHING.to_uppercase()).unwrap(), Digest::of(b""));
        assert_eq!(Digest::parse_oci(&Digest::of(b"x").oci()).unwrap(), Digest::of(b"x"));
    }

    #[test]
    fn another_text_is_refused() {
        let with_prefix = format!("0x{OF_NOTHING}");
        let cut_prefix = with_prefix.get(..64).unwrap();
        for text in [
            "",
            "e3b0",
            &OF_NOTHING.replace('e', "g"),
            &"é".repeat(32),
            &with_prefix,
            cut_prefix,
        ] {
            assert!(Digest::parse(text).is_err(), "{text}");
        }
        assert!(Digest::parse_oci(OF_NOTHING).is_err());
    }
}
