//! Serving until told to stop, within bounds that no client can pass.
//!
//! A listener shares open files and memory with everything else the engine does. So it has a number of connections that is
//! well below that of open files, and each of them must earn its place: it asks within [`Limits::first`], a body included, it does not stand
//! idle for longer than [`Limits::idle`], what it is sent it takes within [`Limits::answer`], and a follower of events does not
//! let them lie for [`Limits::unread`]. Where all places are taken, the connection that has been idle longest makes room.
//! A few are kept for probes and for those who show the token, when none is idle.
//!
//! Answers that wait to be taken are bounded in bytes, over all clients ([`answers`]).

mod answers;
mod body;
mod certificate;
mod conduct;
mod connection;
mod seats;
mod tls;
mod undated;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::events::ShutdownSignal;

pub(crate) use answers::{AnswerBudget, hold, wait_for_turn};
pub(crate) use body::is_late;
use connection::Served;
use seats::Seats;
pub use tls::{Tls, TlsError, TlsFiles};

/// How long answers under way may take after the stop.
const DRAIN: Duration = Duration::from_secs(3);
/// How long nothing is accepted when the process has no file left for a connection.
const PAUSE: Duration = Duration::from_secs(1);
/// How often refused connections are told of.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Who a request is from: an extension of each.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The other end of the connection. What a request says of whom it is forwarded for is not believed.
    pub(crate) address: SocketAddr,
    pub(crate) line: Line,
}

/// What a connection is.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// Everybody on the way may read it.
    Plain,
    /// Nobody may.
    Tls {
        /// The name in the client's certificate, if it showed one that counts.
        client: Option<Arc<str>>,
    },
}

impl Line {
    /// The name in the client's certificate.
    pub(crate) fn client(&self) -> Option<&Arc<str>> {
        match self {
            Self::Plain => None,
            Self::Tls { client } => client.as_ref(),
        }
    }
}

/// What clients may take, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Further ones for probes, and for callers who show the token.
    pub kept: usize,
    /// From a connection to the head of its first request, and from each head to the end of its body.
    pub first: Duration,
    /// The same over one of those that are kept.
    pub first_kept: Duration,
    /// Between an answer and the head of the next request.
    pub idle: Duration,
    /// From a request until its answer is taken; event streams go on.
    pub answer: Duration,
    /// How long a client may take nothing of what is there for it.
    pub unread: Duration,
}

impl Limits {
    /// For so many open connections in all: one in eight of them is kept.
    pub fn of(connections: usize) -> Self {
        let kept = (connections / 8).max(1);
        Self {
            connections: connections.saturating_sub(kept).max(1),
            kept,
            first: Duration::from_secs(10),
            first_kept: Duration::from_secs(2),
            idle: Duration::from_secs(60),
            answer: Duration::from_secs(120),
            unread: Duration::from_secs(60),
        }
    }

    /// How often a connection's conduct is looked at.
    fn look(&self) -> Duration {
        let shortest = [self.first, self.first_kept, self.idle, self.answer, self.unread]
            .into_iter()
            .min();
        (shortest.unwrap_or_default() / 4).clamp(Duration::from_millis(5), Duration::from_secs(1))
    }
}

/// What the listener counts.
#[derive(Clone, Debug, Default)]
pub struct ListenerMetrics {
    open: Gauge,
    refused: Counter,
    cut_off: Counter,
}

impl ListenerMetrics {
    fn is_open(&self, connections: usize) {
        self.open.set(i64::try_from(connections).unwrap_or(i64::MAX));
    }

    /// Makes them known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "steadfast_http_connections",
            "Open connections of clients",
            self.open.clone(),
        );
        registry.register(
            "steadfast_http_refused_connections",
            "Connections that found no place",
            self.refused.clone(),
        );
        registry.register(
            "steadfast_http_cut_off_connections",
            "Connections that were closed for what their clients did not do in time, or to make room",
            self.cut_off.clone(),
        );
    }
}

/// How the API is served.
#[derive(Clone, Debug)]
pub struct Serving {
    /// What clients may take.
    pub limits: Limits,
    /// Who may use what is kept.
    pub access: Access,
    /// Whether connections are encrypted, and by which certificate.
    pub tls: Option<Tls>,
    /// What is counted.
    pub metrics: ListenerMetrics,
}

/// Serves until `cancel` is cancelled: then event streams end at once, answers under way have three seconds, and it
/// returns.
///
/// Fails if the listener does, but for a lack of files, which passes.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    serving: Serving,
    cancel: CancellationToken,
) -> io::Result<()> {
    let router = router.layer(Extension(ShutdownSignal(cancel.clone())));
    let seats = Seats::new(serving.limits);
    let served = Arc::new(Served {
        router,
        serving: serving.clone(),
        cancel: cancel.clone(),
    });
    let mut connections = JoinSet::new();
    let mut refusals = Refusals::default();
    loop {
        let accepted = tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            // A handler that panics ends its connection alone.
            Some(ended) = connections.join_next() => {
                note_end(ended);
                serving.metrics.is_open(connections.len());
                continue;
            }
            accepted = accept(&listener) => accepted?,
        };
        let Some((stream, peer)) = accepted else { continue };
        match seats.take() {
            Some(seat) => drop(connections.spawn(connection::serve(stream, peer, seat, Arc::clone(&served)))),
            None => {
                serving.metrics.refused.inc();
                refusals.note(peer, connections.len());
            }
        }
        serving.metrics.is_open(connections.len());
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("answers were still under way {DRAIN:?} after the stop; they are cut off");
        connections.shutdown().await;
    }
    Ok(())
}

/// The next connection; `None` if there is none after a failure that passes.
async fn accept(listener: &TcpListener) -> io::Result<Option<(TcpStream, SocketAddr)>> {
    let error = match listener.accept().await {
        Ok(accepted) => return Ok(Some(accepted)),
        Err(error) => error,
    };
    let kind = error.kind();
    let is_clients = matches!(
        kind,
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    );
    if kind == io::ErrorKind::InvalidInput {
        return Err(error);
    }
    if !is_clients {
        tracing::error!("no connection can be accepted for a moment: {error}");
        sleep(PAUSE).await;
    }
    Ok(None)
}

fn note_end(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a connection ended in a panic; the others go on");
    }
}

/// Connections that found no place, and what was told of them.
#[derive(Debug, Default)]
struct Refusals {
    told_at: Option<Instant>,
    untold: u64,
}

impl Refusals {
    fn note(&mut self, peer: SocketAddr, open: usize) {
        self.untold += 1;
        if self.told_at.is_some_and(|at| at.elapsed() < TOLD_EVERY) {
            return;
        }
        self.told_at = Some(Instant::now());
        let count = std::mem::take(&mut self.untold);
        tracing::warn!(
            "{count} connections were refused, the last one from {}: {open} are open, and none of them is idle",
            peer.ip()
        );
    }
}

#[cfg(test)]
mod tests;
