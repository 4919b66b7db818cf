//! The engine's HTTP side: the API, the event stream, probes, metrics, the dashboard, and the sinks.
//!
//! A request goes through [`router`] and the guard of its access to a handler, which reads its path and query, asks
//! what [`Api`] holds, and writes what `view` says of it; whatever is wrong is a `problem`. `ports` are what
//! the engine implements for that.
//!
//! Everything here reads what was committed: the [`Projection`](steadfast_core::projection::Projection) for the
//! present, the [`Journal`](steadfast_core::journal::Journal) for the past. What changes a record is asked of
//! the loop through [`Control`].

// Tests read what they have written.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod access;
mod alerts;
mod audit;
mod closeup;
mod clusters;
mod compat;
mod cursor;
mod dashboard;
mod events;
pub mod explain;
mod filter;
mod headers;
mod health;
mod history;
mod job;
mod jobs;
mod links;
mod metrics;
mod openapi;
mod packing;
mod policies;
mod ports;
mod problem;
mod query;
mod router;
mod serve;
mod shadows;
mod silences;
pub mod sinks;
mod state;
mod store;
mod summary;
mod view;
mod words;

pub use access::{
    Access, Keys, KubernetesAuth, KubernetesUser, NamedTokens, NewToken, NewTokenError, Scope, Scopes, Token,
    TokenError, TokenReviewer, TokensError,
};
pub use clusters::{Cluster, ClusterList, Kind, KindState, Standalone};
pub use jobs::sorts;
pub use links::{LinkError, LinkTemplate};
pub use ports::{
    AskedSilence, Closeup, CloseupError, ClusterHealth, ClusterReading, Control, ControlError, DeadLetter, FlinkCounts,
    Health, LastReload, Liveness, Looked, Policies, PolicyList, PolicyRole, PolicyStanding, QuarantinedRecord, Reach,
    Readiness, RecordFaults, ReloadError, ReloadResult, Reloaded, ReloadedPolicy, RunningPolicy, SinkHealth,
    UnwrittenJob,
};
pub use router::router;
pub use serve::{Limits, ListenerMetrics, Serving, Tls, TlsError, TlsFiles, serve};
pub use state::Api;
pub use store::StoreState;

#[cfg(test)]
mod testing;
