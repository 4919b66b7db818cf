//! A module too large for the pool is a policy like any other.

use std::fs;

use steadfast_core::decision::{Decide, PolicyFailureKind};
use steadfast_host::{LoadError, PolicyEngine, PolicyLimits};
use tempfile::TempDir;

use crate::guest::Guest;
use crate::situation;

/// A module whose instances need more than the 1 MiB of a slot: a global takes 16 bytes.
fn large(decide: &str) -> Vec<u8> {
    let globals = "(global (mut i32) (i32.const 0)) ".repeat(80_000);
    Guest {
        // They stand where imports would, and are none.
        imports: globals.leak(),
        ..Guest::deciding(decide)
    }
    .module()
}

#[test]
fn it_decides_as_the_same_module_in_the_pool_does() {
    let engine = PolicyEngine::new(None).unwrap();
    let load = |module: &[u8]| engine.load("test", module, "{}", PolicyLimits::default()).unwrap();
    let mut large = load(&large(crate::guest::ANSWER));
    let mut small = load(&Guest::default().module());
    for _batch in 0..3 {
        assert_eq!(large.decide(&situation::running()), small.decide(&situation::running()));
        large.end_batch();
    }
}

#[test]
fn its_deadline_and_its_memory_end_as_in_the_pool() {
    let engine = PolicyEngine::new(None).unwrap();
    let limits = PolicyLimits {
        memory_bytes: 2 * 1024 * 1024,
        ..PolicyLimits::default()
    };
    for (decide, kind) in [
        ("(loop $again (br $again)) (unreachable)", PolicyFailureKind::Deadline),
        (
            "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)",
            PolicyFailureKind::Memory,
        ),
    ] {
        let mut policy = engine.load("test", &large(decide), "{}", limits).unwrap();
        assert_eq!(policy.decide(&situation::running()).unwrap_err().kind, kind);
    }
}

#[test]
fn it_is_compiled_once() {
    let dir = TempDir::new().unwrap();
    let module = large(crate::guest::ANSWER);
    let start = || {
        let engine = PolicyEngine::new(Some(dir.path())).unwrap();
        let mut policy = engine.load("test", &module, "{}", PolicyLimits::default()).unwrap();
        policy.decide(&situation::running()).unwrap();
        let entries: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap()).collect();
        let [entry] = entries.as_slice() else {
            panic!("{entries:?}")
        };
        entry.metadata().unwrap().modified().unwrap()
    };
    assert_eq!(start(), start());
}

#[test]
fn one_that_needs_more_memory_than_it_may_have_is_refused_with_the_cap_to_write() {
    let limits = PolicyLimits {
        memory_bytes: 512 * 1024,
        ..PolicyLimits::default()
    };
    let refusal = PolicyEngine::new(None)
        .unwrap()
        .load("test", &Guest::default().module(), "{}", limits)
        .unwrap_err();
    let LoadError::Failed { message, .. } = &refusal else {
        panic!("{refusal}")
    };
    assert!(message.contains("memory = \"2MiB\""), "{message}");
}
