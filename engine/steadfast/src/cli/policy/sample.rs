//! Snapshots to try a policy on: every decision of the demo's story, as the default policy met them. What that remembered is given to
//! no other policy.

use std::time::Duration;

use steadfast_core::recording::Recorded;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::timing::Timing;
use steadfast_host::{PolicyEngine, PolicyLimits, builtin};
use steadfast_reconcile::{PolicySetup, Recording};
use steadfast_simulate::{Environment, Harness, play};
use steadfast_world::story::Story;

use super::memory::is_default;
use super::policy_arg::PolicyArg;
use crate::run::policy_cache;

/// The snapshots for the policy of a command line.
pub(super) fn snapshots(policy: &PolicyArg) -> anyhow::Result<Vec<Snapshot>> {
    let recorded = decisions()?.into_iter();
    let mut snapshots: Vec<Snapshot> = recorded.map(|one| one.snapshot).collect();
    if !is_default(policy) {
        for snapshot in &mut snapshots {
            snapshot.record.memory.clear();
        }
    }
    Ok(snapshots)
}

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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        policy: PolicyArg,
    }

    #[test]
    fn what_the_default_policy_remembered_is_shown_to_no_other() {
        let memories = |module: &str| {
            let policy = Line::try_parse_from(["test", module]).unwrap().policy;
            let all = snapshots(&policy).unwrap();
            all.iter().filter(|one| !one.record.memory.is_empty()).count()
        };
        assert!(memories("builtin:conservative") > 0);
        assert_eq!(memories("builtin:naive"), 0);
    }
}
