//! The tokens of `server.tokens_file`: each with a name and scopes, and kept as a digest.
//!
//! A digest without salt or stretching is enough for what has 256 random bits, and for nothing else. So a token has a form that
//! only [`NewToken`] makes: what somebody thought of has not, and opens nothing, even if its digest stands in the file.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rand::TryRng as _;
use secrecy::SecretString;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use steadfast_files::FileError;

use super::followed::{Content, Followed, Text};
use super::scope::{Scope, Scopes};

/// What each token begins with, so that whoever finds one knows what it is.
const PREFIX: &str = "sft_";
/// What each digest in the file begins with.
const HASH: &str = "sha256:";
/// The longest name of a token, in bytes.
const NAME: usize = 63;
/// The most tokens of a file.
const TOKENS: usize = 10_000;

/// The tokens of a file, which is followed when it changes. A clone is the same ones.
#[derive(Clone, Debug)]
pub struct NamedTokens(Arc<Followed<Arc<Tokens>>>);

/// By digest, in order.
#[derive(Debug)]
struct Tokens(Vec<([u8; 32], Named)>);

/// Whose token it is, and what it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: Arc<str>,
    pub(super) scopes: Scopes,
}

/// A token that was just made, and the entry by which an engine knows it.
#[derive(Debug)]
pub struct NewToken {
    /// The token: shown once, and kept nowhere.
    pub token: SecretString,
    /// The entry for the file.
    pub entry: String,
}

/// Why a file of tokens cannot be used. What it holds is not repeated: somebody may have put a token there.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read.
    #[error("cannot read the file of tokens {path}; check the path and that the engine's user may read it")]
    Read {
        /// The file, as the configuration names it.
        path: String,
        /// Why not.
        #[source]
        source: FileError,
    },
    /// It is no list of entries.
    #[error(
        "{path} does not read at line {line}: it holds [[token]] entries, each with name, scopes and hash, as `steadfast token \
         new` makes them"
    )]
    Form {
        /// The file, as the configuration names it.
        path: String,
        /// Where.
        line: usize,
    },
    /// An entry cannot be used.
    #[error("{path}: entry {entry}: {rule}")]
    Entry {
        /// The file, as the configuration names it.
        path: String,
        /// Which one, from 1.
        entry: usize,
        /// What is wrong with it, and what mends it.
        rule: &'static str,
    },
    /// There is none.
    #[error(
        "{path} holds no token, as a file does whose writing was cut short. If none is to open anything, leave one whose token nobody \
         has: `steadfast token new nobody --scope read` shows such an entry. If there are to be none at all, take server.tokens_file \
         out of the configuration and restart"
    )]
    None {
        /// The file, as the configuration names it.
        path: String,
    },
    /// There are too many.
    #[error("{path} holds more than {TOKENS} tokens; let programs with the same rights share one")]
    TooMany {
        /// The file, as the configuration names it.
        path: String,
    },
}

/// Why no token is made.
#[derive(Debug, thiserror::Error)]
pub enum NewTokenError {
    /// No name for one.
    #[error("a token's name has 1 to {NAME} letters, digits, `-`, `_` and `.`; histories and the log show it")]
    Name,
    /// It would open nothing.
    #[error("a token without a scope opens nothing; name read, intent or admin")]
    Scopes,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] rand::rngs::SysError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    scopes: Vec<String>,
    hash: String,
}

impl NewToken {
    /// Makes one of 256 random bits.
    ///
    /// Fails if that is no name, without a scope, and where the system gives no random bytes.
    pub fn make(name: &str, scopes: Scopes) -> Result<Self, NewTokenError> {
        if !is_name(name) {
            return Err(NewTokenError::Name);
        }
        if scopes.is_empty() {
            return Err(NewTokenError::Scopes);
        }
        let mut random = [0; 32];
        let mut system = rand::rngs::SysRng;
        system.try_fill_bytes(&mut random).map_err(NewTokenError::Random)?;
        let token = format!("{PREFIX}{}", const_hex::encode(random));
        let listed: Vec<String> = Scope::ALL
            .into_iter()
            .filter(|scope| scopes.has(*scope))
            .map(|scope| format!("\"{}\"", scope.as_str()))
            .collect();
        let entry = format!(
            "[[token]]\nname = \"{name}\"\nscopes = [{}]\nhash = \"{HASH}{}\"\n",
            listed.join(", "),
            const_hex::encode(digest(&token))
        );
        Ok(Self {
            token: token.into(),
            entry,
        })
    }
}

