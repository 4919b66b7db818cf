//! Who may ask, and for what.
//!
//! On loopback, where nothing is configured, the machine's users may do everything, and only pages of our own may ask. Beyond it
//! a caller shows a token or a client certificate, and is then somebody with scopes; each route says in [`crate::router`] which of
//! them it asks for. What is shown first is looked for here: in the files of tokens, which costs nothing. Only what is in none of
//! them is put before a Kubernetes API server, and only so often for each address.

mod followed;
mod identity;
mod kubernetes;
mod named;
mod refusals;
mod scope;
mod throttle;
mod token;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Uri};
use prometheus_client::registry::Registry;
use steadfast_core::call::{Caller, Through};

use crate::problem::{Code, Problem};
use crate::serve::Peer;
use refusals::{Refusals, Write};
use throttle::{Throttle, network};

pub(crate) use followed::{Content, Followed, Text};
pub use identity::{Guard, Keys};
pub use kubernetes::{KubernetesAuth, KubernetesUser, TokenReviewer};
pub use named::{NamedTokens, NewToken, NewTokenError, TokensError};
pub(crate) use scope::Door;
pub use scope::{Scope, Scopes};
pub use token::{Token, TokenError};

/// How many writes a caller has at once, and how long until there is room for a further one.
const WRITES: (u32, Duration) = (1_000, Duration::from_millis(10));
/// How many callers are counted at a time.
const CALLERS: usize = 4_096;

/// How the listener is guarded. A clone is the same guard.
#[derive(Clone, Debug)]
pub struct Access {
    kind: Kind,
    writes: Arc<Throttle<Writer>>,
    refusals: Arc<Refusals>,
}

#[derive(Clone, Debug)]
enum Kind {
    Loopback,
    Insecure,
    Guarded(Guard),
}

/// Whose writes are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Writer {
    Named(Through, Arc<str>),
    At(Option<IpAddr>),
}

impl Writer {
    fn of(caller: &Caller) -> Self {
        match &caller.by {
            Some(by) => Self::Named(caller.through, Arc::clone(by)),
            None => Self::At(caller.from.map(network)),
        }
    }
}

/// Who a caller is, and what they may do.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    by: Option<Arc<str>>,
    through: Through,
    rights: Rights,
}

/// What a caller may do.
#[derive(Clone, Debug)]
enum Rights {
    Are(Scopes),
    /// A Kubernetes API server says of each whether they have it.
    Asked(Arc<KubernetesUser>),
}

impl Access {
    /// It listens on loopback, where the machine's users are trusted. A foreign web page in their browser is
    /// not: requests for any host but an address or `localhost` are refused, so that no DNS name can be bent
    /// to reach the engine.
    pub fn loopback() -> Self {
        Self::new(Kind::Loopback)
    }

    /// `insecure = true`: anybody who reaches the port may ask.
    pub fn insecure() -> Self {
        Self::new(Kind::Insecure)
    }

    /// Who shows one of these keys may ask, for what it opens. Probes and the dashboard's own files are open.
    pub fn guarded(keys: Keys) -> Self {
        Self::new(Kind::Guarded(Guard::new(keys)))
    }

    fn new(kind: Kind) -> Self {
        let (at_once, each) = WRITES;
        Self {
            kind,
            writes: Arc::new(Throttle::new(at_once, each, CALLERS)),
            refusals: Arc::new(Refusals::new()),
        }
    }

    /// Makes what it counts known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        match &self.kind {
            Kind::Guarded(guard) => guard.register(registry),
            Kind::Loopback | Kind::Insecure => {}
        }
    }

    /// Whether a request may come over a connection that is kept for those who have a right to one: a probe, or one with a key.
    /// Nobody else is asked for that.
    pub(crate) async fn has_precedence(&self, uri: &Uri, headers: &HeaderMap, peer: &Peer) -> bool {
        if matches!(uri.path(), "/livez" | "/readyz") {
            return true;
        }
        match &self.kind {
            Kind::Guarded(guard) => guard.knows(offered(headers), peer).await,
            Kind::Loopback | Kind::Insecure => false,
        }
    }
}

