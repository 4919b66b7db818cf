//! Plays under virtual time with the modules that the product embeds.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context;
use steadfast_core::decision::Decide;
use steadfast_core::id::PolicyName;
use steadfast_core::recording::Recorded;
use steadfast_core::replay::{PastFailures, Replay, beside, compare};
use steadfast_core::timing::Timing;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits, builtin};
use steadfast_reconcile::{PolicySetup, Recording};
use steadfast_simulate::{Environment, Harness};

/// Real time: a policy's deadline is no part of the story, and the machine may be busy.
const LIMITS: PolicyLimits = PolicyLimits {
    deadline: Duration::from_secs(20),
    memory_bytes: 64 << 20,
};

/// Every snapshot that the engine would keep, however old or many.
pub fn recording() -> Recording {
    Recording::endless(Recording::default().every)
}

/// What the same policy, shown the kept snapshots again, would have said otherwise: nothing, or it is an objection.
#[allow(dead_code, reason = "the test of the judge plays without it")]
pub fn replayed_otherwise(recorded: &[Recorded], policy: &Policy) -> Vec<String> {
    let mut again = policy.another();
    let mut replay = Replay::new(PolicyName::new("default"), PastFailures::RepeatOf(None));
    for one in recorded {
        replay.take(one, &mut again);
    }
    let replayed = replay.finish();
    let objections = replayed.iter().flat_map(|(key, replayed)| {
        let transitions = compare(&replayed.recorded, &replayed.own);
        let transitions = transitions.into_iter().map(|difference| format!("{difference:?}"));
        // Alerts, conditions, confidence, reasons, pace and look-ups too.
        let spans = beside(&replayed.recorded_showings, &replayed.own_showings);
        let spans = spans.into_iter().map(|span| format!("{span:?}"));
        let found: Vec<String> = transitions.chain(spans).collect();
        found
            .into_iter()
            .map(move |difference| format!("replayed with the same policy, {key} differs: {difference}"))
    });
    objections.collect()
}

/// Which policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// The default one, as the product embeds it, or the build that `STEADFAST_CONSERVATIVE_WASM` names.
    Conservative,
    /// The one that takes an error for absence, to prove that the judge can tell.
    #[allow(dead_code, reason = "only the test of the judge plays it")]
    Naive,
}

/// Lets something be played with that policy.
pub fn in_virtual_time<T>(
    module: Module,
    seed: u64,
    play: impl FnOnce(&Harness<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    decided_by(policy(module)?, seed, play)
}

/// Lets something be played with a policy that was loaded.
pub fn decided_by<T>(
    policy: &Policy,
    seed: u64,
    play: impl FnOnce(&Harness<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    play(&Harness {
        timing: Timing::default(),
        seed,
        policies: &|| vec![deciding(Box::new(policy.another()))],
        environment: Environment::InProcess,
        recording: Some(recording()),
        chaos: None,
    })
}

/// The one policy of an engine.
pub fn deciding(decide: Box<dyn Decide>) -> PolicySetup {
    PolicySetup::deciding("default", decide)
}

/// A policy, compiled once a process.
pub fn policy(module: Module) -> anyhow::Result<&'static Policy> {
    static CONSERVATIVE: OnceLock<Result<Policy, String>> = OnceLock::new();
    static NAIVE: OnceLock<Result<Policy, String>> = OnceLock::new();
    let slot = match module {
        Module::Conservative => &CONSERVATIVE,
        Module::Naive => &NAIVE,
    };
    slot.get_or_init(|| load(module).map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error}"))
}

fn load(module: Module) -> anyhow::Result<Policy> {
    let other;
    let bytes = match (module, std::env::var_os("STEADFAST_CONSERVATIVE_WASM")) {
        (Module::Naive, _) => builtin::NAIVE,
        (Module::Conservative, None) => builtin::CONSERVATIVE,
        (Module::Conservative, Some(path)) => {
            other = std::fs::read(path).context("STEADFAST_CONSERVATIVE_WASM names a file that cannot be read")?;
            &other
        }
    };
    load_bytes(bytes, "{}")
}

/// Loads a module with these parameters (JSON).
pub fn load_bytes(bytes: &[u8], params: &str) -> anyhow::Result<Policy> {
    static ENGINE: OnceLock<Result<PolicyEngine, String>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("policies");
        PolicyEngine::new(Some(&cache)).map_err(|error| error.to_string())
    });
    let engine = engine
        .as_ref()
        .map_err(|error| anyhow::anyhow!("no policy engine: {error}"))?;
    engine
        .load("default", bytes, params, LIMITS)
        .context("the policy was refused")
}
