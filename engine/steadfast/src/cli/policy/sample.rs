//! Snapshots to try a policy on: every decision of the demo's story, as the default policy met them.

use std::time::Duration;

use steadfast_core::recording::Recorded;
use steadfast_core::timing::Timing;
use steadfast_host::{PolicyEngine, PolicyLimits, builtin};
use steadfast_reconcile::{PolicySetup, Recording};
use steadfast_simulate::{Environment, Harness, play};
use steadfast_world::story::Story;

use crate::run::policy_cache;

/// Plays the demo's story in virtual time (about a second) and gives what was decided on, in order.
pub(super) fn decisions() -> anyhow::Result<Vec<Recorded>> {
    let story = Story::parse("demo", crate::demo::STORY)?;
    let engine = PolicyEngine::new(policy_cache().as_deref())?;
    let policy = engine.load("sample", builtin::CONSERVATIVE, "{}", PolicyLimits::default())?;
    let setup = || PolicySetup::deciding("sample", Box::new(policy.another()));
    let outcome = play(
        &story,
        &Harness {
            timing: Timing {
                poll: Duration::from_millis(500),
                timeout: Duration::from_millis(300),
                validate: Duration::from_secs(6),
                ..Timing::default()
            },
            seed: 7,
            policies: &|| vec![setup()],
            environment: Environment::InProcess,
            // Every decision, however alike.
            recording: Some(Recording::endless(Duration::ZERO)),
            chaos: None,
        },
    )?;
    Ok(outcome.recorded)
}
