//! What a policy's memory holds where its answer is to be: bytes that the host lifts into a decision, and the planner plans.

use std::sync::{LazyLock, Mutex, PoisonError};

use steadfast_core::decision::Decide as _;
use steadfast_core::planner::plan;
use steadfast_core::record::JobRecord;
use steadfast_core::testing;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits};
use steadfast_wit::POLICY_WIT;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SizeAlign};

use super::decision::bounded;
use crate::{Target, hold};

pub(super) const TARGET: Target = Target {
    name: "policy",
    words: &["\u{0}", "\u{1}", "\u{7f}", "test1s", "Ok"],
    seeds,
    check,
};

/// Where the answer is: `result<decision, string>`, whose decision begins 8 bytes later.
const ANSWER: u32 = 4096;
/// The most of an input that is taken.
const MOST: u32 = 60_000;

/// The decision RUNNING, confirmed, looked at again after 5 s, with a list of each kind.
fn seeds() -> Vec<Vec<u8>> {
    let mut bytes = vec![0_u8; 256];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    let far = |at: u32| (ANSWER + at).to_le_bytes();
    put(8, &[2, 0]);
    // Reason, message, rule: "Ok".
    for at in [12, 20, 28] {
        put(at, &far(120));
        put(at + 4, &2_u32.to_le_bytes());
    }
    put(120, b"Ok");
    put(40, &5_000_u64.to_le_bytes());
    put(48, &60_000_u64.to_le_bytes());
    // One wish for evidence, one condition, one alert, two bytes of memory.
    for (at, place, count) in [(64, 128_u32, 1_u32), (72, 144, 1), (80, 160, 1), (88, 120, 2)] {
        put(at, &far(place));
        put(at + 4, &count.to_le_bytes());
    }
    for at in [148, 160, 172] {
        put(at, &far(120));
        put(at + 4, &2_u32.to_le_bytes());
    }
    let mut error = vec![0_u8; 32];
    error[0] = 1;
    error[8..12].copy_from_slice(&far(16));
    error[12..16].copy_from_slice(&5_u32.to_le_bytes());
    let plain = [&bytes[..64], &[0; 64]].concat();
    vec![bytes, plain, error, vec![0xff; 64]]
}

/// A guest whose answer is the memory that the engine hands it.
fn guest() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("policy.wit", POLICY_WIT).unwrap();
    let world = resolve.select_world(&[package], Some("policy")).unwrap();
    let mut sizes = SizeAlign::default();
    sizes.fill(&resolve);
    let decide = resolve.worlds[world].exports.values().find_map(|item| match item {
        wit_parser::WorldItem::Function(function) if function.name == "decide" => Some(function),
        wit_parser::WorldItem::Function(_)
        | wit_parser::WorldItem::Interface { .. }
        | wit_parser::WorldItem::Type { .. } => None,
    });
    let params: Vec<_> = decide.unwrap().params.iter().map(|param| param.ty).collect();
    let offsets = sizes.field_offsets(&params);
    let memory = offsets.last().unwrap().0.size_wasm32();
    let text = format!(
        r#"(module
            (memory (export "memory") 16)
            (global $heap (mut i32) (i32.const 131072))
            (data (i32.const 1024) "test1s")
            (data (i32.const 16) "\00\04\00\00\04\00\00\00\04\04\00\00\01\00\00\00\05\04\00\00\01\00\00\00")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
                (global.set $heap (i32.add (local.get $at) (local.get 3)))
                (local.get $at))
            (func (export "describe") (result i32) (i32.const 16))
            (func (export "configure") (param i32 i32) (result i32) (i32.const 64))
            (func (export "decide") (param $args i32) (result i32)
                (memory.copy (i32.const {ANSWER})
                    (i32.load (i32.add (local.get $args) (i32.const {memory})))
                    (i32.load (i32.add (local.get $args) (i32.const {length}))))
                (i32.const {ANSWER})))"#,
        length = memory + 4,
    );
    let mut module = wat::parse_str(text).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

static POLICY: LazyLock<Mutex<Policy>> = LazyLock::new(|| {
    let engine = PolicyEngine::new(None).unwrap();
    Mutex::new(engine.load("test", &guest(), "{}", PolicyLimits::default()).unwrap())
});

fn check(input: &[u8]) {
    let mut policy = POLICY.lock().unwrap_or_else(PoisonError::into_inner);
    let most = input.len().min(usize::try_from(MOST).unwrap_or(usize::MAX));
    let record = JobRecord {
        memory: input[..most].to_vec(),
        ..testing::record(testing::job_key("orders"), testing::at(0))
    };
    let snapshot = testing::snapshot(record.clone(), testing::at(5));
    let outcome = policy.decide(&snapshot);
    policy.end_batch();
    if let Err(failure) = &outcome {
        hold::text(&failure.message);
    }
    // What it was shown is longer than what a policy may remember.
    let before = JobRecord {
        memory: Vec::new(),
        ..record
    };
    let planned = plan(&before, &snapshot, outcome);
    let after = planned.change.as_ref().map_or(&before, |change| &change.record);
    bounded(&planned, after, &snapshot);
}
