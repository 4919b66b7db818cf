//! `steadfast policies`.

use super::policy::inspect::parameters;
use super::printer;
use crate::config::Config;
use crate::run::load_policies;

/// Lists every policy with what can be tuned.
pub(super) fn list(config: &Config) -> anyhow::Result<()> {
    let mut text = String::new();
    for policy in load_policies(&config.policies)? {
        let description = policy.module.description();
        let module = &policy.config.module;
        let role = if policy.config.shadow { "shadow" } else { "decides" };
        let rollout = policy.config.rollout;
        text.push_str(&format!("{} ({role}, {rollout})\n", policy.config.name));
        text.push_str(&format!(
            "  module      {module}\n  sha256      {}\n",
            policy.module.digest()
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
    printer::data(&text);
    Ok(())
}
