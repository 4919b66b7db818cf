//! Who somebody is, by what they show.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use steadfast_core::call::Through;
use tokio::time::Instant;

use super::kubernetes::{self, KubernetesAuth, Told, Untold};
use super::named::{NamedTokens, is_of_this_kind};
use super::throttle::{Throttle, network};
use super::{Identity, Rights, Scope, Scopes, Token};
use crate::problem::{Code, Problem};
use crate::serve::Peer;

/// How many wrong tokens an address may show at once, and how long until there is room for a further one.
const WRONG: (u32, Duration) = (30, Duration::from_secs(2));
/// How many addresses are counted at a time.
const ADDRESSES: usize = 4_096;
/// How often wrong tokens are told of.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// What opens the door. Without any of them nobody comes in.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// `server.token_file`: opens everything.
    pub shared: Option<Token>,
    /// `server.tokens_file`: each opens its scopes.
    pub named: Option<NamedTokens>,
    /// `server.tls.client_scopes`: what a client certificate opens, where one is asked for.
    pub certificates: Option<Scopes>,
    /// `server.kubernetes_auth`: a Kubernetes API server says who somebody is, and what they may do.
    pub kubernetes: Option<KubernetesAuth>,
}

/// Looks at what callers show. A clone is the same guard.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keys: Keys,
    wrong: Counter,
    forbidden: Counter,
    told: Mutex<ToldOf>,
    failures: Throttle<IpAddr>,
}

/// What was told of wrong tokens.
#[derive(Debug, Default)]
struct ToldOf {
    at: Option<Instant>,
    /// Refusals since.
    untold: u64,
}

impl Keys {
    /// Whether there is none.
    pub fn are_none(&self) -> bool {
        let Self {
            shared,
            named,
            certificates,
            kubernetes,
        } = self;
        shared.is_none() && named.is_none() && certificates.is_none() && kubernetes.is_none()
    }
}

impl Guard {
    pub(super) fn new(keys: Keys) -> Self {
        let (at_once, each) = WRONG;
        Self(Arc::new(Inner {
            keys,
            wrong: Counter::default(),
            forbidden: Counter::default(),
            told: Mutex::default(),
            failures: Throttle::new(at_once, each, ADDRESSES),
        }))
    }

