//! Where a module is, as people write it.

mod oci;

use std::fmt;
use std::path::{Path, PathBuf};

pub use oci::{OciRef, Version, is_registry};

/// Where a module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleRef {
    /// `builtin:NAME`: it comes with the program.
    Builtin(String),
    /// The path of a file.
    File(PathBuf),
    /// `oci://HOST/REPOSITORY@sha256:HEX` or `oci://HOST/REPOSITORY:TAG`: an artifact in a registry.
    Oci(OciRef),
}

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing is written.
    #[error("is empty")]
    Empty,
    /// Another kind of URL.
    #[error("has the scheme `{0}`, from which no module is taken")]
    Scheme(String),
    /// The host or its port cannot be one.
    #[error("names no registry that can be asked: `{0}` is not HOST or HOST:PORT")]
    Host(String),
    /// The repository breaks the rules of registries.
    #[error(
        "names the repository `{0}`, which no registry has: a repository is in lower case, with letters, digits and \
         single `.`, `_` and `-` between them"
    )]
    Repository(String),
    /// Nothing says which of the repository's artifacts is meant.
    #[error("says neither a digest nor a tag")]
    NoVersion,
    /// It says two things.
    #[error("says a tag and a digest")]
    TwoVersions,
    /// The tag breaks the rules of registries.
    #[error("has the tag `{0}`, which no registry has")]
    Tag(String),
    /// The digest is none.
    #[error("has a digest that is none: {0}")]
    Digest(crate::DigestError),
}

impl ReferenceError {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Empty | Self::Scheme(_) => "write builtin:NAME, the path of a .wasm file, or oci://HOST/REPOSITORY",
            Self::Host(_) => "write oci://HOST/REPOSITORY, such as \"oci://registry.example.com/policies/orders\"",
            Self::Repository(_) => "write the repository's name as `steadfast policy push` or the registry shows it",
            Self::NoVersion => "add @sha256: and the manifest's digest, which `steadfast policy push` prints, or :TAG",
            Self::TwoVersions => "drop the tag: the digest alone decides",
            Self::Tag(_) => "write at most 128 letters, digits, `.`, `_` and `-`, the first no `.` or `-`",
            Self::Digest(_) => "write @sha256: and 64 hex digits, as `steadfast policy push` prints them",
        }
    }
}

impl ModuleRef {
    /// Reads a reference. Nothing is looked up. Fails if it is of none of the three kinds.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if let Some(name) = text.strip_prefix("builtin:") {
            return Ok(Self::Builtin(name.to_owned()));
        }
        match text.split_once("://") {
            Some(("oci", _)) => OciRef::parse(text).map(Self::Oci),
            Some((scheme, _)) => Err(ReferenceError::Scheme(scheme.to_owned())),
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }

    /// The same, with a relative path starting at that folder.
    pub fn below(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            Self::Builtin(_) | Self::Oci(_) => self,
        }
    }
}

impl fmt::Display for ModuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "builtin:{name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Oci(reference) => write!(f, "{reference}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn what_is_read_is_written_the_same() {
        let digest = format!("oci://127.0.0.1:5000/team/orders@sha256:{HEX}");
        for text in [
            "builtin:conservative",
            "policies/mine.wasm",
            "/etc/steadfast/mine.wasm",
            &digest,
            "oci://registry.example.com/orders:v1.2",
            "oci://[::1]:5000/a/b__c/d.e-f:latest",
        ] {
            assert_eq!(ModuleRef::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_path_starts_at_its_folder_and_nothing_else_does() {
        let below = |text| ModuleRef::parse(text).unwrap().below(Path::new("/etc")).to_string();
        assert_eq!(below("a.wasm"), "/etc/a.wasm");
        assert_eq!(below("/a.wasm"), "/a.wasm");
        assert_eq!(below("builtin:naive"), "builtin:naive");
        assert_eq!(below("oci://h/a:b"), "oci://h/a:b");
    }

    #[test]
    fn each_mistake_is_told_apart() {
        let both = format!("oci://h/a:v1@sha256:{HEX}");
        let cases = [
            ("", "is empty"),
            ("https://h/a.wasm", "the scheme `https`"),
            ("oci://", "`` is not HOST"),
            ("oci:///a:v1", "`` is not HOST"),
            ("oci://h:99999/a:v1", "`h:99999` is not HOST"),
            ("oci://user:s3cret@h/a:v1", "`…@h` is not HOST"),
            ("oci://[::g]/a:v1", "`[::g]` is not HOST"),
            ("oci://h", "the repository ``"),
            ("oci://h/Orders:v1", "the repository `Orders`"),
            ("oci://h/a//b:v1", "the repository `a//b`"),
            ("oci://h/../b:v1", "the repository `../b`"),
            ("oci://h/a?x=1:v1", "the repository `a?x=1`"),
            ("oci://h/a", "neither a digest nor a tag"),
            ("oci://h/a:", "the tag ``"),
            ("oci://h/a:-v", "the tag `-v`"),
            ("oci://h/a@sha256:12", "a digest that is none"),
            ("oci://h/a@md5:12", "a digest that is none"),
            (&both, "a tag and a digest"),
        ];
        for (text, told) in cases {
            let error = ModuleRef::parse(text).unwrap_err();
            assert!(error.to_string().contains(told), "{text}: {error}");
            assert!(!error.fix().is_empty());
        }
    }
}
