//! `steadfast policies`.

use super::policy::inspect::parameters;
use super::printer;
use crate::config::Config;
use crate::run::{LoadedPolicy, load_policies};

/// Lists every policy with what can be tuned.
pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let mut text = String::new();
    for policy in load_policies(&config.policies, &config.registries)? {
        let description = policy.module.description();
        let role = if policy.config.shadow { "shadow" } else { "decides" };
        let rollout = policy.config.rollout;
        text.push_str(&format!("{} ({role}, {rollout})\n", policy.config.name));
        let source = &policy.provenance;
        text.push_str(&format!("  module      {}\n", source.reference));
        if let Some(manifest) = source.manifest {
            text.push_str(&format!("  manifest    {}\n", manifest.oci()));
        }
        text.push_str(&format!(
            "  sha256      {}\n  from        {}, {}\n",
            source.sha256,
            source.from,
            source.trust()
        ));
        text.push_str(&format!(
            "  is          {} {}: {}\n",
            description.name, description.version, description.summary
        ));
        text.push_str(&format!("  configured  {}\n", policy.config.params));
        if !description.parameters.is_empty() {
            text.push_str(&format!("{}\n", parameters(&description.parameters)));
        }
    }
    printer::data(&text)?;
    Ok(())
}

/// Where a policy's module came from and why it may be run, on one line.
pub(super) fn provenance(policy: &LoadedPolicy) -> String {
    let source = &policy.provenance;
    format!(
        "policy {}: {}, sha256 {}, from {}, {}",
        policy.config.name,
        source.reference,
        source.sha256,
        source.from,
        source.trust()
    )
}
