//! `steadfast policies`.

use super::policy::inspect::parameters;
use super::printer;
use crate::config::{Config, Module};
use crate::run::load_policies;

/// Lists every policy with what can be tuned.
pub(super) fn list(config: &Config) -> anyhow::Result<()> {
    let mut text = String::new();
    for policy in load_policies(&config.policies)? {
        let description = policy.module.description();
        let module = match &policy.config.module {
            Module::Builtin(name) => format!("builtin:{name}"),
            Module::File(path) => path.display().to_string(),
        };
        let role = if policy.config.shadow { "shadow" } else { "decides" };
        text.push_str(&format!("{} ({role})\n", policy.config.name));
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
