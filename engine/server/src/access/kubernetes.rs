//! Callers with a token of a Kubernetes cluster: its API server says whose it is (TokenReview), and what they may do
//! (SubjectAccessReview on resources that exist in no cluster but for their names).
//!
//! What was answered counts for a while, so that a token that is taken back, or a right, is gone within it. An API server that does
//! not answer says nothing: its callers get 503, and what was answered before counts no longer than it would have.
//!
//! Each question costs the API server something, so it is counted before it is put, and equal ones are one. Tokens that nobody has
//! vouched for are counted by the address that shows them ([`UNKNOWN`]); one that was good of late by itself ([`KNOWN`]), so that who
//! guesses behind the same proxy holds up nobody whose token was looked at before.

mod turns;
mod under_way;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::Scope;
use turns::{Rule, Turns};
use under_way::UnderWay;

/// For how long a yes counts.
const YES: Duration = Duration::from_secs(60);
/// For how long a no counts: who was just given a right need not wait.
const NO: Duration = Duration::from_secs(10);
/// For how long after its last yes a token has a count of its own: longer than the tokens of pods are used before they are renewed.
const LATELY: Duration = Duration::from_secs(3600);
/// How long a caller waits for the API server, the turn to ask it included.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often an address may show tokens that nobody has vouched for of late. One that turns out to be good is not counted.
const UNKNOWN: Rule = Rule {
    at_once: 30,
    each: Duration::from_secs(2),
    of_one: 4,
    waiting: 64,
    of_all: 8,
};
/// How often a token that was good of late, or a right of somebody's, is asked about while nothing that was said of it counts.
const KNOWN: Rule = Rule {
    at_once: 3,
    each: Duration::from_secs(1),
    of_one: 1,
    waiting: 64,
    of_all: 4,
};
/// How many answers are kept of each kind.
const ANSWERS: usize = 1_024;
/// The longest token that is asked about, in bytes.
const LONGEST: usize = 16 << 10;

/// Whose a token is, in the words of a Kubernetes API server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesUser {
    /// The name, such as `system:serviceaccount:flink:deployer`.
    pub name: String,
    /// The uid, which may be empty.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What else the authenticator says, which authorizers may look at.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// A Kubernetes API server that is asked about tokens.
#[async_trait]
pub trait TokenReviewer: Send + Sync + fmt::Debug {
    /// Whose token it is; `None` if it is nobody's. Fails with what kept it from being known, which has nothing of the token.
    async fn who(&self, token: &str) -> Result<Option<KubernetesUser>, String>;

    /// Whether somebody may do what a scope is about. Fails with what kept it from being known.
    async fn may(&self, user: &KubernetesUser, scope: Scope) -> Result<bool, String>;
}

/// Asks an API server, and remembers for a while what it said. A clone remembers the same.
#[derive(Clone, Debug)]
pub struct KubernetesAuth(Arc<Inner>);

/// Answers that still count, or did of late.
type Table<K, T> = Mutex<HashMap<K, Answer<T>>>;
/// What a token is known by here.
type Digested = [u8; 32];
/// A scope of somebody's.
type Right = (Arc<KubernetesUser>, Scope);

#[derive(Debug)]
struct Inner {
    reviewer: Arc<dyn TokenReviewer>,
    /// Whose tokens were good of late, and until when that counts.
    owners: Table<Digested, (Arc<KubernetesUser>, Instant)>,
    nobodys: Table<Digested, ()>,
    rights: Table<Right, bool>,
    of_addresses: Turns<IpAddr>,
    of_owners: Turns<Digested>,
    of_rights: Turns<Right>,
    whose: Arc<UnderWay<Digested, Result<Told, Untold>>>,
    may: Arc<UnderWay<Right, Result<bool, Untold>>>,
}

#[derive(Clone, Debug)]
struct Answer<T> {
    said: T,
    until: Instant,
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Whose it is.
    Is(Arc<KubernetesUser>),
    /// That it is nobody's.
    Nobody,
}

/// Why nothing is known of a token or a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Untold {
    /// Too much was asked for; it is worth trying again after this time.
    TooOften(Duration),
    /// The API server could not be asked.
    Failed(Arc<str>),
}

/// What RBAC has to allow for a scope.
pub(super) fn wanted(scope: Scope) -> String {
    let (verb, resource) = KubernetesAuth::right(scope);
    format!(
        "the verb `{verb}` on `{resource}` of the API group `{}`, in the whole cluster",
        KubernetesAuth::GROUP
    )
}

impl KubernetesAuth {
    /// The API group of the resources that rights are about.
    pub const GROUP: &'static str = "steadfast.dev";

    /// The verb and the resource, with its subresource, that a scope is called by in RBAC.
    pub const fn right(scope: Scope) -> (&'static str, &'static str) {
        match scope {
            Scope::Read => ("get", "jobs"),
            Scope::Intent => ("create", "jobs/intents"),
            Scope::Admin => ("admin", "jobs"),
        }
    }

    /// Asks this API server.
    pub fn new(reviewer: Arc<dyn TokenReviewer>) -> Self {
        Self(Arc::new(Inner {
            reviewer,
            owners: Mutex::default(),
            nobodys: Mutex::default(),
            rights: Mutex::default(),
            of_addresses: Turns::new(UNKNOWN),
            of_owners: Turns::new(KNOWN),
            of_rights: Turns::new(KNOWN),
            whose: Arc::default(),
            may: Arc::default(),
        }))
    }

