//! `steadfast policy bench`: what a policy costs.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::Args;
use serde_json::json;
use steadfast_core::decision::Decide as _;
use steadfast_core::snapshot::Snapshot;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits};

use super::super::output::{Format, OutputOption};
use super::super::{Failure, printer};
use super::policy_arg::PolicyArg;
use super::sample;

pub(in crate::cli) const AFTER_HELP: &str = "\
The snapshots are those of the demo's six jobs: running, restarting, crash-looping, unreachable, gone. An instance serves one
batch of decisions; `fresh` is what the first decision of a batch pays for it.

Examples:
  steadfast policy bench builtin:conservative
  steadfast policy bench my.wasm --params '{ patience = \"90s\" }' --output json";

/// How long each kind of call is measured.
const MEASURED: Duration = Duration::from_secs(2);
/// How many decisions a batch of the engine may have.
const BATCH: usize = 512;
const MIB: u64 = 1024 * 1024;
/// Beyond this no cap is tried.
const MOST_MIB: u64 = 4096;

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    policy: PolicyArg,
    #[command(flatten)]
    output: OutputOption,
}

/// What was measured.
struct Measured {
    bytes: usize,
    compiled: Duration,
    cached: Duration,
    reused: Percentiles,
    fresh: Percentiles,
    batch: Duration,
    memory_mib: u64,
    snapshots: usize,
}

/// Of many calls.
struct Percentiles {
    p50: Duration,
    p99: Duration,
}

/// Measures and tells.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let module = options.policy.bytes()?;
    let params = options.policy.load()?.config.params;
    let snapshots = sample::snapshots(&options.policy)?;
    let measured = measure(&module, &params, &snapshots)?;
    match &options.output.format {
        Format::People(_) => printer::data(&page(&measured))?,
        Format::Data(data) => printer::data(&data.shown(&document(&measured))?)?,
    }
    Ok(())
}

fn measure(module: &[u8], params: &str, snapshots: &[Snapshot]) -> anyhow::Result<Measured> {
    let limits = PolicyLimits {
        // A policy too slow for production is to be measured, not refused.
        deadline: Duration::from_secs(10),
        memory_bytes: MOST_MIB * MIB,
    };
    let cache = tempfile::tempdir()?;
    let load = || -> anyhow::Result<(Policy, Duration)> {
        let engine = PolicyEngine::new(Some(&cache.path().join("compiled")))?;
        let began = Instant::now();
        let policy = engine.load("measured", module, params, limits)?;
        Ok((policy, began.elapsed()))
    };
    let (_, compiled) = load()?;
    let (mut policy, cached) = load()?;
    for snapshot in snapshots {
        // Its judgement does not matter here, only that it comes to one.
        policy
            .decide(snapshot)
            .map_err(|failure| anyhow!("it fails on a snapshot of the demo: {}", failure.message))?;
    }
    let mut next = snapshots.iter().cycle();
    let mut decide = |policy: &mut Policy| drop(next.next().map(|snapshot| policy.decide(snapshot)));
    let reused = percentiles(|| decide(&mut policy));
    let fresh = percentiles(|| {
        policy.end_batch();
        decide(&mut policy);
    });
    policy.end_batch();
    let began = Instant::now();
    (0..BATCH).for_each(|_| decide(&mut policy));
    let batch = began.elapsed();
    Ok(Measured {
        bytes: module.len(),
        compiled,
        cached,
        reused,
        fresh,
        batch,
        memory_mib: memory(cache.path(), module, params, snapshots)?,
        snapshots: snapshots.len(),
    })
}

fn percentiles(mut call: impl FnMut()) -> Percentiles {
    let began = Instant::now();
    let mut took = Vec::new();
    while began.elapsed() < MEASURED {
        let call_began = Instant::now();
        call();
        took.push(call_began.elapsed());
    }
    took.sort();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
    Percentiles {
        p50: at(50),
        p99: at(99),
    }
}

/// The smallest cap in whole MiB under which it loads and decides all snapshots.
fn memory(cache: &std::path::Path, module: &[u8], params: &str, snapshots: &[Snapshot]) -> anyhow::Result<u64> {
    let engine = PolicyEngine::new(Some(&cache.join("compiled")))?;
    let suffices = |mib: u64| {
        let limits = PolicyLimits {
            deadline: Duration::from_secs(10),
            memory_bytes: mib * MIB,
        };
        engine
            .load("measured", module, params, limits)
            .is_ok_and(|mut policy| snapshots.iter().all(|snapshot| policy.decide(snapshot).is_ok()))
    };
    let (mut too_little, mut enough) = (0, MOST_MIB);
    while enough - too_little > 1 {
        // Most need little: the first guesses are small.
        let guess = (too_little * 2).max(1).min(too_little + (enough - too_little) / 2);
        if suffices(guess) {
            enough = guess;
        } else {
            too_little = guess;
        }
    }
    Ok(enough)
}

fn page(measured: &Measured) -> String {
    let Measured {
        bytes,
        compiled,
        cached,
        reused,
        fresh,
        batch,
        memory_mib,
        snapshots,
    } = measured;
    let of_batch = *batch / u32::try_from(BATCH).unwrap_or(u32::MAX);
    format!(
        "module   {bytes} bytes\n\
         load     {compiled:.1?} compiling, {cached:.1?} from the compile cache\n\
         decide   p50 {:.1?}, p99 {:.1?} on an instance in use, over {snapshots} snapshots\n\
         fresh    p50 {:.1?}, p99 {:.1?} with an instance of its own\n\
         batch    {batch:.1?} for {BATCH} decisions, {of_batch:.1?} each\n\
         memory   {memory_mib} MiB is the smallest cap that suffices\n",
        reused.p50, reused.p99, fresh.p50, fresh.p99
    )
}

fn document(measured: &Measured) -> serde_json::Value {
    let micros = |span: Duration| span.as_secs_f64() * 1e6;
    let percentiles = |of: &Percentiles| json!({ "p50": micros(of.p50), "p99": micros(of.p99) });
    json!({
        "bytes": measured.bytes,
        "compileMicros": micros(measured.compiled),
        "cachedLoadMicros": micros(measured.cached),
        "decideMicros": percentiles(&measured.reused),
        "freshMicros": percentiles(&measured.fresh),
        "batch": { "decisions": BATCH, "micros": micros(measured.batch) },
        "memoryMiB": measured.memory_mib,
        "snapshots": measured.snapshots,
    })
}
