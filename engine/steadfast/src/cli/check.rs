//! `steadfast check`.

use std::path::Path;

use super::{Failure, located, policies, printer};
use crate::config::Config;
use crate::run::load_policies;

/// Reads a configuration and loads its policies, as an engine would that is started with it; nothing else is touched.
pub(super) fn run(config: &Path) -> Result<(), Failure> {
    let loaded = Config::load(config)?;
    let policies = load_policies(&loaded.policies, &loaded.registries);
    for policy in policies.map_err(|error| located(config, error))? {
        printer::note(&policies::provenance(&policy));
    }
    for warning in loaded.exposed_files() {
        printer::note(&format!("warning: {warning}"));
    }
    if loaded.clusters.is_empty() && loaded.jobs.is_empty() {
        printer::note("note: without a [[kubernetes]] or a [[job]] there is nothing to watch");
    }
    printer::note(&format!("{} has no mistakes", config.display()));
    Ok(())
}
