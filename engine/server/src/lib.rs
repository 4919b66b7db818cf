//! The engine's HTTP side: the API, the event stream, probes, metrics, the dashboard, and the sinks.
//!
//! Everything here reads what was committed: the [`Projection`](steadfast_core::projection::Projection) for the
//! present, the [`Journal`](steadfast_core::journal::Journal) for the past. What changes a record is asked of
//! the loop through [`Control`].

mod access;
mod api;
mod control;
mod cursor;
mod dashboard;
mod events;
pub mod explain;
mod health;
mod jobs;
mod metrics;
mod one_job;
mod openapi;
mod policies;
mod problem;
mod serve;
mod shadows;
pub mod sinks;
mod view;

pub use access::{Access, Token, TokenError};
pub use api::{Api, router};
pub use control::{Control, ControlError};
pub use health::{ClusterHealth, Health, Liveness, Reach, Readiness};
pub use policies::{LastReload, Policies, PolicyList, ReloadError, Reloaded, ReloadedPolicy, RunningPolicy};
pub use serve::serve;

#[cfg(test)]
mod testing;
