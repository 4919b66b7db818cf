//! The policy that somebody wants to see beside the default one.

use std::path::Path;

use anyhow::Context as _;
use steadfast_core::id::PolicyName;
use steadfast_core::shadow::{ShadowBoard, ShadowFilter};

use crate::cli::printer;

/// What it is called.
pub(super) const BESIDE: &str = "mine";

/// Its entry in the configuration. A path is looked for where the command was given, and not in the demo's folder.
pub(super) fn entry(module: &str, params: toml::Table) -> anyhow::Result<String> {
    let module = if module.starts_with("builtin:") || module.starts_with("oci://") {
        module.to_owned()
    } else {
        let path = Path::new(module).canonicalize();
        let path = path.with_context(|| format!("--policy `{module}`: there is no such module; name its file"))?;
        path.to_string_lossy().into_owned()
    };
    let (module, params) = (toml::Value::String(module), toml::Value::Table(params));
    Ok(format!(
        "[[policy]]\nname = \"{BESIDE}\"\nmodule = {module}\nshadow = true\nparams = {params}\n"
    ))
}

/// How it went, in a line; `None` if there is none.
pub(super) fn told(shadows: &ShadowBoard) -> Option<String> {
    let counts = shadows.counts();
    let (name, counts) = counts.into_iter().find(|(name, _)| name.as_str() == BESIDE)?;
    let wanted = ShadowFilter {
        policy: Some(PolicyName::new(BESIDE)),
        ..ShadowFilter::default()
    };
    let views = shadows.page(&wanted, usize::MAX);
    let differing = views.iter().filter(|(_, view)| !view.differences.is_empty()).count();
    let failed = match counts.failures {
        0 => "and never failed".to_owned(),
        failures => {
            let judged = counts.judged;
            let last = views.iter().filter_map(|(_, view)| view.failure.as_ref());
            let last = last.max_by_key(|failure| failure.at).map(|last| {
                let (kind, message) = (last.failure.kind.as_str(), printer::one_line(&last.failure.message));
                format!(", last ({kind}): {message}")
            });
            format!("and failed {failures} of {judged} times{}", last.unwrap_or_default())
        }
    };
    Some(format!(
        "`{name}` differed in {differing} of {}, {failed}\n",
        printer::counted(views.len(), "job")
    ))
}

#[cfg(test)]
mod tests {
    use steadfast_core::decision::{PolicyFailure, PolicyFailureKind};
    use steadfast_core::state::JobState;
    use steadfast_core::testing;

    use super::*;

    #[test]
    fn its_parameters_stand_in_its_entry() {
        let params: toml::Table = toml::from_str("patience = \"20s\"\ndays = [1, 2]").unwrap();
        let entry = entry("builtin:naive", params.clone()).unwrap();
        let config: toml::Table = toml::from_str(&entry).unwrap();
        let policy = &config["policy"].as_array().unwrap()[0];
        assert_eq!(policy["module"].as_str(), Some("builtin:naive"));
        assert_eq!(policy["params"].as_table(), Some(&params));
    }

    #[test]
    fn a_policy_that_fails_is_not_passed_over_in_silence() {
        let board = ShadowBoard::default();
        assert_eq!(told(&board), None);
        let record = |state, failure: Option<PolicyFailure>| {
            let mut record = testing::record(testing::job_key("orders"), testing::at(0));
            record.state = JobState::Running;
            let mut verdict = testing::shadow_verdict(&record, state);
            verdict.failure = failure;
            board.record(&PolicyName::new(BESIDE), record.into(), verdict, testing::at(1));
        };
        record(JobState::Running, None);
        assert_eq!(
            told(&board).as_deref(),
            Some("`mine` differed in 0 of 1 job, and never failed\n")
        );
        record(JobState::Lost, None);
        let failure = PolicyFailure {
            kind: PolicyFailureKind::Trap,
            message: "it traps".into(),
        };
        record(JobState::Running, Some(failure));
        assert_eq!(
            told(&board).as_deref(),
            Some("`mine` differed in 1 of 1 job, and failed 1 of 3 times, last (trap): it traps\n")
        );
    }
}
