//! Why a registry did not give or take something.

use std::path::PathBuf;

use steadfast_files::FileError;

use crate::Digest;

/// Why a registry did not give or take something.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry's address cannot be asked.
    #[error("{address} is no address that can be asked")]
    Address {
        /// The URL, as far as it could be put together.
        address: String,
    },
    /// A file with a password or certificates cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// As the configuration names it.
        path: PathBuf,
        /// Why not.
        #[source]
        source: FileError,
    },
    /// A file holds no certificates.
    #[error("{} holds no certificates in PEM", path.display())]
    Certificates {
        /// As the configuration names it.
        path: PathBuf,
    },
    /// No answer, or an answer that says to come back later.
    #[error("the registry {host} cannot be reached")]
    Unreachable {
        /// `HOST` or `HOST:PORT`.
        host: String,
        /// The failed request, or the status and words of an answer.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It does not let us.
    #[error("the registry {host} does not let {who} have {what}{said}")]
    Denied {
        /// `HOST` or `HOST:PORT`.
        host: String,
        /// The user's name, or that we have none.
        who: String,
        /// What was asked for.
        what: String,
        /// Its own words, if it has any, behind a colon.
        said: String,
    },
    /// It has no such thing.
    #[error("the registry {host} has no {what}")]
    Absent {
        /// `HOST` or `HOST:PORT`.
        host: String,
        /// What was asked for.
        what: String,
    },
    /// It gave other bytes than those that were asked for.
    #[error("the registry {host} gave other bytes for {what}: their sha256 is {found}, not {wanted}")]
    Tampered {
        /// `HOST` or `HOST:PORT`.
        host: String,
        /// What was asked for.
        what: String,
        /// The digest that was asked for.
        wanted: Digest,
        /// The digest of what it gave.
        found: Digest,
    },
    /// It gave more than it said, or than can be.
    #[error("the registry {host} gave more than {limit} bytes for {what}")]
    TooLarge {
        /// `HOST` or `HOST:PORT`.
        host: String,
        /// What was asked for.
        what: String,
        /// The most that was expected, in bytes.
        limit: usize,
    },
    /// An answer that makes no sense here.
    #[error("the registry {host} answered with {answer} when asked for {what}")]
    Odd {
        /// `HOST` or `HOST:PORT`.
        host: String,
        /// What was asked for.
        what: String,
        /// Its status and words, or what is wrong with them.
        answer: String,
    },
}

impl RegistryError {
    pub(super) fn unreachable(host: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unreachable {
            host: host.to_owned(),
            source: source.into(),
        }
    }

    /// Whether the registry may give it another time, with nothing changed.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Address { .. } => "correct the registry's host and port",
            Self::Unreadable { .. } => "name a file that this user may read",
            Self::Certificates { .. } => "name the PEM file of the authority that signed the registry's certificate",
            Self::Unreachable { .. } => {
                "check the address and the network; for a registry without TLS set insecure = true in its [[registry]], for \
                 one with certificates of your own ca_file"
            }
            Self::Denied { .. } => {
                "give username and password_file in the registry's [[registry]], or log in with `docker login`; the user \
                 must have the right to it"
            }
            Self::Absent { .. } => {
                "correct the repository, the tag or the digest; `steadfast policy push` prints what it pushed"
            }
            Self::Tampered { .. } => {
                "do not run it: what the registry keeps, or something on the way, was changed; push the module again and tell \
                 whoever runs the registry"
            }
            Self::TooLarge { .. } => "name an artifact that `steadfast policy push` made",
            Self::Odd { .. } => "check that a registry with the OCI distribution API is at this address",
        }
    }
}
