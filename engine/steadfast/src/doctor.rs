//! `steadfast doctor`: everything that a configuration leads to, asked once, and what mends what is wrong.
//!
//! It asks with the engine's own parts, so that what answers here answers there. It runs beside an engine or without one, keeps
//! nothing and changes nothing: no file, no object of Kubernetes, no event for a sink.

mod clusters;
mod finding;
mod flinks;
mod local;
mod policies;
mod sinks;
mod store;
mod survey;
mod telemetry;

use crate::config::Config;

pub use finding::{Finding, Verdict};
pub use local::{Machine, local};
pub use survey::{Survey, survey};

/// Examines all of it: first what is on this machine, then each cluster with its Flinks, then who is told.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = local(config, Machine::ThisOne);
    findings.extend(store::examine(&config.store).await);
    findings.extend(policies::examine(config).await);
    for cluster in &config.clusters {
        findings.extend(clusters::examine(config, cluster).await);
    }
    findings.extend(flinks::standalone(config).await);
    findings.extend(sinks::examine(&config.sinks).await);
    findings.extend(telemetry::examine(config.telemetry.as_ref()).await);
    findings
}
