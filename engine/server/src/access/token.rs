//! The one token of `server.token_file`, which opens everything.

use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use steadfast_files::FileError;
use subtle::ConstantTimeEq as _;

use super::followed::{Content, Followed, Text};

/// A bearer token and its file, which is followed when it changes. A clone is the same token. Never shown by `Debug`.
#[derive(Clone, Debug)]
pub struct Token(Arc<Followed<Shared>>);

#[derive(Clone, Debug)]
struct Shared(SecretString);

/// Why a token file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("cannot read the token file {path}; check the path and that the engine's user may read it")]
    Read {
        /// The file, as the configuration names it.
        path: String,
        /// Why not.
        #[source]
        source: FileError,
    },
    /// Its content is no token.
    #[error(
        "the token file {path} must hold one line of at least 16 visible ASCII characters without blanks; \
         make one with `openssl rand -hex 32`"
    )]
    Unfit {
        /// The file, as the configuration names it.
        path: String,
    },
}

impl Token {
    /// Reads the token a file holds; white space around it is left out. It is read again when it is asked for, once a second
    /// at most; a file that cannot be used then leaves the token of before in force.
    ///
    /// Fails if the file cannot be read, or holds no token of at least 16 visible ASCII characters.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        Ok(Self(Arc::new(Followed::open(vec![path.to_owned()])?)))
    }

    /// Compares in a time that tells nothing but the length.
    pub(super) async fn is(&self, offered: &str) -> bool {
        let Shared(token) = self.0.current().await;
        token.expose_secret().as_bytes().ct_eq(offered.as_bytes()).into()
    }

    /// A token that stands in a file of that content.
    #[cfg(test)]
    pub(super) fn of(folder: &tempfile::TempDir, token: &str) -> Self {
        let path = folder.path().join("token");
        std::fs::write(&path, token).unwrap();
        Self::read(&path).unwrap()
    }
}

impl Content for Shared {
    type Error = TokenError;
    const NAME: &'static str = "the token file";

    fn of(files: Vec<Text<'_>>) -> Result<Self, TokenError> {
        let missing = || TokenError::Unfit { path: String::new() };
        let Text { path, read } = files.into_iter().next().ok_or_else(missing)?;
        let path = path.display().to_string();
        let text = match read {
            Ok(text) => text,
            Err(source) => return Err(TokenError::Read { path, source }),
        };
        let token = text.trim();
        if token.len() < 16 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Unfit { path });
        }
        Ok(Self(token.into()))
    }
}
