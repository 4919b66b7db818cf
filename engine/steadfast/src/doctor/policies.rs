//! The policies: found, trusted, compiled, configured.

use steadfast_core::error_chain::error_chain;
use tokio::task::spawn_blocking;

use super::Finding;
use crate::config::{Config, Policy};
use crate::run::load_policies;

/// Loads each as an engine would that is started now.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for policy in &config.policies {
        let (one, registries) = (policy.clone(), config.registries.clone());
        let loaded = spawn_blocking(move || load_policies(&[one], &registries).map(|loaded| said(&loaded)));
        findings.push(match loaded.await {
            Ok(Ok(said)) => Finding::ok(subject(policy), said),
            Ok(Err(error)) => refused(policy, &error_chain(error.as_ref())),
            Err(error) => refused(policy, &error.to_string()),
        });
    }
    findings
}

fn subject(policy: &Policy) -> String {
    format!("policy {}", policy.name)
}

fn said(loaded: &[crate::run::LoadedPolicy]) -> String {
    let of = |policy: &crate::run::LoadedPolicy| {
        let source = &policy.provenance;
        let description = policy.module.description();
        format!(
            "{} {}, {}, from {}, {}",
            description.name,
            description.version,
            source.reference,
            source.from,
            source.trust()
        )
    };
    loaded.iter().map(of).collect::<Vec<_>>().join("; ")
}

fn refused(policy: &Policy, why: &str) -> Finding {
    Finding::wrong(
        subject(policy),
        why,
        "`steadfast check` shows the line; `steadfast policy inspect MODULE` lists what can be configured",
    )
}
