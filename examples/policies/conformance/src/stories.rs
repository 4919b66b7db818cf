//! The stories of `stories/`, in virtual time against the whole engine.

use std::path::Path;

use anyhow::Context;
use steadfast_core::timing::Timing;
use steadfast_host::Policy;
use steadfast_reconcile::PolicySetup;
use steadfast_simulate::{Environment, Harness, play};
use steadfast_world::story::Story;

use crate::verdict::Verdict;

/// What every jitter is drawn from.
const SEED: u64 = 7;

pub(crate) fn read(folder: &Path) -> anyhow::Result<Vec<Story>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    paths
        .iter()
        .map(|path| {
            Ok(Story::parse(
                &path.display().to_string(),
                &std::fs::read_to_string(path)?,
            )?)
        })
        .collect()
}

pub(crate) fn play_all(stories: &[Story], policy: &Policy) -> anyhow::Result<Verdict> {
    let setups = || vec![PolicySetup::deciding("starter", Box::new(policy.another()))];
    let harness = Harness {
        timing: Timing::default(),
        seed: SEED,
        policies: &setups,
        environment: Environment::InProcess,
        recording: None,
        chaos: None,
    };
    let mut verdict = Verdict::default();
    for story in stories {
        let outcome = play(story, &harness)?;
        verdict.count(
            outcome
                .broken
                .first()
                .map(|broken| format!("{} is broken at {}: {}", story.id, broken.at, broken.what)),
        );
    }
    Ok(verdict)
}