impl NamedTokens {
    /// Reads a file of tokens. It is read again when a token is shown, once a second at most; one that cannot be used then
    /// leaves the tokens of before in force.
    pub fn read(path: &Path) -> Result<Self, TokensError> {
        Ok(Self(Arc::new(Followed::open(vec![path.to_owned()])?)))
    }

    /// Whether a text can be the content of such a file. `path` is what errors call it.
    pub fn check(path: &Path, text: &str) -> Result<(), TokensError> {
        parse(&path.display().to_string(), text).map(drop)
    }

    /// Whose token it is, if it is one.
    pub(super) async fn find(&self, offered: &str) -> Option<Named> {
        if !is_of_this_kind(offered) {
            return None;
        }
        let digest = digest(offered);
        let tokens = self.0.current().await;
        // What the time of the search tells is about a digest, which leads to no token.
        let at = tokens.0.binary_search_by(|(held, _)| held.cmp(&digest)).ok()?;
        tokens.0.get(at).map(|(_, named)| named.clone())
    }
}

/// Whether a text has the form of these tokens, so that nobody else is asked about it.
pub(super) fn is_of_this_kind(offered: &str) -> bool {
    let random = offered.strip_prefix(PREFIX);
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    random.is_some_and(|random| random.len() == 64 && random.bytes().all(is_hex))
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn is_name(name: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= NAME && name.bytes().all(is_of_name) && !is_of_this_kind(name)
}

impl Content for Arc<Tokens> {
    type Error = TokensError;
    const NAME: &'static str = "the file of tokens";

    fn of(files: Vec<Text<'_>>) -> Result<Self, TokensError> {
        let missing = || TokensError::Form {
            path: String::new(),
            line: 1,
        };
        let Text { path, read } = files.into_iter().next().ok_or_else(missing)?;
        let path = path.display().to_string();
        match read {
            Ok(text) => parse(&path, &text).map(Arc::new),
            Err(source) => Err(TokensError::Read { path, source }),
        }
    }
}

fn parse(path: &str, text: &str) -> Result<Tokens, TokensError> {
    let path = || path.to_owned();
    let file: File = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        TokensError::Form {
            path: path(),
            line: before.matches('\n').count() + 1,
        }
    })?;
    if file.token.is_empty() {
        return Err(TokensError::None { path: path() });
    }
    if file.token.len() > TOKENS {
        return Err(TokensError::TooMany { path: path() });
    }
    let mut names = BTreeSet::new();
    let mut tokens = Vec::with_capacity(file.token.len());
    for (entry, number) in file.token.into_iter().zip(1..) {
        let token = checked(&entry).and_then(|token| {
            let is_new = names.insert(entry.name);
            is_new
                .then_some(token)
                .ok_or("another one has the same name; histories could not tell them apart")
        });
        tokens.push(token.map_err(|rule| TokensError::Entry {
            path: path(),
            entry: number,
            rule,
        })?);
    }
    tokens.sort_unstable_by_key(|(digest, _)| *digest);
    Ok(Tokens(tokens))
}

fn checked(entry: &Entry) -> Result<([u8; 32], Named), &'static str> {
    if !is_name(&entry.name) {
        return Err("its name is none: use 1 to 63 letters, digits, `-`, `_` and `.`");
    }
    let scopes: Option<Scopes> = entry
        .scopes
        .iter()
        .map(|scope| Scope::parse(scope))
        .collect::<Option<_>>();
    let scopes = scopes.filter(|scopes| !scopes.is_empty());
    let scopes = scopes.ok_or("its scopes are none: use one or more of \"read\", \"intent\" and \"admin\"")?;
    let digest = entry
        .hash
        .strip_prefix(HASH)
        .and_then(|hash| const_hex::decode_to_array(hash).ok());
    let digest = digest.ok_or(
        "its hash is not what `steadfast token new` writes (sha256: and 64 hex digits); make a new token, the old one is \
         nowhere to be had back",
    )?;
    let named = Named {
        name: entry.name.as_str().into(),
        scopes,
    };
    Ok((digest, named))
}

#[cfg(test)]
mod tests;
