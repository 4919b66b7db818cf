//! An artifact in a registry, by the rules of the OCI distribution specification.

use std::fmt;

use super::ReferenceError;
use crate::Digest;

/// An artifact in a registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OciRef {
    /// `HOST` or `HOST:PORT`.
    pub registry: String,
    /// The repository, such as `policies/orders`.
    pub repository: String,
    /// Which of the repository's artifacts.
    pub version: Version,
}

/// Which of a repository's artifacts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// A name that may be given to another artifact tomorrow.
    Tag(String),
    /// The manifest's digest: always the same bytes.
    Digest(Digest),
}

impl OciRef {
    /// Reads `oci://HOST[:PORT]/REPOSITORY@sha256:HEX` or `oci://HOST[:PORT]/REPOSITORY:TAG`. Fails if it has neither
    /// digest nor tag, or both, or if one of its parts breaks the rules of registries.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let rest = text
            .strip_prefix("oci://")
            .ok_or_else(|| ReferenceError::Scheme(text.split(':').next().unwrap_or_default().to_owned()))?;
        let (registry, artifact) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_registry(registry) {
            // What stands before an @ may be a password.
            let shown = match registry.rsplit_once('@') {
                Some((_, host)) => format!("…@{host}"),
                None => registry.to_owned(),
            };
            return Err(ReferenceError::Host(shown));
        }
        let (named, digest) = match artifact.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (artifact, None),
        };
        let (repository, tag) = match named.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (named, None),
        };
        if !repository.split('/').all(is_repository_part) {
            return Err(ReferenceError::Repository(repository.to_owned()));
        }
        let version = match (tag, digest) {
            (Some(_), Some(_)) => return Err(ReferenceError::TwoVersions),
            (None, None) => return Err(ReferenceError::NoVersion),
            (Some(tag), None) if !is_tag(tag) => return Err(ReferenceError::Tag(tag.to_owned())),
            (Some(tag), None) => Version::Tag(tag.to_owned()),
            (None, Some(digest)) => Version::Digest(Digest::parse_oci(digest).map_err(ReferenceError::Digest)?),
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            version,
        })
    }

    /// The same repository's artifact of that digest.
    pub fn at(&self, manifest: Digest) -> Self {
        Self {
            version: Version::Digest(manifest),
            ..self.clone()
        }
    }

    /// Where cosign keeps the signatures of the artifact of that digest.
    pub fn signatures(&self, manifest: Digest) -> Self {
        Self {
            version: Version::Tag(format!("sha256-{manifest}.sig")),
            ..self.clone()
        }
    }
}

impl Version {
    /// As it stands in a registry's addresses.
    pub fn path(&self) -> String {
        match self {
            Self::Tag(tag) => tag.clone(),
            Self::Digest(digest) => digest.oci(),
        }
    }
}

impl fmt::Display for OciRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.registry, self.repository)?;
        match &self.version {
            Version::Tag(tag) => write!(f, ":{tag}"),
            Version::Digest(digest) => write!(f, "@{}", digest.oci()),
        }
    }
}

/// Whether a text is a registry's `HOST` or `HOST:PORT`: a name or an address, and nothing that leads elsewhere.
pub fn is_registry(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
            (if is_address { "address" } else { "" }, port)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    is_name && is_port
}

/// Letters and digits in lower case, with one `.`, one or two `_`, or some `-` between them.
fn is_repository_part(part: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_well = |byte: Option<u8>| byte.is_some_and(is_word);
    ends_well(part.bytes().next())
        && ends_well(part.bytes().last())
        && part
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}