/// What stands before a route.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) access: Access,
    pub(crate) door: Door,
}

/// The middleware before every route, which tells it who calls.
pub(crate) async fn enter(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let peer: Option<Peer> = request.extensions().get().cloned();
    let write = Write::of(request.method(), request.uri());
    let admitted = gate.admit(request.method(), request.uri(), request.headers(), peer.as_ref());
    let (caller, admitted) = admitted.await;
    let mut response = match admitted {
        Ok(()) => {
            request.extensions_mut().insert(caller.clone());
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    if let Some(write) = write {
        gate.access.refusals.note(&write, &caller, &mut response);
    }
    response
}

impl Gate {
    /// Who calls, as far as it is known, and the answer to whoever may not.
    async fn admit(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        peer: Option<&Peer>,
    ) -> (Caller, Result<(), Problem>) {
        let mut caller = Caller {
            by: None,
            through: Through::Nothing,
            from: peer.map(|peer| peer.address.ip().to_canonical()),
        };
        let host = host(uri, headers);
        let identified = match &self.access.kind {
            Kind::Loopback => loopback_host(host.as_ref()).map(|()| Identity::nobody()),
            Kind::Insecure => Ok(Identity::nobody()),
            Kind::Guarded(guard) => match self.door {
                Door::Open => Ok(Identity::nobody()),
                Door::Known | Door::Needs(_) => guard.identify(offered(headers), peer).await,
            },
        };
        let identity = match identified {
            Ok(identity) => identity,
            Err(problem) => return (caller, Err(problem)),
        };
        caller.by.clone_from(&identity.by);
        caller.through = identity.through;
        let mut admitted = match (&self.access.kind, self.door) {
            (Kind::Guarded(guard), Door::Needs(scope)) => guard.require(&identity, scope).await,
            (Kind::Guarded(_), Door::Open | Door::Known) | (Kind::Loopback | Kind::Insecure, _) => Ok(()),
        };
        if admitted.is_ok() && method != Method::GET && method != Method::HEAD {
            admitted = same_origin(host.as_ref(), headers).and_then(|()| self.count_write(&caller));
        }
        (caller, admitted)
    }

    fn count_write(&self, caller: &Caller) -> Result<(), Problem> {
        self.access.writes.take(Writer::of(caller)).map_err(|wait| {
            let (at_once, each) = WRITES;
            let rule = format!(
                "this caller has written as often as one may: {at_once} times at once, and once more each {} ms. Nothing has \
                 changed; try again when Retry-After says",
                each.as_millis()
            );
            Problem::too_often(rule, wait).coded(Code::TooManyWrites)
        })
    }
}

impl Identity {
    /// Somebody who showed nothing, where nothing is asked for.
    fn nobody() -> Self {
        Self {
            by: None,
            through: Through::Nothing,
            rights: Rights::Are(Scopes::ALL),
        }
    }
}

/// The host the client meant.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let named = headers.get(HOST).and_then(|value| value.to_str().ok()?.parse().ok());
    named.or_else(|| uri.authority().cloned())
}

fn loopback_host(host: Option<&Authority>) -> Result<(), Problem> {
    let name = host.map_or("", Authority::host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        format!(
            "the host `{name}` is not served: without a token only an IP address or localhost is; \
             ask for one of those, or set a token file"
        ),
    )
    .coded(Code::HostNotServed))
}

/// The bearer token of a request.
fn offered(headers: &HeaderMap) -> Option<&str> {
    let (scheme, offered) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| offered.trim())
}

/// A browser names the page a request comes from; only our own may change anything.
fn same_origin(host: Option<&Authority>, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
    let authority = origin.as_ref().and_then(Uri::authority);
    if authority.is_some() && authority == host {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "the request comes from another web page (its Origin is not its Host); only this engine's own may change a job",
    )
    .coded(Code::ForeignOrigin))
}

#[cfg(test)]
mod tests;
