//! What a decision costs: `cargo run --release -p steadfast-host --example decide-cost`, of the built-in policies, or of
//! the modules that are named behind `--`.
//!
//! A reused instance is what a batch pays, a fresh one what the first decision of each batch pays on top.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../tests/it/situation.rs"]
#[allow(dead_code)]
mod situation;

use std::path::Path;
use std::time::{Duration, Instant};

use steadfast_core::decision::Decide;
use steadfast_core::snapshot::Snapshot;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits, builtin};

/// How long one kind of call is measured.
const MEASURED: Duration = Duration::from_secs(2);

/// The unit of memory caps, in bytes.
const MIB: u64 = 1024 * 1024;

fn main() {
    let named: Vec<String> = std::env::args().skip(1).collect();
    if named.is_empty() {
        tell("conservative", builtin::CONSERVATIVE);
        tell("naive", builtin::NAIVE);
    }
    for path in named {
        let name = Path::new(&path).file_stem().unwrap().to_string_lossy();
        tell(&name, &std::fs::read(&path).unwrap());
    }
}

fn tell(name: &str, module: &[u8]) {
    let dir = std::env::temp_dir().join(format!("steadfast-decide-cost-{}", std::process::id()));
    let load = || {
        let engine = PolicyEngine::new(Some(&dir)).unwrap();
        let began = Instant::now();
        let policy = engine.load(name, module, "{}", PolicyLimits::default()).unwrap();
        (policy, began.elapsed())
    };
    let (_, first) = load();
    let (mut policy, again) = load();
    println!(
        "{name}: {} KiB, compiled and loaded in {first:.1?}, from the cache in {again:.1?}; an instance has {} MiB",
        module.len() / 1024,
        memory(&dir, name, module),
    );
    for (what, snapshot) in [
        ("running", situation::running()),
        ("crash looping", situation::crash_looping()),
    ] {
        report(what, "reused", || decide(&mut policy, &snapshot));
        report(what, "fresh", || {
            policy.end_batch();
            decide(&mut policy, &snapshot);
        });
    }
    std::fs::remove_dir_all(dir).unwrap();
}

/// The smallest cap in whole MiB under which it loads and decides.
fn memory(dir: &Path, name: &str, module: &[u8]) -> u64 {
    let engine = PolicyEngine::new(Some(dir)).unwrap();
    (1..)
        .find(|mib| {
            let limits = PolicyLimits {
                memory_bytes: mib * MIB,
                ..PolicyLimits::default()
            };
            let loaded = engine.load(name, module, "{}", limits);
            loaded.is_ok_and(|mut policy| policy.decide(&situation::crash_looping()).is_ok())
        })
        .unwrap()
}

fn decide(policy: &mut Policy, snapshot: &Snapshot) {
    policy.decide(snapshot).unwrap();
}

fn report(what: &str, instance: &str, mut call: impl FnMut()) {
    let began = Instant::now();
    let mut took = Vec::new();
    while began.elapsed() < MEASURED {
        let call_began = Instant::now();
        call();
        took.push(call_began.elapsed());
    }
    took.sort();
    let [p50, p99] = [took[took.len() / 2], took[took.len() * 99 / 100]];
    println!("  {what}, {instance} instance: p50 {p50:.1?}, p99 {p99:.1?}");
}