    /// Who it is that shows this token, or comes with this certificate. A token decides alone where one is shown.
    pub(super) async fn identify(&self, offered: Option<&str>, peer: Option<&Peer>) -> Result<Identity, Problem> {
        let Some(offered) = offered else {
            return self.by_certificate(peer).ok_or_else(|| self.nothing_shown());
        };
        if let Some(identity) = self.by_file(offered).await {
            return Ok(identity);
        }
        let address = network(peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address.ip()));
        let Some(kubernetes) = self.0.keys.kubernetes.as_ref().filter(|_| !is_of_this_kind(offered)) else {
            return Err(self.refuse(address, peer));
        };
        match kubernetes.whose(offered, address).await.map_err(untold)? {
            Told::Is(user) => Ok(Identity {
                by: Some(user.name.as_str().into()),
                through: Through::Kubernetes,
                rights: Rights::Asked(user),
            }),
            Told::Nobody => Err(self.refuse(address, peer)),
        }
    }

    /// Whether this is somebody, as far as is known without asking anybody else.
    pub(super) async fn knows(&self, offered: Option<&str>, peer: &Peer) -> bool {
        let Some(offered) = offered else {
            return self.by_certificate(Some(peer)).is_some();
        };
        let was_good = |kubernetes: &KubernetesAuth| kubernetes.was_good(offered);
        self.by_file(offered).await.is_some() || self.0.keys.kubernetes.as_ref().is_some_and(was_good)
    }

    async fn by_file(&self, offered: &str) -> Option<Identity> {
        if let Some(tokens) = &self.0.keys.named
            && let Some(named) = tokens.find(offered).await
        {
            return Some(Identity {
                by: Some(named.name),
                through: Through::Token,
                rights: Rights::Are(named.scopes),
            });
        }
        let shared = self.0.keys.shared.as_ref()?;
        shared.is(offered).await.then_some(Identity {
            by: None,
            through: Through::SharedToken,
            rights: Rights::Are(Scopes::ALL),
        })
    }

    fn by_certificate(&self, peer: Option<&Peer>) -> Option<Identity> {
        let scopes = self.0.keys.certificates?;
        let name = peer?.line.client()?;
        Some(Identity {
            by: Some(Arc::clone(name)),
            through: Through::Certificate,
            rights: Rights::Are(scopes),
        })
    }

    /// Fails with 403 and the name of the scope if the caller lacks it.
    pub(super) async fn require(&self, identity: &Identity, scope: Scope) -> Result<(), Problem> {
        let (has, fix) = match (&identity.rights, &self.0.keys.kubernetes) {
            (Rights::Are(scopes), _) => {
                let fix = match identity.through {
                    Through::Certificate => format!("client certificates have: {scopes} (server.tls.client_scopes)"),
                    Through::Nothing | Through::SharedToken | Through::Token | Through::Kubernetes => {
                        format!(
                            "it has: {scopes}; add the scope to its entry in server.tokens_file, or use another token"
                        )
                    }
                };
                (scopes.has(scope), fix)
            }
            (Rights::Asked(user), Some(kubernetes)) => {
                let may = kubernetes.may(user, scope).await.map_err(untold)?;
                let fix = format!("in Kubernetes' RBAC: {}", kubernetes::wanted(scope));
                (may, fix)
            }
            (Rights::Asked(_), None) => (false, "nobody says what it may do".to_owned()),
        };
        if has {
            return Ok(());
        }
        self.0.forbidden.inc();
        let who = identity.by.as_deref().unwrap_or("the caller");
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("`{who}` lacks the scope `{}`: {fix}", scope.as_str()),
        )
        .coded(Code::ScopeMissing))
    }

    fn nothing_shown(&self) -> Problem {
        let or = if self.0.keys.certificates.is_some() {
            ", or come with a client certificate"
        } else {
            ""
        };
        Problem::new(
            StatusCode::UNAUTHORIZED,
            format!("a bearer token is required; send the header `Authorization: Bearer TOKEN`{or}"),
        )
    }

    /// The answer to a wrong token. It is counted, and told of once a minute at most.
    fn refuse(&self, address: IpAddr, peer: Option<&Peer>) -> Problem {
        self.0.wrong.inc();
        self.note_wrong(peer);
        if let Err(wait) = self.0.failures.take(address) {
            return too_often(wait);
        }
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "the bearer token is none that this engine knows; send one that is named in its configuration ([server])",
        )
        .coded(Code::UnknownToken)
    }

    fn note_wrong(&self, peer: Option<&Peer>) {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.untold += 1;
        if told.at.is_some_and(|at| at.elapsed() < TOLD_EVERY) {
            return;
        }
        let count = std::mem::take(&mut told.untold);
        told.at = Some(Instant::now());
        let from = peer.map_or_else(|| "somebody".to_owned(), |peer| peer.address.ip().to_string());
        tracing::warn!("{count} with a wrong token were refused, the last one from {from}; told once a minute at most");
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_wrong_tokens",
            "Requests that were refused for their bearer token",
            self.0.wrong.clone(),
        );
        registry.register(
            "steadfast_forbidden_requests",
            "Requests that were refused since their caller lacks the scope",
            self.0.forbidden.clone(),
        );
    }

    #[cfg(test)]
    pub(super) fn wrong(&self) -> u64 {
        self.0.wrong.get()
    }
}

/// The answer where nobody says whose a token is, or what they may do.
fn untold(untold: Untold) -> Problem {
    match untold {
        Untold::Failed(why) => Problem::unavailable(&*why).coded(Code::CallerNotKnown),
        Untold::TooOften(wait) => Problem::too_often(
            "more is asked of the Kubernetes API server than it is asked for one address, of tokens that it has not vouched for of \
             late; the token was not looked at, so try again when Retry-After says",
            wait,
        ),
    }
}

/// Who knows a token comes in all the same: whoever guesses behind the same proxy locks nobody out.
fn too_often(wait: Duration) -> Problem {
    let (at_once, each) = WRONG;
    Problem::too_often(
        format!(
            "too many wrong tokens came from this address: {at_once} are looked at in a row, and one more each {} s",
            each.as_secs()
        ),
        wait,
    )
    .coded(Code::TooManyWrongTokens)
}
