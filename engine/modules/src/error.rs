//! Why a module is not handed out.

use std::path::{Path, PathBuf};

use steadfast_core::foreign_text::ForeignText;
use steadfast_files::FileError;

use crate::{Digest, RegistryError, SignatureError};

/// Why a module is not handed out.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// No such module comes with the program.
    #[error("there is no built-in policy `{name}`")]
    NoBuiltin {
        /// The name behind `builtin:`.
        name: String,
    },
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// As the configuration or the command line names it.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// What is there is no regular file.
    #[error("{} is no regular file", path.display())]
    NotRegular {
        /// As the configuration or the command line names it.
        path: PathBuf,
    },
    /// A file is larger than any module may be.
    #[error("{} holds more than the {limit} bytes a module may have", path.display())]
    TooLarge {
        /// As the configuration or the command line names it.
        path: PathBuf,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The bytes are not those that were pinned.
    #[error("{module} is not the module that was pinned: its sha256 is {found}, the pinned one {pinned}")]
    Pin {
        /// Where the module is.
        module: String,
        /// The digest that was pinned.
        pinned: Digest,
        /// The digest of the bytes that are there.
        found: Digest,
    },
    /// Keys were named, and no signature is there.
    #[error("{module} is not signed: there is nothing at {location}")]
    Unsigned {
        /// Where the module is.
        module: String,
        /// Where its signature would be.
        location: String,
    },
    /// What stands where the signature belongs is something else.
    #[error("{module} has no signature that can be read: {location} holds something else")]
    NoSignature {
        /// Where the module is.
        module: String,
        /// Where its signature would be.
        location: String,
        /// What is wrong with it.
        #[source]
        source: SignatureError,
    },
    /// It is signed, but by none of the keys, or for other bytes.
    #[error("{module} is signed by nobody who may: the signature at {location} was not made for it by {keys}")]
    Signature {
        /// Where the module is.
        module: String,
        /// Where its signature is.
        location: String,
        /// The fingerprints of the keys that may.
        keys: String,
    },
    /// What the registry holds is no module.
    #[error("{artifact} is not one WebAssembly module: {found}")]
    NotAModule {
        /// Its reference.
        artifact: String,
        /// What it is instead, for people: a manifest's own words may be in it.
        found: ForeignText,
    },
    /// The registry did not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl ModuleError {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NoBuiltin { .. } => "use builtin:conservative",
            Self::Unreadable { .. } => "name a file that this user may read",
            Self::NotRegular { .. } => "name a .wasm file; a directory, a device or a pipe is none",

            Self::TooLarge { .. } => "name a .wasm module; a policy is a few hundred KiB",
            Self::Pin { .. } => {
                "find out who changed the module; if the change is wanted, pin the new digest, else bring the old module back"
            }
            Self::Unsigned { .. } => {
                "sign it: `steadfast policy sign MODULE --key FILE` for a file, `steadfast policy push --sign FILE` or \
                 `cosign sign --key FILE` for a registry"
            }
            Self::NoSignature {
                source: SignatureError::Bundle,
                ..
            } => {
                "sign with `cosign sign-blob --new-bundle-format=false --output-signature MODULE.sig`, or `steadfast policy sign`"
            }
            Self::NoSignature { .. } => {
                "sign the module again: the file holds the signature in base64, and nothing else"
            }
            Self::Signature { .. } => {
                "find out who made the module; if it is the right one, have the owner of a trusted key sign it, or add the \
                 signer's key to public_key"
            }
            Self::NotAModule { .. } => "name an artifact that `steadfast policy push` or `wkg oci push` made",
            Self::Registry(error) => error.fix(),
        }
    }

    /// Why the file at that path is not read.
    pub fn of_file(path: &Path, error: FileError) -> Self {
        let path = path.to_owned();
        match error {
            FileError::Io(source) => Self::Unreadable { path, source },
            FileError::NotRegular => Self::NotRegular { path },
            FileError::TooLarge { limit } => Self::TooLarge { path, limit },
            error @ FileError::NotText => Self::Unreadable {
                path,
                source: error.into(),
            },
        }
    }

    /// The key of a `[[policy]]` that this is about.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Pin { .. } => "sha256",
            Self::Unsigned { .. } | Self::NoSignature { .. } | Self::Signature { .. } => "public_key",
            Self::NoBuiltin { .. }
            | Self::Unreadable { .. }
            | Self::NotRegular { .. }
            | Self::TooLarge { .. }
            | Self::NotAModule { .. }
            | Self::Registry(_) => "module",
        }
    }

    /// Whether trying again later may help, with nothing changed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Registry(error) => error.is_unreachable(),
            Self::Unreadable { source, .. } => is_lack(source),
            Self::NoBuiltin { .. }
            | Self::NotRegular { .. }
            | Self::TooLarge { .. }
            | Self::Pin { .. }
            | Self::Unsigned { .. }
            | Self::NoSignature { .. }
            | Self::Signature { .. }
            | Self::NotAModule { .. } => false,
        }
    }
}

/// Whether the process or its machine lacked what it takes to read a file: nothing is said of the file.
fn is_lack(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    // Files have no kind of their own.
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    matches!(
        error.kind(),
        ErrorKind::OutOfMemory | ErrorKind::WouldBlock | ErrorKind::Interrupted
    ) || matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}
