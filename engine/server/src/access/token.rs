//! The token that callers must show: read from its file, and followed when that changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use secrecy::{ExposeSecret, SecretString};
use steadfast_core::error_chain::error_chain;
use steadfast_files::{FileError, SMALL};
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::serve::Peer;

/// For how long a file that was read counts as it was. One that changes counts as it is now after that.
const FRESH: Duration = Duration::from_secs(1);
/// How long a file may take to be read; meanwhile what was read before counts.
const LOOK: Duration = Duration::from_secs(1);
/// How often wrong tokens are told of.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// A bearer token and its file. A clone is the same token. Never shown by `Debug`.
#[derive(Clone, Debug)]
pub struct Token(Arc<Followed>);

#[derive(Debug)]
struct Followed {
    path: PathBuf,
    held: Mutex<Held>,
    wrong: Counter,
    told: Lock<Told>,
}

#[derive(Debug)]
struct Held {
    token: SecretString,
    looked_at: Instant,
    /// The file could not be used when it was looked at last.
    is_unfit: bool,
}

/// What was told of wrong tokens.
#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    /// Refusals since.
    untold: u64,
}

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
        let token = token_in(path, steadfast_files::read_text(path, SMALL))?;
        Ok(Self(Arc::new(Followed {
            path: path.to_owned(),
            held: Mutex::new(Held {
                token,
                looked_at: Instant::now(),
                is_unfit: false,
            }),
            wrong: Counter::default(),
            told: Lock::default(),
        })))
    }

    /// Compares in a time that tells nothing but the length.
    pub(super) async fn is(&self, offered: &str) -> bool {
        let token = self.current().await;
        token.expose_secret().as_bytes().ct_eq(offered.as_bytes()).into()
    }

    async fn current(&self) -> SecretString {
        let Followed { path, held, .. } = &*self.0;
        let mut held = held.lock().await;
        if held.looked_at.elapsed() < FRESH {
            return held.token.clone();
        }
        let read = timeout(LOOK, steadfast_files::read_text_apart(path, SMALL)).await;
        held.looked_at = Instant::now();
        match read.map(|read| token_in(path, read)) {
            Ok(Ok(token)) => {
                let is_same: bool = token
                    .expose_secret()
                    .as_bytes()
                    .ct_eq(held.token.expose_secret().as_bytes())
                    .into();
                if !is_same {
                    tracing::info!(
                        "the token file {} has changed: the token in it counts from now on",
                        path.display()
                    );
                    held.token = token;
                }
                held.is_unfit = false;
            }
            Ok(Err(error)) => {
                if !std::mem::replace(&mut held.is_unfit, true) {
                    tracing::warn!("the token of before goes on: {}", error_chain(&error));
                }
            }
            // A disk that hangs; what was read before counts.
            Err(_) => {}
        }
        held.token.clone()
    }

    /// Notes a request with another token: it is counted, and told of once a minute at most.
    pub(super) fn note_wrong(&self, peer: Option<Peer>) {
        self.0.wrong.inc();
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.untold += 1;
        if told.at.is_some_and(|at| at.elapsed() < TOLD_EVERY) {
            return;
        }
        let count = std::mem::take(&mut told.untold);
        told.at = Some(Instant::now());
        let from = peer.map_or_else(|| "somebody".to_owned(), |Peer(address)| address.ip().to_string());
        tracing::warn!("{count} with a wrong token were refused, the last one from {from}; told once a minute at most");
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_wrong_tokens",
            "Requests that were refused for their bearer token",
            self.0.wrong.clone(),
        );
    }

    /// A token that stands in a file of that content.
    #[cfg(test)]
    pub(super) fn of(folder: &tempfile::TempDir, token: &str) -> Self {
        let path = folder.path().join("token");
        std::fs::write(&path, token).unwrap();
        Self::read(&path).unwrap()
    }

    #[cfg(test)]
    pub(super) fn wrong(&self) -> u64 {
        self.0.wrong.get()
    }
}

fn token_in(path: &Path, read: Result<String, FileError>) -> Result<SecretString, TokenError> {
    let path = path.display().to_string();
    let text = match read {
        Ok(text) => text,
        Err(source) => return Err(TokenError::Read { path, source }),
    };
    let token = text.trim();
    if token.len() < 16 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenError::Unfit { path });
    }
    Ok(token.into())
}
