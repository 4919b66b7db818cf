//! `steadfast check`.

use std::path::Path;

use super::{Failure, located, policies, printer};
use crate::config::Config;
use crate::doctor::{Finding, Machine, Verdict, local};
use crate::run::load_policies;

/// Reads a configuration and loads its policies, as an engine would that is started with it; nothing else is touched.
pub(super) fn run(config: &Path) -> Result<(), Failure> {
    let loaded = Config::load(config)?;
    let policies = load_policies(&loaded.policies, &loaded.registries);
    for policy in policies.map_err(|error| located(config, error))? {
        printer::note(&policies::provenance(&policy));
    }
    // It may be checked on another machine than the one that is to run it.
    let found = local(&loaded, Machine::MaybeAnother).into_iter();
    for Finding { subject, what, fix, .. } in found.filter(|finding| finding.verdict > Verdict::Ok) {
        let fix = fix.map_or_else(String::new, |fix| format!("; {fix}"));
        printer::note(&format!("warning: {subject}: {what}{fix}"));
    }
    printer::note(&format!("{} has no mistakes", config.display()));
    Ok(())
}