    /// Whether a token was good of late, without asking anybody.
    pub(super) fn was_good(&self, token: &str) -> bool {
        self.0.was_good(&digest(token))
    }

    /// Whose token it is that an address shows: as was said of late, or else as is said now.
    pub(super) async fn whose(&self, token: &str, from: IpAddr) -> Result<Told, Untold> {
        if token.len() > LONGEST {
            return Ok(Told::Nobody);
        }
        let digest = digest(token);
        if let Some(told) = self.0.remembered(&digest) {
            return Ok(told);
        }
        let (inner, token) = (Arc::clone(&self.0), SecretString::from(token));
        let question = async move { inner.review(digest, &token, from).await };
        self.0.whose.join(digest, question).await
    }

    /// Whether somebody has a scope.
    pub(super) async fn may(&self, user: &Arc<KubernetesUser>, scope: Scope) -> Result<bool, Untold> {
        let right = (Arc::clone(user), scope);
        if let Some(said) = said(&self.0.rights, &right) {
            return Ok(said);
        }
        let (inner, about) = (Arc::clone(&self.0), right.clone());
        let question = async move { inner.allow(about).await };
        self.0.may.join(right, question).await
    }
}

impl Inner {
    fn was_good(&self, digest: &Digested) -> bool {
        said(&self.owners, digest).is_some()
    }

    /// What was said of a token and counts.
    fn remembered(&self, digest: &Digested) -> Option<Told> {
        let owner = said(&self.owners, digest).filter(|(_, counts_until)| Instant::now() < *counts_until);
        match owner {
            Some((user, _)) => Some(Told::Is(user)),
            None => said(&self.nobodys, digest).map(|()| Told::Nobody),
        }
    }

    /// Asks whose token it is when it is its turn.
    async fn review(&self, digest: Digested, token: &SecretString, from: IpAddr) -> Result<Told, Untold> {
        // It may have been said just before.
        if let Some(told) = self.remembered(&digest) {
            return Ok(told);
        }
        let by = Instant::now() + PATIENCE;
        let question = self.reviewer.who(token.expose_secret());
        let user = if self.was_good(&digest) {
            let _turn = self.of_owners.take(&digest, by).await.map_err(Untold::TooOften)?;
            answered(self.of_owners.put(question, by).await)?
        } else {
            let _turn = self.of_addresses.take(&from, by).await.map_err(Untold::TooOften)?;
            let user = answered(self.of_addresses.put(question, by).await)?;
            if user.is_some() {
                self.of_addresses.give_back(&from);
            }
            user
        };
        let Some(user) = user.map(Arc::new) else {
            locked(&self.owners).remove(&digest);
            keep(&self.nobodys, digest, (), NO);
            return Ok(Told::Nobody);
        };
        keep(&self.owners, digest, (Arc::clone(&user), Instant::now() + YES), LATELY);
        Ok(Told::Is(user))
    }

    /// Asks whether somebody has a scope.
    async fn allow(&self, right: Right) -> Result<bool, Untold> {
        if let Some(said) = said(&self.rights, &right) {
            return Ok(said);
        }
        let by = Instant::now() + PATIENCE;
        let _turn = self.of_rights.take(&right, by).await.map_err(Untold::TooOften)?;
        let (user, scope) = &right;
        let may = answered(self.of_rights.put(self.reviewer.may(user, *scope), by).await)?;
        keep(&self.rights, right, may, if may { YES } else { NO });
        Ok(may)
    }
}

/// What an API server said; `None` is that it said nothing in time.
fn answered<T>(said: Option<Result<T, String>>) -> Result<T, Untold> {
    let late = || Err(format!("it did not answer within {} s", PATIENCE.as_secs()));
    said.unwrap_or_else(late).map_err(|why| {
        tracing::debug!("a caller's token could not be looked at: {why}");
        let told = format!(
            "whether the token is good is not known, as the Kubernetes API server that knows could not be asked: {why}. Tokens of \
             the engine's own files go on to be taken"
        );
        Untold::Failed(told.into())
    })
}

impl<T> Answer<T> {
    fn counts(&self) -> bool {
        Instant::now() < self.until
    }
}

/// Keeps an answer, in place of one that counts no longer or is nearest to that where there are too many.
fn keep<K: Eq + std::hash::Hash + Clone, T>(table: &Table<K, T>, key: K, said: T, lasts: Duration) {
    let mut table = locked(table);
    if table.len() >= ANSWERS && !table.contains_key(&key) {
        table.retain(|_, answer| answer.counts());
        let first = table
            .iter()
            .min_by_key(|(_, answer)| answer.until)
            .map(|(key, _)| key.clone());
        if table.len() >= ANSWERS
            && let Some(first) = first
        {
            table.remove(&first);
        }
    }
    let until = Instant::now() + lasts;
    table.insert(key, Answer { said, until });
}

fn locked<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was said of it, if that still counts.
fn said<K: Eq + std::hash::Hash, T: Clone>(table: &Table<K, T>, about: &K) -> Option<T> {
    let table = locked(table);
    let answer = table.get(about).filter(|answer| answer.counts())?;
    Some(answer.said.clone())
}

fn digest(token: &str) -> Digested {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests;
