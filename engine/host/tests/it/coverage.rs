//! A module that notes which of its code ran decides as before, and tells it.

use std::sync::Arc;

use steadfast_core::decision::Decide;
use steadfast_coverage::{Branches, Marked, NeverRan, NotMarked, mark};
use steadfast_host::{Passed, Policy, PolicyEngine, PolicyLimits};

use crate::guest::Guest;
use crate::situation;

/// Functions as Rust's compiler names them: one is never called, one has a branch for more than 100 calls.
const FUNCTIONS: &str = r#"
    (@producers (language "Rust" "1.95"))
    (func $"mine::never" (result i32) i32.const 256)
    (func $"mine::often" (param i32) (result i32)
        (if (i32.gt_u (local.get 0) (i32.const 100)) (then (return (call $"mine::never"))))
        (if (i32.gt_u (local.get 0) (i32.const 200)) (then unreachable))
        (i32.const 256))
    (func $"mine::judge" (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (result i32) (i32.eq (global.get $calls) (i32.const 1))
            (then (call $"mine::often" (i32.const 1)))
            (else (call $"mine::often" (global.get $calls)))))
    (func $"core::fmt::write" (result i32) i32.const 0)"#;

fn guest() -> Guest {
    Guest {
        imports: FUNCTIONS,
        ..Guest::deciding(r#"(call $"mine::judge")"#)
    }
}

/// The policy with marks, what it notes, and what that stands for.
fn noting(module: &[u8]) -> (Policy, Arc<Passed>, Marked) {
    let component = PolicyEngine::component("test", module).unwrap();
    let marked = mark(&component, None).unwrap();
    let passed = Arc::new(Passed::new(marked.words));
    let engine = PolicyEngine::new(None).unwrap();
    let policy = engine.load("test", &marked.component, "{}", PolicyLimits::default());
    (policy.unwrap().noting(Arc::clone(&passed)), passed, marked)
}

fn never_ran(passed: &Passed, marked: &Marked) -> NeverRan {
    marked.code.never_ran(|mark| passed.is_set(mark))
}

#[test]
fn what_never_ran_is_named_and_what_ran_is_not() {
    let (mut policy, passed, marked) = noting(&guest().module());
    policy.decide(&situation::running()).unwrap();
    policy.end_batch();
    let never = never_ran(&passed, &marked);
    let told = |never: &NeverRan| never.parts.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((never.functions, never.functions_never_called), (3, 1));
    // What ends in a trap is none of the branches.
    let some = [
        "mine::judge, 1 of 2 branches",
        "mine::never, never called",
        "mine::often, 1 of 3 branches",
    ];
    assert_eq!(told(&never), some);
    assert_eq!(never.parts[0].branches, Some(Branches { all: 2, never_taken: 1 }));

    // A later batch adds to it, in another policy of the same module, and also where nobody ends it.
    let mut another = policy.another();
    for _ in 0..2 {
        another.decide(&situation::running()).unwrap();
    }
    drop(another);
    assert_eq!(told(&never_ran(&passed, &marked)), [some[1], some[2]]);
}

#[test]
fn marks_change_no_decision_and_no_failure() {
    for decide in [
        r#"(call $"mine::judge")"#,
        r#"(drop (call $"mine::judge")) unreachable"#,
    ] {
        let guest = Guest {
            imports: FUNCTIONS,
            ..Guest::deciding(decide)
        };
        let mut plain = guest.load().unwrap();
        let (mut marked, ..) = noting(&guest.module());
        for _ in 0..3 {
            assert_eq!(
                marked.decide(&situation::running()),
                plain.decide(&situation::running())
            );
        }
    }
}

#[test]
fn a_component_is_marked_as_the_module_that_it_is_made_of() {
    let (mut policy, passed, marked) = noting(&guest().component());
    policy.decide(&situation::running()).unwrap();
    policy.end_batch();
    assert_eq!(never_ran(&passed, &marked).functions_never_called, 1);
}

#[test]
fn what_cannot_be_seen_is_said() {
    let component = Guest::default().component();
    assert!(matches!(mark(&component, None), Err(NotMarked::Lineless(_))));
    let component = PolicyEngine::component("test", steadfast_host::builtin::CONSERVATIVE).unwrap();
    assert!(matches!(mark(&component, None), Err(NotMarked::Stripped)));
}
