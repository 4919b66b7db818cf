//! What one decision of the default policy costs: `cargo run --release -p steadfast-host --example decide-cost`.
//!
//! A reused instance is what a batch pays, a fresh one what the first decision of each batch pays on top.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../tests/it/situation.rs"]
#[allow(dead_code)]
mod situation;

use std::time::{Duration, Instant};

use steadfast_core::decision::Decide;
use steadfast_core::snapshot::Snapshot;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits, builtin};

fn main() {
    let dir = std::env::temp_dir().join("steadfast-decide-cost");
    for (name, module) in [("conservative", builtin::CONSERVATIVE), ("naive", builtin::NAIVE)] {
        let engine = PolicyEngine::new(Some(&dir)).unwrap();
        let load = || engine.load(name, module, "{}", PolicyLimits::default()).unwrap();
        let first = timed(|| drop(load()));
        let again = timed(|| drop(load()));
        println!(
            "{name}: {} KiB, loaded in {first:.1?}, from the cache in {again:.1?}",
            module.len() / 1024
        );
        let mut policy = load();
        for (what, snapshot) in [
            ("running", situation::running()),
            ("crash looping", situation::crash_looping()),
        ] {
            report(what, "reused", 200_000, || decide(&mut policy, &snapshot));
            report(what, "fresh", 20_000, || {
                policy.end_batch();
                decide(&mut policy, &snapshot);
            });
        }
    }
    std::fs::remove_dir_all(dir).unwrap();
}

fn decide(policy: &mut Policy, snapshot: &Snapshot) {
    policy.decide(snapshot).unwrap();
}

fn timed(call: impl FnOnce()) -> Duration {
    let began = Instant::now();
    call();
    began.elapsed()
}

fn report(what: &str, instance: &str, times: usize, mut call: impl FnMut()) {
    let mut took: Vec<Duration> = (0..times).map(|_| timed(&mut call)).collect();
    took.sort();
    let [p50, p99] = [took[times / 2], took[times * 99 / 100]];
    println!("  {what}, {instance} instance: p50 {p50:.1?}, p99 {p99:.1?}");
}
