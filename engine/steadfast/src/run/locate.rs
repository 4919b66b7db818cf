//! Where in the configuration an error of loading a policy, or of setting up a cluster, comes from.
//!
//! The configuration is checked before any module is looked for, and knows neither modules nor where the engine runs. Whether a module can be
//! used is found out later, and most of what can be wrong with it is a mistake of the entry that names it: people are
//! shown that line, as for any other mistake.

use std::error::Error;
use std::path::Path;

use steadfast_host::LoadError;

use super::{MisplacedCluster, RefusedModule};
use crate::config::ConfigError;

/// The mistake behind policies that could not be loaded, or a cluster that could not be set up; `None` if it is none of the configuration at `path`, such as a
/// registry that does not answer.
pub fn locate_in_config(path: &Path, error: &anyhow::Error) -> Option<ConfigError> {
    if let Some(refusal) = error.downcast_ref::<LoadError>() {
        return (!refusal.is_passing()).then(|| of_policy(path, refusal));
    }
    if let Some(misplaced) = error.downcast_ref::<MisplacedCluster>() {
        let rule = format!("[[kubernetes]] `{}`: {}", misplaced.cluster, misplaced.rule);
        let entry = ("kubernetes", misplaced.cluster.as_str());
        return Some(ConfigError::in_entry(path, entry, misplaced.key, rule, misplaced.fix));
    }
    let refused = error.downcast_ref::<RefusedModule>();
    refused
        .filter(|refused| !refused.source.is_passing())
        .map(|refused| of_module(path, refused))
}

/// A module that refused to be loaded, or refused its parameters.
fn of_policy(path: &Path, refusal: &LoadError) -> ConfigError {
    let (policy, key, fix) = match refusal {
        LoadError::Params { policy, .. } => (
            policy,
            "params",
            "`steadfast policy inspect MODULE` lists each parameter with its type and default",
        ),
        LoadError::NotWebAssembly { policy }
        | LoadError::Import { policy, .. }
        | LoadError::Export { policy, .. }
        | LoadError::Untyped { policy }
        | LoadError::Memories { policy, .. }
        | LoadError::Costly { policy, .. }
        | LoadError::Lacking { policy, .. }
        | LoadError::Version { policy, .. }
        | LoadError::Contract { policy, .. }
        | LoadError::Malformed { policy, .. }
        | LoadError::Failed { policy, .. } => (
            policy,
            "module",
            "name one that `steadfast policy inspect MODULE` takes; `steadfast policy new` begins one",
        ),
    };
    ConfigError::in_entry(path, ("policy", policy), key, refusal.to_string(), fix)
}

/// A module that is not there, or is not what was asked for.
fn of_module(path: &Path, refused: &RefusedModule) -> ConfigError {
    let RefusedModule { policy, source } = refused;
    let mut rule = format!("policy `{policy}`: {source}");
    let mut cause = source.source();
    while let Some(because) = cause {
        rule.push_str(&format!(": {because}"));
        cause = because.source();
    }
    ConfigError::in_entry(path, ("policy", policy), source.key(), rule, source.fix())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::run::load_policies;

    #[test]
    fn a_refused_policy_is_shown_where_its_parameters_stand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text = "[[policy]]\nname = \"mine\"\nmodule = \"builtin:conservative\"\n[policy.params]\nbogus = 1\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path).unwrap();
        let refusal = load_policies(&config.policies, &[]).err().unwrap();
        let Some(ConfigError::Mistakes { report, mistakes, .. }) = locate_in_config(&path, &refusal) else {
            panic!("{refusal}")
        };
        assert_eq!(&text[mistakes[0].place.clone()], "params");
        assert!(
            report.contains(
                "config.toml:4: policy `mine`: params: `bogus` is no parameter; there are `absence_confirmations`"
            ),
            "{report}"
        );
        // Without an engine that runs it: none would with this line.
        assert!(report.contains("`steadfast policy inspect MODULE`"), "{report}");
    }

    #[test]
    fn what_has_nothing_to_do_with_the_file_is_not_located_in_it() {
        let error = anyhow::anyhow!("the disk is full").context("the store cannot be opened");
        assert!(locate_in_config(Path::new("config.toml"), &error).is_none());
    }
}
